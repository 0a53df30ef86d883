// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on stable storage: sync epochs, and the sizes that a file may have after a crash. A claim
 * here is a promise of the kernel's (fsync(2) and its kin), so all that is uncertain claims less.
 */
#include "shadow.h"

/* A sync that is followed and was not heard of for so many epochs died: another may be. */
#define FORGOTTEN 16
#define TAKEN	  UINT32_MAX /* `syncing` while the young window is made or taken over */

static void widen(struct size_window *w, u64 lo, u64 hi)
{
	u64 old = atomic_load(&w->lo);

	while (lo < old && !atomic_compare_exchange_weak(&w->lo, &old, lo))
		;
	old = atomic_load(&w->hi);
	while (hi > old && !atomic_compare_exchange_weak(&w->hi, &old, hi))
		;
}

/* The young one first: commit() looks at it again after it has set the other. */
void size_unsynced(struct shadow_file *f, u64 lo, u64 hi)
{
	widen(&f->young, lo, hi);
	widen(&f->unsynced, lo, hi);
}

/* size_begin() widens the size itself before the windows: a change that is under way is seen here,
 * or finds the window made. */
static void follow(struct shadow_file *f, u32 epoch)
{
	u32 old = atomic_load(&f->syncing);
	struct size_view v;

	if (old == TAKEN || (old && epoch - old < FORGOTTEN) ||
	    !atomic_compare_exchange_strong(&f->syncing, &old, TAKEN))
		return;
	atomic_store(&f->young.lo, UINT64_MAX);
	atomic_store(&f->young.hi, 0);
	v = size_view(f);
	widen(&f->young, v.lo, v.hi);
	atomic_store(&f->syncing, epoch);
}

u32 sync_begin(struct shadow_file *f)
{
	u32 epoch = atomic_fetch_add(&f->epoch, 1) + 1;

	follow(f, epoch);
	return epoch;
}

static void commit_size(struct shadow_file *f, u32 epoch)
{
	u64 lo, hi;

	if (!atomic_compare_exchange_strong(&f->syncing, &epoch, TAKEN))
		return;
	do {
		lo = atomic_load(&f->young.lo);
		hi = atomic_load(&f->young.hi);
		atomic_store(&f->unsynced.lo, lo);
		atomic_store(&f->unsynced.hi, hi);
	} while (lo != atomic_load(&f->young.lo) || hi != atomic_load(&f->young.hi));
	atomic_store(&f->syncing, 0);
}

void sync_commit(struct shadow_file *f, u32 epoch)
{
	u32 old = atomic_load(&f->durable_epoch);

	while (old < epoch && !atomic_compare_exchange_weak(&f->durable_epoch, &old, epoch))
		;
	commit_size(f, epoch);
}

void size_durable(struct shadow_file *f)
{
	u64 now = size_now(f);

	atomic_store(&f->unsynced.lo, now);
	atomic_store(&f->unsynced.hi, now);
}

struct durable shadow_durable(const struct shadow_file *f, const struct shadow_cell *c)
{
	u64 settled = atomic_load(&c->settled);
	struct durable d = { .gen = atomic_load(&c->durable), .kinds = settled & CELL_SINCE_ALL };

	/* Shared cells have no epochs: writers settle them for each other. */
	if (f->conflict)
		return (struct durable){ .kinds = CELL_SINCE_ALL & ~CELL_SINCE(CELL_MOVED) };
	if (atomic_load(&c->epoch) < atomic_load(&f->durable_epoch) && !sync_lost(f, c))
		d.gen = CELL_GEN(settled);
	d.exact = d.gen == CELL_GEN(settled);
	return d;
}

void sync_failed(struct shadow_file *f)
{
	/* Writes from here on belong to a later epoch: they dirty their pages anew. */
	u32 to = atomic_fetch_add(&f->epoch, 1) + 1;
	u32 from = atomic_load(&f->lost_from), durable = atomic_load(&f->durable_epoch);

	/* Two errors with a good sync between them leave one range over both: too much is allowed
	 * there, never too little. */
	if (!atomic_load(&f->lost_to) || durable < from)
		atomic_store(&f->lost_from, durable);
	atomic_store_explicit(&f->lost_to, to, memory_order_release);
}

bool sync_lost(const struct shadow_file *f, const struct shadow_cell *c)
{
	u32 to = atomic_load_explicit(&f->lost_to, memory_order_acquire);
	u32 epoch = atomic_load_explicit(&c->epoch, memory_order_relaxed);

	return to && epoch < to && epoch >= atomic_load(&f->lost_from);
}
