// SPDX-License-Identifier: GPL-2.0-or-later
/* The order of things: lists and kernels are read, trials made, mutants run, then the healthy
 * kernel, which takes its times from what was detected; last the tables are written. */
#include "vm/scoreboard.h"

#include "base/fsutil.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#define EXIT_USAGE	 2
#define EXIT_TROUBLE	 3
#define SILENCE_LEAST_NS (10 * NSEC_PER_SEC)
#define SILENCE_FACTOR	 3
#define SILENCE_CUTS	 3ULL

static const struct {
	const char *name;
	int (*write)(const struct scoreboard *b, FILE *out);
} outputs[] = {
	{ "scoreboard.json", scoreboard_json },
	{ "scoreboard.html", scoreboard_html },
	{ "DETECTION.md", scoreboard_markdown },
};

static int look_at_kernels(struct scoreboard *b, struct err *e)
{
	bool asked = false;

	for (size_t i = 0; i < b->list.n; i++)
		asked |= b->list.mutants[i].needs[0] != NULL;
	for (size_t i = 0; i < b->o->nkernels; i++) {
		struct scoreboard_kernel *k = &b->kernels[i];
		struct err ignored;
		int r;

		k->path = b->o->kernels[i];
		r = kernel_look(k->path, &k->image, e);
		if (r < 0)
			return r;
		/* One that does not say what it has is as one that has nothing. */
		if (asked && kconfig_read(k->path, &k->config, &ignored) < 0) {
			kconfig_free(&k->config);
			k->config = (struct kconfig){ 0 };
		}
	}
	return 0;
}

/* The first option of @m that @k has not; NULL: it has all. */
static const char *lacks(const struct scoreboard_kernel *k, const struct mutant *m)
{
	for (char **need = m->needs; *need; need++)
		if (!kconfig_get(&k->config, *need))
			return *need;
	return NULL;
}

/* The first kernel that has what the mutant needs, or -1 with the reason in @why. */
static int choose_kernel(const struct scoreboard *b, const struct mutant *m, char *why, size_t size)
{
	const char *lacked = NULL;

	for (size_t i = 0; i < b->o->nkernels; i++) {
		const char *need = lacks(&b->kernels[i], m);

		if (!need)
			return (int)i;
		lacked = lacked ? lacked : need;
	}
	snprintf(why, size, "no kernel given has %.200s", lacked);
	return -1;
}

/* The same on every machine and every night, so that two scoreboards can be compared. */
static u64 seed_of(const char *mutant, const char *scenario, size_t attempt)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "%.80s/%.80s/%zu", mutant, scenario, attempt);

	return XXH3_64bits(text, (size_t)len) >> 1;
}

static struct trial *add_trial(struct scoreboard *b, const struct mutant *m, size_t scenario,
			       size_t attempts)
{
	struct trial *grown = reallocarray(b->trials, b->n + 1, sizeof(*grown)), *t;

	if (!grown)
		return NULL;
	b->trials = grown;
	t = &grown[b->n];
	*t = (struct trial){ .mutant = m, .scenario = scenario, .append = "", .n = attempts };
	t->attempts = calloc(attempts ? attempts : 1, sizeof(*t->attempts));
	if (!t->attempts)
		return NULL;
	for (size_t i = 0; i < attempts; i++) {
		t->attempts[i].seed =
			seed_of(m ? m->name : "", b->list.scenarios[scenario]->name, i);
		t->attempts[i].kind = -1;
		t->attempts[i].hits = -1;
	}
	b->planned += attempts;
	b->n++;
	return t;
}

/* A miss counts with the latest of them: the fault would have shown at a later cut, or never. */
static void draw_cuts(struct trial *t, struct range cut)
{
	t->cut = cut;
	for (size_t i = 0; cut.hi && i < t->n; i++) {
		struct rng rng = { t->attempts[i].seed };

		t->attempts[i].cut_ns = rng_in(&rng, cut);
		t->limit_ns = cut.hi;
	}
}

static int plan_mutants(struct scoreboard *b)
{
	for (size_t i = 0; i < b->list.n; i++) {
		const struct mutant *m = &b->list.mutants[i];
		char why[256] = "";
		int kernel = choose_kernel(b, m, why, sizeof(why));

		for (size_t k = 0; k < m->nplays; k++) {
			struct trial *t =
				add_trial(b, m, m->plays[k], kernel < 0 ? 0 : (size_t)b->o->repeat);

			if (!t)
				return -ENOMEM;
			t->kernel = kernel;
			t->limit_ns =
				m->limit_ns ? MIN(m->limit_ns, b->o->limit_ns) : b->o->limit_ns;
			t->append = m->append ? m->append : "";
			draw_cuts(t, m->cut);
			snprintf(t->why, sizeof(t->why), "%s", why);
		}
	}
	b->nmutated = b->n;
	return 0;
}

static bool is_planned(const struct scoreboard *b, const struct trial *like)
{
	for (size_t i = b->nmutated; i < b->n; i++)
		if (b->trials[i].kernel == like->kernel &&
		    b->trials[i].scenario == like->scenario &&
		    b->trials[i].cut.lo == like->cut.lo && b->trials[i].cut.hi == like->cut.hi &&
		    !strcmp(b->trials[i].append, like->append))
			return true;
	return false;
}

static const char *why_left_out(const struct scoreboard *b, size_t scenario)
{
	for (size_t i = 0; i < b->list.nleft_out; i++)
		if (b->list.left_out[i].play == scenario)
			return b->list.left_out[i].why;
	return NULL;
}

static void leave_out(struct scoreboard *b, struct attempt *a, const char *why)
{
	a->end = ATTEMPT_LEFT_OUT;
	snprintf(a->text, sizeof(a->text), "%s", why);
	b->planned--;
}

/* All that ran under a mutant, once, on the same kernels with the same words; where the power was
 * cut, some times. */
static int plan_healthy(struct scoreboard *b)
{
	for (size_t i = 0; i < b->nmutated; i++) {
		const struct trial like = b->trials[i];
		const char *why = why_left_out(b, like.scenario);
		struct trial *t;

		if (like.kernel < 0 || is_planned(b, &like))
			continue;
		t = add_trial(b, NULL, like.scenario,
			      like.cut.hi && !why ? (size_t)MAX(SILENCE_CUTS, b->o->repeat) : 1);
		if (!t)
			return -ENOMEM;
		if (why)
			leave_out(b, t->attempts, why);
		t->kernel = like.kernel;
		t->append = like.append;
		draw_cuts(t, like.cut);
	}
	return 0;
}

/* Silence means something beside the time that a detection takes: that of the same scenario. */
static void set_silence(struct scoreboard *b)
{
	for (size_t i = b->nmutated; i < b->n; i++) {
		struct trial *t = &b->trials[i];
		u64 longest_ns = 0;

		if (t->cut.hi)
			continue;
		for (size_t k = 0; k < b->nmutated; k++)
			for (size_t j = 0; j < b->trials[k].n; j++) {
				const struct attempt *a = &b->trials[k].attempts[j];

				if (b->trials[k].scenario == t->scenario &&
				    a->end == ATTEMPT_DETECTED)
					longest_ns = MAX(longest_ns, a->time_ns);
			}
		t->limit_ns = b->o->silence_ns
				      ? b->o->silence_ns
				      : ROUND_UP(MAX(SILENCE_FACTOR * longest_ns, SILENCE_LEAST_NS),
						 NSEC_PER_SEC);
	}
}

static int write_output(const struct scoreboard *b, size_t i, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = out ? outputs[i].write(b, out) : -ENOMEM;

	if (out && fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/%s", b->o->vm.run_dir, outputs[i].name);
	if (r == 0)
		r = write_file_atomic(path, text, len, 0644);
	return r < 0 ? err_set(e, r, "%s/%s cannot be written: %s", b->o->vm.run_dir,
			       outputs[i].name, strerror(-r))
		     : 0;
}

/* What the tables say and what the exit status says come of the same sums. */
static int report(const struct scoreboard *b, struct err *e)
{
	size_t n;
	_cleanup_free_ struct mutant_score *scores = mutant_scores(b, &n);
	int status = scores ? score_sum(b, scores, n).exit : EXIT_TROUBLE;

	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
		if (write_output(b, i, e) < 0)
			status = EXIT_TROUBLE;
	if (scoreboard_text(b, b->o->out) < 0)
		status = EXIT_TROUBLE;
	return status;
}

static int run(struct scoreboard *b, struct err *e)
{
	_cleanup_fclose_ FILE *log = NULL;
	u64 started_ns = now_ns();
	char path[PATH_MAX];

	if (path_set(path, sizeof(path), "%s/runs.log", b->o->vm.run_dir) == 0)
		log = fopen(path, "we");
	if (!log)
		return err_set(e, EXIT_TROUBLE, "%s: cannot be written: %s", b->o->vm.run_dir,
			       strerror(errno));
	clock_gettime(CLOCK_REALTIME, &b->started);
	scoreboard_boots(b, 0, b->nmutated, log);
	set_silence(b);
	b->barren = 0;
	scoreboard_boots(b, b->nmutated, b->n, log);
	b->duration_s = (double)(now_ns() - started_ns) / 1e9;
	return report(b, e);
}

static void scoreboard_free(struct scoreboard *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->trials[i].attempts);
	free(b->trials);
	for (size_t i = 0; i < b->o->nkernels; i++)
		kconfig_free(&b->kernels[i].config);
	mutants_free(&b->list);
	free(b);
}

int scoreboard_run(const struct scoreboard_options *o, struct err *e)
{
	struct scoreboard *b = calloc(1, sizeof(*b));
	int r, status = EXIT_USAGE;

	if (!b)
		return err_set(e, EXIT_TROUBLE, "out of memory");
	b->o = o;
	e->text[0] = '\0';
	r = mutants_load(o->mutants, &b->list, e);
	if (r == 0 && o->only)
		r = mutants_only(&b->list, o->only, e);
	if (r == 0)
		r = look_at_kernels(b, e);
	if (r == 0)
		r = plan_mutants(b);
	if (r == 0)
		r = plan_healthy(b);
	if (r == 0)
		status = run(b, e);
	else if (!e->text[0])
		err_set(e, 0, "out of memory");
	scoreboard_free(b);
	return status;
}
