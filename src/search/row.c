// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One row of the table of reductions, at work: what it proposes is tried in groups, all of them,
 * then halves, then one by one; those of a round that could each go are then tried together.
 */
#include "search/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		p->text[0] = '\0';
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

static int adopt(struct row *row, const struct group *g, struct trial *t)
{
	account(row, g, t);
	for (size_t i = 0; i < g->n; i++)
		row->settled[g->edit[i]] = true;
	return minimize_adopt(row->m, t);
}

static void tell_answers(struct row *row, const struct group *g, const struct trial *t, size_t n)
{
	char what[256];

	for (size_t i = 0; i < n; i++) {
		if (t[i].answer == SEQUENTIAL_OPEN)
			continue;
		describe(row, &g[i], what, sizeof(what));
		row->m->what = what;
		row->m->together = g[i].n;
		row->m->trial = &t[i];
		minimize_tell(row->m, MINIMIZE_TRIAL);
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
		r = minimize_ask(row->m, &together, 1, e);
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
		r = minimize_ask(row->m, t, nvalid, e);
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

int row_reduce(struct minimize *m, const struct reduction *reduction, bool groups,
	       bool *ret_smaller, struct err *e)
{
	struct row row = { .m = m, .reduction = reduction };
	json_t *was;
	bool smaller_now;
	int r;

	m->row = reduction->name;
	if (reduction->late && !minimize_hits_late(m))
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
