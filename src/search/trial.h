/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trials: scenarios of which it is asked how often they hit. Plans attempts of several at once,
 * hands them to a runner, and stops as soon as each is decided, or as soon as what is still
 * planned would cost more than to begin anew.
 */
#ifndef STRESSD_TRIAL_H
#define STRESSD_TRIAL_H

#include "base/stats.h"
#include "search/runner.h"

#define TRIAL_HITS_MAX	   64  /* whose times are kept */
#define TRIAL_ATTEMPTS_MAX 200 /* what is open then hits too seldom */

struct trial {
	json_t *form, *scenario;		       /* owned */
	u64 hits, attempts, others, unusable, skipped; /* skipped ones are unusable, too */
	double hit_s[TRIAL_HITS_MAX];
	char other[32];	 /* the kind of the last other finding */
	char text[1024]; /* the sentence of its last hit, or why it cannot be run */
	enum sequential_answer answer;
};

struct trials {
	struct runner *runner;
	/* How many further attempts @t wants now; 0: it is decided. */
	u64 (*want)(struct trials *ts, struct trial *t);
	struct sequential test; /* for trial_want_answer() */
	u64 hits, attempts;	/* for trial_want_rate(): enough of the one, most of the other */
	u64 seed, seeds_used;
	u64 run;	  /* attempts that came to an end */
	double attempt_s; /* what one costs, on average; 0: not known yet */
	void (*tell)(void *ctx, const struct trial *t, const struct try *a); /* or NULL */
	void *ctx;
};

/* Does it still hit, or not? What twice cannot be run, and never hit, does not. */
u64 trial_want_answer(struct trials *ts, struct trial *t);
/* How often does it hit? */
u64 trial_want_rate(struct trials *ts, struct trial *t);

/* Run attempts of @list until none wants more. 0, -EINTR when the runner was interrupted, or the
 * runner's -errno with the line in @e. */
int trials_run(struct trials *ts, struct trial *list, size_t n, struct err *e);
void trial_free(struct trial *t);

#endif
