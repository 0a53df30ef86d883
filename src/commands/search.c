// SPDX-License-Identifier: GPL-2.0-or-later
/* One table of options for the commands that repeat runs; what `stressd vm` takes is handed on as
 * it is. */
#include "commands/search.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "base/stats.h"
#include "base/units.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "session/session.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define ALL	   (FOR_REPRO | FOR_MINIMIZE | FOR_BISECT)
#define LINE_NS	   (10 * NSEC_PER_SEC)
#define EXIT_SKIP  4
#define EXIT_AGAIN 75  /* EX_TEMPFAIL of sysexits.h */
#define FIRST	   256 /* of the numbers of options, past all characters */

struct search_option {
	const char *name, *value; /* value: NULL for none */
	unsigned int who;
	/* 0, or -1 when @text is not what was expected. NULL: `stressd vm` takes it. */
	int (*take)(struct search *s, const char *text);
	const char *help; /* and what is expected */
};

static int take_kernel(struct search *s, const char *text)
{
	s->kernel = text;
	return 0;
}

static int take_run_dir(struct search *s, const char *text)
{
	s->run_dir = text;
	return 0;
}

static int take_output(struct search *s, const char *text)
{
	s->output = text;
	return 0;
}

static int take_seed(struct search *s, const char *text)
{
	s->seed_text = text;
	return parse_count(text, &s->seed) < 0 || s->seed > INT64_MAX ? -1 : 0;
}

static int take_duration(struct search *s, const char *text)
{
	u64 ns;

	s->duration = text;
	return parse_time(text, &ns) < 0 || !ns ? -1 : 0;
}

static int take_times(struct search *s, const char *text)
{
	return parse_count(text, &s->times) < 0 || !s->times ? -1 : 0;
}

static int take_hits(struct search *s, const char *text)
{
	return parse_count(text, &s->hits);
}

static int take_for(struct search *s, const char *text)
{
	return parse_time(text, &s->for_ns) < 0 || !s->for_ns ? -1 : 0;
}

static int take_finding(struct search *s, const char *text)
{
	struct err e;

	return wanted_parse(text, &s->wanted, &e);
}

static int take_percent(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end) / 100;
	if (*end == '%')
		end++;
	return end == text || *end || !(*ret > 0 && *ret < 1) ? -1 : 0;
}

static int take_rate(struct search *s, const char *text)
{
	return take_percent(text, &s->rate);
}

static int take_fraction(struct search *s, const char *text)
{
	return take_percent(text, &s->fraction);
}

static int take_confidence(struct search *s, const char *text)
{
	return take_percent(text, &s->confidence) < 0 || s->confidence < 0.5 ? -1 : 0;
}

static int take_destroy(struct search *s, const char *text)
{
	s->only_native = "--destroy";
	s->runner.args[s->runner.nargs++] = "--destroy";
	s->runner.args[s->runner.nargs++] = text;
	return s->runner.nargs > 2 ? -1 : 0;
}

static int take_keep(struct search *s, const char *text)
{
	(void)text;
	s->keep = true;
	return 0;
}

static int take_json(struct search *s, const char *text)
{
	(void)text;
	s->json = true;
	return 0;
}

static int take_quiet(struct search *s, const char *text)
{
	(void)text;
	s->quiet = true;
	return 0;
}

static const struct search_option options[] = {
	{ "finding", "KIND", ALL, take_finding,
	  "what counts as a hit: some of `stressd list findings`, with commas between" },
	{ "times", "N", FOR_REPRO | FOR_BISECT, take_times, "so many attempts, from 1" },
	{ "for", "TIME", ALL, take_for, "no longer than this, like 10m" },
	{ "hits", "N", FOR_REPRO, take_hits,
	  "go on until so many hits, a number; 0: to the end (default: 1)" },
	{ "rate", "PERCENT", FOR_BISECT, take_rate,
	  "hit rate of a bad kernel, between 0 and 100: how many silent attempts make a good one" },
	{ "keep-rate", "PERCENT", FOR_MINIMIZE, take_fraction,
	  "share of the hit rate that must remain, between 0 and 100 (default: 25)" },
	{ "confidence", "PERCENT", FOR_MINIMIZE | FOR_BISECT, take_confidence,
	  "of each answer, from 50 to under 100 (default: 95)" },
	{ "output", "FILE", FOR_MINIMIZE, take_output,
	  "the smaller scenario, a file name (default: NAME-min.json here)" },
	{ "run-dir", "DIR", ALL, take_run_dir,
	  "where runs go, new or empty (default: a new one under the state directory)" },
	{ "seed", "N", ALL, take_seed, "of the first attempt; those of the others come from it" },
	{ "duration", "TIME", ALL, take_duration,
	  "of a run, another than the scenario's, like 30s" },
	{ "destroy", "DEV", ALL, take_destroy,
	  "allow a scenario with target \"device\" to overwrite one device" },
	{ "keep", NULL, FOR_REPRO, take_keep,
	  "keep the results of attempts that did not hit, too" },
	{ "json", NULL, ALL, take_json, "JSON lines on stdout, nothing else there" },
	{ "quiet", NULL, ALL, take_quiet, "no progress" },
	{ "kernel", "IMAGE", ALL, take_kernel, "in guests with this kernel, as `stressd vm`" },
	{ "append", "ARGS", ALL, NULL, "with --kernel: further words for its command line" },
	{ "accel", "HOW", ALL, NULL, "with --kernel: kvm, tcg or auto" },
	{ "cpus", "N", ALL, NULL, "with --kernel: processors of the guest" },
	{ "memory", "SIZE", ALL, NULL, "with --kernel: memory of the guest" },
	{ "disk", "SIZE[:serial=NAME]", ALL, NULL, "with --kernel: a disk of the guest" },
	{ "silence", "TIME", ALL, NULL, "with --kernel: without a sign of life the guest hangs" },
};

static void print_help(unsigned int who, const char *usage)
{
	fputs(usage, stdout);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].who & who)
			option_help(options[i].name, options[i].value, options[i].help);
}

static int take(struct search *s, const struct search_option *o, const char *text)
{
	if (o->take)
		return o->take(s, text) < 0 ? usage_error(s->command, "--%s %s: expected %s",
							  o->name, text, o->help)
					    : -1;
	s->only_guest = o->name;
	if (s->nvm_args == RUNNER_ARGS - 4 ||
	    asprintf(&s->vm_args[s->nvm_args], "--%s=%s", o->name, text) < 0)
		return usage_error(s->command, "--%s: too many options for guests", o->name);
	s->nvm_args++;
	return -1;
}

/* What goes together, and where the attempts are made. */
static int settle(struct search *s)
{
	if (s->kernel && s->only_native)
		return usage_error(s->command, "%s: not with --kernel; a guest's disks are its own",
				   s->only_native);
	if (!s->kernel && s->only_guest)
		return usage_error(s->command, "--%s: only with --kernel", s->only_guest);
	s->runner.run = s->kernel ? runner_guest : runner_native;
	if (!s->kernel)
		return -1;
	s->runner.args[s->runner.nargs++] = "--kernel";
	s->runner.args[s->runner.nargs++] = s->kernel;
	for (size_t i = 0; i < s->nvm_args; i++)
		s->runner.args[s->runner.nargs++] = s->vm_args[i];
	return -1;
}

int search_options(struct search *s, enum search_taker who, const char *usage, int argc,
		   char **argv)
{
	struct option table[ARRAY_SIZE(options) + 2] = { 0 };
	int n = 0, status = -1;

	s->hits = 1;
	s->out = stderr;
	s->fraction = 0.25;
	s->confidence = 0.95;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].who & who)
			table[n++] =
				(struct option){ options[i].name,
						 options[i].value ? required_argument : no_argument,
						 NULL, FIRST + (int)i };
	table[n] = (struct option){ "help", no_argument, NULL, 'h' };
	opterr = 0;
	for (int c; status < 0 && (c = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
		if (c == 'h') {
			print_help(who, usage);
			return EXIT_FINE;
		}
		status = c < FIRST ? option_error(s->command, c, argv)
				   : take(s, &options[c - FIRST], optarg);
	}
	s->terminal = isatty(fileno(s->out)) == 1 && getenv("TERM") &&
		      strcmp(getenv("TERM"), "dumb") != 0;
	return status < 0 ? settle(s) : status;
}

json_t *search_scenario(struct search *s, const char *path, char name[65], char expect[32],
			struct err *e)
{
	_cleanup_json_ json_t *own = NULL;
	struct scenario *sc = NULL;

	if (scenario_load(path, &sc, e) < 0)
		return NULL;
	if (!s->seed_text)
		s->seed = sc->seed;
	snprintf(name, 65, "%s", sc->name);
	snprintf(expect, 32, "%s", sc->expect ? sc->expect : "");
	own = json_incref(sc->resolved);
	scenario_free(sc);
	if (s->duration)
		json_object_set_new(own, "duration", json_string(s->duration));
	return take_ptr(own);
}

static bool is_empty(const char *path)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	return d && n == 2;
}

static int make_dir(struct search *s, const char *name, struct err *e)
{
	char given[PATH_MAX], state[400], real[PATH_MAX];
	int r;

	if (s->run_dir) {
		r = path_set(given, sizeof(given), "%s", s->run_dir);
	} else {
		r = state_dir(state, sizeof(state), e);
		if (r < 0)
			return r;
		r = path_set(given, sizeof(given), "%s/runs/%s-%.40s-%lld-%d", state, s->command,
			     name, (long long)time(NULL), (int)getpid());
	}
	s->made_dir = access(given, F_OK) < 0;
	if (r == 0)
		r = mkdir_p(given, 0700);
	if (r == 0 && !is_empty(given))
		return err_set(e, -EINVAL, "%s: not empty; name a directory that is new or empty",
			       given);
	if (r == 0 && !realpath(given, real))
		r = -errno;
	if (r == 0)
		r = path_set(s->dir, sizeof(s->dir), "%s", real);
	return r < 0 ? err_set(e, -EINVAL, "%s: cannot be the run directory: %s", given,
			       strerror(-r))
		     : 0;
}

int search_begin(struct search *s, const char *name, struct err *e)
{
	int r = make_dir(s, name, e);

	if (r < 0)
		return r;
	s->runner.wanted = &s->wanted;
	s->runner.dir = s->dir;
	s->runner.deadline_ns = s->for_ns ? now_ns() + s->for_ns : 0;
	runner_init(&s->runner);
	s->line_ns = now_ns();
	return 0;
}

static void clear_line(struct search *s)
{
	if (s->line_shown)
		fputs("\r\033[K", s->out);
	s->line_shown = false;
}

void search_end(struct search *s)
{
	clear_line(s);
	/* Only when nothing was kept. */
	if (s->dir[0] && s->made_dir)
		rmdir(s->dir);
	for (size_t i = 0; i < s->nvm_args; i++)
		free(s->vm_args[i]);
}

int search_status(int r)
{
	switch (r) {
	case -EINVAL:
		return EXIT_USAGE;
	case -ENOENT:
		return EXIT_SKIP;
	case -EAGAIN:
		return EXIT_AGAIN;
	default:
		return EXIT_TROUBLE;
	}
}

void search_progress(struct search *s, const char *fmt, ...)
{
	u64 now = now_ns();
	va_list ap;

	if (s->quiet || s->json || (!s->terminal && now < s->line_ns + LINE_NS))
		return;
	s->line_ns = now;
	clear_line(s);
	va_start(ap, fmt);
	vfprintf(s->out, fmt, ap);
	va_end(ap);
	s->line_shown = s->terminal;
	fputs(s->terminal ? "" : "\n", s->out);
	fflush(s->out);
}

void search_say(struct search *s, const char *fmt, ...)
{
	va_list ap;

	if (s->json)
		return;
	clear_line(s);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
}

void search_json(struct search *s, json_t *o)
{
	if (s->json && o) {
		json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		fflush(stdout);
	}
	json_decref(o);
}

const char *search_rate(u64 hits, u64 n, char *buf, size_t size)
{
	double lo, hi;

	rate_interval(hits, n, &lo, &hi);
	snprintf(buf, size, "%llu of %llu, %.0f %% (%.0f to %.0f %%)", (unsigned long long)hits,
		 (unsigned long long)n, n ? 100.0 * (double)hits / (double)n : 0, 100 * lo,
		 100 * hi);
	return buf;
}
