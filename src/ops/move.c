// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves of content: clone, dedupe, copy, exchange between ranges, collapse and insert within a
 * file. The cells at the destination then expect the stamp of the place that their bytes came
 * from; so the sources must have one single answer: no doubts, no cuts. What a range is while it
 * is being moved nobody promises, so both ends are leased.
 */
#include "ops/actor.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* XFS_IOC_EXCHANGE_RANGE, since 6.10; the headers of older distributions do not have it.
 * (ioctl_xfs_exchange_range(2)) */
struct exchange_range {
	int32_t file1_fd;
	u32 pad;
	u64 file1_offset, file2_offset, length, flags;
};
#define EXCHANGE_RANGE _IOW('X', 129, struct exchange_range)

/* What a cell's bytes are, so that another cell can take it over. */
struct content {
	enum cell_kind kind;
	u16 writer;
	u64 origin;
};

static struct content content_of(const struct shadow *sh, const struct shadow_file *sf, u64 cell)
{
	struct cell_view v = shadow_view(shadow_cell(sh, sf, cell));
	struct content c = { CELL_KIND(v.settled), CELL_WHO(v.settled), v.origin };

	if (c.kind == CELL_STAMP) {
		c.kind = CELL_MOVED;
		c.origin = ORIGIN(sf->index, cell, CELL_GEN(v.settled));
	}
	return c;
}

/* Can the cells be a source? Returns how many of them from the first. */
static u64 movable(const struct shadow *sh, const struct shadow_file *sf, u64 first, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		struct cell_view v = shadow_view(shadow_cell(sh, sf, first + i));

		if (v.flight & CELL_DOUBTS || CELL_KIND(v.settled) == CELL_CUT)
			return i;
	}
	return n;
}

static void settle_content(struct actor *a, struct afile *f, u64 cell, const struct content *c)
{
	shadow_settle_as(a->sh, f->sf, cell, c->kind, c->writer, c->origin);
}

struct move {
	struct afile *dst, *src;
	u64 to, from, n; /* cells */
	enum op_kind op;
};

static s64 call_move(const struct move *m, u64 shift)
{
	off_t from = (off_t)(m->from << shift), to = (off_t)(m->to << shift);
	size_t len = m->n << shift;
	ssize_t n;

	if (m->op == OP_CLONE) {
		struct file_clone_range r = { m->src->fd, (u64)from, len, (u64)to };

		return ioctl(m->dst->fd, FICLONERANGE, &r) < 0 ? -errno : (s64)len;
	}
	if (m->op == OP_EXCHANGE) {
		struct exchange_range r = { .file1_fd = m->src->fd,
					    .file1_offset = (u64)from,
					    .file2_offset = (u64)to,
					    .length = len };

		return ioctl(m->dst->fd, EXCHANGE_RANGE, &r) < 0 ? -errno : (s64)len;
	}
	n = copy_file_range(m->src->fd, &from, m->dst->fd, &to, len, 0);
	return n < 0 ? -errno : n;
}

static s64 call_dedupe(const struct move *m, u64 shift)
{
	_cleanup_free_ struct file_dedupe_range *r =
		calloc(1, sizeof(*r) + sizeof(struct file_dedupe_range_info));

	if (!r)
		return -ENOMEM;
	r->src_offset = m->from << shift;
	r->src_length = m->n << shift;
	r->dest_count = 1;
	r->info[0].dest_fd = m->dst->fd;
	r->info[0].dest_offset = m->to << shift;
	if (ioctl(m->src->fd, FIDEDUPERANGE, r) < 0)
		return -errno;
	return r->info[0].status < 0 ? r->info[0].status : (s64)r->info[0].bytes_deduped;
}

/* "Not here" is no error: the filesystem, or these two ranges of it, cannot. */
static const int move_legal[] = { EOPNOTSUPP, EINVAL, ENOTTY, EXDEV, ENOSYS, EPERM, 0 };

static bool certainly_nothing(s64 result)
{
	for (const int *e = move_legal; *e; e++)
		if (result == -*e)
			return true;
	return false;
}

static s64 run_move(struct actor *a, const struct move *m)
{
	u64 shift = m->dst->sf->cell_shift;
	struct op_record *rec =
		oplog_begin(a->log, &(struct op_record){ .op = (u8)m->op,
							 .file = (u8)m->dst->sf->index,
							 .how = (u16)m->src->sf->index,
							 .offset = m->to << shift,
							 .len = m->n << shift,
							 .arg = m->from << shift });
	s64 result;

	actor_quiet(a, true);
	result = m->op == OP_DEDUPE ? call_dedupe(m, shift) : call_move(m, shift);
	actor_quiet(a, false);
	oplog_end(rec, result);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (result < 0)
		judge_errno(a, m->dst, rec, (int)-result, move_legal);
	else
		atomic_fetch_add_explicit(&a->slot->bytes, (u64)result, memory_order_relaxed);
	return result;
}

/* After a copy or clone of @n cells that returned @result. The sources are still held. */
static void settle_copied(struct actor *a, const struct move *m, s64 result)
{
	u64 done = result > 0 ? cells_in(m->dst, (u64)result) : 0;
	u64 partial = done < m->n && result > 0 && result % m->dst->sf->cell_bytes ? 1 : 0;

	for (u64 i = 0; i < done; i++) {
		struct content c = content_of(a->sh, m->src->sf, m->from + i);

		settle_content(a, m->dst, m->to + i, &c);
	}
	shadow_settle(a->sh, m->dst->sf, m->to + done, partial, OUTCOME_MAYBE, false);
	shadow_settle(a->sh, m->dst->sf, m->to + done + partial, m->n - done - partial,
		      result >= 0 || certainly_nothing(result) ? OUTCOME_FAILED : OUTCOME_MAYBE,
		      false);
}

static void settle_exchanged(struct actor *a, const struct move *m, s64 result)
{
	enum outcome how = certainly_nothing(result) ? OUTCOME_FAILED : OUTCOME_MAYBE;

	for (u64 i = 0; result >= 0 && i < m->n; i++) {
		struct content there = content_of(a->sh, m->src->sf, m->from + i);
		struct content here = content_of(a->sh, m->dst->sf, m->to + i);

		settle_content(a, m->dst, m->to + i, &there);
		settle_content(a, m->src, m->from + i, &here);
	}
	if (result < 0) {
		shadow_settle(a->sh, m->dst->sf, m->to, m->n, how, false);
		shadow_settle(a->sh, m->src->sf, m->from, m->n, how, false);
	}
}

/* The cells are leased: hold what is a source, begin what gets new content. */
static u64 lease_pair(struct actor *a, struct move *m)
{
	bool swap = m->op == OP_EXCHANGE;
	u64 src, dst;

	src = swap ? shadow_begin(a->sh, m->src->sf, m->from, m->n, a->id, CELL_MOVED, 0)
		   : shadow_hold(a->sh, m->src->sf, m->from, m->n, a->id);
	dst = m->op == OP_DEDUPE
		      ? shadow_hold(a->sh, m->dst->sf, m->to, src, a->id)
		      : shadow_begin(a->sh, m->dst->sf, m->to, src, a->id, CELL_MOVED, 0);
	m->n = MIN(src, dst);
	m->n = MIN(m->n, movable(a->sh, m->src->sf, m->from, m->n));
	if (swap)
		m->n = MIN(m->n, movable(a->sh, m->dst->sf, m->to, m->n));
	m->n = ROUND_DOWN(m->n, MAX(cells_in(m->dst, MAX(m->dst->block, m->src->block)), 1ULL));
	/* give back what is left over */
	if (swap)
		shadow_settle(a->sh, m->src->sf, m->from + m->n, src - m->n, OUTCOME_FAILED, false);
	else
		shadow_release(a->sh, m->src->sf, m->from + m->n, src - m->n);
	if (m->op == OP_DEDUPE)
		shadow_release(a->sh, m->dst->sf, m->to + m->n, dst - m->n);
	else
		shadow_settle(a->sh, m->dst->sf, m->to + m->n, dst - m->n, OUTCOME_FAILED, false);
	return m->n;
}

static bool within_size(const struct move *m)
{
	u64 shift = m->dst->sf->cell_shift;

	return (m->from + m->n) << shift <= size_now(m->src->sf) &&
	       (m->to + m->n) << shift <= size_now(m->dst->sf);
}

int op_move(struct actor *a, struct afile *dst, u64 to, struct afile *src, u64 from, u64 len,
	    enum op_kind op)
{
	struct move m = { .dst = dst,
			  .src = src,
			  .op = op,
			  .to = cells_in(dst, to),
			  .from = cells_in(src, from),
			  .n = cells_in(dst, len) };
	s64 result = -EBUSY;

	/* Shared cells have no single answer that could be moved, nor a lease. */
	if (dst->sf->cell_bytes != src->sf->cell_bytes || !m.n || dst->sf->conflict ||
	    src->sf->conflict || (dst == src && m.to < m.from + m.n && m.from < m.to + m.n))
		return -EINVAL;
	if (!lease_pair(a, &m)) {
		actor_busy(a);
		return -EBUSY;
	}
	/* Leases keep truncates out of both ranges: the size is looked at under them. */
	bool go = within_size(&m);

	if (go)
		result = run_move(a, &m);
	if (op == OP_EXCHANGE) {
		settle_exchanged(a, &m, go ? result : -EINVAL);
		return result < 0 ? (int)result : 0;
	}
	if (op == OP_DEDUPE)
		shadow_release(a->sh, dst->sf, m.to, m.n);
	else
		settle_copied(a, &m, go ? result : -EINVAL);
	shadow_release(a->sh, src->sf, m.from, m.n);
	return result < 0 ? (int)result : 0;
}

/* Collapse and insert: every cell from the offset to the end gets its neighbour's content. */
struct shift {
	struct afile *f;
	u64 first, n; /* cells under lease */
	u64 by;	      /* cells */
	u64 old, new; /* size in bytes */
	bool collapse;
};

static void settle_shift(struct actor *a, const struct shift *s, struct content *was)
{
	for (u64 i = 0; i < s->n; i++)
		was[i] = content_of(a->sh, s->f->sf, s->first + i);
	for (u64 i = 0; i < s->n; i++) {
		static const struct content zero = { .kind = CELL_ZERO };
		const struct content *c = &zero;

		if (s->collapse && i + s->by < s->n)
			c = &was[i + s->by];
		else if (!s->collapse && i >= s->by)
			c = &was[i - s->by];
		settle_content(a, s->f, s->first + i, c);
	}
}

static int shift_leased(struct actor *a, const struct shift *s, enum op_kind op)
{
	static const int legal[] = { EOPNOTSUPP, EINVAL, ENOSYS, EPERM, ETXTBSY, 0 };
	_cleanup_free_ struct content *was = malloc(s->n * sizeof(*was));
	u64 shift = s->f->sf->cell_shift;
	struct op_record *rec;
	int r;

	if (!was) {
		shadow_settle(a->sh, s->f->sf, s->first, s->n, OUTCOME_FAILED, false);
		return -ENOMEM;
	}
	size_begin(s->f->sf, s->new);
	rec = oplog_begin(a->log, &(struct op_record){ .op = (u8)op,
						       .file = (u8)s->f->sf->index,
						       .offset = s->first << shift,
						       .len = s->by << shift,
						       .arg = (s->first + s->by) << shift });
	actor_quiet(a, true);
	r = fallocate(s->f->fd, s->collapse ? FALLOC_FL_COLLAPSE_RANGE : FALLOC_FL_INSERT_RANGE,
		      (off_t)rec->offset, (off_t)rec->len) < 0
		    ? -errno
		    : 0;
	actor_quiet(a, false);
	oplog_end(rec, r);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (r == 0) {
		settle_shift(a, s, was);
		size_end(s->f->sf, s->new);
		return 0;
	}
	judge_errno(a, s->f, rec, -r, legal);
	shadow_settle(a->sh, s->f->sf, s->first, s->n,
		      certainly_nothing(r) || r == -ETXTBSY ? OUTCOME_FAILED : OUTCOME_MAYBE,
		      false);
	if (certainly_nothing(r) || r == -ETXTBSY)
		size_end(s->f->sf, s->old);
	else
		size_settle_from_file(s->f);
	return r;
}

static int shift_locked(struct actor *a, struct shift *s, enum op_kind op)
{
	struct shadow_file *sf = s->f->sf;
	u64 end = MAX(s->old, s->new) >> sf->cell_shift, got;

	s->n = end - s->first;
	got = shadow_begin(a->sh, sf, s->first, s->n, a->id, CELL_MOVED, BUSY_WAIT_NS);
	if (got < s->n || movable(a->sh, sf, s->first, s->n) < s->n) {
		shadow_settle(a->sh, sf, s->first, got, OUTCOME_FAILED, false);
		actor_busy(a);
		return -EBUSY;
	}
	return shift_leased(a, s, op);
}

int op_shift(struct actor *a, struct afile *f, enum op_kind op, u64 offset, u64 len)
{
	u64 unit = MAX((u64)f->block, (u64)f->sf->cell_bytes);
	struct shift s = { .f = f, .collapse = op == OP_COLLAPSE };
	int r = -EBUSY;

	offset = ROUND_DOWN(offset, unit);
	len = ROUND_UP(len, unit);
	if (!size_take(a, f))
		return r;
	s.old = size_now(f->sf);
	s.new = s.collapse ? s.old - MIN(len, s.old) : s.old + len;
	s.first = cells_in(f, offset);
	s.by = cells_in(f, len);
	if (s.old % f->sf->cell_bytes || f->sf->conflict || s.new > f->sf->max_bytes ||
	    offset >= s.old || (s.collapse && offset + len >= s.old))
		r = -EINVAL;
	else
		r = shift_locked(a, &s, op);
	size_unlock(f->sf);
	return r;
}
