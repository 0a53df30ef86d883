// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases, outcomes and sizes: the state changes of the shadow. Every change is one
 * atomic store or compare-and-swap that leaves a legal state, whoever is killed after it.
 */
#include "shadow/shadow.h"

#include <sched.h>
#include <sys/mman.h>

/* Looks at a cell in change before it is called unknown. Its owner may be off its processor or dead
 * and not buried yet: nobody may wait for it, least of all who is to bury it. */
#define VIEW_TRIES 64
/* How long others may take the size lock before a waiter. */
#define SIZE_PATIENCE_NS (100 * NSEC_PER_MSEC)

struct cell_view shadow_view_again(const struct shadow_cell *c)
{
	struct cell_view v;

	for (int i = 0; i < VIEW_TRIES; i++) {
		v.settled = atomic_load_explicit(&c->settled, memory_order_acquire);
		v.origin = atomic_load_explicit(&c->origin, memory_order_acquire);
		v.epoch = atomic_load_explicit(&c->epoch, memory_order_acquire);
		v.durable = atomic_load_explicit(&c->durable, memory_order_acquire);
		v.flight = atomic_load_explicit(&c->flight, memory_order_acquire);
		if (!(v.settled & CELL_UPDATING) &&
		    v.settled == atomic_load_explicit(&c->settled, memory_order_acquire))
			return v;
	}
	v.settled &= ~CELL_UPDATING;
	v.flight |= CELL_UNKNOWN | CELL_MIXED;
	return v;
}

/* What was settled becomes durable when a later sync of the file returned 0. */
static void note_durable(const struct shadow_file *f, struct shadow_cell *c)
{
	u32 synced = atomic_load_explicit(&f->durable_epoch, memory_order_acquire);
	u32 epoch = atomic_load_explicit(&c->epoch, memory_order_relaxed);
	u64 settled = atomic_load_explicit(&c->settled, memory_order_relaxed);

	/* A good sync after one that failed says nothing of what the first one lost. */
	if (sync_lost(f, settled, epoch))
		return;
	if (epoch < synced)
		atomic_store_explicit(&c->durable, CELL_GEN(settled), memory_order_release);
}

/* What the device may hold from the last durable state on, now that @kind is settled: the kinds
 * that the word of the state before carries, and whatever was in doubt. Call note_durable() first.
 */
static u64 since(const struct shadow_cell *c, u64 flight, enum cell_kind kind)
{
	u64 old = atomic_load_explicit(&c->settled, memory_order_relaxed), kinds;

	kinds = atomic_load_explicit(&c->durable, memory_order_relaxed) == CELL_GEN(old)
			? CELL_SINCE(CELL_KIND(old))
			: old & CELL_SINCE_ALL;
	if (flight & CELL_MAYBE_ZERO)
		kinds |= CELL_SINCE(CELL_ZERO);
	/* Whatever was moved here: without the move its place is one that others write to, now. */
	if (flight & (CELL_UNKNOWN | CELL_MOVING))
		kinds |= CELL_SINCE(CELL_MOVED);
	return kinds | CELL_SINCE(kind);
}

static bool begin_shared(struct shadow_cell *c, enum cell_kind kind)
{
	u64 old = atomic_load_explicit(&c->flight, memory_order_relaxed), new;

	do {
		u64 writers = CELL_WHO(old), span = old >> CELL_SPAN_SHIFT;

		if (writers == 0xfff || CELL_GEN(old) == UINT32_MAX)
			return false;
		span = writers ? MIN(span + 1, CELL_SPAN_MAX) : 0;
		new = CELL_WORD(CELL_GEN(old) + 1, writers + 1, kind) | CELL_PENDING | CELL_MIXED |
		      span << CELL_SPAN_SHIFT;
	} while (!atomic_compare_exchange_weak(&c->flight, &old, new));
	return true;
}

static bool begin_owned(const struct shadow_file *f, struct shadow_cell *c, u16 who,
			enum cell_kind kind)
{
	u64 old = atomic_load_explicit(&c->flight, memory_order_relaxed);
	u64 begun = atomic_load(&f->epoch) & CELL_EPOCH_MASK;
	u64 new = CELL_WORD(CELL_GEN(old) + 1, who, kind) | CELL_PENDING | (old & CELL_DOUBTS) |
		  begun << CELL_BEGUN_SHIFT;

	if (CELL_WHO(old) || CELL_GEN(old) == UINT32_MAX)
		return false;
	if (kind == CELL_MOVED)
		new |= CELL_MOVING;
	if (!atomic_compare_exchange_strong(&c->flight, &old, new))
		return false;
	note_durable(f, c);
	return true;
}

static bool wait_turn(u64 deadline)
{
	if (now_ns() >= deadline)
		return false;
	sched_yield();
	return true;
}

u64 shadow_begin(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, u16 who,
		 enum cell_kind kind, u64 wait_ns)
{
	struct shadow_cell *c = shadow_cell(sh, f, first);
	u64 deadline = wait_ns ? now_ns() + wait_ns : 0, i = 0;

	while (i < n) {
		if (f->conflict ? begin_shared(c + i, kind) : begin_owned(f, c + i, who, kind))
			i++;
		else if (!wait_ns || !wait_turn(deadline))
			break;
	}
	/* No store of the write itself may be seen before the lease that announces it; pairs with
	 * the fences between a reader's loads and its second view. */
	atomic_thread_fence(memory_order_release);
	return i;
}

u64 shadow_hold(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, u16 who)
{
	struct shadow_cell *c = shadow_cell(sh, f, first);

	for (u64 i = 0; i < n; i++) {
		u64 old = atomic_load_explicit(&c[i].flight, memory_order_relaxed);

		if (CELL_WHO(old) || old & CELL_DOUBTS ||
		    !atomic_compare_exchange_strong(&c[i].flight, &old, old | (u64)who << 32))
			return i;
	}
	return n;
}

void shadow_release(struct shadow *sh, struct shadow_file *f, u64 first, u64 n)
{
	struct shadow_cell *c = shadow_cell(sh, f, first);

	for (u64 i = 0; i < n; i++)
		atomic_fetch_and_explicit(&c[i].flight, ~(0xfffULL << 32), memory_order_release);
}

/* One writer of a shared cell is done: nothing older than the first of those in flight is legal. */
static void settle_shared(struct shadow_cell *c, enum outcome how)
{
	u64 old = atomic_load(&c->flight), new;

	do {
		u64 span = old >> CELL_SPAN_SHIFT;
		u64 low = CELL_WORD(CELL_GEN(old) - span, 0, CELL_STAMP);
		u64 settled = atomic_load(&c->settled);

		while (how == OUTCOME_DONE && span < CELL_SPAN_MAX &&
		       CELL_GEN(settled) < CELL_GEN(low) &&
		       !atomic_compare_exchange_weak(&c->settled, &settled, low))
			;
		new = old - (1ULL << 32);
		if (CELL_WHO(new) == 0)
			new &= ~CELL_PENDING;
	} while (!atomic_compare_exchange_weak(&c->flight, &old, new));
}

/* The epoch for the write of @flight, which is being settled; returns how late that is, as the
 * settled word has it. More than CELL_EPOCH_MASK syncs within one write are not told apart. */
static u64 settle_epoch(const struct shadow_file *f, struct shadow_cell *c, u64 flight)
{
	u32 now = atomic_load(&f->epoch);
	u32 late = (now - (u32)(flight >> CELL_BEGUN_SHIFT)) & CELL_EPOCH_MASK;

	atomic_store_explicit(&c->epoch, now, memory_order_relaxed);
	return (u64)late << CELL_LATE_SHIFT;
}

static void settle_done(const struct shadow_file *f, struct shadow_cell *c, u64 flight,
			bool durable)
{
	u32 gen = CELL_GEN(flight);
	u64 word = CELL_WORD(gen, CELL_WHO(flight), CELL_KIND(flight));

	note_durable(f, c); /* a sync may have ended while the write was under way */
	word |= durable ? CELL_SINCE(CELL_KIND(flight)) : since(c, flight, CELL_KIND(flight));
	word |= settle_epoch(f, c, flight);
	if (durable)
		atomic_store_explicit(&c->durable, gen, memory_order_relaxed);
	atomic_store_explicit(&c->settled, word, memory_order_release);
	atomic_store_explicit(&c->flight, CELL_WORD(gen, 0, 0), memory_order_release);
}

static void settle_undone(struct shadow_cell *c, u64 flight, enum outcome how)
{
	u64 doubts = flight & CELL_DOUBTS;

	if (how == OUTCOME_MAYBE) {
		doubts |= CELL_MAYBE | CELL_MIXED;
		if (CELL_KIND(flight) == CELL_ZERO || CELL_KIND(flight) == CELL_CUT)
			doubts |= CELL_MAYBE_ZERO;
		if (flight & CELL_MOVING)
			doubts |= CELL_UNKNOWN;
	}
	atomic_store_explicit(&c->flight, CELL_WORD(CELL_GEN(flight), 0, 0) | doubts,
			      memory_order_release);
}

void shadow_settle(struct shadow *sh, struct shadow_file *f, u64 first, u64 n, enum outcome how,
		   bool durable)
{
	struct shadow_cell *c = shadow_cell(sh, f, first);

	for (u64 i = 0; i < n; i++) {
		u64 flight = atomic_load_explicit(&c[i].flight, memory_order_relaxed);

		if (f->conflict)
			settle_shared(&c[i], how);
		else if (how == OUTCOME_DONE)
			settle_done(f, &c[i], flight, durable);
		else
			settle_undone(&c[i], flight, how);
	}
}

void shadow_settle_as(struct shadow *sh, struct shadow_file *f, u64 cell, enum cell_kind kind,
		      u16 writer, u64 origin)
{
	struct shadow_cell *c = shadow_cell(sh, f, cell);
	u64 flight = atomic_load(&c->flight), old = atomic_load(&c->settled);
	u32 gen = CELL_GEN(flight);
	u64 word;

	note_durable(f, c);
	word = CELL_WORD(gen, writer, kind) | since(c, flight, kind);
	/* Between these stores a reader sees UPDATING and looks again. A kill leaves it set: bury
	 * and `verify` then take the cell as unknown, which is all that can be said. */
	atomic_store(&c->settled, old | CELL_UPDATING);
	atomic_store(&c->origin, origin);
	word |= settle_epoch(f, c, flight);
	atomic_store(&c->settled, word);
	atomic_store_explicit(&c->flight, CELL_WORD(gen, 0, 0), memory_order_release);
}

static u64 bury_cell(struct shadow_cell *c, u16 who)
{
	u64 flight = atomic_load(&c->flight);

	if (CELL_WHO(flight) != who)
		return 0;
	if (atomic_load(&c->settled) & CELL_UPDATING) {
		/* The doubt first: without UPDATING the old word counts, with what may be the new
		 * origin. */
		flight |= CELL_UNKNOWN;
		atomic_store(&c->flight, flight);
		atomic_fetch_and(&c->settled, ~CELL_UPDATING);
	}
	/* Settled and killed before the lease was given back: nothing is in doubt. */
	if (CELL_GEN(atomic_load(&c->settled)) == CELL_GEN(flight))
		atomic_store(&c->flight, CELL_WORD(CELL_GEN(flight), 0, 0));
	else if (flight & CELL_PENDING)
		settle_undone(c, flight, OUTCOME_MAYBE);
	else
		atomic_store(&c->flight, flight & ~(0xfffULL << 32));
	return 1;
}

u64 shadow_bury(struct shadow *sh, u16 who)
{
	u64 n = 0;

	for (u32 i = 0; i < sh->nfiles; i++) {
		struct shadow_file *f = &sh->files[i];

		/* In a shared cell nobody knows whose write is under way: it stays open, and all
		 * generations since the last certain one stay legal. */
		for (u64 cell = 0; !f->conflict && cell < f->ncells; cell++)
			n += bury_cell(shadow_cell(sh, f, cell), who);
		atomic_store(&f->size_wanted[who], 0);
		if (atomic_load(&f->size_owner) == who) {
			if (atomic_load(&f->size_seq) & 1)
				size_doubt(f);
			size_unlock(f);
		}
	}
	return n;
}

/* Does somebody wait who began before @since, and has waited for too long? Strict order would make
 * everybody wait for a processor to come to whoever is next; without any, one may wait for ever. */
static bool is_others_turn(const struct shadow_file *f, u16 who, u64 since)
{
	u64 late = now_ns() - SIZE_PATIENCE_NS;

	for (u16 id = 0; id < SHADOW_WRITERS; id++) {
		u64 wanted = atomic_load_explicit(&f->size_wanted[id], memory_order_relaxed);

		if (wanted & SIZE_WAITING && id != who && wanted < MIN(late, since))
			return true;
	}
	return false;
}

static bool size_try(struct shadow_file *f, u16 who, u64 since)
{
	u32 none = 0;

	return atomic_load(&f->size_owner) == 0 && !is_others_turn(f, who, since) &&
	       atomic_compare_exchange_strong(&f->size_owner, &none, who);
}

bool size_lock(struct shadow_file *f, u16 who, u64 wait_ns)
{
	_Atomic u64 *wanted = &f->size_wanted[who];
	u64 now = now_ns(), before = atomic_load(wanted), since = before ? before : now;
	bool mine;

	atomic_store(wanted, since | SIZE_WAITING);
	while (!(mine = size_try(f, who, since)) && wait_turn(now + wait_ns))
		;
	atomic_store(wanted, mine ? 0 : since & ~SIZE_WAITING);
	return mine;
}

void size_unlock(struct shadow_file *f)
{
	atomic_store_explicit(&f->size_owner, 0, memory_order_release);
}

u64 size_now(const struct shadow_file *f)
{
	return atomic_load_explicit(&f->size_lo, memory_order_acquire);
}

void size_begin(struct shadow_file *f, u64 to)
{
	u64 lo = atomic_load(&f->size_lo), hi = atomic_load(&f->size_hi);

	/* Widen first, count after: a view never sees bounds that are too narrow. */
	atomic_store(&f->size_lo, MIN(lo, to));
	atomic_store(&f->size_hi, MAX(hi, to));
	size_unsynced(f, MIN(lo, to), MAX(hi, to));
	atomic_fetch_add(&f->size_seq, 1);
}

void size_end(struct shadow_file *f, u64 now)
{
	atomic_fetch_add(&f->size_seq, 1);
	atomic_store(&f->size_lo, now);
	atomic_store(&f->size_hi, now);
}

void size_doubt(struct shadow_file *f)
{
	atomic_fetch_add(&f->size_seq, 1);
}

struct size_view size_view(const struct shadow_file *f)
{
	struct size_view v;

	do {
		v.seq = atomic_load(&f->size_seq);
		v.lo = atomic_load(&f->size_lo);
		v.hi = atomic_load(&f->size_hi);
	} while (v.seq != atomic_load(&f->size_seq));
	return v;
}

bool size_bounds(struct size_view s, struct size_view e, u64 *lo, u64 *hi)
{
	*lo = MIN(s.lo, e.lo);
	*hi = MAX(s.hi, e.hi);
	/* One step apart is a change that began or ended; further apart hides sizes between. */
	return e.seq - s.seq <= 1;
}
