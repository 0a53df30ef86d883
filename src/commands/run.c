// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd run */
#include "commands/commands.h"
#include "commands/options.h"
#include "session/session.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* What the command line says, as text. */
struct line {
	struct run_options o;
	const char *output;
};

static const char usage[] = "usage: stressd run [OPTIONS] SCENARIO\n";

static const struct cmd_option options[] = {
	{ "run-dir", "DIR", offsetof(struct line, o.run_dir),
	  "where results go; new or empty (default: a new one under the state directory)" },
	{ "destroy", "DEV", offsetof(struct line, o.destroy),
	  "allow a scenario with target \"device\" to overwrite DEV" },
	{ "seed", "N", offsetof(struct line, o.seed), "another seed than the scenario's" },
	{ "duration", "TIME", offsetof(struct line, o.duration), "another duration, like 30s" },
	{ "keep", NULL, offsetof(struct line, o.keep),
	  "keep image, shadow and histories of a run that passed, too" },
	{ "json", NULL, offsetof(struct line, o.json), "JSON lines on stdout, nothing else there" },
	{ "output", "LIST", offsetof(struct line, output),
	  "further reports beside the others: ktap, kcidb, prometheus" },
	{ "quiet", NULL, offsetof(struct line, o.quiet), "no live line" },
	{ "until-hit", NULL, 0, /* taken out before: see until_hit() */
	  "again and again until it finds something: `stressd repro`, with its options" },
	{ 0 },
};

/* Is it `repro` by its other name? Takes the option out, so that its arguments are repro's. */
static bool until_hit(int *argc, char **argv)
{
	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--until-hit") != 0)
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
		--*argc;
		return true;
	}
	return false;
}

int cmd_run(int argc, char **argv)
{
	struct line line = { .output = NULL };
	struct err e = { "" };
	int status;

	if (until_hit(&argc, argv))
		return cmd_repro(argc, argv);
	status = command_options("run", usage, options, argc, argv, &line);
	if (status != CMD_GO_ON)
		return status;
	if (line.output && report_ask(line.output, &line.o.formats, &e) < 0)
		return usage_error("run", "--output %s", e.text);
	if (argc - optind != 1)
		return usage_error("run", "expected one scenario");
	line.o.scenario = argv[optind];
	return session_run(&line.o);
}
