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
