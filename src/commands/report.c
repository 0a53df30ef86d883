// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd report: the reports of a finished run again, from its run directory. No target is
 * touched, and result.json, which the store knows the run by, is read alone. */
#include "report/restore.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/store.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE "json" /* what the others are made of */

/* What the command line says, as text. */
struct line {
	const char *format;
};

static const char usage[] =
	"usage: stressd report [OPTIONS] RUNDIR...\n"
	"Write the reports of finished runs again, from what their directories hold: after an\n"
	"update of stressd, or in a form that the run was not asked for.\n";

static const struct cmd_option options[] = {
	{ "format", "LIST", offsetof(struct line, format),
	  "these alone, like html,ktap (default: those of every run, and what is there)" },
	{ 0 },
};

static u64 set_of(const char *name)
{
	u64 set = 0;

	report_ask(name, &set, &(struct err){ "" });
	return set;
}

static bool has(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return path_set(path, sizeof(path), "%s/%s", dir, name) == 0 && access(path, F_OK) == 0;
}

/* Those of every run, and those on request that the run has. */
static u64 usual_in(const char *dir)
{
	u64 set = report_usual();

	for (size_t i = 0; report_formats[i]; i++)
		set |= (u64)has(dir, report_formats[i]->file) << i;
	return set & ~set_of(SOURCE);
}

static void tell(const struct run_result *r, u64 formats)
{
	for (size_t i = 0; report_formats[i]; i++) {
		if (!(formats >> i & 1))
			continue;
		put_field("", r->run_dir);
		printf("/%s\n", report_formats[i]->file);
	}
}

/* The exit status. A run directory may have been moved since, so it is where it lies. */
static int write_again(const char *dir, const struct scenario *sc, u64 formats, struct err *e)
{
	struct restored *x;
	char path[PATH_MAX];
	int r = path_set(path, sizeof(path), "%s/result.json", dir);

	r = r < 0 ? err_set(e, r, "%s: the path is too long", dir)
		  : result_restore(path, sc, &x, e);
	if (r < 0)
		return r == -ENOMEM ? EXIT_TROUBLE : EXIT_USAGE;
	r = path_set(x->r.run_dir, sizeof(x->r.run_dir), "%s", dir);
	formats = formats ? formats : usual_in(dir);
	if (r < 0)
		err_set(e, r, "%s: the path is too long", dir);
	else
		r = report_write(&x->r, formats, e);
	if (r == 0)
		tell(&x->r, formats);
	restored_free(x);
	return r < 0 ? EXIT_TROUBLE : EXIT_FINE;
}

/* The run, and beside it what `stressd verify` made of it when it was a guest's. */
static int report_run(const char *dir, u64 formats, struct err *e)
{
	char path[PATH_MAX];
	struct scenario *sc = NULL;
	int status = EXIT_USAGE;

	if (!has(dir, "result.json")) {
		err_set(e, -EINVAL,
			has(dir, "scenario.json")
				? "%s: has no result.json: the run goes on, or it died; "
				  "`stressd verify` ends a dead one"
				: "%s: not a run directory, it has no result.json",
			dir);
		return EXIT_USAGE;
	}
	if (path_set(path, sizeof(path), "%s/scenario.json", dir) < 0)
		err_set(e, -ENAMETOOLONG, "%s: the path is too long", dir);
	/* One that was turned away has none. */
	else if (access(path, F_OK) < 0 || scenario_load(path, &sc, e) == 0)
		status = write_again(dir, sc, formats, e);
	if (status == EXIT_FINE && has(dir, "verify/result.json") &&
	    path_set(path, sizeof(path), "%s/verify", dir) == 0)
		status = write_again(path, sc, formats, e);
	if (sc)
		scenario_free(sc);
	return status;
}

static int report_at(const char *given, u64 formats)
{
	_cleanup_free_ char *real = realpath(given, NULL);
	_cleanup_close_ int held = real ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct err e = { "" };
	int status = EXIT_USAGE;
	struct stat st;

	/* What is read is not pruned meanwhile. Without a lock it is still read. */
	if (held >= 0)
		flock(held, LOCK_SH);
	if (held < 0 || fstat(held, &st) < 0)
		err_set(&e, -errno, "%s: %s; expected a run directory", given, strerror(errno));
	else if (st.st_uid != geteuid()) /* who could lead the reports elsewhere */
		err_set(&e, -EPERM, "%s: belongs to user %u; run report as that user", given,
			st.st_uid);
	else
		status = report_run(real, formats, &e);
	if (status != EXIT_FINE)
		fprintf(stderr, "stressd: %s\n", e.text);
	return status;
}

int cmd_report(int argc, char **argv)
{
	struct line line = { .format = NULL };
	struct err e = { "" };
	u64 formats = 0;
	int worst = EXIT_FINE,
	    status = command_options("report", usage, options, argc, argv, &line);

	if (status != CMD_GO_ON)
		return status;
	if (line.format && report_ask(line.format, &formats, &e) < 0)
		return usage_error("report", "--format %s", e.text);
	if (line.format && (!formats || formats & set_of(SOURCE)))
		return usage_error("report",
				   "--format %s: expected reports but for " SOURCE
				   ", of which they are made",
				   line.format);
	if (argc == optind)
		return usage_error("report", "expected at least one run directory");
	for (int i = optind; i < argc; i++) {
		status = report_at(argv[i], formats);
		worst = MAX(worst, status);
	}
	return worst;
}
