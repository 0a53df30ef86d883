// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd vm */
#include "commands/check_config.h"
#include "commands/commands.h"
#include "commands/options.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/units.h"
#include "commands/vm_scoreboard.h"
#include "session/session.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
	"usage: stressd vm --kernel IMAGE [OPTIONS] SCENARIO...\n"
	"       stressd vm --check-config FILE [--fragment | --json] [SCENARIO...]\n"
	"       stressd vm --kernel IMAGE... --scoreboard MUTANTS [OPTIONS]\n"
	"Run scenarios in a kernel of their own, in QEMU, with this machine's files, read-only.\n"
	"  --kernel IMAGE   a bzImage: of a lab, of a distribution, or just built\n"
	"  --append ARGS    further words for its command line\n"
	"  --accel HOW      kvm, tcg (emulation), or auto: kvm, and tcg where that stays silent\n"
	"  --cpus N         processors of the guest (default: 2)\n"
	"  --memory SIZE    memory of the guest (default: 2G)\n"
	"  --disk SIZE[:serial=NAME]\n"
	"                   a disk: /dev/vda, /dev/vdb, ... and /dev/disk/by-id/virtio-NAME\n"
	"  --cut TIME       cut the power so long after the first operation, then `stressd "
	"verify`:\n"
	"                   is all that was synced there? One scenario, at least 1s\n"
	"  --timeout TIME   of all of it (default: four times the durations, and five minutes)\n"
	"  --silence TIME   without a sign of life: the guest hangs (default: 30s)\n"
	"  --run-dir DIR    where results go; new or empty (default: a new one under the state "
	"directory)\n"
	"  --runner PROGRAM in place of the guest's own stressd, as root: a wrapper, a debugger,\n"
	"                   another build; called as PROGRAM run --quiet --run-dir DIR SCENARIO\n"
	"  --keep           keep shadow and histories of a run that passed, too\n"
	"  --output LIST    further reports beside the others: ktap, kcidb, prometheus\n"
	"  --no-images      keep no filesystem images, not even those of findings: a few hundred\n"
	"                   MiB each\n"
	"  --check-config FILE\n"
	"                   say what a kernel must be built with for the scenarios, and what FILE\n"
	"                   has of it: a .config, config.gz, a vmlinux or a bzImage; nothing is "
	"run\n"
	"  --fragment       what is missing, as scripts/kconfig/merge_config.sh takes it\n"
	"  --json           the same as JSON lines; without --check-config those of the runs, as\n"
	"                   `stressd run --json` has them\n";

enum { ACCEL_UNKNOWN = -1 };

static int accel_by_name(const char *name)
{
	static const char *const names[] = {
		[ACCEL_AUTO] = "auto", [ACCEL_KVM] = "kvm", [ACCEL_TCG] = "tcg"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return ACCEL_UNKNOWN;
}

static int parse_disk(char *text, struct vm_disk *ret)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon++ = '\0';
		if (strncmp(colon, "serial=", 7) != 0)
			return -EINVAL;
		colon += 7;
		if (!*colon || strlen(colon) >= sizeof(ret->serial) ||
		    colon[strspn(colon, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789._-")])
			return -EINVAL;
		strcpy(ret->serial, colon);
	}
	if (parse_size(text, &ret->bytes) < 0 || ret->bytes < MIB || ret->bytes % 512)
		return -EINVAL;
	return 0;
}

static int bad(const char *option, const char *value, const char *expected)
{
	return usage_error("vm", "--%s %s: expected %s", option, value, expected);
}

/* One option of --check-config; false: it is none of them. */
static bool take_check_option(struct check_config *check, int c, const char *value)
{
	switch (c) {
	case 'C':
		check->path = value;
		return true;
	case 'f':
		check->fragment = true;
		return true;
	case 'j':
		check->json = true;
		return true;
	}
	return false;
}

static int take_output(struct vm_options *o, const char *value)
{
	u64 formats = 0;
	struct err e;

	o->output = value;
	return report_ask(value, &formats, &e) < 0 ? usage_error("vm", "--output %s", e.text) : 0;
}

/* One option; 0, or the exit status. */
static int take_option(struct vm_options *o, int c, char *value)
{
	switch (c) {
	case 'a':
		o->append = value;
		return 0;
	case 'x':
		o->accel = accel_by_name(value);
		return o->accel < 0 ? bad("accel", value, "auto, kvm or tcg") : 0;
	case 'c':
		return parse_count(value, &o->cpus) < 0 || !o->cpus || o->cpus > 255
			       ? bad("cpus", value, "a number from 1 to 255")
			       : 0;
	case 'm':
		return parse_size(value, &o->memory_bytes) < 0 || o->memory_bytes < 128 * MIB
			       ? bad("memory", value, "a size like 2G, at least 128M")
			       : 0;
	case 'd':
		if (o->ndisks == VM_DISKS_MAX - 1) /* one is for the image */
			return usage_error("vm", "more than %d disks", VM_DISKS_MAX - 1);
		return parse_disk(value, &o->disks[o->ndisks++]) < 0
			       ? bad("disk", value, "SIZE or SIZE:serial=NAME, like 1G:serial=test")
			       : 0;
	case 'p':
		return parse_time(value, &o->cut_ns) < 0 || o->cut_ns < NSEC_PER_SEC
			       ? bad("cut", value, "a time like 3s, at least 1s")
			       : 0;
	case 't':
		return parse_time(value, &o->timeout_ns) < 0 || !o->timeout_ns
			       ? bad("timeout", value, "a time like 10m")
			       : 0;
	case 's':
		return parse_time(value, &o->silence_ns) < 0 || o->silence_ns < NSEC_PER_SEC
			       ? bad("silence", value, "a time like 30s")
			       : 0;
	case 'r':
		o->run_dir = value;
		return 0;
	case 'o':
		return take_output(o, value);
	case 'I':
		o->no_images = true;
		return 0;
	case 'R':
		o->runner = value;
		return value[0] == '/' && access(value, X_OK) == 0
			       ? 0
			       : bad("runner", value, "the absolute path of a program");
	default:
		o->keep = true;
		return 0;
	}
}

static int load_scenarios(struct vm_options *o, char **paths, int n)
{
	struct err e;

	if (n < 1 || n > VM_SCENARIOS_MAX)
		return usage_error("vm", n ? "more than %d scenarios" : "expected a scenario",
				   VM_SCENARIOS_MAX);
	for (; o->nscenarios < (size_t)n; o->nscenarios++)
		if (scenario_load(paths[o->nscenarios], &o->scenarios[o->nscenarios], &e) < 0) {
			fprintf(stderr, "stressd: %s\n", e.text);
			return EXIT_USAGE;
		}
	return 0;
}

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	return d && n == 2;
}

/* An absolute one in @buf; *ret_made: it was not there before. */
static int make_run_dir(const struct vm_options *o, const char *name, char *buf, bool *ret_made,
			struct err *e)
{
	char given[PATH_MAX], state[400];
	int r;

	if (o->run_dir) {
		r = path_set(given, sizeof(given), "%s", o->run_dir);
	} else {
		r = state_dir(state, sizeof(state), e);
		if (r < 0)
			return r;
		r = path_set(given, sizeof(given), "%s/runs/vm-%.60s-%lld-%d", state, name,
			     (long long)time(NULL), (int)getpid());
	}
	*ret_made = access(given, F_OK) < 0;
	if (r == 0)
		r = mkdir_p(given, 0700);
	if (r == 0 && !realpath(given, buf))
		r = -errno;
	if (r < 0)
		return err_set(e, r, "%s: cannot be the run directory: %s", given, strerror(-r));
	if (!is_empty(buf))
		return err_set(e, -EEXIST, "%s: not empty; name a directory that is new or empty",
			       given);
	return 0;
}

/* What was made for a guest that never came to be is removed; results are not. */
static void remove_empty(const struct vm_options *o, bool made)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/console.log", o->run_dir);
	if (stat(path, &st) == 0 && st.st_size == 0)
		unlink(path);
	for (size_t i = 0; o->nscenarios > 1 && i < o->nscenarios; i++) {
		snprintf(path, sizeof(path), "%s/%zu", o->run_dir, i + 1);
		rmdir(path);
	}
	if (made)
		rmdir(o->run_dir);
}

static int run(struct scoreboard_options *o)
{
	char dir[PATH_MAX];
	bool made = false;
	struct err e = { "" };
	int status = make_run_dir(&o->vm, o->mutants ? "scoreboard" : o->vm.scenarios[0]->name, dir,
				  &made, &e);

	if (status < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return status == -ENOSPC || status == -EDQUOT ? EXIT_TROUBLE : EXIT_USAGE;
	}
	o->vm.run_dir = dir;
	signal(SIGPIPE, SIG_IGN);
	/* It comes from the guest in pieces, and is for somebody who waits for lines. */
	if (o->vm.json)
		setvbuf(stdout, NULL, _IOLBF, 0);
	status = o->mutants ? scoreboard_run(o, &e) : vm_run(&o->vm, &e);
	if (e.text[0])
		fprintf(stderr, "stressd: %s\n", e.text);
	if (status != EXIT_FINE)
		remove_empty(&o->vm, made);
	return status;
}

/* Which of the three it is, and what goes with it. */
static int settle(struct scoreboard_options *o, const struct check_config *check, int nscenarios)
{
	if (!check->path && check->fragment)
		return usage_error("vm", "--fragment goes with --check-config");
	if (check->json && o->mutants)
		return usage_error("vm", "--json goes with scenarios or --check-config");
	o->vm.json = check->json;
	if (check->path && o->mutants)
		return usage_error("vm", "--check-config or --scoreboard, not both");
	if (o->mutants && o->vm.cut_ns)
		return usage_error("vm", "--cut goes with a scenario; with --scoreboard the list "
					 "of faults has \"cut\"");
	return check->path ? 0 : vm_scoreboard_settle(o, nscenarios);
}

int cmd_vm(int argc, char **argv)
{
	static const struct option options[] = {
		VM_SCOREBOARD_OPTIONS,
		{ "append", required_argument, NULL, 'a' },
		{ "accel", required_argument, NULL, 'x' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "memory", required_argument, NULL, 'm' },
		{ "disk", required_argument, NULL, 'd' },
		{ "cut", required_argument, NULL, 'p' },
		{ "timeout", required_argument, NULL, 't' },
		{ "silence", required_argument, NULL, 's' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "output", required_argument, NULL, 'o' },
		{ "runner", required_argument, NULL, 'R' },
		{ "keep", no_argument, NULL, 'K' },
		{ "no-images", no_argument, NULL, 'I' },
		{ "check-config", required_argument, NULL, 'C' },
		{ "fragment", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct scoreboard_options o = { .vm = { .append = "",
						.cpus = 2,
						.memory_bytes = 2 * GIB,
						.silence_ns = 30 * NSEC_PER_SEC,
						.out = stdout,
						.err = stderr },
					.out = stdout,
					.progress = stderr };
	struct check_config check = { .path = NULL };
	int status = 0;

	opterr = 0;
	for (int c; !status && (c = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
		if (c == 'h') {
			fputs(help, stdout);
			fputs(vm_scoreboard_help, stdout);
			return EXIT_FINE;
		}
		if (take_check_option(&check, c, optarg))
			continue;
		status = c == '?' || c == ':'	  ? option_error("vm", c, argv)
			 : vm_scoreboard_takes(c) ? vm_scoreboard_option(&o, c, optarg)
						  : take_option(&o.vm, c, optarg);
	}
	if (!status)
		status = settle(&o, &check, argc - optind);
	if (!status && !o.mutants && (!check.path || optind < argc))
		status = load_scenarios(&o.vm, argv + optind, argc - optind);
	if (!status)
		status = check.path ? check_config(&check, &o.vm) : run(&o);
	for (size_t i = 0; i < o.vm.nscenarios; i++)
		scenario_free(o.vm.scenarios[i]);
	return status;
}
