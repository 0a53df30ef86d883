// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct writes: leases and outcomes for engines that keep many in flight. Direct writes beside
 * cached dirtiers of the same page are undefined (open(2)), and a folio can be as large as a huge
 * page: so direct writers get whole zones of a file, and whole pages and blocks in them.
 */
#include "ops/actor.h"

#include <errno.h>
#include <unistd.h>

u64 direct_read_unit(const struct actor *a, const struct afile *f)
{
	(void)a;
	return MAX(512U, f->block);
}

u64 direct_write_unit(const struct actor *a, const struct afile *f)
{
	return MAX(a->page, MAX(f->block, f->sf->cell_bytes));
}

bool direct_write_begin(struct actor *a, struct direct_write *d)
{
	struct shadow_file *sf = d->f->sf;
	struct stamp id = { .run = a->sh->run, .file = (u16)sf->index, .writer = a->id };
	u64 got = shadow_begin(a->sh, sf, d->first, d->n, a->id, CELL_STAMP, 0);

	if (got < d->n || (d->first + d->n) << sf->cell_shift > size_now(sf)) {
		shadow_settle(a->sh, sf, d->first, got, OUTCOME_FAILED, false);
		actor_busy(a);
		return false;
	}
	for (u64 i = 0; i < d->n; i++) {
		id.cell = d->first + i;
		id.gen = CELL_GEN(atomic_load(&shadow_cell(a->sh, sf, id.cell)->flight));
		stamp_fill(d->buf + (i << sf->cell_shift), sf->cell_bytes, &id);
	}
	d->rec = oplog_begin(
		a->log, &(struct op_record){ .op = (u8)d->op,
					     .file = (u8)sf->index,
					     .offset = d->first << sf->cell_shift,
					     .len = d->n << sf->cell_shift,
					     .gen = CELL_GEN(atomic_load(
						     &shadow_cell(a->sh, sf, d->first)->flight)) });
	return true;
}

void direct_write_end(struct actor *a, struct direct_write *d, s64 result)
{
	static const int legal[] = { EAGAIN, 0 };
	struct shadow_file *sf = d->f->sf;
	u64 done = result > 0 ? MIN((u64)result >> sf->cell_shift, d->n) : 0;

	oplog_end(d->rec, result);
	actor_beat_at(a, d->rec->end_ns);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	if (result < 0)
		judge_errno(a, d->f, d->rec, (int)-result, legal);
	else
		atomic_fetch_add_explicit(&a->slot->bytes, (u64)result, memory_order_relaxed);
	shadow_settle(a->sh, sf, d->first, done, OUTCOME_DONE, false);
	/* What a failed or short direct write left on the device is not said. (write(2)) */
	shadow_settle(a->sh, sf, d->first + done, d->n - done, OUTCOME_MAYBE, false);
}

s64 op_direct_write(struct actor *a, struct afile *f, u64 first, u64 n)
{
	struct direct_write d = {
		.f = f, .first = first, .n = n, .buf = a->buf, .op = OP_DIRECT_PWRITE
	};
	s64 result;

	if (!direct_write_begin(a, &d))
		return -EBUSY;
	hold_arm_direct(a->hold, HOLD_SOURCE_FAULT, d.buf, n << f->sf->cell_shift);
	result = pwrite(f->dfd, d.buf, n << f->sf->cell_shift, (off_t)(first << f->sf->cell_shift));
	if (result < 0)
		result = -errno;
	hold_disarm(a->hold);
	direct_write_end(a, &d, result);
	return result;
}
