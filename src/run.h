/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a coordinator and its workers share beside the shadow: the start, the stop and the pause,
 * a slot for each worker's state and counters, and the board on which a worker leaves what it saw
 * that cannot be. One mapping, in the run directory, so that a dead run can be read.
 */
#ifndef STRESSD_RUN_H
#define STRESSD_RUN_H

#include "base/base.h"
#include "base/futex.h"
#include "oplog.h"
#include "race/race.h"
#include "scenario.h"
#include "verify.h"

#include <stdatomic.h>
#include <sys/types.h>

enum slot_state {
	SLOT_EMPTY,
	SLOT_STARTING, /* forked, opening its files */
	SLOT_READY,    /* waiting for the start */
	SLOT_RUNNING,
	SLOT_PAUSED,  /* files closed, waiting for the end of a pause */
	SLOT_STOPPED, /* ended as it was told to */
	SLOT_FAILED,  /* ended by itself; why is in error */
	SLOT_DEAD,    /* reaped, without having said that it ends */
};
extern const char *const slot_state_names[];

struct slot {
	_Atomic u32 state;
	_Atomic s64 pid; /* also the process group */
	char name[32];
	_Atomic u64 beat_ns; /* CLOCK_MONOTONIC of the last sign of life */
	_Atomic u64 quiet;   /* a long call is expected: the heartbeat may pause */
	_Atomic u64 ops, bytes, failed, busy, cells_checked, cells_open;
	_Atomic u64 sightings;	/* that it put on the board */
	_Atomic u64 pause_seen; /* the pause that its files are closed for */
	char error[256];
} __attribute__((aligned(64)));

/* Something that cannot be, as a worker or the final check saw it. */
struct sighting {
	_Atomic u32 state; /* 0 free, 1 being written, 2 to be read */
	u16 kind;	   /* enum finding_kind */
	u16 finder;	   /* writer id */
	u16 file, layer;   /* enum sc_layer that showed it */
	u32 op;		   /* enum op_kind that saw it or failed */
	bool has_cell;
	u64 cell, from, to;    /* bytes [from, to) of the cell were looked at */
	u64 more;	       /* further cells that the same read found wrong in the same way */
	u64 start_ns, time_ns; /* CLOCK_MONOTONIC, begin and end of the read */
	u64 offset, len;       /* of the operation */
	s64 result;	       /* of the operation: bytes or -errno */
	u64 size_lo, size_hi;  /* size-mismatch: what it might have been */
	struct cell_view view; /* before the read */
	struct verdict verdict;
	struct finding_layer layers[LAYERS];
	char text[256]; /* free text: output of a program, ... */
	u8 found[CELL_MAX];
};

#define RUN_SIGHTINGS 64

/*
 * A fault as the actors see it: whether an error may be its doing, and how many were told to whom.
 * Written by the coordinator, but for the counts.
 */
#define RUN_FAULTS	 16
#define RUN_FAULT_ERRNOS 8

struct run_fault {
	char name[32];
	u32 errnos[RUN_FAULT_ERRNOS]; /* that it explains, 0-terminated if fewer */
	bool loses_writes, ends_fs;
	_Atomic u64 first_ns; /* when it was armed first (CLOCK_MONOTONIC), 0: never yet */
	_Atomic u64
		until_ns; /* end of its last window and of the grace after it; UINT64_MAX: armed */
	/* Errors that an actor was told of, by operation and by place in errnos. Other errors, of a
	 * filesystem that it ended, count in the last column. */
	_Atomic u64 told[OP_KINDS][RUN_FAULT_ERRNOS + 1];
};

struct run_shared {
	u64 magic, len;
	u64 start_ns;	    /* CLOCK_MONOTONIC of the start barrier */
	_Atomic u32 go;	    /* futex: workers wait for 1 */
	_Atomic u32 stop;   /* ends the run: workers finish their operation */
	_Atomic u32 pause;  /* futex: odd while a pause is asked for */
	_Atomic u32 pauser; /* writer id of who asked */
	u32 stop_on_hit;    /* the first sighting ends the run, at once */
	_Atomic u64 sightings_lost;
	struct slot slots[SHADOW_WRITERS]; /* by writer id */
	_Atomic u64 fs_down_ns; /* the filesystem was seen read-only or shut down by a fault */
	_Atomic u32 fs_down_errno;
	_Atomic u64 cut_ns; /* since before then, no sync that returns is to be believed */
	u32 nfaults;
	struct run_fault faults[RUN_FAULTS];
	u32 nraces;
	struct race races[RACES_MAX];
	struct sighting board[RUN_SIGHTINGS];
};

int run_shared_create(const char *path, struct run_shared **ret, struct err *e);
/* Read-only copy of a dead run's. -EBADMSG when damaged. */
int run_shared_open(const char *path, struct run_shared **ret, struct err *e);
void run_shared_close(struct run_shared *r);

/* A free place on the board, or NULL (counted). Fill it, then post it. */
struct sighting *sighting_take(struct run_shared *r);
void sighting_post(struct run_shared *r, struct sighting *s);

static inline bool run_stopping(const struct run_shared *r)
{
	return atomic_load_explicit(&r->stop, memory_order_relaxed) != 0;
}

/*
 * Pause everybody but @who: ask, and wait until every running worker has closed its files. 0,
 * -EBUSY (somebody else pauses), -ETIMEDOUT (then the pause is taken back; @e names who did not).
 */
int run_pause(struct run_shared *r, u16 who, u64 timeout_ns, struct err *e);
void run_resume(struct run_shared *r);

#endif
