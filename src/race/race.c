// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The barrier of a race. Two steps: sleepers are woken by a futex, which takes as long as it
 * takes; then those that are awake wait for each other in a spin, so that offsets count from an
 * instant at which all are on a CPU or about to be.
 */
#include "race/race.h"

#include "base/futex.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define SPINS	 2000		       /* looks before a waiter goes to sleep */
#define PAUSES	 64		       /* looks before a spinner lets others have the CPU */
#define SLICE_NS NSEC_PER_MSEC	       /* sleep between two looks at leave, stop and the dead */
#define AWAKE_NS (5 * NSEC_PER_MSEC)   /* longest wait for one who was woken and does not come */
#define HOLD_NS	 (50 * NSEC_PER_MSEC)  /* longest wait for a hold to begin */
#define NAP_NS	 (200 * NSEC_PER_USEC) /* what a sleep may come late */

static void relax(u64 spins)
{
	if (spins % PAUSES == PAUSES - 1)
		sched_yield();
	else
		atomic_thread_fence(memory_order_seq_cst);
}

void race_init(struct race *r, const char *name, u64 seed)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->rng.state = mix64(seed);
}

int race_add(struct race *r, u16 writer, u16 actor, struct range offset, bool loop)
{
	u32 me = r->nparties;

	if (me == RACE_PARTIES)
		return -ENOSPC;
	r->parties[r->nparties++] = (struct race_party){
		.writer = writer, .actor = actor, .offset = offset, .loop = loop
	};
	r->nactors = MAX(r->nactors, (u32)actor + 1);
	atomic_fetch_or(&r->present, 1U << me);
	return (int)me;
}

bool race_over(const struct race *r)
{
	return r->limit && atomic_load(&r->attempts) >= r->limit;
}

static void account(struct race *r)
{
	bool hit = atomic_exchange(&r->hit, 0), overlapped = race_overlapped(r);

	for (u32 i = 0; i < r->nparties; i++) {
		struct race_party *p = &r->parties[i];
		struct race_bin *bin = &p->bins[p->bin];

		bin->tries++;
		bin->overlaps += overlapped;
		bin->hits += hit;
		p->start_ns = p->end_ns = 0;
	}
	atomic_fetch_add(&r->overlaps, overlapped);
	atomic_fetch_add(&r->hits, hit);
	atomic_fetch_add(&r->attempts, 1);
	if (hit && !atomic_load(&r->first_hit))
		atomic_store(&r->first_hit, atomic_load(&r->attempts));
}

#define CLAIM(round, who)  (((u64)(round) + 1) | ((u64)(who) + 1) << 32)
#define CLAIM_ROUND(claim) ((u32)(claim))

/* One of those who see all there accounts what was and lets all go. */
static void try_release(struct race *r, u32 me, u32 round)
{
	u32 present = atomic_load(&r->present);
	u64 claim = atomic_load(&r->claimed);

	if ((atomic_load(&r->arrived) & present) != present || CLAIM_ROUND(claim) != round ||
	    !atomic_compare_exchange_strong(&r->claimed, &claim, CLAIM(round, me)))
		return;
	if (round > atomic_load(&r->attempts))
		account(r);
	if (race_over(r)) {
		atomic_store(&r->claimed, round); /* no further attempt: nobody is let go */
		return;
	}
	race_draw(r, round);
	atomic_store(&r->done, 0);
	atomic_store(&r->awake, 0);
	atomic_store(&r->holding, 0);
	atomic_store(&r->origin_ns, 0);
	/* Before the round: whoever sees the new round arrives for the one after. */
	atomic_store(&r->arrived, 0);
	atomic_store(&r->round, round + 1);
	futex_wake_all(&r->round);
}

/* False when the round was claimed with us in it. Who leaves at the very moment of a claim misses
 * an attempt, which then does not count as an overlap. */
static bool withdraw(struct race *r, u32 me, u32 round)
{
	atomic_fetch_and(&r->arrived, ~(1U << me));
	return CLAIM_ROUND(atomic_load(&r->claimed)) == round;
}

static int wait_round(struct race *r, u32 me, race_leave_fn *leave, void *arg)
{
	u32 round = atomic_load(&r->round);

	atomic_fetch_or(&r->arrived, 1U << me);
	for (u64 spins = 0; atomic_load(&r->round) == round; spins++) {
		try_release(r, me, round);
		if (atomic_load(&r->round) != round)
			break;
		if (race_over(r))
			return -ENODATA;
		if (spins < SPINS) {
			relax(spins);
			continue;
		}
		if (leave(arg) && withdraw(r, me, round))
			return -EINTR;
		futex_wait(&r->round, round, SLICE_NS);
	}
	return 0;
}

/* The last one awake says when offsets start to count; if one does not come, the others do. */
static u64 wait_awake(struct race *r, u32 me)
{
	u32 awake = atomic_fetch_or(&r->awake, 1U << me) | 1U << me;
	u32 present = atomic_load(&r->present);
	u64 deadline = now_ns() + AWAKE_NS, none = 0;

	if ((awake & present) == present)
		atomic_compare_exchange_strong(&r->origin_ns, &none, now_ns());
	for (u64 spins = 0; !atomic_load(&r->origin_ns); spins++) {
		none = 0;
		if (now_ns() > deadline)
			atomic_compare_exchange_strong(&r->origin_ns, &none, now_ns());
		relax(spins);
	}
	return atomic_load(&r->origin_ns);
}

void race_holding(struct race *r)
{
	atomic_store(&r->holding, 1);
}

/* When a hold has begun, or a holder has ended without one, or after too long: now. */
static u64 wait_hold(struct race *r, race_leave_fn *leave, void *arg)
{
	u64 deadline = now_ns() + HOLD_NS;

	for (u64 spins = 0; !atomic_load(&r->holding); spins++) {
		if (atomic_load(&r->done) & r->holders || now_ns() > deadline || leave(arg))
			break;
		relax(spins);
	}
	return now_ns();
}

int race_enter(struct race *r, u32 me, race_leave_fn *leave, void *arg)
{
	int ret = wait_round(r, me, leave, arg);
	u64 when, now;

	if (ret < 0)
		return ret;
	when = wait_awake(r, me);
	if (r->holders && !(r->holders >> me & 1))
		when = wait_hold(r, leave, arg);
	when += r->parties[me].offset_ns;
	for (u64 spins = 0; (now = now_ns()) < when; spins++) {
		u64 left = when - now;

		/* Sleep most of a long offset, in slices; the rest is spun away. */
		if (left <= NAP_NS) {
			relax(spins);
			continue;
		}
		if (leave(arg))
			break;
		left = MIN(left - NAP_NS, SLICE_NS);
		nanosleep(&(struct timespec){ .tv_nsec = (long)left }, NULL);
	}
	return 0;
}

void race_done(struct race *r, u32 me, u64 start_ns, u64 end_ns)
{
	r->parties[me].start_ns = start_ns;
	r->parties[me].end_ns = end_ns;
	atomic_fetch_or(&r->done, 1U << me);
	futex_wake_all(&r->done);
}

static u32 loops(const struct race *r)
{
	u32 mask = 0;

	for (u32 i = 0; i < r->nparties; i++)
		mask |= (u32)r->parties[i].loop << i;
	return mask;
}

bool race_others_done(const struct race *r, u32 me)
{
	u32 present = atomic_load(&r->present) & ~(1U << me) & ~loops(r);

	return (atomic_load(&r->done) & present) == present;
}

bool race_wait_done(struct race *r, race_leave_fn *leave, void *arg)
{
	for (u64 spins = 0;; spins++) {
		u32 done = atomic_load(&r->done), present = atomic_load(&r->present);

		if ((done & present) == present)
			return true;
		if (spins < SPINS) {
			relax(spins);
			continue;
		}
		if (leave(arg))
			return false;
		futex_wait(&r->done, done, SLICE_NS);
	}
}

void race_hit(struct race *r)
{
	atomic_store(&r->hit, 1);
}

/* Killed while it let the others go: they are all there still, and wait for a round that nobody
 * would release, nor let them leave. One of them does it again. */
static void take_claim_back(struct race *r, u32 me)
{
	u32 round = atomic_load(&r->round);

	if (atomic_load(&r->claimed) != CLAIM(round, me))
		return;
	atomic_store(&r->arrived, atomic_load(&r->present));
	atomic_store(&r->claimed, round);
}

void race_bury(struct race *r, u32 me)
{
	atomic_fetch_and(&r->present, ~(1U << me));
	take_claim_back(r, me);
	futex_wake_all(&r->round);
	futex_wake_all(&r->done);
}

void race_finish(struct race *r)
{
	if (atomic_load(&r->round) > atomic_load(&r->attempts))
		account(r);
}

u64 race_place(const struct race *r, u64 attempt, u64 size)
{
	u64 windows = r->window ? size / r->window : 0;

	return windows ? attempt % windows * r->window : 0;
}
