// SPDX-License-Identifier: GPL-2.0-or-later
/* Measure, cut row by row until nothing more goes, measure again. What a run costs is kept low on
 * the way. */
#include "search/internal.h"

#include "base/units.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEASURE_HITS 6	  /* that make a rate */
#define MEASURE_MOST 40	  /* attempts in which there must be one */
#define SURE_HITS    10	  /* at the end */
#define RATE_MOST    0.9  /* one silent attempt proves nothing */
#define RATE_LEAST   0.02 /* more silent attempts than that nobody waits for */
#define RUN_MEDIANS  4	  /* a run lasts so many medians of the time to a hit */
#define RUN_LEAST    (500 * NSEC_PER_MSEC)
#define LATE	     0.9 /* of the duration: a finding of the final check */

void minimize_tell(struct minimize *m, enum minimize_event event)
{
	if (m->tell)
		m->tell(m->ctx, m, event);
}

static void on_attempt(void *ctx, const struct trial *t, const struct try *a)
{
	struct minimize *m = ctx;

	/* What is looked for is what was found first, unless somebody said it; and of the kernel
	 * log's findings the one with this title: another warning is another bug. */
	if (a->end == TRY_HIT && !m->wanted->kinds)
		m->wanted->kinds = 1ULL << finding_by_name(a->kind);
	if (a->end == TRY_HIT && !m->wanted->title[0])
		snprintf(m->wanted->title, sizeof(m->wanted->title), "%s", a->title);
	if (a->end == TRY_HIT && !m->first_n)
		suspect_named(m, a->actors);
	m->trial = t;
	m->last_attempt = a;
	minimize_tell(m, MINIMIZE_ATTEMPT);
}

/*
 * A rate is compared with the better of the first scenario's and the current one's: many small
 * losses would make a large one, and a scenario that became better must not fall back unseen. Too
 * high a guess makes parts look needed that are not; so the current one, of which there are few
 * attempts and those that happened to end well, must be better beyond doubt.
 */
double minimize_rate(const struct minimize *m)
{
	double lo, hi, rate = rate_at_least(m->first_hits, m->first_n);

	rate_interval(m->current.hits, m->current.attempts, &lo, &hi);
	return MIN(MAX(MAX(rate, lo), RATE_LEAST), RATE_MOST);
}

static u64 duration_of(const struct trial *t)
{
	struct scenario *sc = NULL;
	u64 ns = 0;

	if (form_is_valid(t->scenario, &sc))
		ns = sc->duration_ns;
	scenario_free(sc);
	return ns;
}

static double median_of(const struct trial *t)
{
	double copy[TRIAL_HITS_MAX];
	size_t n = MIN(t->hits, (u64)TRIAL_HITS_MAX);

	memcpy(copy, t->hit_s, n * sizeof(copy[0]));
	return median(copy, n);
}

static u64 hits_within(const struct trial *t, u64 ns)
{
	u64 n = 0;

	for (size_t i = 0; i < MIN(t->hits, (u64)TRIAL_HITS_MAX); i++)
		n += t->hit_s[i] * 1e9 <= (double)ns;
	return n;
}

static void keep_hits_within(struct trial *t, u64 ns)
{
	u64 kept = 0;

	for (size_t i = 0; i < MIN(t->hits, (u64)TRIAL_HITS_MAX); i++)
		if (t->hit_s[i] * 1e9 <= (double)ns)
			t->hit_s[kept++] = t->hit_s[i];
	t->hits = kept;
}

/* Times to a hit say how long a run has to be: those that are there already, so that no further
 * attempt is needed. Silent attempts, of which there will be many, then cost less; a hit that came
 * late counts as none from then on. */
static void shorten(struct minimize *m)
{
	struct trial *t = &m->current;
	double want_s = RUN_MEDIANS * median_of(t);
	u64 now = duration_of(t), ns = (u64)ceil(want_s * 10) * (NSEC_PER_SEC / 10);
	struct edits edits = { 0 };
	char text[UNITS_MAX];
	json_t *scenario;

	ns = MAX(ns, (u64)RUN_LEAST);
	if (!t->hits || ns > now / 3 * 2 || hits_within(t, ns) * 3 < t->hits * 2)
		return;
	edits_add(&edits, "/duration", json_string(format_time(text, ns)), "duration");
	form_apply(t->form, &edits.edit[0]);
	edits_free(&edits);
	scenario = form_render(t->form);
	json_decref(t->scenario);
	t->scenario = scenario;
	keep_hits_within(t, ns);
}

bool minimize_hits_late(const struct minimize *m)
{
	return median_of(&m->current) * 1e9 >= LATE * (double)duration_of(&m->current);
}

int minimize_ask(struct minimize *m, struct trial *list, size_t n, struct err *e)
{
	double rate = minimize_rate(m);

	m->trials.want = trial_want_answer;
	m->trials.test = (struct sequential){ rate, rate * m->fraction, m->confidence };
	m->candidates += n;
	return trials_run(&m->trials, list, n, e);
}

int minimize_adopt(struct minimize *m, struct trial *t)
{
	struct trial taken = *t;

	*t = (struct trial){ 0 };
	trial_free(&m->current);
	m->current = taken;
	if (!m->current.form || !m->current.scenario)
		return -ENOMEM;
	shorten(m);
	minimize_tell(m, MINIMIZE_SMALLER);
	return 0;
}

static int measure(struct minimize *m, struct trial *t, u64 hits, u64 most, struct err *e)
{
	m->trials.want = trial_want_rate;
	m->trials.hits = hits;
	m->trials.attempts = most;
	return trials_run(&m->trials, t, 1, e);
}

static int measure_first(struct minimize *m, struct err *e)
{
	struct trial *t = &m->current;
	char what[400];
	int r;

	t->form = m->form;
	m->form = NULL;
	t->scenario = form_render(t->form);
	m->row = "as given";
	suspect_racers(m);
	r = measure(m, t, MEASURE_HITS, MEASURE_MOST, e);
	m->first_hits = t->hits;
	m->first_n = t->attempts;
	m->first_median_s = median_of(t);
	if (r == 0 && !t->hits && t->skipped)
		r = err_set(e, -ENOENT, "skipped: %.900s", t->text);
	else if (r == 0 && !t->hits)
		r = err_set(e, -ENODATA,
			    "%s did not come in %llu attempts of the scenario as it is: nothing "
			    "to go by; the last one: %.200s",
			    wanted_text(m->wanted, what, sizeof(what)),
			    (unsigned long long)t->attempts,
			    t->text[0] ? t->text : "nothing was found");
	if (r == 0) {
		minimize_tell(m, MINIMIZE_MEASURED);
		shorten(m);
		minimize_tell(m, MINIMIZE_SMALLER);
	}
	return r;
}

/* The hits that decided are a little too good: it ended as soon as there were enough of them. */
static int measure_last(struct minimize *m, struct err *e)
{
	struct trial t = { .form = json_incref(m->current.form),
			   .scenario = json_incref(m->current.scenario) };
	u64 most = silent_tries(minimize_rate(m) * m->fraction, m->confidence);
	int r;

	m->row = "the last one";
	r = measure(m, &t, SURE_HITS, MAX(most, (u64)SURE_HITS), e);
	m->last_hits = t.hits;
	m->last_n = t.attempts;
	m->last_median_s = median_of(&t);
	m->fell = t.attempts && rate_estimate(t.hits, t.attempts) <
					m->fraction * rate_estimate(m->first_hits, m->first_n);
	trial_free(&t);
	minimize_tell(m, MINIMIZE_SURE);
	return r;
}

int minimize(struct minimize *m, struct err *e)
{
	size_t rows = 0, quiet = 0;
	int r;

	while (reductions[rows].name)
		rows++;
	m->trials.runner = m->runner;
	m->trials.seed = m->seed;
	m->trials.tell = on_attempt;
	m->trials.ctx = m;
	r = measure_first(m, e);
	/* Each may make room for those before it: until none of them has anything more. */
	for (size_t i = 0; r == 0 && quiet < rows; i++) {
		bool smaller_now = false;

		r = row_reduce(m, &reductions[i % rows], i < rows, &smaller_now, e);
		quiet = smaller_now ? 0 : quiet + 1;
	}
	return r < 0 ? r : measure_last(m, e);
}

bool minimize_stayed(const struct minimize *m, const struct part *p)
{
	return !p->gone && form_at(m->current.form, p->pointer);
}

void minimize_free(struct minimize *m)
{
	json_decref(m->form);
	trial_free(&m->current);
	free(m->parts);
}
