// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle after a crash, against a kernel that is two arrays: a cache, and a device that gets
 * parts of it at any moment, and all of it by a sync. Writes, punches, cuts, moves, changes of the
 * size, syncs and deaths take turns at random; then the cache is gone. What an honest kernel leaves
 * must never be called wrong; a sync that does not do what it says must be.
 */
#include "shadow_fixture.h"

#include "verify.h"

#include <string.h>

#define SEEDS	3000
#define CELLS	4
#define WRITERS 3
#define SYNCERS 2
#define STEPS	240
#define SIZES	8

enum fault {
	FAULT_NONE,
	FAULT_SYNC_NOTHING, /* syncs say 0 and do nothing */
	FAULT_SYNC_PART,    /* they leave one cell out */
	FAULT_SYNC_SIZE,    /* they leave the size out */
	FAULT_DSYNC,	    /* O_DSYNC is no better than without */
	FAULT_OLDER,	    /* the device goes back to what it held before */
	FAULTS
};

struct writer {
	bool busy, dsync;
	enum cell_kind kind;
	enum outcome how;
	u64 cell, source;
	u32 from, to, at, stop;
	struct cell_view settle;
	u8 bytes[FIX_CELL];
};

struct syncer {
	bool busy;
	u32 epoch, at;
};

struct model {
	struct shadow_fixture x;
	struct rng rng;
	u8 cache[CELLS][FIX_CELL], disk[CELLS][FIX_CELL];
	u64 cache_size, disk_size, new_size;
	bool resizing, resize_done, reshaping;
	struct writer writers[WRITERS];
	struct syncer syncers[SYNCERS];
	enum fault fault;
	u32 step;
};

static u32 below(struct model *m, u32 n)
{
	return (u32)rng_below(&m->rng, n);
}

static struct cell_view view_of(struct model *m, u64 cell)
{
	return shadow_view(shadow_cell(&m->x.sh, m->x.f, cell));
}

static u16 id_of(const struct model *m, const struct writer *w)
{
	return (u16)(2 + (w - m->writers));
}

static bool faulty(const struct model *m, enum fault fault)
{
	return m->fault == fault && m->step > STEPS / 2;
}

static bool plan_cut(struct model *m, struct writer *w)
{
	struct cell_view v = view_of(m, w->cell);

	w->from = below(m, FIX_CELL - 1);
	w->to = w->from + 1 + below(m, FIX_CELL - w->from - 1);
	w->settle.settled = CELL_WORD(0, CELL_WHO(v.settled), CELL_CUT);
	w->settle.origin = CUT(CELL_GEN(v.settled), w->from, w->to);
	return CELL_KIND(v.settled) == CELL_STAMP && !(v.flight & CELL_DOUBTS);
}

static bool plan_move(struct model *m, struct writer *w)
{
	struct cell_view v;

	w->source = (w->cell + 1 + below(m, CELLS - 1)) % CELLS;
	if (shadow_hold(&m->x.sh, m->x.f, w->source, 1, id_of(m, w)) != 1)
		return false;
	v = view_of(m, w->source);
	if (CELL_KIND(v.settled) == CELL_CUT) {
		shadow_release(&m->x.sh, m->x.f, w->source, 1);
		return false;
	}
	w->settle = v;
	if (CELL_KIND(v.settled) == CELL_STAMP) {
		w->settle.settled = CELL_WORD(0, CELL_WHO(v.settled), CELL_MOVED);
		w->settle.origin = ORIGIN(0, w->source, CELL_GEN(v.settled));
	}
	return verify_expected(&m->x.sh, m->x.f, w->source, v, w->bytes);
}

static bool plan(struct model *m, struct writer *w)
{
	struct stamp id = { .run = FIX_RUN, .writer = id_of(m, w), .cell = w->cell };

	w->to = FIX_CELL;
	if (w->kind == CELL_CUT)
		return plan_cut(m, w);
	if (w->kind == CELL_MOVED)
		return plan_move(m, w);
	id.gen = CELL_GEN(view_of(m, w->cell).flight);
	if (w->kind == CELL_STAMP)
		stamp_fill(w->bytes, FIX_CELL, &id);
	w->dsync = w->kind == CELL_STAMP && !below(m, 4);
	return true;
}

static void writer_begin(struct model *m, struct writer *w)
{
	static const enum outcome hows[] = { OUTCOME_DONE, OUTCOME_DONE, OUTCOME_DONE,
					     OUTCOME_FAILED, OUTCOME_MAYBE };

	*w = (struct writer){ .cell = below(m, CELLS), .kind = CELL_STAMP };
	if (m->reshaping && below(m, 2))
		w->kind = (enum cell_kind)below(m, 4);
	if (!shadow_begin(&m->x.sh, m->x.f, w->cell, 1, id_of(m, w), w->kind, 0))
		return;
	if (!plan(m, w)) {
		shadow_settle(&m->x.sh, m->x.f, w->cell, 1, OUTCOME_FAILED, false);
		return;
	}
	w->busy = true;
	w->how = hows[below(m, ARRAY_SIZE(hows))];
	w->at = w->from;
	w->stop = w->how == OUTCOME_FAILED ? w->from
		  : w->how == OUTCOME_DONE ? w->to
					   : w->from + below(m, w->to - w->from + 1);
}

static void writer_end(struct model *m, struct writer *w)
{
	struct shadow *sh = &m->x.sh;

	w->busy = false;
	if (!below(m, 20)) { /* killed */
		shadow_bury(sh, id_of(m, w));
		return;
	}
	if (w->how == OUTCOME_DONE && w->dsync && !faulty(m, FAULT_DSYNC))
		memcpy(m->disk[w->cell], m->cache[w->cell], FIX_CELL);
	if (w->how == OUTCOME_DONE && w->kind >= CELL_MOVED)
		shadow_settle_as(sh, m->x.f, w->cell, CELL_KIND(w->settle.settled),
				 CELL_WHO(w->settle.settled), w->settle.origin);
	else
		shadow_settle(sh, m->x.f, w->cell, 1, w->how, w->dsync);
	if (w->kind == CELL_MOVED)
		shadow_release(sh, m->x.f, w->source, 1);
}

static void writer_step(struct model *m, struct writer *w)
{
	u32 n;

	if (!w->busy) {
		writer_begin(m, w);
		return;
	}
	if (w->at == w->stop) {
		writer_end(m, w);
		return;
	}
	n = MIN(1 + below(m, below(m, 4) ? FIX_CELL : 9), w->stop - w->at);
	memcpy(m->cache[w->cell] + w->at, w->bytes + w->at, n);
	w->at += n;
}

/* The lock's holder changes the size in three steps: announced, done, settled. */
static void resize_step(struct model *m)
{
	struct shadow_file *f = m->x.f;

	if (!m->resizing) {
		m->new_size = (1 + below(m, SIZES)) * 1000;
		size_begin(f, m->new_size);
		m->resizing = true;
	} else if (!m->resize_done) {
		m->cache_size = m->new_size;
		m->resize_done = true;
	} else {
		size_end(f, m->cache_size);
		m->resizing = m->resize_done = false;
	}
}

static void syncer_step(struct model *m, struct syncer *s)
{
	bool nothing = faulty(m, FAULT_SYNC_NOTHING);

	if (!s->busy) {
		*s = (struct syncer){ .busy = true, .epoch = sync_begin(m->x.f) };
		return;
	}
	if (s->at < CELLS) {
		if (!nothing && !(s->at == 2 && faulty(m, FAULT_SYNC_PART)))
			memcpy(m->disk[s->at], m->cache[s->at], FIX_CELL);
		s->at++;
		return;
	}
	s->busy = false;
	if (!below(m, 8)) /* it failed for a reason that tells nothing, or its process died */
		return;
	if (!nothing && !faulty(m, FAULT_SYNC_SIZE))
		m->disk_size = m->cache_size;
	sync_commit(m->x.f, s->epoch);
}

static void writeback_step(struct model *m)
{
	u64 cell = below(m, CELLS);
	u32 from = below(m, 2) ? 0 : below(m, FIX_CELL);
	u32 to = below(m, 2) ? FIX_CELL : from + below(m, FIX_CELL - from + 1);

	if (faulty(m, FAULT_SYNC_NOTHING) || faulty(m, FAULT_SYNC_PART) || faulty(m, FAULT_DSYNC))
		return;
	memcpy(m->disk[cell] + from, m->cache[cell] + from, to - from);
	if (!below(m, 4) && !faulty(m, FAULT_SYNC_SIZE))
		m->disk_size = m->cache_size;
}

static void model_step(struct model *m)
{
	u32 who = below(m, 12);

	if (who < 2 * WRITERS)
		writer_step(m, &m->writers[who % WRITERS]);
	else if (who < 2 * WRITERS + SYNCERS)
		syncer_step(m, &m->syncers[who - 2 * WRITERS]);
	else if (who == 11)
		resize_step(m);
	else
		writeback_step(m);
}

static u64 checked, open_cases, exact;

/* Cells and sizes that are called wrong. */
static u32 after_the_crash(struct model *m)
{
	struct shadow *sh = &m->x.sh;
	u32 wrong = 0;

	for (u16 id = 1; id < 6; id++)
		shadow_bury(sh, id);
	sh->crashed = true;
	for (u64 cell = 0; cell < CELLS; cell++) {
		struct shadow_cell *c = shadow_cell(sh, m->x.f, cell);
		struct verdict v;
		enum judgement j = verify_cell(sh, m->x.f, cell, m->disk[cell], 0, FIX_CELL,
					       shadow_view(c), &v);

		checked++;
		open_cases += j == JUDGED_OPEN;
		exact += shadow_durable(m->x.f, shadow_view(c)).exact;
		wrong += j == JUDGED_WRONG;
		if (j == JUDGED_WRONG && !m->fault)
			fail_msg("cell %u: called %s (%s)", (u32)cell, finding_infos[v.kind].name,
				 v.what);
		/* a few bytes of another generation may pass for flipped bits */
		if (j == JUDGED_WRONG && v.kind != FINDING_NOT_DURABLE &&
		    v.kind != FINDING_BIT_FLIP)
			fail_msg("cell %u: %s, not not-durable (%s)", (u32)cell,
				 finding_infos[v.kind].name, v.what);
	}
	if (m->disk_size < atomic_load(&m->x.f->unsynced.lo) ||
	    m->disk_size > atomic_load(&m->x.f->unsynced.hi)) {
		assert_true(m->fault);
		wrong++;
	}
	return wrong;
}

static struct shadow_fixture *fixture;

static u32 run_seed(u64 seed, bool reshaping, enum fault fault)
{
	struct model m = { .rng = { .state = seed }, .reshaping = reshaping, .fault = fault };
	u8 before[CELLS][FIX_CELL];
	u32 steps = STEPS * 3 / 4 + (u32)(seed % (STEPS / 4));

	m.x = *fixture;
	memset(m.x.sh.cells, 0, sizeof(*m.x.sh.cells) * CELLS);
	m.x.f->reshaped = reshaping;
	atomic_store(&m.x.f->epoch, 1);
	atomic_store(&m.x.f->durable_epoch, 0);
	atomic_store(&m.x.f->syncing, 0);
	memset(&m.x.f->unsynced, 0, sizeof(m.x.f->unsynced));
	memset(&m.x.f->young, 0, sizeof(m.x.f->young));
	size_end(m.x.f, 0);
	for (; m.step < steps; m.step++) {
		if (m.step == STEPS / 2)
			memcpy(before, m.disk, sizeof(before));
		model_step(&m);
	}
	if (fault == FAULT_OLDER)
		memcpy(m.disk, before, sizeof(before));
	return after_the_crash(&m);
}

static void an_honest_kernel_is_not_blamed(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= SEEDS; seed++)
		for (int mode = 0; mode < 2; mode++)
			assert_int_equal(run_seed(seed * 2 + (u64)mode, mode, FAULT_NONE), 0);
	/* An oracle that knows nothing is never wrong either. */
	assert_true(open_cases * 10 < checked);
	assert_true(exact * 10 > checked);
}

static void a_lying_kernel_is_found(void **state)
{
	(void)state;
	for (int fault = 1; fault < FAULTS; fault++)
		for (int mode = 0; mode < 2; mode++) {
			u32 found = 0;

			for (u64 seed = 1; seed <= SEEDS / 5; seed++)
				found += run_seed(seed * 7, mode, (enum fault)fault) > 0;
			/* not each crash comes at a moment that shows it */
			if (found < SEEDS / 5 / 50)
				fail_msg("fault %d%s: found in %u of %u runs", fault,
					 mode ? ", reshaped" : "", found, SEEDS / 5);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_kernel_is_not_blamed),
		cmocka_unit_test(a_lying_kernel_is_found),
	};
	struct shadow_fixture x;
	int r;

	fixture_make_sized(&x, false, CELLS);
	fixture = &x;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_free(&x);
	return r;
}
