// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is on stable storage: sync epochs, and the sizes that a file may have after a crash. A claim
 * here is a promise of the kernel's (fsync(2) and its kin), so all that is uncertain claims less.
 */
#include "shadow/shadow.h"

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

struct durable shadow_durable(const struct shadow_file *f, struct cell_view v)
{
	struct durable d = { .gen = v.durable, .kinds = v.settled & CELL_SINCE_ALL };

	/* Shared cells have no epochs: writers settle them for each other. */
	if (f->conflict)
		return (struct durable){ .kinds = CELL_SINCE_ALL & ~CELL_SINCE(CELL_MOVED) };
	/* In flight, the epoch may be the new one already: its begin noted what was durable. */
	if (!(v.flight & CELL_PENDING) && v.epoch < atomic_load(&f->durable_epoch) &&
	    !sync_lost(f, v.settled, v.epoch))
		d.gen = CELL_GEN(v.settled);
	d.exact = d.gen == CELL_GEN(v.settled);
	return d;
}

void sync_failed(struct shadow_file *f)
{
	/* Writes from here on belong to a later epoch: they dirty their pages anew. */
	u32 to = atomic_fetch_add(&f->epoch, 1) + 1;
	u64 old = atomic_load(&f->lost), new;

	/* Two errors with a good sync between them leave one range over both: too much is allowed
	 * there, never too little. */
	do {
		u32 durable = atomic_load(&f->durable_epoch);
		u32 from = old ? MIN(LOST_FROM(old), durable) : durable;

		new = LOST(from, MAX(LOST_TO(old), to));
	} while (!atomic_compare_exchange_weak(&f->lost, &old, new));
}

/* Was it stored, in part at least, before a told loss was told? Writeback may have had the bytes
 * before their writer came to settle them. */
bool sync_lost(const struct shadow_file *f, u64 settled, u32 epoch)
{
	u64 lost = atomic_load_explicit(&f->lost, memory_order_acquire);

	return lost && epoch - CELL_LATE(settled) < LOST_TO(lost) && epoch >= LOST_FROM(lost);
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

bool shadow_may_be_lost(const struct shadow_file *f, struct cell_view v)
{
	u32 to = atomic_load_explicit(&f->risk_to, memory_order_acquire);

	if (!to && !atomic_load(&f->lost))
		return false;
	/* Of shared cells nobody keeps the epoch. Of one in flight it may be the new one already.
	 */
	if (f->conflict || v.flight & CELL_PENDING)
		return true;
	return sync_lost(f, v.settled, v.epoch) ||
	       (v.epoch - CELL_LATE(v.settled) < to && v.epoch >= atomic_load(&f->durable_epoch));
}

/* The end of the last cell that is certainly on disk. */
static u64 durable_end(const struct shadow *sh, const struct shadow_file *f)
{
	u32 synced = atomic_load(&f->durable_epoch);

	for (u64 cell = f->ncells; cell-- > 0;) {
		const struct shadow_cell *c = shadow_cell(sh, f, cell);
		u64 settled = atomic_load(&c->settled);

		if (CELL_GEN(settled) && CELL_KIND(settled) == CELL_STAMP &&
		    atomic_load(&c->epoch) < synced &&
		    !sync_lost(f, settled, atomic_load(&c->epoch)))
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
