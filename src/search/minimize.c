// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measure, cut, measure again. Cuts of one reduction are tried in groups: all of them, then halves,
 * then one by one; those of a round that could each go are then tried together.
 */
#include "search/minimize.h"

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

static void tell(struct minimize *m, enum minimize_event event)
{
	if (m->tell)
		m->tell(m->ctx, m, event);
}

/* Whom the finding names, and who takes part in a race, is likelier to matter than who does not. */
static void suspect_named(struct minimize *m, const char *actors)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", actors);
	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		int row = form_row_of(m->current.form, name);

		if (row >= 0 && row < SC_MAX_WORKERS)
			m->suspects[row] = true;
	}
}

static void suspect_racers(struct minimize *m)
{
	const json_t *races = json_object_get(m->current.form, "races");

	for (size_t i = 0; i < json_array_size(races); i++) {
		const json_t *actors = json_object_get(json_array_get(races, i), "actors");

		for (size_t k = 0; k < json_array_size(actors); k++) {
			const json_t *row = json_object_get(json_array_get(actors, k), "row");

			if (json_integer_value(row) < SC_MAX_WORKERS)
				m->suspects[json_integer_value(row)] = true;
		}
	}
}

static bool is_suspect(const struct minimize *m, const struct edit *edit)
{
	const char *pointer = json_object_iter_key(json_object_iter(edit->set));
	size_t row;

	return sscanf(pointer, "/workers/%zu", &row) == 1 && row < SC_MAX_WORKERS &&
	       m->suspects[row];
}

static void on_attempt(void *ctx, const struct trial *t, const struct attempt *a)
{
	struct minimize *m = ctx;

	/* What is looked for is what was found first, unless somebody said it. */
	if (a->end == ATTEMPT_HIT && !m->wanted->kinds) {
		m->wanted->kinds = 1ULL << finding_by_name(a->kind);
		snprintf(m->wanted->title, sizeof(m->wanted->title), "%s", a->title);
	}
	if (a->end == ATTEMPT_HIT && !m->first_n)
		suspect_named(m, a->actors);
	m->trial = t;
	m->last_attempt = a;
	tell(m, MINIMIZE_ATTEMPT);
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

static int set_current(struct minimize *m, struct trial *t)
{
	struct trial taken = *t;

	*t = (struct trial){ 0 };
	trial_free(&m->current);
	m->current = taken;
	return m->current.form && m->current.scenario ? 0 : -ENOMEM;
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

static struct part *part_of(struct minimize *m, const struct edit *edit, const char *reduction)
{
	const char *what = edit->what;
	struct part *grown;

	for (size_t i = 0; i < m->nparts; i++)
		if (!strcmp(m->parts[i].what, what))
			return &m->parts[i];
	grown = reallocarray(m->parts, m->nparts + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	m->parts = grown;
	grown[m->nparts] = (struct part){ .reduction = reduction };
	snprintf(grown[m->nparts].what, sizeof(grown[m->nparts].what), "%s", what);
	snprintf(grown[m->nparts].pointer, sizeof(grown[m->nparts].pointer), "%s",
		 json_object_iter_key(json_object_iter(edit->set)));
	return &grown[m->nparts++];
}

/* What is asked of one row of the table. */
struct row {
	struct minimize *m;
	const struct reduction *reduction;
	struct edits edits;
	bool *settled; /* edit i has gone, or is known to be needed */
};

/* A group of edits, tried together. */
struct group {
	size_t *edit; /* indices */
	size_t n;
};

static void group_add(struct group *g, size_t i)
{
	size_t *grown = reallocarray(g->edit, g->n + 1, sizeof(*grown));

	if (!grown)
		return;
	g->edit = grown;
	grown[g->n++] = i;
}

static void account(struct row *row, const struct group *g, const struct trial *t)
{
	bool gone = t->answer == SEQUENTIAL_KEPT;

	for (size_t i = 0; i < g->n; i++) {
		struct part *p =
			part_of(row->m, &row->edits.edit[g->edit[i]], row->reduction->name);

		if (!p)
			return;
		p->gone = gone;
		p->with = g->n - 1;
		p->hits = t->hits;
		p->attempts = t->attempts;
		if (!gone && t->unusable)
			snprintf(p->text, sizeof(p->text), "%.255s", t->text);
	}
}

/* The trial of a group; false where no valid scenario would be left, or no other one. */
static bool group_trial(struct row *row, const struct group *g, struct trial *t)
{
	struct minimize *m = row->m;

	*t = (struct trial){ .form = json_deep_copy(m->current.form) };
	for (size_t i = 0; i < g->n; i++)
		form_apply(t->form, &row->edits.edit[g->edit[i]]);
	t->scenario = form_render(t->form);
	if (form_is_valid(t->scenario, NULL) && !json_equal(t->scenario, m->current.scenario))
		return true;
	m->invalid++;
	trial_free(t);
	return false;
}

static void describe(const struct row *row, const struct group *g, char *buf, size_t size)
{
	if (g->n == 1)
		snprintf(buf, size, "%s", row->edits.edit[g->edit[0]].what);
	else
		snprintf(buf, size, "%zu %s", g->n, row->reduction->name);
}

static int ask(struct minimize *m, struct trial *list, size_t n, struct err *e)
{
	double rate = minimize_rate(m);

	m->trials.want = trial_want_answer;
	m->trials.test = (struct sequential){ rate, rate * m->fraction, m->confidence };
	m->candidates += n;
	return trials_run(&m->trials, list, n, e);
}

static int adopt(struct row *row, const struct group *g, struct trial *t)
{
	int r;

	account(row, g, t);
	for (size_t i = 0; i < g->n; i++)
		row->settled[g->edit[i]] = true;
	r = set_current(row->m, t);
	if (r == 0) {
		shorten(row->m);
		tell(row->m, MINIMIZE_SMALLER);
	}
	return r;
}

static void tell_answers(struct row *row, const struct group *g, const struct trial *t, size_t n)
{
	char what[256];

	for (size_t i = 0; i < n; i++) {
		if (t[i].answer == SEQUENTIAL_OPEN)
			continue;
		describe(row, &g[i], what, sizeof(what));
		row->m->what = what;
		row->m->trial = &t[i];
		tell(row->m, MINIMIZE_TRIAL);
	}
}

/* Of several that could each go, all; where they cannot all go together, the largest: what is left
 * of the others is tried again in the next round. */
static int take_kept(struct row *row, struct group *g, struct trial *t, size_t n, struct err *e)
{
	struct group all = { 0 };
	struct trial together = { 0 };
	size_t best = n, kept = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (t[i].answer != SEQUENTIAL_KEPT)
			continue;
		kept++;
		best = best == n || g[i].n > g[best].n ? i : best;
		for (size_t k = 0; k < g[i].n; k++)
			group_add(&all, g[i].edit[k]);
	}
	if (kept > 1 && group_trial(row, &all, &together)) {
		r = ask(row->m, &together, 1, e);
		tell_answers(row, &all, &together, 1);
	}
	if (together.answer == SEQUENTIAL_KEPT)
		r = MIN(r, adopt(row, &all, &together));
	else if (kept)
		r = MIN(r, adopt(row, &g[best], &t[best]));
	trial_free(&together);
	free(all.edit);
	return r;
}

/* Cut the edits that are not settled into groups of @size. */
static size_t make_groups(struct row *row, size_t size, struct group **ret)
{
	struct group *g = calloc(row->edits.n + 1, sizeof(*g));
	size_t n = 0;

	for (size_t i = 0; g && i < row->edits.n; i++) {
		if (row->settled[i])
			continue;
		if (!n || g[n - 1].n == size)
			n++;
		group_add(&g[n - 1], i);
	}
	*ret = g;
	return n;
}

/* Groups of @size, the first @most of them, each tried alone, and what comes of it. */
static int try_groups(struct row *row, size_t size, size_t most, struct err *e)
{
	struct group *g, *valid;
	struct trial *t;
	size_t n = make_groups(row, size, &g), nvalid = 0;
	int r = 0;

	valid = calloc(n + 1, sizeof(*valid));
	t = calloc(n + 1, sizeof(*t));
	for (size_t i = 0; g && valid && t && i < MIN(n, most); i++)
		if (group_trial(row, &g[i], &t[nvalid]))
			valid[nvalid++] = g[i];
	if (nvalid)
		r = ask(row->m, t, nvalid, e);
	tell_answers(row, valid, t, nvalid);
	for (size_t i = 0; i < nvalid && size == 1; i++)
		if (t[i].answer == SEQUENTIAL_LOST) {
			account(row, &valid[i], &t[i]);
			row->settled[valid[i].edit[0]] = true;
		}
	if (r == 0 || r == -EINTR)
		r = MIN(r, take_kept(row, valid, t, nvalid, e));
	for (size_t i = 0; i < nvalid; i++)
		trial_free(&t[i]);
	for (size_t i = 0; g && i < n; i++)
		free(g[i].edit);
	free(g);
	free(valid);
	free(t);
	return r;
}

/* Half as large, and no groups of two: they save little. */
static size_t smaller(size_t size)
{
	return size / 2 < 3 ? 1 : size / 2;
}

static size_t count_open(const struct row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < row->edits.n; i++)
		n += !row->settled[i];
	return n;
}

/* The unsuspected come first; returns how many they are. */
static size_t sort_edits(struct row *row)
{
	struct edits *e = &row->edits;
	struct edit *sorted = calloc(e->n + 1, sizeof(*sorted));
	size_t n = 0, unsuspected;

	if (!sorted)
		return 0;
	for (size_t i = 0; i < e->n; i++)
		if (!is_suspect(row->m, &e->edit[i]))
			sorted[n++] = e->edit[i];
	unsuspected = n;
	for (size_t i = 0; i < e->n; i++)
		if (is_suspect(row->m, &e->edit[i]))
			sorted[n++] = e->edit[i];
	free(e->edit);
	e->edit = sorted;
	return unsuspected;
}

/* One row once. @groups: all the unsuspected at once, then from all at once down; otherwise one by
 * one. */
static int reduce_once(struct row *row, bool groups, struct err *e)
{
	size_t unsuspected = sort_edits(row), size, before;
	int r = 0;

	if (groups && unsuspected > 1 && unsuspected < row->edits.n)
		r = try_groups(row, unsuspected, 1, e);
	for (size = groups ? count_open(row) : 1; r == 0 && count_open(row); size = smaller(size)) {
		/* What could go alone but not with the others is tried again, without them. */
		do {
			before = count_open(row);
			r = try_groups(row, size, SIZE_MAX, e);
		} while (r == 0 && size == 1 && count_open(row) && count_open(row) < before);
		if (size == 1)
			break;
	}
	return r;
}

static int reduce(struct minimize *m, const struct reduction *reduction, bool groups,
		  bool *ret_smaller, struct err *e)
{
	struct row row = { .m = m, .reduction = reduction };
	json_t *was;
	bool smaller_now;
	int r;

	m->row = reduction->name;
	if (reduction->late &&
	    median_of(&m->current) * 1e9 < LATE * (double)duration_of(&m->current))
		return 0;
	do {
		was = json_incref(m->current.scenario);
		reduction->propose(m->current.form, &row.edits);
		row.settled = calloc(row.edits.n + 1, sizeof(bool));
		r = row.settled ? reduce_once(&row, groups, e) : -ENOMEM;
		smaller_now = was != m->current.scenario;
		*ret_smaller |= smaller_now;
		json_decref(was);
		edits_free(&row.edits);
		free(row.settled);
	} while (r == 0 && reduction->again && smaller_now);
	return r;
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
	if (r == 0 && !t->hits)
		r = err_set(e, -ENODATA,
			    "%s did not come in %llu attempts of the scenario as it is: nothing "
			    "to go by; the last one: %.200s",
			    wanted_text(m->wanted, what, sizeof(what)),
			    (unsigned long long)t->attempts,
			    t->text[0] ? t->text : "nothing was found");
	if (r == 0) {
		tell(m, MINIMIZE_MEASURED);
		shorten(m);
		tell(m, MINIMIZE_SMALLER);
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
	tell(m, MINIMIZE_SURE);
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

		r = reduce(m, &reductions[i % rows], i < rows, &smaller_now, e);
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
