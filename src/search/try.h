/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An attempt: one run of a scenario with a seed of its own, and what it says about a finding that
 * is looked for. Reads results; starts nothing.
 */
#ifndef STRESSD_TRY_H
#define STRESSD_TRY_H

#include "base/base.h"
#include "finding.h"

#include <jansson.h>

/* What counts as a hit. */
struct wanted {
	u64 kinds;	 /* bit enum finding_kind; 0: any finding */
	char title[160]; /* that findings of the kernel log must have, or "" */
};

/* Read "KIND[,KIND]...". 0, or -EINVAL with what was expected in @e. */
int wanted_parse(const char *list, struct wanted *ret, struct err *e);
/* In words: "lost-write or misplaced", "kernel-warning (WARNING in f)". Returns @buf. */
const char *wanted_text(const struct wanted *w, char *buf, size_t size);

enum try_end {
	TRY_NOT_RUN,  /* not begun, or cut short: it says nothing */
	TRY_HIT,      /* what is looked for was found */
	TRY_SILENT,   /* ran to its end, and nothing was found */
	TRY_OTHER,    /* something else was found */
	TRY_UNUSABLE, /* refused, failed, or incomplete */
	TRY_SKIPPED,  /* this machine lacks something */
	TRY_ENDS
};
extern const char *const try_end_names[TRY_ENDS];

struct
try {
	const json_t *scenario; /* borrowed; its seed is replaced */
	u64 seed;
	size_t trial; /* its owner's: what it is an attempt of */

	/* Filled in by who runs it: */
	int end;	  /* enum try_end */
	int exit;	  /* as of `stressd run` */
	bool sick;	  /* the kernel that it ran in is not to be trusted any more */
	bool keep;	  /* set by who is told of it: its run directory stays */
	double hit_s;	  /* from the first operation to the first finding that is looked for */
	double took_s;	  /* all of it */
	char kind[32];	  /* of that finding, else of the first; "" without one */
	char title[160];  /* of the same */
	char actors[256]; /* whom it names, with blanks between: "mmap_writer.0 dio_reader.1" */
	char text[1024];  /* its sentence, or why there is no verdict */
	char dir[512];
	char path[600]; /* the scenario's own file: running it repeats the attempt */
};

/* Judge by the run directory a->dir, and by @exit where that has no result. Fills in all but dir
 * and path. */
void try_judge(struct try *a, const struct wanted *w, int exit);

/* The seed of attempt @n: the given one first, then others that are drawn from it. */
u64 try_seed(u64 seed, u64 n);

#endif
