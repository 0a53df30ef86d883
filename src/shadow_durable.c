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

void risk_begin(struct shadow *sh)
{
	for (u32 i = 0; i < sh->nfiles; i++)
		atomic_store_explicit(&sh->files[i].risk_to, UINT32_MAX, memory_order_release);
}

void risk_end(struct shadow *sh)
{
	for (u32 i = 0; i < sh->nfiles; i++) {
		struct shadow_file *f = &sh->files[i];

		/* What is written from here on belongs to a later epoch. */
		atomic_store(&f->risk_to, atomic_fetch_add(&f->epoch, 1) + 1);
	}
}

bool risk_pending(const struct shadow_file *f, const struct shadow_cell *c)
{
	u32 to = atomic_load_explicit(&f->risk_to, memory_order_acquire);
	u32 epoch = atomic_load_explicit(&c->epoch, memory_order_relaxed);

	return epoch < to && epoch >= atomic_load(&f->durable_epoch);
}

/* The end of the last cell that is certainly on disk. */
static u64 durable_end(const struct shadow *sh, const struct shadow_file *f)
{
	u32 synced = atomic_load(&f->durable_epoch);

	for (u64 cell = f->ncells; cell-- > 0;) {
		const struct shadow_cell *c = shadow_cell(sh, f, cell);
		u64 settled = atomic_load(&c->settled);

		if (CELL_GEN(settled) && CELL_KIND(settled) == CELL_STAMP &&
		    atomic_load(&c->epoch) < synced && !sync_lost(f, c))
			return (cell + 1) << f->cell_shift;
	}
	return 0;
}

void size_after_loss(struct shadow *sh, struct shadow_file *f)
{
	if (atomic_load(&f->size_seq) == f->base_seq)
		return; /* it never changed */
	size_begin(f, durable_end(sh, f));
	size_begin(f, f->max_bytes);
	size_doubt(f);
	size_doubt(f);
}
