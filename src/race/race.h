/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Races: processes that wait for each other, then begin one operation each at an offset of their
 * own. Knows rounds, offsets and intervals in shared memory; nothing of operations, workers or
 * scenarios. Whoever comes last to the barrier accounts the attempt before and draws the next.
 */
#ifndef STRESSD_RACE_H
#define STRESSD_RACE_H

#include "base/base.h"

#include <stdatomic.h>

#define RACES_MAX    16
#define RACE_PARTIES 32 /* processes of one race: a bit each */
#define RACE_BINS    16 /* parts of an offset range that are told apart */

struct race_bin {
	u32 tries, overlaps, hits;
};

/* One process of a race. */
struct race_party {
	u16 writer;	     /* id */
	u16 actor;	     /* which actor of the race it is one process of */
	bool loop;	     /* repeats its operation until those that do not have done theirs */
	struct range offset; /* ns after the release */
	u64 offset_ns;	     /* of this attempt */
	u32 bin;
	u64 start_ns, end_ns; /* of its operations in this attempt; 0: it did none */
	struct race_bin bins[RACE_BINS];
};

struct race {
	char name[68];
	u32 nparties, nactors;
	u64 limit;	     /* attempts; 0: none */
	u64 window;	     /* bytes; see race_place() */
	_Atomic u32 present; /* parties that are alive, a bit each */
	_Atomic u32 arrived, awake, done;
	u32 holders;	       /* parties with a hold; the others wait for it to begin */
	_Atomic u32 holding;   /* a fault is being held in this attempt */
	_Atomic u32 round;     /* futex; attempts released so far */
	_Atomic u64 claimed;   /* round + 1 while somebody releases it, and above that who + 1 */
	_Atomic u32 hit;       /* something was found in this attempt */
	_Atomic u64 origin_ns; /* when all were awake: what offsets count from; 0 before */
	_Atomic u64 attempts, overlaps, hits, held;
	_Atomic u64 first_hit; /* number of the attempt, from 1; 0: none yet */
	struct rng rng;
	struct race_party parties[RACE_PARTIES];
};

void race_init(struct race *r, const char *name, u64 seed);
/* Add a process, before any of them runs. Its number, or -ENOSPC. */
int race_add(struct race *r, u16 writer, u16 actor, struct range offset, bool loop);

/* Asked for while waiting: is it time to give up? Also the place for a sign of life. */
typedef bool race_leave_fn(void *arg);
/*
 * Wait for all others, then for the own offset. 0, -EINTR when @leave said so, -ENODATA when the
 * race has had all its attempts.
 */
int race_enter(struct race *r, u32 me, race_leave_fn *leave, void *arg);
/* The fault of a holder waits: the offsets of the others count from here. */
void race_holding(struct race *r);
/* The own part of the attempt is over: it lasted over [start, end). 0, 0: nothing was done. */
void race_done(struct race *r, u32 me, u64 start_ns, u64 end_ns);
/* All parties but @me that do not loop are done, or dead. */
bool race_others_done(const struct race *r, u32 me);
/* Wait until all are done, loops as well. False: @leave said so. */
bool race_wait_done(struct race *r, race_leave_fn *leave, void *arg);
/* All attempts were made and accounted. */
bool race_over(const struct race *r);
/* Something was found in the attempt that is under way. */
void race_hit(struct race *r);
/* Party @me will not come again: the others go on without it. */
void race_bury(struct race *r, u32 me);
/* Take the last attempt into account, once no party runs any more. */
void race_finish(struct race *r);

/* Where @attempt goes in @size bytes: window after window, then from the start again. Bytes. */
u64 race_place(const struct race *r, u64 attempt, u64 size);

/* Were all actors at work at one instant? Several processes of an actor stand for each other. */
bool race_overlapped(const struct race *r);
/* Choose bins and offsets of the next attempt: every bin in turn at first, later by what was seen
 * there, with each fourth attempt still in turn. */
void race_draw(struct race *r, u64 attempt);

#endif
