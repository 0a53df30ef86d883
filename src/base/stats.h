/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Statistics of tries that hit or do not: where a rate lies, how many silent tries it takes to
 * believe that there is nothing, and a sequential test that ends as soon as it knows. Numbers
 * only; what a try is, is its caller's business.
 */
#ifndef STRESSD_STATS_H
#define STRESSD_STATS_H

#include "base/base.h"

/* Where a rate lies with 95 % confidence, of @hits in @n: Wilson's score interval, which holds for
 * few tries and for rates near 0 and 1, too. (E. B. Wilson, 1927) */
void rate_interval(u64 hits, u64 n, double *ret_lo, double *ret_hi);

/* What a rate is at least, with 84 % confidence: one standard error below what was seen, by the
 * same score. To go by where too high a guess does harm. */
double rate_at_least(u64 hits, u64 n);

/* A rate to plan with, strictly between 0 and 1 after however few tries: Laplace's rule of
 * succession, (hits + 1) / (n + 2). */
double rate_estimate(u64 hits, u64 n);

/* So many silent tries in a row happen with a probability of at most 1 - @confidence when the rate
 * is @rate, in (0, 1). At least 1. */
u64 silent_tries(double rate, double confidence);

/* The middle one of @values, the mean of the middle two when they are even in number; 0 of none.
 * Sorts them. */
double median(double *values, size_t n);

/*
 * Wald's sequential probability ratio test: does something hit as often as @kept, or at most as
 * often as @lost? Both in (0, 1), lost < kept. Each answer is wrong with a probability of at most
 * 1 - @confidence. (A. Wald, 1945)
 */
struct sequential {
	double kept, lost, confidence;
};

enum sequential_answer { SEQUENTIAL_OPEN, SEQUENTIAL_KEPT, SEQUENTIAL_LOST };

enum sequential_answer sequential_ask(const struct sequential *s, u64 hits, u64 n);
/* So many further tries have an answer, whichever it is, if they all end alike. At least 1: what
 * is planned ahead is planned so. */
u64 sequential_plan(const struct sequential *s, u64 hits, u64 n);

/* Fisher's exact test of two rates, hits_a in n_a and hits_b in n_b: were both the same, how likely
 * would hits as unevenly spread be? less, greater: in this direction, b's rate the lower or the
 * higher; either: in any. hits <= n of each; nothing tried is no evidence: 1. (R. A. Fisher, 1935)
 */
struct fisher {
	double less, greater, either;
};

struct fisher fisher_exact(u64 hits_a, u64 n_a, u64 hits_b, u64 n_b);

/* Wilcoxon's rank sum test (Mann and Whitney's U), exact, two-sided: were both samples of one kind,
 * how likely would one be as much above the other? Assumes nothing of how values are spread. Of
 * more than RANK_SUM_MAX values the first ones count. (H. B. Mann, D. R. Whitney, 1947) Not for
 * several threads at once: its table is static. */
#define RANK_SUM_MAX 40

double rank_sum(const double *a, size_t n_a, const double *b, size_t n_b);

#endif
