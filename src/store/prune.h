/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Retention: run directories that are old, or too many, go; what they came to stays in the store.
 * What goes is what the store knows byte for byte, and what holds no evidence unless that is asked
 * for. The row says that the directory is gone before it goes; the next call ends what a killed one
 * left.
 *
 *   prune.c         which go            prune_walk.c    run directories below a directory
 *   prune_remove.c  how one goes        prune_night.c   nights that have none left
 */
#ifndef STRESSD_STORE_PRUNE_H
#define STRESSD_STORE_PRUNE_H

#include "store/store.h"

struct prune_limits {
	s64 older_than_s; /* since they ended; -1: any age stays */
	u64 larger_than;  /* bytes of all run directories together; 0: as much as there is */
	bool findings;	  /* those with findings may go, too */
	bool incomplete;  /* and those that are incomplete and hold none */
	bool dry_run;	  /* say what would go, and touch nothing */
};

/* What became of a run directory, and why. */
enum prune_end {
	PRUNE_REMOVED,	  /* or would be */
	PRUNE_WITHIN,	  /* within the limits */
	PRUNE_FINDING,	  /* it holds a finding */
	PRUNE_INCOMPLETE, /* it did not come to its end, which may be the kernel's doing */
	PRUNE_NO_RESULT,  /* it runs, or it died */
	PRUNE_NOT_STORED, /* the store does not know it, or knows it in another place */
	PRUNE_KEPT,	  /* somebody put a file called "keep" there */
	PRUNE_BUSY,	  /* it is being written, imported or compared */
	PRUNE_FAILED,	  /* it could not be removed: the text says why */
	PRUNE_ENDS
};
extern const char *const prune_end_names[PRUNE_ENDS];

struct prune_run {
	const char *dir, *verdict, *text; /* "" where there is none */
	s64 ended_s;			  /* 0: not known */
	u64 bytes;
	enum prune_end end;
};
typedef void prune_fn(void *ctx, const struct prune_run *r);

struct prune_sums {
	u64 runs[PRUNE_ENDS], bytes[PRUNE_ENDS];
	u64 nights;	/* that had no run left, and went as well */
	bool too_large; /* what may go does not suffice for the limit */
};

/* Apply @limits to the run directories below @dirs, oldest first. Links are not followed and mounts
 * not entered. @fn is told of each. 0, or -errno for an error that ended it: what is gone by then
 * is known to be. */
int store_prune(struct store *s, char *const *dirs, size_t ndirs, const struct prune_limits *limits,
		prune_fn *fn, void *ctx, struct prune_sums *ret, struct err *e);

#endif
