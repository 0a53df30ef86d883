// SPDX-License-Identifier: GPL-2.0-or-later
/* Arithmetic of races: intervals, bins of offsets. No waiting in here. */
#include "race/race.h"

#define SWEEP (4 * RACE_BINS) /* attempts in which every bin is tried four times */
_Static_assert((RACE_BINS & (RACE_BINS - 1)) == 0, "halves of halves, down to one");
#define HIT_WORTH   16 /* overlaps that a hit counts for */
#define WEIGHT_MOST 64 /* of a bin whose every try overlapped, against 1 of one never seen */

static bool at_work(const struct race *r, u32 actor, u64 t)
{
	for (u32 i = 0; i < r->nparties; i++) {
		const struct race_party *p = &r->parties[i];

		if (p->actor == actor && p->start_ns && p->start_ns <= t && t < p->end_ns)
			return true;
	}
	return false;
}

static bool all_at_work(const struct race *r, u64 t)
{
	for (u32 actor = 0; actor < r->nactors; actor++)
		if (!at_work(r, actor, t))
			return false;
	return true;
}

/* Intervals that have an instant in common have one at which the last of them begins. */
bool race_overlapped(const struct race *r)
{
	for (u32 i = 0; i < r->nparties; i++)
		if (r->parties[i].start_ns && all_at_work(r, r->parties[i].start_ns))
			return true;
	return false;
}

static u64 weight(const struct race_bin *b)
{
	u64 seen = (u64)b->overlaps + (u64)b->hits * HIT_WORTH;

	return 1 + (b->tries ? seen * WEIGHT_MOST / b->tries : 0);
}

static u32 draw_bin(struct race *r, const struct race_party *p)
{
	u64 sum = 0, at;
	u32 bin = 0;

	for (u32 i = 0; i < RACE_BINS; i++)
		sum += weight(&p->bins[i]);
	for (at = rng_below(&r->rng, sum); at >= weight(&p->bins[bin]); bin++)
		at -= weight(&p->bins[bin]);
	return bin;
}

/*
 * The bin of party @i in turn @turn of the sweep. A lap of RACE_BINS turns tries each bin once: the
 * range in halves, then in quarters, and so on, so that the first few turns have been everywhere.
 * Each party has a stride of its own, and begins elsewhere in each lap, so that pairs of bins
 * change.
 */
static u32 sweep_bin(u64 turn, u32 i)
{
	u32 at = (u32)(turn * (2 * i + 1) + turn / RACE_BINS * i) % RACE_BINS, bin = 0;

	for (u32 bit = 1; bit < RACE_BINS; bit <<= 1, at >>= 1)
		bin = bin << 1 | (at & 1);
	return bin;
}

void race_draw(struct race *r, u64 attempt)
{
	bool sweep = attempt < SWEEP || attempt % 4 == 0;
	u64 turn = attempt < SWEEP ? attempt : SWEEP + (attempt - SWEEP) / 4;

	for (u32 i = 0; i < r->nparties; i++) {
		struct race_party *p = &r->parties[i];
		u64 span = p->offset.hi - p->offset.lo + 1;

		p->bin = sweep ? sweep_bin(turn, i) : draw_bin(r, p);
		p->offset_ns = p->offset.lo + span * p->bin / RACE_BINS +
			       rng_below(&r->rng, MAX(span / RACE_BINS, 1ULL));
		p->offset_ns = MIN(p->offset_ns, p->offset.hi);
	}
}
