// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Size and holes: truncate, punch, zero, allocate, unshare, at any byte. Whole cells become zeros;
 * the cell that an odd boundary falls into becomes cut: its stamp with one zeroed interval. Where a
 * cell cannot be cut (its bytes are in doubt, come from elsewhere, or would be zeroed in two
 * places) the boundary moves to the cell's edge. What only allocates leases nothing: whatever it
 * returns, and however much of it was done, each byte and what is durable of it stay as they are.
 */
#include "ops/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an edge cell is to become when bytes [from, to) of it are zeroed. */
struct cut {
	enum cell_kind kind;
	u16 writer;
	u64 origin;
};

static bool cut_plan(const struct shadow_file *sf, struct cell_view v, u32 from, u32 to,
		     struct cut *ret)
{
	u32 gen = CELL_GEN(v.settled);

	*ret = (struct cut){ .kind = CELL_ZERO, .writer = CELL_WHO(v.settled) };
	if (v.flight & CELL_DOUBTS || CELL_KIND(v.settled) == CELL_MOVED)
		return false;
	if (CELL_KIND(v.settled) == CELL_ZERO)
		return true;
	if (CELL_KIND(v.settled) == CELL_CUT) {
		u32 old_from = CUT_FROM(v.origin), old_to = CUT_TO(v.origin);

		if (from > old_to || to < old_from)
			return false;
		from = MIN(from, old_from);
		to = MAX(to, old_to);
		gen = CUT_GEN(v.origin);
	}
	if (from > 0 || to < sf->cell_bytes) {
		ret->kind = CELL_CUT;
		ret->origin = CUT(gen, from, to);
	}
	return true;
}

/* A byte range under lease: cut edges and the whole cells between them. */
struct zeroing {
	struct afile *f;
	u64 offset, end; /* bytes, as far as the leases reach */
	u64 first, n;	 /* whole cells */
	bool has_head, has_tail;
	u64 head, tail; /* cells */
	struct cut head_cut, tail_cut;
};

static bool lease_edge(struct actor *a, struct afile *f, u64 cell, u32 from, u32 to, u64 wait_ns,
		       struct cut *cut)
{
	if (!shadow_begin(a->sh, f->sf, cell, 1, a->id, CELL_CUT, wait_ns))
		return false;
	if (cut_plan(f->sf, shadow_view(shadow_cell(a->sh, f->sf, cell)), from, to, cut))
		return true;
	shadow_settle(a->sh, f->sf, cell, 1, OUTCOME_FAILED, false);
	return false;
}

/* Lease [offset, end); what cannot be had is left out of the range. With @wait_ns all whole cells
 * are wanted. False when nothing is left, or, waiting, when a cell stayed busy. */
static bool zeroing_lease(struct actor *a, struct zeroing *z, u64 wait_ns)
{
	struct shadow_file *sf = z->f->sf;
	u64 cell = sf->cell_bytes, first_whole = ROUND_UP(z->offset, cell) / cell;
	u64 end_whole = z->end / cell, got;

	if (z->offset % cell) {
		z->head = z->offset / cell;
		z->has_head =
			lease_edge(a, z->f, z->head, (u32)(z->offset % cell),
				   (u32)MIN(cell, z->end - z->head * cell), wait_ns, &z->head_cut);
		if (!z->has_head)
			z->offset = first_whole * cell;
	}
	z->first = first_whole;
	z->n = end_whole > first_whole ? end_whole - first_whole : 0;
	got = shadow_begin(a->sh, sf, z->first, z->n, a->id, CELL_ZERO, wait_ns);
	if (got < z->n) {
		z->n = got;
		z->end = (z->first + got) * cell;
		return !wait_ns && z->end > z->offset;
	}
	if (z->end % cell && end_whole >= first_whole) {
		z->tail = end_whole;
		z->has_tail = lease_edge(a, z->f, z->tail, 0, (u32)(z->end % cell), wait_ns,
					 &z->tail_cut);
		if (!z->has_tail)
			z->end = end_whole * cell;
	}
	return z->end > z->offset;
}

static void settle_edge(struct actor *a, struct zeroing *z, u64 cell, const struct cut *cut,
			enum outcome how)
{
	if (how == OUTCOME_DONE && cut->kind == CELL_CUT)
		shadow_settle_as(a->sh, z->f->sf, cell, CELL_CUT, cut->writer, cut->origin);
	else if (how == OUTCOME_DONE)
		shadow_settle_as(a->sh, z->f->sf, cell, CELL_ZERO, a->id, 0);
	else
		shadow_settle(a->sh, z->f->sf, cell, 1, how, false);
}

static void zeroing_settle(struct actor *a, struct zeroing *z, enum outcome how)
{
	if (z->has_head)
		settle_edge(a, z, z->head, &z->head_cut, how);
	shadow_settle(a->sh, z->f->sf, z->first, z->n, how, false);
	if (z->has_tail)
		settle_edge(a, z, z->tail, &z->tail_cut, how);
}

static struct op_record *begin(struct actor *a, enum op_kind op, const struct afile *f, u64 offset,
			       u64 len, int mode)
{
	actor_quiet(a, true);
	return oplog_begin(a->log, &(struct op_record){ .op = (u8)op,
							.file = (u8)f->sf->index,
							.offset = offset,
							.len = len,
							.how = (u16)mode });
}

/* End the record, judge the error, and say what it means for the bytes. */
static enum outcome end(struct actor *a, struct afile *f, struct op_record *rec, int r)
{
	static const int legal[] = { EOPNOTSUPP, EINVAL, 0 };

	oplog_end(rec, r);
	actor_quiet(a, false);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (r == 0)
		return OUTCOME_DONE;
	judge_errno(a, f, rec, -r, legal);
	return r == -EOPNOTSUPP || r == -EINVAL ? OUTCOME_FAILED : OUTCOME_MAYBE;
}

void size_settle_from_file(struct afile *f)
{
	struct stat st;

	if (fstat(f->fd, &st) == 0 && (u64)st.st_size >= atomic_load(&f->sf->size_lo) &&
	    (u64)st.st_size <= atomic_load(&f->sf->size_hi))
		size_end(f->sf, (u64)st.st_size);
	else
		size_doubt(f->sf);
}

bool size_take(struct actor *a, struct afile *f)
{
	if (!size_lock(f->sf, a->id, BUSY_WAIT_NS))
		return false;
	if (size_now(f->sf) != atomic_load(&f->sf->size_hi)) {
		size_begin(f->sf, size_now(f->sf));
		size_settle_from_file(f);
	}
	if (size_now(f->sf) == atomic_load(&f->sf->size_hi))
		return true;
	size_unlock(f->sf);
	return false;
}

static int truncate_locked(struct actor *a, struct afile *f, u64 to, u64 old)
{
	struct zeroing z = { .f = f, .offset = to, .end = ROUND_UP(old, f->sf->cell_bytes) };
	struct op_record *rec;
	enum outcome how;
	int r;

	if (to < old && (!zeroing_lease(a, &z, BUSY_WAIT_NS))) {
		zeroing_settle(a, &z, OUTCOME_FAILED);
		return -EBUSY;
	}
	if (to < old)
		to = MIN(z.offset, old); /* the edge could not be cut: keep that cell */
	size_begin(f->sf, to);
	rec = begin(a, OP_TRUNCATE, f, to, 0, 0);
	r = ftruncate(f->fd, (off_t)to) < 0 ? -errno : 0;
	how = end(a, f, rec, r);
	if (z.offset < z.end)
		zeroing_settle(a, &z, how);
	if (how == OUTCOME_DONE)
		size_end(f->sf, to);
	else
		size_settle_from_file(f);
	return r;
}

int op_truncate(struct actor *a, struct afile *f, u64 to)
{
	u64 old;
	int r = -EBUSY;

	if (!size_take(a, f))
		return r;
	old = size_now(f->sf);
	if (to != old)
		r = truncate_locked(a, f, to, old);
	size_unlock(f->sf);
	return r;
}

int op_zero(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len, bool keep_size,
	    u64 *ret_end)
{
	int mode = op == OP_PUNCH ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	u64 size = size_now(f->sf);
	struct zeroing z = { .f = f, .offset = offset, .end = MIN(offset + len, size) };
	struct op_record *rec;
	int r;

	if (ret_end)
		*ret_end = offset;
	if (offset >= size)
		return 0;
	if (keep_size || op == OP_PUNCH)
		mode |= FALLOC_FL_KEEP_SIZE;
	/* A lease keeps truncates out; the size is looked at again under it. */
	if (!zeroing_lease(a, &z, 0) || z.end > size_now(f->sf)) {
		zeroing_settle(a, &z, OUTCOME_FAILED);
		return -EBUSY;
	}
	rec = begin(a, op, f, z.offset, z.end - z.offset, mode);
	r = fallocate(f->fd, mode, (off_t)z.offset, (off_t)(z.end - z.offset)) < 0 ? -errno : 0;
	zeroing_settle(a, &z, end(a, f, rec, r));
	if (ret_end)
		*ret_end = z.end;
	return r;
}

int op_allocate(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len,
		bool keep_size)
{
	int mode = (op == OP_UNSHARE ? FALLOC_FL_UNSHARE_RANGE : 0) |
		   (keep_size ? FALLOC_FL_KEEP_SIZE : 0);
	u64 size, finish = offset + len;
	int r = -EBUSY;

	if (!size_take(a, f))
		return r;
	size = size_now(f->sf);

	bool grows = !keep_size && finish > size;
	struct op_record *rec;

	if (grows)
		size_begin(f->sf, finish);
	rec = begin(a, op, f, offset, len, keep_size);
	r = fallocate(f->fd, mode, (off_t)offset, (off_t)len) < 0 ? -errno : 0;
	if (end(a, f, rec, r) == OUTCOME_DONE && grows)
		size_end(f->sf, finish);
	else if (grows)
		size_settle_from_file(f);
	size_unlock(f->sf);
	return r;
}

static int layout_written(struct actor *a, struct afile *f, u64 size_bytes, struct err *e)
{
	u64 cells = cells_in(f, size_bytes), step = cells_in(f, ACTOR_BUF);

	for (u64 at = 0; at < cells;) {
		struct write_op w = { .op = OP_PWRITE, .first = at, .n = MIN(step, cells - at) };
		s64 n = op_write(a, f, &w);

		if (n <= 0 || n % f->sf->cell_bytes)
			return err_set(e, n < 0 ? (int)n : -EIO, "%s: cannot be laid out: %s",
				       f->path, n < 0 ? strerror((int)-n) : "short write");
		at += cells_in(f, (u64)n);
	}
	return 0;
}

int op_layout(struct actor *a, struct afile *f, int layout, u64 size_bytes, struct err *e)
{
	int r = 0;

	if (layout == LAYOUT_EMPTY || !size_bytes)
		return 0;
	if (layout == LAYOUT_WRITTEN)
		return layout_written(a, f, size_bytes, e);
	if (layout == LAYOUT_PREALLOC)
		r = op_allocate(a, f, OP_ALLOCATE, 0, size_bytes, false);
	if (layout == LAYOUT_HOLE || r == -EOPNOTSUPP)
		r = op_truncate(a, f, size_bytes);
	if (r < 0)
		return err_set(e, r, "%s: cannot be laid out: %s", f->path, strerror(-r));
	return 0;
}
