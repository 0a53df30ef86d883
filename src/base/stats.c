// SPDX-License-Identifier: GPL-2.0-or-later
/* Arithmetic of hits in tries. */
#include "base/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* @z standard errors to each side. */
static void score(u64 hits, u64 n, double z, double *ret_lo, double *ret_hi)
{
	double p, d, mid, half, count = (double)n;

	*ret_lo = 0;
	*ret_hi = 1;
	if (!n)
		return;
	p = (double)hits / count;
	d = 1 + z * z / count;
	mid = (p + z * z / (2 * count)) / d;
	half = z / d * sqrt(p * (1 - p) / count + z * z / (4 * count * count));
	*ret_lo = hits ? MAX(mid - half, 0.0) : 0;
	*ret_hi = hits < n ? MIN(mid + half, 1.0) : 1;
}

void rate_interval(u64 hits, u64 n, double *ret_lo, double *ret_hi)
{
	/* 97.5 % of the normal distribution lie below. */
	score(hits, n, 1.959964, ret_lo, ret_hi);
}

double rate_at_least(u64 hits, u64 n)
{
	double lo, hi;

	score(hits, n, 1, &lo, &hi);
	return lo;
}

double rate_estimate(u64 hits, u64 n)
{
	assert(hits <= n);
	return ((double)hits + 1) / ((double)n + 2);
}

u64 silent_tries(double rate, double confidence)
{
	assert(rate > 0 && rate < 1 && confidence > 0 && confidence < 1);
	return (u64)MAX(ceil(log(1 - confidence) / log(1 - rate)), 1.0);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t n)
{
	if (!n)
		return 0;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Logarithm of how much likelier the tries are when it hits as often as ever. */
static double evidence(const struct sequential *s, u64 hits, u64 n)
{
	return (double)hits * log(s->kept / s->lost) +
	       (double)(n - hits) * log((1 - s->kept) / (1 - s->lost));
}

/* Both errors are equally likely, so one bound serves both sides. */
static double bound(const struct sequential *s)
{
	return log(s->confidence / (1 - s->confidence));
}

enum sequential_answer sequential_ask(const struct sequential *s, u64 hits, u64 n)
{
	double e = evidence(s, hits, n);

	assert(s->lost > 0 && s->lost < s->kept && s->kept < 1 && hits <= n);
	return e >= bound(s) ? SEQUENTIAL_KEPT : e <= -bound(s) ? SEQUENTIAL_LOST : SEQUENTIAL_OPEN;
}

u64 sequential_plan(const struct sequential *s, u64 hits, u64 n)
{
	double e = evidence(s, hits, n);
	double up = (bound(s) - e) / log(s->kept / s->lost);
	double down = (bound(s) + e) / log((1 - s->lost) / (1 - s->kept));

	return (u64)MAX(ceil(MAX(up, down)), 1.0);
}

/* Logarithm of the number of ways to take @k of @n. */
static double log_choose(u64 n, u64 k)
{
	return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

struct fisher fisher_exact(u64 hits_a, u64 n_a, u64 hits_b, u64 n_b)
{
	u64 hits = hits_a + hits_b, lo = hits > n_a ? hits - n_a : 0, hi = MIN(hits, n_b);
	double all = log_choose(n_a + n_b, hits), seen;
	struct fisher f = { 0, 0, 0 };

	assert(hits_a <= n_a && hits_b <= n_b);
	seen = exp(log_choose(n_a, hits_a) + log_choose(n_b, hits_b) - all);
	for (u64 k = lo; k <= hi; k++) {
		double p = exp(log_choose(n_a, hits - k) + log_choose(n_b, k) - all);

		f.less += k <= hits_b ? p : 0;
		f.greater += k >= hits_b ? p : 0;
		/* Tables as likely as the one that was seen differ from it by rounding alone. */
		f.either += p <= seen * (1 + 1e-7) ? p : 0;
	}
	f.less = MIN(f.less, 1.0);
	f.greater = MIN(f.greater, 1.0);
	f.either = MIN(f.either, 1.0);
	return f;
}

/* Twice the number of pairs in which the value of @a is the larger one; ties count half. */
static u64 pairs_won_twice(const double *a, size_t n_a, const double *b, size_t n_b)
{
	u64 won = 0;

	for (size_t i = 0; i < n_a; i++)
		for (size_t k = 0; k < n_b; k++)
			won += a[i] > b[k] ? 2 : a[i] == b[k];
	return won;
}

/*
 * How likely it is that at most @u pairs are won: counts orders of n_a + n_b different values by
 * the pairs that are won in them. The largest value is of the one side, and then wins all pairs
 * that it is in, or of the other: w(a, b, u) = w(a - 1, b, u - b) + w(a, b - 1, u).
 */
static double at_most_won(size_t n_a, size_t n_b, u64 u)
{
	static double ways[RANK_SUM_MAX + 1][RANK_SUM_MAX * RANK_SUM_MAX + 1];
	double sum = 0;

	for (size_t b = 0; b <= n_b; b++)
		for (size_t a = 0; a <= n_a; a++)
			for (u64 w = 0; w <= u; w++) {
				double with = a ? w >= b ? ways[a - 1][w - b] : 0 : w == 0;

				/* ways[a] still has what it was with b - 1. */
				ways[a][w] = a ? with + (b ? ways[a][w] : 0) : with;
			}
	for (u64 w = 0; w <= u; w++)
		sum += ways[n_a][w];
	return sum / exp(log_choose(n_a + n_b, n_a));
}

double rank_sum(const double *a, size_t n_a, const double *b, size_t n_b)
{
	u64 won, least;

	n_a = MIN(n_a, (size_t)RANK_SUM_MAX);
	n_b = MIN(n_b, (size_t)RANK_SUM_MAX);
	if (!n_a || !n_b)
		return 1;
	won = pairs_won_twice(a, n_a, b, n_b);
	/* Half a pair is rounded to the middle: ties never make a difference look surer. */
	least = (MIN(won, 2 * (u64)n_a * n_b - won) + 1) / 2;
	return MIN(2 * at_most_won(n_a, n_b, least), 1.0);
}
