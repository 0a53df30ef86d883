/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two nights, side by side: which findings are new, which are fixed, which are still there, and of
 * which nothing can be said because a difference as large is chance. A finding is compared where
 * it was looked for: by scenario, target and kernel, under the names that a matrix has for them.
 */
#ifndef STRESSD_STORE_COMPARE_H
#define STRESSD_STORE_COMPARE_H

#include "store/store.h"

#define COMPARE_P     0.05 /* a difference that chance makes at most so often counts */
#define COMPARE_SPEED 0.10 /* a change of a speed below that is not worth a line */

struct place {
	char *scenario, *target, *label;
};

struct night_try {
	struct place place;
	u64 tries; /* complete runs: pass or fail */
};

struct night_hit {
	struct place place;
	char *hash, *kind, *title, *fs;
	u64 hits;	      /* runs with it */
	char *sentence, *dir; /* of one of them */
};

struct night_speed {
	struct place place;
	double *values; /* operations a second, of each run that passed */
	size_t n;
};

/* All three in the order of their places, and hits of one place in that of their hashes. */
struct night {
	s64 first_s; /* its first run */
	u64 runs, failed;
	struct night_try *tries;
	struct night_hit *hits;
	struct night_speed *speeds;
	size_t ntries, nhits, nspeeds;
};

/* Load the night @name. 0, -ENOENT without a text when there is none, or -errno. After success and
 * failure night_free(). */
int night_load(struct store *s, const char *name, struct night *ret, struct err *e);
void night_free(struct night *n);
/* -1, 0 or 1, in the store's order. */
int place_compare(const struct place *a, const struct place *b);
/* Was it found there before the time @before_s, in any night or none? 1, 0 or -errno. */
int store_seen_before(struct store *s, const char *hash, const struct place *place, s64 before_s,
		      struct err *e);

enum compare_change {
	CHANGE_NEW,	/* never seen before; or seen, and now more often than by chance */
	CHANGE_FIXED,	/* gone, and not by chance */
	CHANGE_STILL,	/* in both */
	CHANGE_FLAKY,	/* in one, and that may be chance: no more than that can be said */
	CHANGE_NOT_RUN, /* was there, and nothing ran to its end that could find it */
	CHANGES
};
extern const char *const compare_change_names[CHANGES]; /* "new", ..., "not-run" */

struct compare_row {
	const struct night_hit *a, *b; /* NULL: not found there; never both */
	u64 hits_a, tries_a, hits_b, tries_b;
	int change; /* enum compare_change */
	double p;   /* of such a difference, or a larger one, by chance */
	int trend;  /* CHANGE_STILL: 1 more often, -1 less often, and not by chance; else 0 */
	u64 needed; /* CHANGE_FLAKY and silent now: so many silent tries in all would be proof */
};

struct compare_speed {
	const struct place *place;
	double median_a, median_b, p;
	size_t n_a, n_b;
};

struct comparison {
	struct compare_row *rows; /* by change, then by place */
	struct compare_speed *speeds;
	size_t nrows, nspeeds;
	u64 counts[CHANGES];
};

/* Was it seen before the second night? 1, 0 or -errno, which ends the comparison. */
typedef int compare_known_fn(void *ctx, const struct night_hit *hit);

/* Compare; what is returned points into both nights. @known may be NULL: nothing is known but the
 * two. 0, or -errno (-ENOMEM, or what @known returned). After both comparison_free(). */
int compare_nights(const struct night *a, const struct night *b, compare_known_fn *known, void *ctx,
		   struct comparison *ret);
void comparison_free(struct comparison *c);

#endif
