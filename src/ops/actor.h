/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on shadowed files. An actor is whoever does them: a worker, or the coordinator that
 * lays out and checks. Every operation leases its cells, publishes what it is about to do, makes
 * the call, judges the outcome and settles; what cannot be is put on the board. Operations know
 * shadow, stamps, history and the shared block; nothing of workers, options or the coordinator.
 */
#ifndef STRESSD_ACTOR_H
#define STRESSD_ACTOR_H

#include "base/base.h"
#include "oplog.h"
#include "ops/hold.h"
#include "run.h"
#include "shadow/shadow.h"
#include "verify.h"

#include <sys/types.h>

#define ACTOR_BUF    (2 * MIB)			/* the largest single transfer */
#define ACTOR_VIEWS  (ACTOR_BUF / CELL_MIN + 1) /* a full buffer at an odd offset cuts two cells */
#define BUSY_WAIT_NS (20 * NSEC_PER_MSEC)	/* patience of holders of the size lock */

struct afile {
	struct shadow_file *sf;
	char path[700];
	int fd;	 /* O_RDWR */
	int dfd; /* O_RDWR | O_DIRECT, -1 where the filesystem has none */
	u8 *map; /* MAP_SHARED over max_bytes */
	size_t map_len;
	u32 block;    /* filesystem block, at least the alignment of direct I/O */
	u64 asked_ns; /* fd was opened, or told of an error of writeback */
};

struct actor {
	u16 id;
	struct rng rng;
	struct shadow *sh;
	struct oplog *log;
	struct run_shared *run;
	struct slot *slot;
	struct afile *files;
	u32 nfiles;
	u8 *buf;		 /* ACTOR_BUF bytes, page-aligned */
	struct cell_view *views; /* one for each cell of a buffer */
	struct hold *hold;	 /* of the faults in its buffers, or NULL */
	bool check;		 /* judge what is read */
	u32 page;
	char fs[16]; /* "xfs", "ext4", ... of the target */
};

/* Buffers and the file table for the files of @sh under @root; nothing is opened yet. */
int actor_init(struct actor *a, u16 id, struct shadow *sh, struct oplog *log,
	       struct run_shared *run, const char *root, const char *fs, u64 seed, struct err *e);
void actor_free(struct actor *a);
/* Open and map every file (made when @create). Close releases descriptors and mappings. */
int actor_open(struct actor *a, bool create, struct err *e);
void actor_close(struct actor *a);
/* Map a file anew at another address. */
int afile_remap(struct afile *f);

/* A sign of life, now or at @ns: the end of an operation is in its record already, and asking the
 * clock once more would cost as much as the record. */
static inline void actor_beat_at(struct actor *a, u64 ns)
{
	atomic_store_explicit(&a->slot->beat_ns, ns, memory_order_relaxed);
}

static inline void actor_beat(struct actor *a)
{
	actor_beat_at(a, now_ns());
}

/* A long call begins or has ended: meanwhile the heartbeat is not expected, the hang limit is. */
static inline void actor_quiet(struct actor *a, bool on)
{
	atomic_store_explicit(&a->slot->quiet, on, memory_order_relaxed);
	actor_beat(a);
}

/* What an operation needs is somebody else's. Counted, and a sign of life: who never gets its turn
 * is unlucky, and does not hang. */
static inline void actor_busy(struct actor *a)
{
	atomic_fetch_add_explicit(&a->slot->busy, 1, memory_order_relaxed);
	actor_beat(a);
}

/*
 * Where to go next. pick_cells: a random range of @n cells (clipped to the file's size, or to its
 * maximum with @grow) that direct or cached writers may use; returns the number of cells, 0 when
 * there are none now. clip_zone shortens a range so that it stays within one zone of its kind.
 */
u64 pick_cells(struct actor *a, const struct afile *f, u64 n, bool grow, u64 *ret_first);
u64 clip_zone(const struct afile *f, u64 first, u64 n, bool direct);
u64 cells_in(const struct afile *f, u64 bytes);

/* Judge the errno of a failed operation: @legal is a 0-terminated list of what it may be. Posts
 * unexpected-errno or read-error otherwise. Space errors are legal when the target is nearly
 * full. Always counts the failure. Returns true when it was legal. */
bool judge_errno(struct actor *a, struct afile *f, const struct op_record *rec, int err,
		 const int *legal);

/*
 * Hold the size lock of @f with a size that is known: where a dead worker left it open, the file
 * says what it is. False when the lock could not be had within BUSY_WAIT_NS, or the file says what
 * cannot be. Give back with size_unlock().
 */
bool size_take(struct actor *a, struct afile *f);
/* End a size_begin() whose outcome is not certain: the file says which of the sizes it has. */
void size_settle_from_file(struct afile *f);

/* Write @n cells from @first. */
struct write_op {
	enum op_kind op; /* PWRITE, PWRITEV2, URING_WRITE, APPEND */
	u64 first, n;
	int rwf;	  /* RWF_* for pwritev2 and io_uring */
	u8 *source;	  /* NULL: the actor's buffer; stamped in either case up to readable */
	u64 attempt;	  /* bytes asked of the kernel; 0: n cells. More than n cells: the rest must
			     be such that no byte of it can be copied; all cells or none */
	const int *legal; /* further legal errnos, 0-terminated, or NULL */
};
/* Bytes written, or -errno; -EBUSY: the first cell is somebody else's. */
s64 op_write(struct actor *a, struct afile *f, struct write_op *w);
/* Append @n cells at the end of the file; -EBUSY, -EFBIG when the file is at its maximum. */
s64 op_append(struct actor *a, struct afile *f, u64 n, int rwf);
/* Through the mapping, in stores of @width bytes (1, 2, 4, 8, ... or more than a cell). */
s64 op_store(struct actor *a, struct afile *f, u64 first, u64 n, u64 width);

/* Read bytes [offset, offset + len) and judge them. */
enum read_how { READ_PREAD, READ_LOAD, READ_DIRECT };
s64 op_read(struct actor *a, struct afile *f, u64 offset, u64 len, enum read_how how);

/* The two halves of a read, for engines that have many in flight. */
struct read_op {
	struct afile *f;
	u64 offset, len;
	u8 *buf;
	struct cell_view *views;
	struct size_view size;
	u64 start_ns;
	struct op_record *rec;
	enum op_kind op;
};
void read_begin(struct actor *a, struct read_op *r);
/* @result: bytes or -errno. Judges, posts, counts. */
void read_end(struct actor *a, struct read_op *r, s64 result);

/* Direct writes; offset and length in cells that make whole pages and blocks. */
struct direct_write {
	struct afile *f;
	u64 first, n;
	u8 *buf;
	struct op_record *rec;
	enum op_kind op;
};
/* Lease and stamp; false when cells are busy. */
bool direct_write_begin(struct actor *a, struct direct_write *d);
void direct_write_end(struct actor *a, struct direct_write *d, s64 result);
/* One direct write, begun and ended at once, from the actor's buffer. Bytes, -EBUSY or -errno. */
s64 op_direct_write(struct actor *a, struct afile *f, u64 first, u64 n);
/* Bytes that direct I/O on @f must be aligned to, for reads / for writes beside cached dirtiers. */
u64 direct_read_unit(const struct actor *a, const struct afile *f);
u64 direct_write_unit(const struct actor *a, const struct afile *f);

/* Sync a file (OP_FSYNC, OP_FDATASYNC, OP_MSYNC) or the filesystem (OP_SYNCFS). */
int op_sync(struct actor *a, struct afile *f, enum op_kind op);
int op_sync_range(struct actor *a, struct afile *f, u64 offset, u64 len, unsigned int flags);
/* Caches and mappings: OP_FADVISE_DONTNEED, OP_FADVISE_RANDOM, OP_MADVISE_DONTNEED,
 * OP_MADVISE_PAGEOUT, OP_REMAP. */
int op_cache(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len);
int op_drop_caches(struct actor *a, int mode);

/* Size and holes. Offsets and lengths in bytes; see shape.c for how they are rounded. op_zero ends
 * at the first cell that is busy: *ret_end (may be NULL) says where, and is @offset when nothing
 * was tried. */
int op_truncate(struct actor *a, struct afile *f, u64 to);
int op_zero(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len, bool keep_size,
	    u64 *ret_end);
/* OP_ALLOCATE, or OP_UNSHARE, which also gives the file blocks of its own for those that it
 * shares. (fallocate(2)) */
int op_allocate(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len,
		bool keep_size);
int op_shift(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len);

/* Moves between ranges and files: OP_CLONE, OP_DEDUPE, OP_COPY, OP_EXCHANGE. */
int op_move(struct actor *a, struct afile *dst, u64 to, struct afile *src, u64 from, u64 len,
	    enum op_kind op);

/* Judge the size that fstat(2) gives. */
int op_stat(struct actor *a, struct afile *f);
/* Bring @f to its first state: hole, written, prealloc or empty. Coordinator only. */
int op_layout(struct actor *a, struct afile *f, int layout, u64 size_bytes, struct err *e);

#endif
