/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the steps worker, and how a step is written. Serves steps.c, step_parse.c and the
 * list of verbs. */
#ifndef STRESSD_STEPS_H
#define STRESSD_STEPS_H

#include "workers/worker.h"

enum step_flags {
	STEP_IN = 1 << 0,    /* the kernel copies from a buffer */
	STEP_OUT = 1 << 1,   /* ... to a buffer */
	STEP_CELLS = 1 << 2, /* ranges are whole cells */
	STEP_WHOLE = 1 << 3, /* has no range */
	STEP_FLAGS = 1 << 4, /* takes flags of sync_file_range(2) */
	STEP_ONE = 1 << 5,   /* one call, so at most a buffer long, with "readable" */
	STEP_FROM = 1 << 6,  /* from another range of the file, as long */
};

struct job;

struct step_verb {
	const char *name, *help;
	void (*run)(struct job *j);
	int arg;
	unsigned int flags; /* enum step_flags */
};
extern const struct step_verb step_verbs[]; /* ends with a NULL name */

struct step {
	const struct step_verb *verb;
	bool has_len;
	u64 len; /* bytes; without: to the end of the window */
	u64 at, from, readable, width, times;
	bool has_from;
	u64 stride; /* bytes from one of several times to the next */
	bool random, hot;
	unsigned int flags; /* SYNC_FILE_RANGE_* */
};

/* Read a step; with @file also see that it fits there. 0, or -EINVAL with "what is wrong; expected
 * what" in @e. */
int step_parse(const char *text, const struct sc_file *file, struct step *ret, struct err *e);

#endif
