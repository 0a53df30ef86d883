// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle against a kernel that is an array: writers, punches, cuts, moves and deaths take
 * turns at random, a few bytes at a time, and readers copy at any moment. No legal state may be
 * called wrong; a planted fault must be, wherever the model knows what must be there. One
 * thread: a seed replays a run.
 */
#include "shadow_fixture.h"

#include "verify.h"

#include <string.h>

#ifdef __SANITIZE_THREAD__ /* one thread: there is nothing for it to see, and it is slow */
#define SEEDS 100
#else
#define SEEDS 1500
#endif

#define CELLS	4
#define WRITERS 3
#define READERS 3
#define STEPS	300

enum fault {
	FAULT_NONE,
	FAULT_LOST,
	FAULT_PHANTOM,
	FAULT_ELSEWHERE,
	FAULT_OLDER,
	FAULT_ZERO,
	FAULTS
};

struct writer {
	bool busy, dead;
	enum cell_kind kind;
	enum outcome how;
	u64 cell, source;	 /* source: of a move */
	u32 from, to, at;	 /* applied up to @at */
	u32 stop;		 /* a write that fails or is interrupted ends here */
	struct cell_view settle; /* kind, writer and origin for settle_as */
	u8 bytes[FIX_CELL];
	bool alone; /* conflict: nobody else wrote meanwhile */
};

struct reader {
	bool busy;
	u64 cell;
	u32 from, to, at;
	struct cell_view s;
	u8 bytes[FIX_CELL];
};

struct model {
	struct shadow_fixture x;
	struct rng rng;
	bool conflict, reshaping;
	u8 disk[CELLS][FIX_CELL];
	u8 ideal[CELLS][FIX_CELL]; /* what must be there ... */
	bool certain[CELLS];	   /* ... where this is set */
	u8 older[CELLS][FIX_CELL]; /* what was there before that */
	u32 flying[CELLS];
	struct writer writers[WRITERS];
	struct reader readers[READERS];
	enum fault fault;
	bool planted;
	u32 step;
	u64 judged, open;
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

/* What the cell is to hold when the operation is done, and how to settle it. */
static bool plan_cut(struct model *m, struct writer *w)
{
	struct cell_view v = view_of(m, w->cell);

	if (CELL_KIND(v.settled) != CELL_STAMP || v.flight & CELL_DOUBTS)
		return false;
	w->from = below(m, FIX_CELL - 1);
	w->to = w->from + 1 + below(m, FIX_CELL - w->from);
	if (w->to - w->from == FIX_CELL)
		return false;
	w->settle.settled = CELL_WORD(0, CELL_WHO(v.settled), CELL_CUT);
	w->settle.origin = CUT(CELL_GEN(v.settled), w->from, w->to);
	memset(w->bytes, 0, FIX_CELL);
	return true;
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
	assert_true(verify_expected(&m->x.sh, m->x.f, w->source, v, w->bytes));
	return true;
}

static bool plan(struct model *m, struct writer *w)
{
	struct stamp id = { .run = FIX_RUN, .writer = id_of(m, w), .cell = w->cell };

	w->from = 0;
	w->to = FIX_CELL;
	switch (w->kind) {
	case CELL_STAMP:
		id.gen = CELL_GEN(view_of(m, w->cell).flight);
		stamp_fill(w->bytes, FIX_CELL, &id);
		return true;
	case CELL_ZERO:
		memset(w->bytes, 0, FIX_CELL);
		return true;
	case CELL_CUT:
		return plan_cut(m, w);
	case CELL_MOVED:
		return plan_move(m, w);
	}
	return false;
}

static void writer_begin(struct model *m, struct writer *w)
{
	static const enum outcome hows[] = { OUTCOME_DONE, OUTCOME_DONE, OUTCOME_DONE,
					     OUTCOME_FAILED, OUTCOME_MAYBE };
	u64 cell = below(m, CELLS);

	*w = (struct writer){ .cell = cell, .kind = CELL_STAMP };
	if (m->reshaping)
		w->kind = below(m, 2) ? CELL_STAMP : (enum cell_kind)below(m, 4);
	if (!shadow_begin(&m->x.sh, m->x.f, cell, 1, id_of(m, w), w->kind, 0))
		return;
	if (!plan(m, w)) {
		shadow_settle(&m->x.sh, m->x.f, cell, 1, OUTCOME_FAILED, false);
		return;
	}
	w->busy = true;
	w->how = hows[below(m, ARRAY_SIZE(hows))];
	w->at = w->from;
	w->stop = w->to;
	if (w->how == OUTCOME_FAILED)
		w->stop = w->from;
	if (w->how == OUTCOME_MAYBE)
		w->stop = w->from + below(m, w->to - w->from + 1);
	w->alone = m->flying[cell]++ == 0;
	for (int i = 0; i < WRITERS; i++)
		if (&m->writers[i] != w && m->writers[i].busy && m->writers[i].cell == cell)
			m->writers[i].alone = false;
}

/* Late, so that not everything is overwritten again. */
static bool plant(struct model *m, enum fault fault)
{
	if (m->fault != fault || m->planted || m->step < STEPS * 3 / 4)
		return false;
	m->planted = true;
	return true;
}

/* The operation is over: what must be there now is known, or is not. */
static void note_truth(struct model *m, struct writer *w, enum outcome how)
{
	u8 *ideal = m->ideal[w->cell];

	m->flying[w->cell]--;
	if (how == OUTCOME_FAILED) {
		if (m->conflict) /* shared cells do not tell failed from open */
			m->certain[w->cell] = false;
		return;
	}
	if (m->certain[w->cell])
		memcpy(m->older[w->cell], ideal, FIX_CELL);
	memcpy(ideal + w->from, w->bytes + w->from, w->to - w->from);
	m->certain[w->cell] = how == OUTCOME_DONE && w->alone;
}

static void writer_end(struct model *m, struct writer *w, bool killed)
{
	struct shadow *sh = &m->x.sh;
	enum outcome how = killed ? OUTCOME_MAYBE : w->how;

	w->busy = false;
	note_truth(m, w, how);
	if (how == OUTCOME_DONE && plant(m, FAULT_OLDER))
		memcpy(m->disk[w->cell], m->older[w->cell], FIX_CELL);
	if (how == OUTCOME_DONE && plant(m, FAULT_ZERO))
		memset(m->disk[w->cell], 0, FIX_CELL);
	if (how == OUTCOME_FAILED && plant(m, FAULT_PHANTOM))
		memcpy(m->disk[w->cell] + w->from, w->bytes + w->from, w->to - w->from);
	if (killed) {
		shadow_bury(sh, id_of(m, w));
		return;
	}
	if (how == OUTCOME_DONE && (w->kind == CELL_CUT || w->kind == CELL_MOVED))
		shadow_settle_as(sh, m->x.f, w->cell, CELL_KIND(w->settle.settled),
				 CELL_WHO(w->settle.settled), w->settle.origin);
	else
		shadow_settle(sh, m->x.f, w->cell, 1, how, false);
	if (w->kind == CELL_MOVED)
		shadow_release(sh, m->x.f, w->source, 1);
}

static void writer_apply(struct model *m, struct writer *w)
{
	u32 n = MIN(1 + below(m, below(m, 4) ? FIX_CELL : 9), w->stop - w->at);
	u64 cell = w->cell;

	if (w->how == OUTCOME_DONE && w->at == w->from && plant(m, FAULT_LOST)) {
		w->at = w->stop;
		return;
	}
	if (w->how == OUTCOME_DONE && w->at == w->from && plant(m, FAULT_ELSEWHERE)) {
		cell = (cell + 1) % CELLS;
		n = w->stop - w->at;
	}
	memcpy(m->disk[cell] + w->at, w->bytes + w->at, n);
	w->at += n;
}

static void writer_step(struct model *m, struct writer *w)
{
	if (!w->busy)
		writer_begin(m, w);
	else if (!m->conflict && below(m, 40) == 0)
		writer_end(m, w, true);
	else if (w->at < w->stop)
		writer_apply(m, w);
	else
		writer_end(m, w, false);
}

static enum judgement judge(struct model *m, struct reader *r)
{
	struct verdict v;
	enum judgement j =
		verify_cell(&m->x.sh, m->x.f, r->cell, r->bytes, r->from, r->to, r->s, &v);

	m->judged++;
	m->open += j == JUDGED_OPEN;
	if (j == JUDGED_WRONG && !m->planted)
		fail_msg("cell %u [%u, %u): called %s (%s)", (u32)r->cell, r->from, r->to,
			 finding_infos[v.kind].name, v.what);
	return j;
}

static void reader_step(struct model *m, struct reader *r)
{
	u32 n;

	if (!r->busy) {
		r->busy = true;
		r->cell = below(m, CELLS);
		r->from = below(m, 2) ? 0 : below(m, FIX_CELL - 1);
		r->to = below(m, 2) ? FIX_CELL : r->from + 1 + below(m, FIX_CELL - r->from);
		r->at = r->from;
		r->s = view_of(m, r->cell);
		return;
	}
	n = MIN(1 + below(m, below(m, 4) ? FIX_CELL : 9), r->to - r->at);
	memcpy(r->bytes + r->at, m->disk[r->cell] + r->at, n);
	r->at += n;
	if (r->at < r->to)
		return;
	r->busy = false;
	judge(m, r);
}

/* Everybody is done: what is certain must be judged so. Returns the cells that are called wrong. */
static u32 final_check(struct model *m)
{
	u32 wrong = 0;

	for (u64 cell = 0; cell < CELLS; cell++) {
		struct reader r = { .cell = cell, .to = FIX_CELL, .s = view_of(m, cell) };
		bool same = !memcmp(m->disk[cell], m->ideal[cell], FIX_CELL);
		enum judgement j;

		memcpy(r.bytes, m->disk[cell], FIX_CELL);
		j = judge(m, &r);
		if (m->certain[cell] && same)
			assert_int_equal(j, JUDGED_LEGAL);
		else if (m->certain[cell])
			assert_int_equal(j, JUDGED_WRONG);
		wrong += j == JUDGED_WRONG;
	}
	return wrong;
}

static struct shadow_fixture *fixture;
static u64 judged[2], open_cases[2]; /* without and with moves and holes */

static u32 run_seed(u64 seed, bool conflict, bool reshaping, enum fault fault, bool *planted)
{
	struct model m = { .rng = { .state = seed },
			   .conflict = conflict,
			   .reshaping = reshaping,
			   .fault = fault };
	u32 wrong;

	/* one shadow for all runs: as good as new, and no file each */
	m.x = *fixture;
	memset(m.x.sh.cells, 0, sizeof(*m.x.sh.cells) * CELLS);
	m.x.f->conflict = conflict;
	m.x.f->reshaped = reshaping;
	for (int i = 0; i < CELLS; i++)
		m.certain[i] = true;
	for (; m.step < STEPS; m.step++) {
		u32 who = below(&m, WRITERS + READERS);

		if (who < WRITERS)
			writer_step(&m, &m.writers[who]);
		else
			reader_step(&m, &m.readers[who - WRITERS]);
	}
	for (int i = 0; i < WRITERS; i++)
		while (m.writers[i].busy)
			writer_step(&m, &m.writers[i]);
	wrong = final_check(&m);
	assert_true(fault || wrong == 0);
	judged[reshaping] += m.judged;
	open_cases[reshaping] += m.open;
	*planted = m.planted;
	return wrong;
}

static void legal_states_are_legal(void **state)
{
	bool planted;

	(void)state;
	for (u64 seed = 1; seed <= SEEDS; seed++)
		for (int mode = 0; mode < 3; mode++)
			run_seed(seed * 3 + (u64)mode, mode == 1, mode == 2, FAULT_NONE, &planted);
	/* An oracle that calls everything open is never wrong either. */
	assert_true(judged[0] > SEEDS * 20 && open_cases[0] * 1000 < judged[0]);
	assert_true(judged[1] > SEEDS * 10 && open_cases[1] * 20 < judged[1]);
}

/* final_check() asserts for every cell that is certain; here: that faults do get that far. */
static void faults_are_found(void **state)
{
	(void)state;
	for (int fault = 1; fault < FAULTS; fault++) {
		u32 found = 0, tries = 0;

		for (u64 seed = 1; seed <= SEEDS / 5; seed++)
			for (int mode = 0; mode < 3; mode++) {
				bool planted;
				u32 wrong = run_seed(seed * 7 + (u64)mode, mode == 1, mode == 2,
						     (enum fault)fault, &planted);

				tries += planted;
				found += wrong > 0;
			}
		assert_true(tries > SEEDS / 5);
		assert_true(found > tries / 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_states_are_legal),
		cmocka_unit_test(faults_are_found),
	};

	struct shadow_fixture x;
	int r;

	fixture_make_sized(&x, false, CELLS);
	fixture = &x;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	fixture_free(&x);
	return r;
}
