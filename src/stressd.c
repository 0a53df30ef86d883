// SPDX-License-Identifier: GPL-2.0-or-later
/* main(): the table of subcommands and nothing else. */
#include "commands/commands.h"

#include "base/base.h"
#include "base/option.h"
#include "vm/guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *args, *help;
} subcommands[] = {
	{ "run", cmd_run, "[OPTIONS] SCENARIO", "run a scenario" },
	{ "check", cmd_check, "SCENARIO...", "check scenarios without running them" },
	{ "verify", cmd_verify, "[OPTIONS] RUNDIR", "finish the check of a run that died" },
	{ "report", cmd_report, "[OPTIONS] RUNDIR...", "write the reports of finished runs again" },
	{ "list", cmd_list, "[--json] workers|faults|targets|rules|findings|reports|steps [NAME]",
	  "what there is, with every option" },
	{ "caps", cmd_caps, "[--json]", "what this machine can do, and what would bring the rest" },
	{ "recover", cmd_recover, "", "put back what dead runs left changed" },
	{ "vm", cmd_vm, "--kernel IMAGE [OPTIONS] SCENARIO...",
	  "run scenarios in a kernel of their own" },
	{ "repro", cmd_repro, "[OPTIONS] SCENARIO", "run a scenario until it finds something" },
	{ "minimize", cmd_minimize, "[OPTIONS] RUNDIR|SCENARIO",
	  "take away what a finding does not need" },
	{ "bisect-step", cmd_bisect_step, "--kernel IMAGE [OPTIONS] SCENARIO",
	  "one step of `git bisect run`" },
	{ "matrix", cmd_matrix, "[OPTIONS] MATRIX",
	  "kernels x targets x scenarios x seeds, and what was interrupted goes on" },
	{ "daemon", cmd_daemon, "[--config FILE] [--check]",
	  "take jobs from a socket, run them, store their results" },
	{ "submit", cmd_ask, "[OPTIONS] SCENARIO...|--matrix MATRIX", "hand it to the daemon" },
	{ "status", cmd_ask, "[OPTIONS] [ID]", "what the daemon runs, has queued, and has run" },
	{ "watch", cmd_ask, "[OPTIONS]", "what goes on in the daemon, as it happens" },
	{ "cancel", cmd_ask, "[OPTIONS] ID", "take a job out of the queue, or stop it" },
	{ "results", cmd_ask, "[OPTIONS] [SCENARIO|FINGERPRINT]",
	  "what the store of the daemon knows" },
	{ "store", cmd_store, "import [OPTIONS] DIR... | nights | check",
	  "keep what is known of runs, in one file" },
	{ "history", cmd_history, "[OPTIONS] [SCENARIO|FINGERPRINT]",
	  "what the store knows of a scenario or a finding" },
	{ "compare", cmd_compare, "[OPTIONS] A B",
	  "two nights: what is new, fixed, still there, flaky" },
	{ "schema", cmd_schema, "", "print the JSON Schema of scenarios" },
};

int usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "stressd %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see `stressd %s --help`\n", command);
	return EXIT_USAGE;
}

static int no_such_command(const char *name)
{
	const char *names[ARRAY_SIZE(subcommands) + 1] = { NULL }, *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		names[i] = subcommands[i].name;
	nearest = option_nearest(names, name);
	fprintf(stderr, "stressd: %s: no such command%s%s%s; see `stressd --help`\n", name,
		nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
	return EXIT_USAGE;
}

static int help(FILE *out)
{
	fprintf(out,
		"stressd " STRESSD_VERSION ": finds data corruption and kernel warnings in Linux "
		"filesystems and the page cache\n\nusage: stressd COMMAND [ARGUMENTS]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(out, "  %-12s%s\n              %s\n", subcommands[i].name,
			subcommands[i].args, subcommands[i].help);
	fprintf(out,
		"\nexit status: 0 nothing found, 1 a finding, 2 usage or scenario error, 3 stressd "
		"failed\nor the result is incomplete, 4 skipped: this machine lacks something,\n75 "
		"the infrastructure failed: try again\n");
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	char name[64];

	/* The kernel of a guest started it: see vm/guest.h. */
	if (getpid() == 1 && !strcmp(argv[0], "/init"))
		vm_guest();
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout);
	if (!strcmp(argv[1], "--version")) {
		puts("stressd " STRESSD_VERSION);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		if (!strcmp(argv[1], subcommands[i].name)) {
			/* The commands of the daemon's clients tell themselves apart by it. */
			snprintf(name, sizeof(name), "stressd %s", argv[1]);
			argv[1] = name;
			return subcommands[i].fn(argc - 1, argv + 1);
		}
	return no_such_command(argv[1]);
}
