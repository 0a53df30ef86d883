// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads and their judgement. The shadow of every cell in the range is looked at before the read
 * begins; afterwards only cells that do not hold what was settled then are looked at again. A
 * cell that too much happened to is read once more rather than guessed at.
 */
#include "ops/actor.h"
#include "ops/guard.h"
#include "ops/sight.h"
#include "ops/told.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REREADS 3

struct span {
	u64 first, stop; /* cells [first, stop) */
	u64 offset, end; /* bytes */
};

/* A read may reach past the last cell: there is nothing to judge there but the size. */
static struct span span_of(const struct afile *f, u64 offset, u64 len)
{
	u64 shift = f->sf->cell_shift, end = MIN(offset + len, f->sf->ncells << shift);

	return (struct span){ offset >> shift, (end + f->sf->cell_bytes - 1) >> shift, offset,
			      end };
}

/* The bytes of @cell within the span, as offsets into the cell. */
static void part_of(const struct afile *f, const struct span *s, u64 cell, u32 *from, u32 *to)
{
	u64 start = cell << f->sf->cell_shift;

	*from = s->offset > start ? (u32)(s->offset - start) : 0;
	*to = (u32)MIN((u64)f->sf->cell_bytes, s->end - start);
}

void read_begin(struct actor *a, struct read_op *r)
{
	struct span s = span_of(r->f, r->offset, r->len);

	r->rec = oplog_begin(a->log, &(struct op_record){ .op = (u8)r->op,
							  .file = (u8)r->f->sf->index,
							  .offset = r->offset,
							  .len = r->len });
	r->start_ns = r->rec->start_ns;
	r->size = size_view(r->f->sf);
	for (u64 cell = s.first; cell < s.stop; cell++)
		r->views[cell - s.first] = shadow_view(shadow_cell(a->sh, r->f->sf, cell));
	atomic_thread_fence(memory_order_seq_cst);
}

static enum sc_layer layer_of(enum op_kind op)
{
	return op == OP_PREAD || op == OP_LOAD ? LAYER_CACHE : LAYER_DIRECT;
}

/* Read one cell again, on its own, until it can be judged. */
static enum judgement reread(struct actor *a, struct read_op *r, u64 cell, u32 from, u32 to,
			     u8 *bytes, struct cell_view *s, struct verdict *v)
{
	const struct shadow_file *sf = r->f->sf;
	enum judgement j = JUDGED_OPEN;

	/* Direct reads need aligned buffers and whole blocks: not worth it for an open case. */
	for (int i = 0; i < REREADS && j == JUDGED_OPEN && layer_of(r->op) == LAYER_CACHE; i++) {
		*s = shadow_view(shadow_cell(a->sh, sf, cell));
		if (pread(r->f->fd, bytes + from, to - from,
			  (off_t)((cell << sf->cell_shift) + from)) != (ssize_t)(to - from))
			return JUDGED_OPEN;
		j = verify_cell(a->sh, sf, cell, bytes, from, to, *s, v);
	}
	return j;
}

static __attribute__((noinline)) void check_cell(struct actor *a, struct read_op *r,
						 const struct span *s, u64 cell,
						 struct sight_run *wrong)
{
	_Alignas(64) u8 again[CELL_MAX];
	struct cell_view view = r->views[cell - s->first];
	u8 *bytes = r->buf + (s64)((cell << r->f->sf->cell_shift) - s->offset);
	struct verdict v;
	u32 from, to;
	enum judgement j;

	part_of(r->f, s, cell, &from, &to);
	j = verify_cell(a->sh, r->f->sf, cell, bytes, from, to, view, &v);
	if (j == JUDGED_OPEN) {
		bytes = again;
		j = reread(a, r, cell, from, to, bytes, &view, &v);
	}
	if (j == JUDGED_WRONG)
		sight_more(a, wrong, r->f, r->rec, cell, bytes, from, to, view, &v,
			   layer_of(r->op));
	else if (j == JUDGED_OPEN)
		atomic_fetch_add_explicit(&a->slot->cells_open, 1, memory_order_relaxed);
}

/* The loop that decides how fast reads are checked: nothing in it but the usual, good cell. */
static void check_cells(struct actor *a, struct read_op *r, const struct span *s)
{
	const struct shadow_file *sf = r->f->sf;
	struct sight_run wrong = { NULL };
	u32 from, to;

	for (u64 cell = s->first; cell < s->stop; cell++) {
		const u8 *bytes = r->buf + (s64)((cell << sf->cell_shift) - s->offset);

		part_of(r->f, s, cell, &from, &to);
		if (__builtin_expect(!verify_plain(a->sh, sf, cell, bytes, from, to,
						   r->views[cell - s->first].settled),
				     0))
			check_cell(a, r, s, cell, &wrong);
	}
	sight_close(a, &wrong);
	atomic_fetch_add_explicit(&a->slot->cells_checked, s->stop - s->first,
				  memory_order_relaxed);
}

static const int direct_legal[] = { EAGAIN, 0 };

static const int *legal_errnos(enum op_kind op)
{
	return layer_of(op) == LAYER_DIRECT ? direct_legal : NULL;
}

/* Is a read that came short at @at at odds with a file that goes on there? An error behind the
 * first bytes is hidden by their count and told to the next read, which is done here and judged.
 * (read(2), RETURN VALUE) A direct read may meet a delayed allocation half-way, and the next one
 * find it gone: there only an end of the file counts. */
static bool came_short(struct actor *a, struct read_op *r, u64 at)
{
	_Alignas(4096) u8 next[4096];
	struct op_record *rec =
		oplog_begin(a->log, &(struct op_record){ .op = (u8)r->op,
							 .file = (u8)r->f->sf->index,
							 .offset = at,
							 .len = sizeof(next) });
	ssize_t n = pread(layer_of(r->op) == LAYER_DIRECT ? r->f->dfd : r->f->fd, next,
			  sizeof(next), (off_t)at);

	/* A count in the middle of a block leaves a direct read no place to go on from. */
	if (n < 0 && errno == EINVAL)
		n = pread(r->f->fd, next, sizeof(next), (off_t)at);
	if (n < 0)
		n = -errno;
	oplog_end(rec, n);
	if (n < 0)
		judge_errno(a, r->f, rec, (int)-n, legal_errnos(r->op));
	if (n > 0 && layer_of(r->op) == LAYER_CACHE)
		return !told_explains(a, r->f, r->rec, EIO); /* the error may have passed */
	return n == 0;
}

/* A read may end before the end of the file, but may not find it there. */
static void check_count(struct actor *a, struct read_op *r, u64 got)
{
	u64 lo, hi, end = r->offset + got;
	bool too_short = got < r->len && came_short(a, r, end);

	if (!size_bounds(r->size, size_view(r->f->sf), &lo, &hi))
		return;
	if (got && end > hi)
		sight_size(a, r->f, r->rec, end, lo, hi);
	else if (too_short && end < lo)
		sight_size(a, r->f, r->rec, end, lo, hi);
}

void read_end(struct actor *a, struct read_op *r, s64 result)
{
	u64 hi, lo;

	oplog_end(r->rec, result);
	actor_beat_at(a, r->rec->end_ns);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (result < 0) {
		judge_errno(a, r->f, r->rec, (int)-result, legal_errnos(r->op));
		return;
	}
	atomic_fetch_add_explicit(&a->slot->bytes, (u64)result, memory_order_relaxed);
	if (!a->check)
		return;
	if (r->op != OP_LOAD)
		check_count(a, r, (u64)result);
	/* Bytes between a size that a truncate may just have set and the old one are open. */
	if (!size_bounds(r->size, size_view(r->f->sf), &lo, &hi))
		lo = MIN(r->size.lo, size_now(r->f->sf));
	result = MIN(result, (s64)(lo > r->offset ? lo - r->offset : 0));
	if (result <= 0)
		return;

	struct span s = span_of(r->f, r->offset, (u64)result);

	check_cells(a, r, &s);
}

static s64 load(struct afile *f, u64 offset, u64 len, u8 *buf)
{
	volatile s64 result = (s64)len;

	GUARDED(result = -EFAULT, memcpy(buf, f->map + offset, len));
	return result;
}

/* A load that faults: legal when the range may have been past the end of the file. */
static s64 load_checked(struct read_op *r)
{
	u64 lo, hi, size = size_now(r->f->sf);
	s64 result;

	if (r->offset >= size)
		return 0;
	r->len = MIN(r->len, size - r->offset);
	result = load(r->f, r->offset, r->len, r->buf);
	if (result < 0 &&
	    (!size_bounds(r->size, size_view(r->f->sf), &lo, &hi) || r->offset + r->len > lo))
		return 0;
	return result;
}

s64 op_read(struct actor *a, struct afile *f, u64 offset, u64 len, enum read_how how)
{
	static const enum op_kind ops[] = { OP_PREAD, OP_LOAD, OP_DIRECT_PREAD };
	struct read_op r = { .f = f,
			     .offset = offset,
			     .len = len,
			     .buf = a->buf,
			     .views = a->views,
			     .op = ops[how] };
	s64 result;

	if (!len)
		return 0;
	read_begin(a, &r);
	if (how == READ_LOAD) {
		result = load_checked(&r);
	} else {
		(how == READ_DIRECT ? hold_arm_direct : hold_arm)(a->hold, HOLD_DEST_FAULT, a->buf,
								  len);
		result = pread(how == READ_DIRECT ? f->dfd : f->fd, a->buf, len, (off_t)offset);
		if (result < 0)
			result = -errno;
		hold_disarm(a->hold);
	}
	read_end(a, &r, result);
	return result;
}

int op_stat(struct actor *a, struct afile *f)
{
	struct op_record *rec =
		oplog_begin(a->log, &(struct op_record){ .op = OP_STAT, .file = (u8)f->sf->index });
	struct size_view before = size_view(f->sf);
	struct stat st;
	u64 lo, hi;

	if (fstat(f->fd, &st) < 0) {
		int err = errno;

		oplog_end(rec, -err);
		judge_errno(a, f, rec, err, NULL);
		return -err;
	}
	oplog_end(rec, st.st_size);
	if (size_bounds(before, size_view(f->sf), &lo, &hi) &&
	    ((u64)st.st_size < lo || (u64)st.st_size > hi))
		sight_size(a, f, rec, (u64)st.st_size, lo, hi);
	return 0;
}
