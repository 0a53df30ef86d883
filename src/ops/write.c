// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes through the page cache: lease, stamp, publish, call, judge, settle. What a returned count
 * says of each cell: all below it is stored, the cell that it ends in may be mixed, and all
 * beyond keeps its old value: if the new one shows there, that is a phantom.
 */
#include "ops/actor.h"
#include "ops/guard.h"
#include "ops/told.h"

#include <errno.h>
#include <liburing.h>
#include <sched.h>
#include <string.h>
#include <sys/uio.h>

static void stamp_cells(struct actor *a, const struct afile *f, u64 first, u64 n, u8 *buf)
{
	const struct shadow_file *sf = f->sf;
	struct stamp id = { .run = a->sh->run, .file = (u16)sf->index, .writer = a->id };

	for (u64 i = 0; i < n; i++, buf += sf->cell_bytes) {
		id.cell = first + i;
		id.gen = CELL_GEN(atomic_load_explicit(&shadow_cell(a->sh, sf, id.cell)->flight,
						       memory_order_relaxed));
		stamp_fill(buf, sf->cell_bytes, &id);
	}
}

static u32 first_gen(struct actor *a, const struct afile *f, u64 cell)
{
	return CELL_GEN(atomic_load(&shadow_cell(a->sh, f->sf, cell)->flight));
}

/* Settle cells after a call that returned @result, bytes or -errno. */
static void settle_write(struct actor *a, struct afile *f, u64 first, u64 n, s64 result,
			 enum outcome on_error, bool durable)
{
	u64 bytes = result > 0 ? (u64)result : 0;
	u64 done = MIN(cells_in(f, bytes), n);
	u64 partial = done < n && bytes % f->sf->cell_bytes ? 1 : 0;

	shadow_settle(a->sh, f->sf, first, done, OUTCOME_DONE, durable);
	shadow_settle(a->sh, f->sf, first + done, partial, OUTCOME_MAYBE, false);
	shadow_settle(a->sh, f->sf, first + done + partial, n - done - partial,
		      result < 0 ? on_error : OUTCOME_FAILED, false);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&a->slot->bytes, bytes, memory_order_relaxed);
}

/* One ring per process, made at the first use: the submission needs no more than one entry. */
static s64 uring_write(int fd, const void *buf, u64 len, u64 offset, int rwf)
{
	static struct io_uring ring;
	static int ready = -1;
	struct io_uring_cqe *cqe;
	struct io_uring_sqe *sqe;
	int r;

	if (ready < 0) {
		ready = io_uring_queue_init(4, &ring, 0);
		if (ready < 0)
			return ready;
	}
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_write(sqe, fd, buf, (unsigned int)len, offset);
	sqe->rw_flags = rwf;
	/* The entry stays queued until the kernel takes it: given up here, it would be submitted
	 * with the next one, and write what the buffer holds by then. Short of memory, try again.
	 */
	while ((r = io_uring_submit_and_wait(&ring, 1)) == -EINTR || r == -EAGAIN || r == -EBUSY)
		sched_yield();
	if (r < 0)
		return r;
	do
		r = io_uring_wait_cqe(&ring, &cqe);
	while (r == -EINTR);
	if (r < 0)
		return r;
	r = cqe->res;
	io_uring_cqe_seen(&ring, cqe);
	return r;
}

static s64 call_write(struct afile *f, const struct write_op *w, const void *buf, u64 len,
		      u64 offset)
{
	struct iovec iov[2] = { { (void *)(uintptr_t)buf, len / 2 },
				{ (char *)(uintptr_t)buf + len / 2, len - len / 2 } };
	ssize_t n;

	switch (w->op) {
	case OP_URING_WRITE:
		return uring_write(f->fd, buf, len, offset, w->rwf);
	case OP_PWRITEV2:
		n = pwritev2(f->fd, iov, 2, (off_t)offset, w->rwf);
		break;
	case OP_APPEND:
		n = pwritev2(f->fd, iov, 2, (off_t)offset, w->rwf | RWF_APPEND);
		break;
	default:
		n = pwrite(f->fd, buf, len, (off_t)offset);
	}
	return n < 0 ? -errno : n;
}

/* RWF_NOWAIT would block, or the filesystem has no such flag (preadv2(2)). No other write may. */
static const int *legal_errnos(const struct write_op *w)
{
	static const int nowait[] = { EAGAIN, EOPNOTSUPP, 0 };

	return w->rwf & RWF_NOWAIT ? nowait : w->legal;
}

/* With O_DSYNC an error may come after the data was stored (open(2), O_DSYNC), and so it may where
 * the end of a write can fail, in the journal or by a device that refuses. */
static bool may_be_stored(const struct actor *a, const struct write_op *w, s64 result)
{
	return result < 0 && result != -EAGAIN &&
	       (w->rwf & (RWF_DSYNC | RWF_SYNC) || (result != -EFAULT && told_doubts(a)));
}

/* The leased cells [first, first + n) are written; the caller holds what else it needs. */
static s64 write_leased(struct actor *a, struct afile *f, const struct write_op *w, u64 n)
{
	const struct shadow_file *sf = f->sf;
	u8 *buf = w->source ? w->source : a->buf;
	struct op_record *rec;
	bool sync = w->rwf & (RWF_DSYNC | RWF_SYNC);
	s64 result;

	stamp_cells(a, f, w->first, n, buf);
	rec = oplog_begin(a->log,
			  &(struct op_record){ .op = (u8)w->op,
					       .file = (u8)sf->index,
					       .how = (u16)w->rwf,
					       .offset = w->first << sf->cell_shift,
					       .len = w->attempt ? w->attempt : n << sf->cell_shift,
					       .gen = first_gen(a, f, w->first) });
	hold_arm(a->hold, HOLD_SOURCE_FAULT, buf, n << sf->cell_shift);
	result = call_write(f, w, buf, rec->len, rec->offset);
	hold_disarm(a->hold);
	oplog_end(rec, result);
	actor_beat_at(a, rec->end_ns);
	if (result < 0 && !judge_errno(a, f, rec, (int)-result, legal_errnos(w)))
		result = -EIO;
	/* The sync of an O_DSYNC write tells of all that was dirtied in the file. */
	if (sync && result < 0 && told_loss((int)-result)) {
		sync_failed(f->sf);
		told_now(f);
	}
	settle_write(a, f, w->first, n, result,
		     may_be_stored(a, w, result) ? OUTCOME_MAYBE : OUTCOME_FAILED,
		     sync && told_durable(a));
	return result;
}

/* What the source can be read for is copied: with a longer attempt, each such cell must be ours. */
static bool enough(const struct write_op *w, u64 got)
{
	return got > 0 && (!w->attempt || got == w->n);
}

/* A write that reaches past the end of the file also holds the size. */
static s64 write_growing(struct actor *a, struct afile *f, struct write_op *w, u64 old_size)
{
	u64 end = (w->first + w->n) << f->sf->cell_shift, now = old_size;
	u64 got;
	s64 result;

	size_begin(f->sf, MAX(end, old_size));
	got = shadow_begin(a->sh, f->sf, w->first, w->n, a->id, CELL_STAMP, BUSY_WAIT_NS);
	if (!enough(w, got)) {
		shadow_settle(a->sh, f->sf, w->first, got, OUTCOME_FAILED, false);
		size_end(f->sf, old_size);
		actor_busy(a);
		return -EBUSY;
	}
	result = write_leased(a, f, w, got);
	if (result > 0)
		now = MAX(old_size, (w->first << f->sf->cell_shift) + (u64)result);
	if (may_be_stored(a, w, result))
		size_settle_from_file(f);
	else
		size_end(f->sf, now);
	if (result > 0 && w->rwf & (RWF_DSYNC | RWF_SYNC) && told_durable(a))
		size_durable(f->sf);
	return result;
}

s64 op_write(struct actor *a, struct afile *f, struct write_op *w)
{
	u64 reach = w->attempt ? w->attempt : w->n << f->sf->cell_shift;
	u64 end = (w->first << f->sf->cell_shift) + reach;
	s64 result = -EBUSY;
	u64 got;

	if (end > size_now(f->sf)) {
		if (!size_take(a, f)) {
			actor_busy(a);
			return -EBUSY;
		}
		if (end > size_now(f->sf)) {
			result = write_growing(a, f, w, size_now(f->sf));
			size_unlock(f->sf);
			return result;
		}
		size_unlock(f->sf);
	}
	got = shadow_begin(a->sh, f->sf, w->first, w->n, a->id, CELL_STAMP, 0);
	/* A lease keeps truncates out of these cells: if the end is still beyond them, it stays. */
	if (enough(w, got) &&
	    (w->first << f->sf->cell_shift) + (w->attempt ? reach : got << f->sf->cell_shift) <=
		    size_now(f->sf))
		return write_leased(a, f, w, got);
	shadow_settle(a->sh, f->sf, w->first, got, OUTCOME_FAILED, false);
	actor_busy(a);
	return result;
}

s64 op_append(struct actor *a, struct afile *f, u64 n, int rwf)
{
	struct write_op w = { .op = OP_APPEND, .n = n, .rwf = rwf };
	s64 result = -EFBIG;
	u64 size;

	if (!size_take(a, f)) {
		actor_busy(a);
		return -EBUSY;
	}
	size = size_now(f->sf);
	w.first = cells_in(f, size);
	/* The end must lie on a cell: an odd one is left by truncates and evened by them. */
	if (size % f->sf->cell_bytes == 0 && w.first + n <= f->sf->ncells &&
	    (w.n = clip_zone(f, w.first, n, false)) > 0)
		result = write_growing(a, f, &w, size);
	size_unlock(f->sf);
	return result;
}

/* Copy in stores of exactly @width bytes; memcpy() would choose its own. */
static void store_width(volatile u8 *dst, const u8 *src, u64 len, u64 width)
{
	u64 i = 0;

	switch (width) {
	case 1:
		for (; i < len; i++)
			dst[i] = src[i];
		return;
	case 2:
		for (; i < len; i += 2)
			*(volatile u16 *)(dst + i) = *(const u16 *)(src + i);
		return;
	case 4:
		for (; i < len; i += 4)
			*(volatile u32 *)(dst + i) = *(const u32 *)(src + i);
		return;
	default:
		for (; i < len; i += 8)
			*(volatile u64 *)(dst + i) = *(const u64 *)(src + i);
	}
}

static s64 store_guarded(u8 *dst, const u8 *src, u64 len, u64 width)
{
	volatile s64 result = (s64)len;

	GUARDED(result = -EFAULT, store_width(dst, src, len, width));
	return result;
}

s64 op_store(struct actor *a, struct afile *f, u64 first, u64 n, u64 width)
{
	static const int legal[] = { 0 };
	const struct shadow_file *sf = f->sf;
	struct op_record *rec;
	s64 result;
	u64 got, len;

	got = shadow_begin(a->sh, f->sf, first, n, a->id, CELL_STAMP, 0);
	len = got << sf->cell_shift;
	if (!got || (first << sf->cell_shift) + len > size_now(f->sf)) {
		shadow_settle(a->sh, f->sf, first, got, OUTCOME_FAILED, false);
		actor_busy(a);
		return -EBUSY;
	}
	stamp_cells(a, f, first, got, a->buf);
	rec = oplog_begin(a->log, &(struct op_record){ .op = OP_STORE,
						       .file = (u8)sf->index,
						       .how = (u16)MIN(width, (u64)UINT16_MAX),
						       .offset = first << sf->cell_shift,
						       .len = len,
						       .gen = first_gen(a, f, first) });
	result = store_guarded(f->map + rec->offset, a->buf, len, width);
	oplog_end(rec, result);
	actor_beat_at(a, rec->end_ns);
	/* SIGBUS: no space for the page, or the file ended; space is looked at like for writes. */
	if (result < 0)
		judge_errno(a, f, rec, ENOSPC, legal);
	/* Stores before the fault may be in: the page that faulted is not known. */
	settle_write(a, f, first, got, result, OUTCOME_MAYBE, false);
	return result;
}
