/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shadow: for every cell of every file, which generations its bytes may be now. It lives in a
 * shared file mapping in the run directory and is written with release stores, so that whoever
 * dies leaves a state that can be checked: a write that was under way stays pending, which
 * allows old or new. 32 bytes a cell; the size does not change during a run.
 *
 *   settled   the generation that is certainly stored, its kind and writer
 *   flight    the last generation issued, who holds the cell (the lease), what is uncertain
 *   origin    kind MOVED: the stamp the bytes were made for; kind CUT: the zeroed interval
 *   durable   the last generation that is certainly on stable storage
 *   epoch     the sync epoch of the file in which `settled` was done; how many epochs earlier its
 *             write began is in `settled`, for data that writeback lost in between
 *
 * Single owner: a cell is leased by one worker at a time, by compare-and-swap of `flight`; no
 * two writers ever share bytes, while they share pages as the scenario makes them. On files with
 * "conflict" writers share cells: `settled` then is the oldest generation of the legal set, and the
 * lease field counts the writers in flight.
 *
 * Lock order: size lock of a file, then leases in ascending (file, cell) order. Only a holder of
 * the size lock waits for leases; everybody else tries, and takes what is free.
 */
#ifndef STRESSD_SHADOW_H
#define STRESSD_SHADOW_H

#include "base/base.h"
#include "stamp.h"

#include <stdatomic.h>

struct scenario;

#define SHADOW_WRITERS	 320 /* worker ids, 0 = none */
#define SHADOW_LAYOUT	 1   /* writer id of the coordinator, which lays the files out */
#define SHADOW_CELLS_MAX (1ULL << 24)

enum cell_kind {
	CELL_ZERO,  /* hole, punched, zeroed or truncated: reads as zeros, or not at all */
	CELL_STAMP, /* a stamp of this place */
	CELL_MOVED, /* a stamp of another place or generation, named by origin */
	CELL_CUT,   /* a stamp of this place with one zeroed interval, named by origin */
};

struct shadow_cell {
	_Atomic u64 settled;
	_Atomic u64 flight;
	_Atomic u64 origin;
	_Atomic u32 durable;
	_Atomic u32 epoch;
};
_Static_assert(sizeof(struct shadow_cell) == 32, "32 bytes a cell");

/* Fields of settled and flight. */
#define CELL_GEN(w)		  ((u32)(w))
#define CELL_WHO(w)		  ((u16)((w) >> 32 & 0xfff))
#define CELL_KIND(w)		  ((enum cell_kind)((w) >> 44 & 3))
#define CELL_WORD(gen, who, kind) ((u64)(gen) | (u64)(who) << 32 | (u64)(kind) << 44)
/* settled */
#define CELL_UPDATING (1ULL << 46) /* origin is being changed: look again */
/* Kinds of what the device may hold: of the last durable state, and of all that were after it. */
#define CELL_SINCE(kind) (1ULL << (47 + (kind)))
#define CELL_SINCE_ALL	 (0xfULL << 47)
#define CELL_LATE_SHIFT	 51 /* sync epochs that passed while it was in flight */
#define CELL_LATE(w)	 ((u32)((w) >> CELL_LATE_SHIFT) & CELL_EPOCH_MASK)
/* flight */
#define CELL_PENDING	 (1ULL << 46) /* a write of the last generation is under way */
#define CELL_MAYBE	 (1ULL << 47) /* generations after settled may be stored */
#define CELL_MAYBE_ZERO	 (1ULL << 48) /* ... or zeros */
#define CELL_MIXED	 (1ULL << 49) /* ... or words of several of them */
#define CELL_UNKNOWN	 (1ULL << 50) /* anything of this run: a move of uncertain outcome */
#define CELL_MOVING	 (1ULL << 51) /* the pending generation moves bytes here */
#define CELL_DOUBTS	 (CELL_MAYBE | CELL_MAYBE_ZERO | CELL_MIXED | CELL_UNKNOWN)
#define CELL_SPAN_SHIFT	 52 /* conflict: last - first generation of those in flight */
#define CELL_SPAN_MAX	 0xfffULL
#define CELL_BEGUN_SHIFT 52 /* otherwise: low bits of the sync epoch in which it began */
#define CELL_EPOCH_MASK	 0xfffU

/* origin of a moved cell; of a cut cell: the generation of its stamp and the zeroed interval
 * [from, to) in bytes. */
#define ORIGIN(file, cell, gen) ((u64)(gen) | (u64)(cell) << 32 | (u64)(file) << 56)
#define ORIGIN_GEN(o)		((u32)(o))
#define ORIGIN_CELL(o)		((u32)((o) >> 32 & 0xffffff))
#define ORIGIN_FILE(o)		((u16)((o) >> 56))
#define CUT(gen, from, to)	((u64)(gen) | (u64)(from) << 32 | (u64)(to) << 46)
#define CUT_GEN(o)		((u32)(o)) /* of the stamp; its writer is the one in settled */
#define CUT_FROM(o)		((u32)((o) >> 32 & 0x1fff))
#define CUT_TO(o)		((u32)((o) >> 46 & 0x1fff))

/* Epochs [from, to) of a told loss. */
#define LOST(from, to) ((u64)(from) | (u64)(to) << 32)
#define LOST_FROM(l)   ((u32)(l))
#define LOST_TO(l)     ((u32)((l) >> 32))

/* Sizes that a file had over some time. */
struct size_window {
	_Atomic u64 lo, hi;
};

struct shadow_file {
	char name[64];
	u64 max_bytes, ncells, first_cell;
	u32 cell_bytes, cell_shift;
	u32 index;
	u32 conflict;	/* writers share cells */
	u32 reshaped;	/* some worker zeroes, truncates or moves content of this file */
	u64 zone_bytes; /* direct and cached writers alternate in zones of this size; 0: none */
	/* Size, like a cell: between lo and hi while a change is under way (seq odd) or in doubt.
	 */
	_Atomic u64 size_lo, size_hi;
	_Atomic u32 size_seq, size_owner;
	/* Durability: a sync that starts takes the next epoch; when it returns 0, all that was
	 * settled in earlier epochs is durable. */
	_Atomic u32 epoch, durable_epoch;
	/* A writeback error was told: what was settled in epochs [from, to) may be lost. One word,
	 * as several may be told at once, each through a descriptor of its own. 0: none */
	_Atomic u64 lost;
	_Atomic u64 hot; /* byte offset of the latest store: a hint for readers, not a fact */
	/* Writes may fail untold: what was settled in epochs before risk_to and is not synced yet.
	 */
	_Atomic u32 risk_to;
	u32 base_seq; /* size_seq when the first state of the file was on disk */
	/* Sizes since the last durable one; and since the sync of epoch `syncing` began, which
	 * makes them durable if it succeeds. Of overlapping syncs one is followed, which claims too
	 * little.
	 */
	struct size_window unsynced, young;
	_Atomic u32 syncing, pad;
	/* CLOCK_MONOTONIC: since then the kernel has logged a writeback error of this file. 0: none
	 */
	_Atomic u64 error_ns;
	/* By writer id: since when it has wanted the size lock and not had it (CLOCK_MONOTONIC),
	 * and SIZE_WAITING while it waits. Who gives up keeps its place for the next time. */
	_Atomic u64 size_wanted[SHADOW_WRITERS];
};
#define SIZE_WAITING 1ULL /* in place of the last bit of the time */

struct shadow {
	size_t len;
	struct shadow_header *h;
	struct shadow_file *files;
	struct shadow_cell *cells;
	u32 nfiles;
	u64 run;
	/* Of this process: the kernel died under the run, and only what was durable is certain. */
	bool crashed;
	bool stale_ok; /* ... on a filesystem that may then show old blocks (data=writeback) */
	/* Of a moment of the run (moment.h): the cells as they were when what is durable was
	 * known, where `cells` are as they were later. NULL: there is no difference. */
	struct shadow_cell *begun;
};

/* A consistent look at one cell; shadow_view() takes it. */
struct cell_view {
	u64 settled, flight, origin;
	u32 epoch, durable;
};

/* What the shadow of @sc takes. */
u64 shadow_bytes(const struct scenario *sc);
/* Make the shadow of @sc at @path, sized for all cells, keyed @run. 0 or -errno. */
int shadow_create(const char *path, const struct scenario *sc, u64 run, struct shadow *ret,
		  struct err *e);
/* Map an existing one; @writable for `verify`, which settles what was pending. -EBADMSG when it
 * is damaged or not a shadow. */
int shadow_open(const char *path, bool writable, struct shadow *ret, struct err *e);
void shadow_close(struct shadow *sh);
void shadow_set_writer(struct shadow *sh, u16 id, const char *name);
const char *shadow_writer(const struct shadow *sh, u16 id);

static inline struct shadow_cell *shadow_cell(const struct shadow *sh, const struct shadow_file *f,
					      u64 cell)
{
	return &sh->cells[f->first_cell + cell];
}

/* Never waits: a cell whose owner stopped, or died, in the middle of a change is CELL_UNKNOWN. */
struct cell_view shadow_view_again(const struct shadow_cell *c);

/* Here, because reads look at every cell that they cover: a call would cost more than the loads. */
static inline struct cell_view shadow_view(const struct shadow_cell *c)
{
	struct cell_view v;

	v.settled = atomic_load_explicit(&c->settled, memory_order_acquire);
	v.origin = atomic_load_explicit(&c->origin, memory_order_acquire);
	/* Before flight: an epoch that is newer than `settled` is seen with its lease. */
	v.epoch = atomic_load_explicit(&c->epoch, memory_order_acquire);
	v.durable = atomic_load_explicit(&c->durable, memory_order_acquire);
	v.flight = atomic_load_explicit(&c->flight, memory_order_acquire);
	if (__builtin_expect(
		    v.settled & CELL_UPDATING ||
			    v.settled != atomic_load_explicit(&c->settled, memory_order_acquire),
		    0))
		return shadow_view_again(c);
	return v;
}

/* A cell as a check that begins now must take it. */
static inline struct cell_view shadow_view_begun(const struct shadow *sh,
						 const struct shadow_file *f, u64 cell)
{
	return shadow_view((sh->begun ? sh->begun : sh->cells) + f->first_cell + cell);
}

/*
 * Leases. begin: take up to @n cells from @first for a write of @kind by @who; stops at the first
 * that somebody else holds; returns how many. The new generation of each is CELL_GEN(flight).
 * With @wait_ns a busy cell is waited for that long (holders of the size lock only).
 */
u64 shadow_begin(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, u16 who,
		 enum cell_kind kind, u64 wait_ns);
/* Take cells without issuing a generation: sources of a move, settled cells only. */
u64 shadow_hold(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, u16 who);
void shadow_release(struct shadow *sh, struct shadow_file *f, u64 first, u64 n);

enum outcome {
	OUTCOME_DONE,	/* certainly stored */
	OUTCOME_FAILED, /* certainly not stored */
	OUTCOME_MAYBE,	/* the kernel may have done either, or a part */
};
void shadow_settle(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, enum outcome how,
		   bool durable);
/* Settle as done, with the content that @kind, @writer and @origin name. */
void shadow_settle_as(struct shadow *sh, struct shadow_file *f, u64 cell, enum cell_kind kind,
		      u16 writer, u64 origin);
/* Everything that the dead worker @who held becomes "maybe", but for what it had settled already;
 * returns the number of cells. Only after it was reaped: its last system call is over then. */
u64 shadow_bury(struct shadow *sh, u16 who);

/* Size. lock returns false when it could not be had within @wait_ns. Whoever comes may take it,
 * unless somebody has waited for too long: then it is the turn of who has waited longest. */
bool size_lock(struct shadow_file *f, u16 who, u64 wait_ns);
void size_unlock(struct shadow_file *f);
u64 size_now(const struct shadow_file *f); /* the least it may be */
void size_begin(struct shadow_file *f, u64 to);
void size_end(struct shadow_file *f, u64 now); /* certain */
void size_doubt(struct shadow_file *f);	       /* stays between lo and hi */
struct size_view {
	u64 lo, hi;
	u32 seq;
};
struct size_view size_view(const struct shadow_file *f);
/* Bounds of the size at any moment between two views; false when they are not known. */
bool size_bounds(struct size_view s, struct size_view e, u64 *lo, u64 *hi);

/* Sync epochs: take before the call, commit after it returned 0. */
u32 sync_begin(struct shadow_file *f);
void sync_commit(struct shadow_file *f, u32 epoch);
/* A sync failed and said so: what was dirtied since the last good one may be on disk or not, and
 * its pages count as clean. (fsync(2), EIO; Documentation/filesystems/vfs.rst on errseq) */
void sync_failed(struct shadow_file *f);
/* From now on writeback may fail, and until somebody syncs nobody is told: what is not durable may
 * be lost any time / no more of what is written from now on. */
void risk_begin(struct shadow *sh);
void risk_end(struct shadow *sh);
/* After a loss the size on disk may be any of those since the last good sync: open its bounds, but
 * for what must be there, durable cells. */
void size_after_loss(struct shadow *sh, struct shadow_file *f);
/* May the settled state of a cell be lost: by an error that was told, or while nobody has asked? */
bool shadow_may_be_lost(const struct shadow_file *f, struct cell_view v);

/* What is certain of a cell after a crash. */
struct durable {
	u32 gen;    /* the device has this generation or a later one; 0: it may have nothing */
	bool exact; /* it is the settled one: nothing but what is in flight may replace it */
	u64 kinds;  /* CELL_SINCE() of what else may be there */
};
struct durable shadow_durable(const struct shadow_file *f, struct cell_view v);
/* The size of now, which the caller's lock keeps, is on stable storage: it was written O_DSYNC. */
void size_durable(struct shadow_file *f);
/* cell.c to durable.c: is a state, settled at @epoch, among what a told error lost?
 */
bool sync_lost(const struct shadow_file *f, u64 settled, u32 epoch);
/* A change of the size from here on may be stored at any time.
 */
void size_unsynced(struct shadow_file *f, u64 lo, u64 hi);

#endif
