/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scene of a finding: which operations, of all that the histories hold, belong on its
 * timeline. What was seen and who is suspected is the account's (account.h).
 */
#ifndef STRESSD_SCENE_H
#define STRESSD_SCENE_H

#include "session/history.h"
#include "timeline.h"

struct scene {
	const struct shadow *sh;
	const struct history *history;
	u64 run_ns;	      /* the run's start; this and all below are CLOCK_MONOTONIC */
	u16 who;	      /* the finder, or whom the kernel log names */
	u64 begin_ns, end_ns; /* of the read that saw it; the same for a moment */
	bool has_cell;
	u32 file;
	u64 from, to;			    /* bytes of the cell */
	const struct deed *write, *suspect; /* NULL: none */
};

/* Owned by the caller; NULL: no memory, or nothing went on. */
struct timeline *scene_timeline(const struct scene *s);

#endif
