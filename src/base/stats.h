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

#endif
