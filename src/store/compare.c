// SPDX-License-Identifier: GPL-2.0-or-later
/* The comparison of two nights: a merge of sorted lists, and exact tests. Reads no store. */
#include "store/compare.h"

#include "base/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEEDED_MAX 100000 /* tries that nobody would make */

const char *const compare_change_names[CHANGES] = {
	[CHANGE_NEW] = "new",	  [CHANGE_FIXED] = "fixed",	[CHANGE_STILL] = "still",
	[CHANGE_FLAKY] = "flaky", [CHANGE_NOT_RUN] = "not-run",
};

/* 3 of 3 against none of 3 are 5 % exactly, and may not hang on rounding. */
static bool is_sure(double p)
{
	return p <= COMPARE_P + 1e-9;
}

static u64 tries_at(const struct night *n, const struct place *p)
{
	size_t lo = 0, hi = n->ntries;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = place_compare(&n->tries[mid].place, p);

		if (c == 0)
			return n->tries[mid].tries;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* p falls with each further silent try. */
static u64 silent_needed(const struct compare_row *row)
{
	u64 n = row->tries_b, step = 1;

	while (n < NEEDED_MAX && !is_sure(fisher_exact(row->hits_a, row->tries_a, 0, n).less)) {
		n += step;
		step = n / 64 + 1;
	}
	return n;
}

static void judge_gone(struct compare_row *row, const struct fisher *f)
{
	row->p = f->less;
	row->change = !row->tries_b	? CHANGE_NOT_RUN
		      : is_sure(row->p) ? CHANGE_FIXED
					: CHANGE_FLAKY;
	if (row->change == CHANGE_FLAKY)
		row->needed = silent_needed(row);
}

/* What nobody has seen is new however rarely it hits: silence about it would be a miss. */
static int judge_come(struct compare_row *row, const struct fisher *f, compare_known_fn *known,
		      void *ctx)
{
	int seen = known ? known(ctx, row->b) : 0;

	row->p = f->greater;
	row->seen = seen > 0;
	row->change = seen > 0 && !is_sure(row->p) ? CHANGE_FLAKY : CHANGE_NEW;
	return MIN(seen, 0);
}

static int judge(struct compare_row *row, compare_known_fn *known, void *ctx)
{
	struct fisher f = fisher_exact(row->hits_a, row->tries_a, row->hits_b, row->tries_b);

	if (row->a && row->b) {
		row->change = CHANGE_STILL;
		row->p = f.either;
		if (is_sure(row->p))
			row->trend = f.greater < f.less ? 1 : -1;
		return 0;
	}
	if (row->b)
		return judge_come(row, &f, known, ctx);
	judge_gone(row, &f);
	return 0;
}

static int order_hits(const struct night_hit *a, const struct night_hit *b)
{
	int c = place_compare(&a->place, &b->place);

	return c ? c : strcmp(a->hash, b->hash);
}

static int compare_hits(const struct night *a, const struct night *b, compare_known_fn *known,
			void *ctx, struct comparison *ret)
{
	const struct night_hit *x = a->hits, *y = b->hits;
	const struct night_hit *x_end = x + a->nhits, *y_end = y + b->nhits;

	while (x < x_end || y < y_end) {
		int c = x == x_end ? 1 : y == y_end ? -1 : order_hits(x, y), r;
		struct compare_row *row = &ret->rows[ret->nrows++];
		const struct place *place = c <= 0 ? &x->place : &y->place;

		*row = (struct compare_row){ .a = c <= 0 ? x++ : NULL, .b = c >= 0 ? y++ : NULL };
		row->hits_a = row->a ? row->a->hits : 0;
		row->hits_b = row->b ? row->b->hits : 0;
		/* A hit is a try, whatever became of the run that it is from. */
		row->tries_a = MAX(tries_at(a, place), row->hits_a);
		row->tries_b = MAX(tries_at(b, place), row->hits_b);
		r = judge(row, known, ctx);
		if (r < 0)
			return r;
		ret->counts[row->change]++;
	}
	return 0;
}

/* median() sorts what it is given. */
static double middle(const struct night_speed *s)
{
	double *copy = malloc(s->n * sizeof(*copy)), m;

	if (!copy)
		return 0;
	memcpy(copy, s->values, s->n * sizeof(*copy));
	m = median(copy, s->n);
	free(copy);
	return m;
}

static void compare_speed(const struct night_speed *x, const struct night_speed *y,
			  struct comparison *ret)
{
	struct compare_speed s = { &x->place, middle(x), middle(y), 1, x->n, y->n };

	s.p = rank_sum(x->values, x->n, y->values, y->n);
	if (is_sure(s.p) && s.median_a > 0 &&
	    (s.median_b >= s.median_a * (1 + COMPARE_SPEED) ||
	     s.median_b <= s.median_a * (1 - COMPARE_SPEED)))
		ret->speeds[ret->nspeeds++] = s;
}

static void compare_speeds(const struct night *a, const struct night *b, struct comparison *ret)
{
	for (size_t i = 0, k = 0; i < a->nspeeds && k < b->nspeeds;) {
		int c = place_compare(&a->speeds[i].place, &b->speeds[k].place);

		if (c == 0)
			compare_speed(&a->speeds[i], &b->speeds[k], ret);
		i += c <= 0;
		k += c >= 0;
	}
}

static int order_rows(const void *a, const void *b)
{
	const struct compare_row *x = a, *y = b;

	if (x->change != y->change)
		return x->change - y->change;
	return order_hits(x->a ? x->a : x->b, y->a ? y->a : y->b);
}

int compare_nights(const struct night *a, const struct night *b, compare_known_fn *known, void *ctx,
		   struct comparison *ret)
{
	int r;

	*ret = (struct comparison){ 0 };
	ret->rows = calloc(a->nhits + b->nhits + 1, sizeof(*ret->rows));
	ret->speeds = calloc(MIN(a->nspeeds, b->nspeeds) + 1, sizeof(*ret->speeds));
	if (!ret->rows || !ret->speeds)
		return -ENOMEM;
	r = compare_hits(a, b, known, ctx, ret);
	if (r < 0)
		return r;
	qsort(ret->rows, ret->nrows, sizeof(*ret->rows), order_rows);
	compare_speeds(a, b, ret);
	return 0;
}

void comparison_free(struct comparison *c)
{
	free(c->rows);
	free(c->speeds);
	*c = (struct comparison){ 0 };
}
