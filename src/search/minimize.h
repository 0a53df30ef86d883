/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest scenario that still shows a finding: delta debugging over the table of reductions,
 * where every answer is a sequential test of hit rates. Big cuts first. Runs nothing itself and
 * prints nothing.
 */
#ifndef STRESSD_MINIMIZE_H
#define STRESSD_MINIMIZE_H

#include "search/reduce.h"
#include "search/trial.h"

/* One thing that might have gone. */
struct part {
	char what[200], pointer[256];
	const char *reduction;
	bool gone;
	size_t with;	    /* so many others went in the same cut */
	u64 hits, attempts; /* of the scenario without it */
	char text[256];	    /* where it could not be run: why */
};

enum minimize_event {
	MINIMIZE_ATTEMPT,  /* an attempt of @trial ended: last_attempt */
	MINIMIZE_MEASURED, /* the hit rate of the scenario as given is known */
	MINIMIZE_TRIAL,	   /* @what was decided */
	MINIMIZE_SMALLER,  /* the current scenario is another one now: write it */
	MINIMIZE_SURE,	   /* the rate of the last one is known */
};

struct minimize {
	/* Given: */
	struct runner *runner;
	struct wanted *wanted; /* kinds 0: what the first hit of the measuring is */
	json_t *form;	       /* of the scenario as given; owned from here on */
	u64 seed;
	double fraction;   /* of the hit rate that must remain */
	double confidence; /* of each answer */
	void (*tell)(void *ctx, const struct minimize *m, enum minimize_event event);
	void *ctx;

	/* Found: */
	struct trial current;	 /* the smallest so far, with the hits that got it there */
	u64 first_hits, first_n; /* of the scenario as given */
	double first_median_s;
	u64 last_hits, last_n; /* of the last scenario, measured anew; 0: there was no time */
	double last_median_s;
	bool suspects[SC_MAX_WORKERS]; /* rows of workers that findings name, or races */
	struct part *parts;
	size_t nparts;
	u64 candidates, invalid; /* tried, and not even parsed */
	const char *row;	 /* the reduction at work */
	const char *what;	 /* the trial that was decided last */
	size_t together;	 /* of so many parts */
	const struct trial *trial;
	const struct try *last_attempt;
	bool fell; /* the last measurement is below the fraction */
	struct trials trials;
};

/*
 * 0: no part that was tried can go. -EINTR: interrupted or out of time; what was found so far is in
 * @m. -ENODATA: the scenario as given did not hit, -ENOENT: it is skipped, with the line in @e. Or
 * the runner's -errno.
 */
int minimize(struct minimize *m, struct err *e);
void minimize_free(struct minimize *m);

/* Is it still there? It may have gone with what it was a part of. */
bool minimize_stayed(const struct minimize *m, const struct part *p);

/* The hit rate that a reduction is measured against. */
double minimize_rate(const struct minimize *m);

#endif
