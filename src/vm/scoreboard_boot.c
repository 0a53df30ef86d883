// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attempts into boots: as many in one as share a kernel and its command line, in a new one whenever
 * the last left its kernel in doubt or died. Every boot finishes an attempt or ends what it was
 * for, so that there are never more boots than attempts.
 */
#include "vm/scoreboard.h"

#include "base/fsutil.h"
#include "base/units.h"
#include "report/chars.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define BARREN_MAX   3 /* boots without a result, one after another, before it is given up */
#define REST_NS	     (300 * NSEC_PER_SEC) /* of an attempt, for set-up, check and unmount */
#define EXIT_FINDING 1
#define EXIT_TROUBLE 3
#define EXIT_SKIP    4

struct row {
	struct trial *trial;
	struct attempt *attempt;
	bool begun;
};

struct boot {
	struct scoreboard *b;
	struct vm_options vm;
	struct row rows[VM_SCENARIOS_MAX];
	char dir[PATH_MAX], append[4096];
	bool fruitful; /* a run came to its end in it, or to a verdict */
};

/* A signal that the guest's watcher saw is still pending: nobody took it. */
static bool interrupted(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM));
}

/* The scenario as this attempt runs it: its own seed, the limit, and an end at the first hit. One
 * whose power is to be cut must not end before. */
static struct scenario *scenario_of(const struct scoreboard *b, const struct row *row,
				    struct err *e)
{
	const struct scenario *sc = b->list.scenarios[row->trial->scenario];
	_cleanup_json_ json_t *o = json_deep_copy(sc->resolved);
	_cleanup_free_ char *text = NULL;
	char limit[UNITS_MAX];
	struct scenario *ret;

	format_time(limit, row->trial->limit_ns + (row->attempt->cut_ns ? REST_NS : 0));
	if (!o || json_object_set_new(o, "seed", json_integer((json_int_t)row->attempt->seed)) ||
	    json_object_set_new(o, "duration", json_string(limit)) ||
	    json_object_set_new(o, "stop_on", json_string("hit")))
		return NULL;
	text = json_dumps(o, 0);
	return text && scenario_parse(sc->path, text, strlen(text), &ret, e) == 0 ? ret : NULL;
}

static void put_nothing(const struct attempt *a, FILE *out)
{
	fputs(attempt_titles[a->end], out);
	if (a->end == ATTEMPT_NOT_RUN) {
		fputs(": ", out);
		put_text(out, a->text, MEDIUM_TERMINAL);
	}
	fputc('\n', out);
}

static void put_progress(const struct scoreboard *b, const struct row *row, bool ended)
{
	FILE *out = b->o->progress;
	const struct attempt *a = row->attempt;
	bool rewrites = live_rewrites(out);
	char time[SCORE_TIME_MAX];

	if (!ended && !rewrites)
		return;
	/* What is rewritten must not wrap: DECAWM is off meanwhile. */
	fprintf(out, "%s%s[%llu/%llu] %s: %s, attempt %zu of %zu: ", rewrites ? "\r\033[K" : "",
		ended ? "" : "\033[?7l", (unsigned long long)(b->done + !ended),
		(unsigned long long)b->planned,
		row->trial->mutant ? row->trial->mutant->name : "healthy",
		b->list.scenarios[row->trial->scenario]->name,
		(size_t)(a - row->trial->attempts) + 1, row->trial->n);
	if (!ended)
		fputs("runs\033[?7h", out);
	else if (a->end == ATTEMPT_WRONG || a->end == ATTEMPT_DETECTED)
		fprintf(out, "%s: %s after %s\n", attempt_titles[a->end],
			finding_infos[a->kind].name, score_time(time, a->time_ns, false));
	else
		put_nothing(a, out);
	fflush(out);
}

/* Of a finding that is right, one of many, and of silence after a power cut: what is read of it is
 * its report. */
static bool is_dull(const struct attempt *a)
{
	return a->end == ATTEMPT_DETECTED ||
	       (a->cut_ns && a->end > ATTEMPT_NOT_RUN && a->end != ATTEMPT_WRONG);
}

static void drop_evidence(const struct boot *boot, const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *de; d && !boot->vm.keep && (de = readdir(d));)
		if (!strcmp(de->d_name, "shadow") || !strcmp(de->d_name, "control") ||
		    !strncmp(de->d_name, "ops.", 4) || !strncmp(de->d_name, "stressd-", 8))
			unlinkat(fd, de->d_name, 0);
}

/* What the kernels lack is said only where there is no worse. */
static void add_trouble(struct scoreboard *b, int status)
{
	if (!b->trouble || b->trouble == EXIT_SKIP)
		b->trouble = status;
}

/* What this kernel has not it will not have at the next attempt. */
static void skip_others(struct scoreboard *b, struct trial *t, const struct attempt *skipped)
{
	for (size_t i = 0; i < t->n; i++) {
		struct attempt *a = &t->attempts[i];

		if (a->end != ATTEMPT_PENDING)
			continue;
		a->end = ATTEMPT_NOT_RUN;
		a->dir[0] = '\0';
		memcpy(a->text, skipped->text, sizeof(a->text));
		b->done++;
	}
}

/* @row has come to its end; @status is that of its run, or of the whole boot. */
static void settle(struct boot *boot, struct row *row, int status, const char *why)
{
	struct scoreboard *b = boot->b;
	struct attempt *a = row->attempt;
	char dir[PATH_MAX];

	if (path_set(dir, sizeof(dir), "%s/%s", b->o->vm.run_dir, a->dir) == 0)
		scoreboard_judge(row->trial, dir, a);
	if (is_dull(a))
		drop_evidence(boot, dir);
	if (a->end <= ATTEMPT_NOT_RUN) {
		a->end = ATTEMPT_NOT_RUN;
		if (!a->text[0])
			snprintf(a->text, sizeof(a->text), "%s", why);
		add_trouble(b, status > EXIT_FINDING ? status : EXIT_TROUBLE);
	}
	boot->fruitful |= a->end != ATTEMPT_NOT_RUN;
	b->done++;
	put_progress(b, row, true);
	if (a->end == ATTEMPT_NOT_RUN && status == EXIT_SKIP)
		skip_others(b, row->trial, a);
}

static void on_scenario(void *ctx, size_t i, int status)
{
	struct boot *boot = ctx;
	struct row *row = &boot->rows[i];

	/* A guest that went wild may say it twice. */
	if (row->attempt->end != ATTEMPT_PENDING)
		return;
	if (status >= 0) {
		boot->fruitful = true;
		settle(boot, row, status, "the run left no result");
		return;
	}
	row->begun = true;
	put_progress(boot->b, row, false);
}

static bool is_own(const struct trial *t)
{
	return t->cut.hi || (t->mutant && t->mutant->boot == MUTANT_OWN);
}

/* The pending attempts that can go into one boot, with the first of them. */
static void gather(struct boot *boot, size_t first, size_t end)
{
	const struct trial *lead = NULL;

	for (size_t i = first; i < end; i++) {
		struct trial *t = &boot->b->trials[i];

		if (lead &&
		    (is_own(t) || t->kernel != lead->kernel || strcmp(t->append, lead->append)))
			continue;
		for (size_t k = 0; k < t->n && boot->vm.nscenarios < VM_SCENARIOS_MAX; k++) {
			if (t->attempts[k].end != ATTEMPT_PENDING)
				continue;
			lead = t;
			boot->rows[boot->vm.nscenarios++] =
				(struct row){ t, &t->attempts[k], false };
			if (is_own(t))
				return;
		}
	}
}

static int prepare(struct boot *boot, FILE *log, struct err *e)
{
	struct scoreboard *b = boot->b;
	const struct trial *t = boot->rows[0].trial;
	const char *append = b->o->vm.append;
	u64 longest_ns = 0;
	char dir[PATH_MAX];
	int r = path_set(boot->dir, sizeof(boot->dir), "%s/boot.%u", b->o->vm.run_dir, ++b->boots);

	if (r == 0)
		r = path_set(boot->append, sizeof(boot->append), "%s%s%s", append,
			     *append && *t->append ? " " : "", t->append);
	if (r == 0)
		r = mkdir_p(boot->dir, 0700);
	if (r < 0)
		return err_set(e, r, "%s: %s", boot->dir, strerror(-r));
	boot->vm.kernel = b->kernels[t->kernel].path;
	boot->vm.append = boot->append;
	boot->vm.run_dir = boot->dir;
	boot->vm.doubt_ends = true;
	boot->vm.cut_ns = boot->rows[0].attempt->cut_ns;
	boot->vm.no_images = !boot->vm.keep && !boot->vm.cut_ns;
	for (size_t i = 0; i < boot->vm.nscenarios; i++)
		longest_ns = MAX(longest_ns, boot->rows[i].trial->limit_ns);
	boot->vm.each_ns = b->o->vm.timeout_ns ? b->o->vm.timeout_ns : 4 * longest_ns + REST_NS;
	boot->vm.timeout_ns = boot->vm.nscenarios * boot->vm.each_ns + REST_NS;
	boot->vm.out = boot->vm.err = log;
	boot->vm.on_scenario = on_scenario;
	boot->vm.ctx = boot;
	for (size_t i = 0; i < boot->vm.nscenarios; i++) {
		struct row *row = &boot->rows[i];

		boot->vm.mutants[i] = row->trial->mutant ? row->trial->mutant->id : 0;
		boot->vm.scenarios[i] = scenario_of(b, row, e);
		if (!boot->vm.scenarios[i])
			return -EINVAL;
		if (vm_scenario_dir(&boot->vm, i, dir, sizeof(dir)) == 0)
			snprintf(row->attempt->dir, sizeof(row->attempt->dir), "%s",
				 dir + strlen(b->o->vm.run_dir) + 1);
	}
	return 0;
}

/* What the guest did not tell of: the row in which it died, or all, when it never came to one. */
static void finish(struct boot *boot, int status, const struct err *e)
{
	struct scoreboard *b = boot->b;
	const char *why = b->interrupted ? "interrupted"
			  : e->text[0]	 ? e->text
					 : "the guest ended without a result";
	bool begun = false;

	for (size_t i = 0; i < boot->vm.nscenarios; i++)
		begun |= boot->rows[i].begun;
	for (size_t i = 0; i < boot->vm.nscenarios && !(b->interrupted && !begun); i++) {
		struct row *row = &boot->rows[i];

		if (row->attempt->end == ATTEMPT_PENDING && (row->begun || !begun))
			settle(boot, row, status, why);
		if (!row->begun && begun)
			row->attempt->dir[0] = '\0';
	}
	b->barren = boot->fruitful ? 0 : b->barren + 1;
}

/* One boot. False: nothing is pending. */
static bool boot_once(struct scoreboard *b, size_t first, size_t end, FILE *log)
{
	struct boot *boot = calloc(1, sizeof(*boot));
	struct err e = { "" };
	bool any = false;
	int status = EXIT_TROUBLE;

	if (!boot)
		return false;
	boot->b = b;
	boot->vm = b->o->vm;
	boot->vm.nscenarios = 0;
	gather(boot, first, end);
	any = boot->vm.nscenarios > 0;
	if (any) {
		if (prepare(boot, log, &e) == 0)
			status = vm_run(&boot->vm, &e);
		b->interrupted = interrupted();
		finish(boot, status, &e);
	}
	for (size_t i = 0; i < boot->vm.nscenarios; i++)
		scenario_free(boot->vm.scenarios[i]);
	free(boot);
	return any;
}

/* What is still pending does not run any more. */
static void give_up(struct scoreboard *b, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		for (size_t k = 0; k < b->trials[i].n; k++) {
			struct attempt *a = &b->trials[i].attempts[k];

			if (a->end != ATTEMPT_PENDING)
				continue;
			a->end = ATTEMPT_NOT_RUN;
			a->kind = a->hits = -1;
			snprintf(a->text, sizeof(a->text), "%s",
				 b->interrupted ? "interrupted"
						: "given up: boot after boot came to no result");
			add_trouble(b, EXIT_TROUBLE);
		}
}

void scoreboard_boots(struct scoreboard *b, size_t first, size_t end, FILE *log)
{
	while (!b->interrupted && b->barren < BARREN_MAX)
		if (!boot_once(b, first, end, log))
			break;
	give_up(b, first, end);
}
