/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One scenario again and again, each time with another seed, until it hit often enough or was
 * tried often enough. Counts; prints nothing.
 */
#ifndef STRESSD_REPEAT_H
#define STRESSD_REPEAT_H

#include "search/runner.h"

#define REPEAT_HITS_MAX 4096 /* whose times are kept */

struct repeat {
	/* Given: */
	struct runner *runner;
	const json_t *scenario;
	u64 seed;
	u64 hits_wanted;  /* enough; 0: never */
	u64 times;	  /* complete attempts that are enough; 0: never */
	bool others_tell; /* a run that found something else is a complete attempt all the same */
	bool keep;	  /* run directories of all, not only of those that hit */
	size_t batch;	  /* attempts handed over at once */
	void (*tell)(void *ctx, const struct repeat *r, struct try *a); /* of each attempt */
	void *ctx;

	/* Counted: */
	u64 attempts, hits, silent, others, unusable, skipped;
	double hit_s[REPEAT_HITS_MAX];
	double first_hit_s; /* from the start of it all */
	u64 begun_ns;
	struct try last; /* the last one that hit, or else the last */
	u64 unusable_in_a_row;
	bool refused; /* the scenario cannot be run at all */
	bool gave_up; /* one attempt after the other was unusable */
};

/* 0: it is over, by its limits, by the runner's, or because attempts cannot be made: the counts
 * say. Or the runner's -errno with the line in @e. */
int repeat_run(struct repeat *r, struct err *e);
/* Attempts that say something. */
u64 repeat_complete(const struct repeat *r);
/* Of the times to a hit, in seconds; 0 without one. */
double repeat_median_s(const struct repeat *r);

#endif
