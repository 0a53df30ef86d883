// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A step of a worker that is an actor of a race: prepare, wait for the others, do it at the own
 * offset, say when it was, conclude. Part of the framework; no worker knows that it is lined up.
 */
#include "workers/lineup.h"

#include <errno.h>

static struct probe_word *own_probe(const struct worker *w)
{
	return w->probes ? &w->probes[w->actor.id] : NULL;
}

/* A probe is in the kernel and cannot say that it holds: those who wait for it look. */
static void look_at_probes(struct worker *w)
{
	const struct race *r = w->race;
	u64 origin = atomic_load(&r->origin_ns);

	for (u32 i = 0; w->probes && origin && i < r->nparties; i++)
		if (atomic_load(&w->probes[r->parties[i].writer].since_ns) >= origin)
			race_holding(w->race);
}

static bool leave(void *arg)
{
	struct worker *w = arg;

	actor_beat(&w->actor);
	look_at_probes(w);
	return worker_stopping(w) || atomic_load(&w->actor.run->pause) & 1;
}

static bool hold_over(void *arg)
{
	struct worker *w = arg;

	race_holding(w->race);
	return race_others_done(w->race, w->party) || leave(w);
}

int lineup_open(struct worker *w, enum hold_kind hold, u64 limit_ns, struct err *e)
{
	if (!w->race || hold == HOLD_NONE || hold == HOLD_PROBE_DELAY)
		return 0;
	return hold_open(hold, hold_over, w, limit_ns, &w->actor.hold, e);
}

/* Do the step, once or until the others are done; *ret_start and *ret_end are those of its
 * operations as the history has them, which leaves out what the worker itself took. */
static int perform(struct worker *w, u64 *ret_start, u64 *ret_end)
{
	bool loop = w->race->parties[w->party].loop;
	struct op_record rec;
	int r;

	*ret_start = *ret_end = 0;
	do {
		u64 first = oplog_count(w->actor.log);

		r = w->type->step(w);
		if (oplog_count(w->actor.log) == first)
			continue;
		if (!*ret_start && oplog_read(w->actor.log, first, &rec) == 1)
			*ret_start = rec.start_ns;
		if (oplog_read(w->actor.log, oplog_count(w->actor.log) - 1, &rec) == 1)
			*ret_end = rec.end_ns;
	} while (r == 0 && loop && !race_others_done(w->race, w->party) && !leave(w));
	return r;
}

static u64 times_held(const struct worker *w)
{
	return hold_count(w->actor.hold) + probe_held(own_probe(w));
}

static void enable(struct worker *w, bool on)
{
	hold_enable(w->actor.hold, on);
	probe_enable(own_probe(w), on);
}

int lineup_step(struct worker *w)
{
	u64 seen = atomic_load(&w->actor.slot->sightings), held = times_held(w);
	u64 start_ns, end_ns;
	int r;

	if (race_over(w->race)) {
		worker_sleep(w, 20 * NSEC_PER_MSEC); /* the coordinator ends the run */
		return 0;
	}
	w->attempt = atomic_load(&w->race->round);
	if (w->type->prepare)
		w->type->prepare(w);
	r = race_enter(w->race, w->party, leave, w);
	if (r < 0)
		return 0; /* the framework looks at stop and pause */
	w->attempt = atomic_load(&w->race->round) - 1;
	enable(w, true);
	r = perform(w, &start_ns, &end_ns);
	enable(w, false);
	race_done(w->race, w->party, start_ns, end_ns);
	if (w->type->conclude && race_wait_done(w->race, leave, w))
		w->type->conclude(w);
	atomic_fetch_add(&w->race->held, times_held(w) - held);
	if (atomic_load(&w->actor.slot->sightings) != seen)
		race_hit(w->race);
	return r;
}
