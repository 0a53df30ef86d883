// SPDX-License-Identifier: GPL-2.0-or-later
/* The shadow: leases, outcomes, burials at every instruction, sizes, sync epochs. */
#include "shadow_fixture.h"
#include "stepped.h"

#include "verify.h"

#include <string.h>
#include <sys/wait.h>

#define WRITER 2
#define OTHER  3
#define MS     NSEC_PER_MSEC

static struct cell_view view(const struct shadow_fixture *x, u64 cell)
{
	return shadow_view(shadow_cell(&x->sh, x->f, cell));
}

static void a_lease_has_one_holder(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	assert_int_equal(shadow_begin(&x.sh, x.f, 4, 2, WRITER, CELL_STAMP, 0), 2);
	/* stops at the first that is taken, and does not reach behind it */
	assert_int_equal(shadow_begin(&x.sh, x.f, 2, 6, OTHER, CELL_STAMP, 0), 2);
	assert_int_equal(shadow_begin(&x.sh, x.f, 4, 1, WRITER, CELL_STAMP, 0), 0);
	assert_int_equal(shadow_begin(&x.sh, x.f, 4, 1, OTHER, CELL_STAMP, 1 * MS), 0);
	assert_int_equal(shadow_hold(&x.sh, x.f, 3, 3, OTHER), 0);
	assert_int_equal(CELL_GEN(view(&x, 6).flight), 0);
	shadow_settle(&x.sh, x.f, 4, 2, OUTCOME_DONE, false);
	/* a held cell issues no generation, and cannot be written */
	assert_int_equal(shadow_hold(&x.sh, x.f, 4, 2, OTHER), 2);
	assert_int_equal(CELL_GEN(view(&x, 4).flight), 1);
	assert_false(view(&x, 4).flight & CELL_PENDING);
	assert_int_equal(shadow_begin(&x.sh, x.f, 4, 1, WRITER, CELL_STAMP, 0), 0);
	shadow_release(&x.sh, x.f, 4, 2);
	assert_int_equal(shadow_begin(&x.sh, x.f, 4, 1, WRITER, CELL_STAMP, 0), 1);
	shadow_settle(&x.sh, x.f, 4, 1, OUTCOME_MAYBE, false);
	assert_int_equal(shadow_hold(&x.sh, x.f, 4, 1, OTHER), 0); /* in doubt: no source */
	/* the last generation there is: never one twice */
	atomic_store(&shadow_cell(&x.sh, x.f, 9)->flight, CELL_WORD(UINT32_MAX, 0, 0));
	assert_int_equal(shadow_begin(&x.sh, x.f, 9, 1, WRITER, CELL_STAMP, 0), 0);
	fixture_free(&x);
}

static void who_waits_gets_it(void **state)
{
	struct shadow_fixture x;
	int pipe_fds[2];
	char byte;

	(void)state;
	fixture_make(&x, false);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(shadow_begin(&x.sh, x.f, 0, 1, WRITER, CELL_STAMP, 0), 1);

	pid_t pid = fork();

	if (pid == 0) {
		_exit(write(pipe_fds[1], "", 1) != 1 ||
		      shadow_begin(&x.sh, x.f, 0, 2, OTHER, CELL_STAMP, 60 * NSEC_PER_SEC) != 2);
	}
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);

	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(CELL_GEN(view(&x, 0).flight), 2);
	assert_int_equal(CELL_WHO(view(&x, 0).flight), OTHER);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	fixture_free(&x);
}

/* What an outcome leaves, from a cell that was settled at generation 1. */
static void outcomes(void **state)
{
	static const u64 all = CELL_DOUBTS | CELL_PENDING | CELL_MOVING;
	static const struct {
		enum cell_kind kind;
		enum outcome how;
		u32 settled;
		u64 flags;
	} rows[] = {
		{ CELL_STAMP, OUTCOME_DONE, 2, 0 },
		{ CELL_STAMP, OUTCOME_FAILED, 1, 0 },
		{ CELL_STAMP, OUTCOME_MAYBE, 1, CELL_MAYBE | CELL_MIXED },
		{ CELL_ZERO, OUTCOME_DONE, 2, 0 },
		{ CELL_ZERO, OUTCOME_FAILED, 1, 0 },
		{ CELL_ZERO, OUTCOME_MAYBE, 1, CELL_MAYBE | CELL_MIXED | CELL_MAYBE_ZERO },
		{ CELL_CUT, OUTCOME_FAILED, 1, 0 },
		{ CELL_CUT, OUTCOME_MAYBE, 1, CELL_MAYBE | CELL_MIXED | CELL_MAYBE_ZERO },
		{ CELL_MOVED, OUTCOME_FAILED, 1, 0 },
		{ CELL_MOVED, OUTCOME_MAYBE, 1, CELL_MAYBE | CELL_MIXED | CELL_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct shadow_fixture x;
		struct cell_view v;

		fixture_make(&x, false);
		shadow_begin(&x.sh, x.f, 0, 1, WRITER, CELL_STAMP, 0);
		shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);
		shadow_begin(&x.sh, x.f, 0, 1, OTHER, rows[i].kind, 0);
		shadow_settle(&x.sh, x.f, 0, 1, rows[i].how, false);
		v = view(&x, 0);
		assert_int_equal(CELL_GEN(v.settled), rows[i].settled);
		assert_int_equal(CELL_KIND(v.settled),
				 rows[i].settled == 2 ? rows[i].kind : CELL_STAMP);
		assert_int_equal(CELL_WHO(v.settled), rows[i].settled == 2 ? OTHER : WRITER);
		assert_true((v.flight & all) == rows[i].flags);
		assert_int_equal(CELL_GEN(v.flight), 2);
		assert_int_equal(CELL_WHO(v.flight), 0);
		/* doubts outlive what certainly failed, and end with what certainly is stored */
		shadow_begin(&x.sh, x.f, 0, 1, OTHER, CELL_STAMP, 0);
		assert_true((view(&x, 0).flight & CELL_DOUBTS) == rows[i].flags);
		shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_FAILED, false);
		assert_true((view(&x, 0).flight & all) == rows[i].flags);
		shadow_begin(&x.sh, x.f, 0, 1, OTHER, CELL_STAMP, 0);
		shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);
		assert_true((view(&x, 0).flight & all) == 0);
		assert_int_equal(CELL_GEN(view(&x, 0).settled), 4);
		fixture_free(&x);
	}
}

/* One operation on cell 0, to be killed after each of its instructions. */
struct victim {
	struct shadow_fixture *x;
	enum { DO_STAMP, DO_CUT, DO_MOVE, DO_SIZE } what;
	struct shadow_cell last;
	u64 states;
};

static void operate(void *arg)
{
	struct victim *v = arg;
	struct shadow_fixture *x = v->x;

	switch (v->what) {
	case DO_STAMP:
		shadow_begin(&x->sh, x->f, 0, 1, OTHER, CELL_STAMP, 0);
		shadow_settle(&x->sh, x->f, 0, 1, OUTCOME_DONE, false);
		break;
	case DO_CUT:
		shadow_begin(&x->sh, x->f, 0, 1, OTHER, CELL_CUT, 0);
		shadow_settle_as(&x->sh, x->f, 0, CELL_CUT, WRITER, CUT(1, 104, 512));
		break;
	case DO_MOVE:
		shadow_begin(&x->sh, x->f, 0, 1, OTHER, CELL_MOVED, 0);
		shadow_settle_as(&x->sh, x->f, 0, CELL_MOVED, WRITER, ORIGIN(1, 5, 7));
		break;
	case DO_SIZE:
		size_lock(x->f, OTHER, 0);
		size_begin(x->f, 8192);
		size_end(x->f, 8192);
		size_unlock(x->f);
		break;
	}
}

static bool legal_now(struct shadow_fixture *x, const u8 *bytes)
{
	struct cell_view v = view(x, 0);
	struct verdict verdict;

	return verify_cell(&x->sh, x->f, 0, bytes, 0, FIX_CELL, v, &verdict) != JUDGED_WRONG;
}

static void bytes_after(const struct victim *v, u8 *bytes)
{
	struct stamp id = { .run = FIX_RUN, .gen = 2, .writer = OTHER };

	if (v->what == DO_CUT)
		id.gen = 1, id.writer = WRITER;
	if (v->what == DO_MOVE)
		id.gen = 7, id.file = 1, id.cell = 5, id.writer = WRITER;
	stamp_fill(bytes, FIX_CELL, &id);
	if (v->what == DO_CUT)
		memset(bytes + 104, 0, FIX_CELL - 104);
}

/* Bury the cell as it is now, on a copy: both what was and what came is legal while it is open. */
static void bury_here(void *arg)
{
	struct victim *v = arg;
	struct shadow_cell *c = shadow_cell(&v->x->sh, v->x->f, 0), saved;
	struct stamp was = { .run = FIX_RUN, .gen = 1, .writer = WRITER };
	u8 bytes[FIX_CELL];
	struct cell_view now;

	if (!memcmp(c, &v->last, sizeof(saved)))
		return;
	v->states++;
	memcpy(&saved, c, sizeof(saved));
	bytes_after(v, bytes);
	if (CELL_GEN(saved.flight) > 1)
		assert_true(legal_now(v->x, bytes)); /* before the burial: nobody hangs */
	shadow_bury(&v->x->sh, OTHER);
	now = view(v->x, 0);
	assert_int_equal(CELL_WHO(now.flight), 0);
	assert_false(now.flight & CELL_PENDING);
	assert_false(atomic_load(&c->settled) & CELL_UPDATING);
	if (CELL_GEN(now.flight) > 1)
		assert_true(legal_now(v->x, bytes));
	if (CELL_GEN(now.settled) > 1)
		assert_true((now.flight & CELL_DOUBTS) == 0); /* it was done: no doubt is left */
	stamp_fill(bytes, FIX_CELL, &was);
	assert_int_equal(legal_now(v->x, bytes), CELL_GEN(now.settled) == 1);
	memcpy(c, &saved, sizeof(saved));
	memcpy(&v->last, &saved, sizeof(saved));
}

static void buried_at_every_instruction(void **state)
{
	(void)state;
	for (int what = DO_STAMP; what <= DO_MOVE; what++) {
		struct shadow_fixture x;
		struct victim v = { .x = &x, .what = what };

		fixture_make(&x, false);
		shadow_begin(&x.sh, x.f, 0, 1, WRITER, CELL_STAMP, 0);
		shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);
		assert_true(each_step(operate, bury_here, &v) > 0);
		/* leased, settled, released; through `as` also updating and origin */
		assert_true(v.states >= (what == DO_STAMP ? 4 : 6));
		assert_int_equal(CELL_GEN(view(&x, 0).settled), 2);
		fixture_free(&x);
	}
}

/* A reader that saw 4096 before, and that sees the size now or the one to come, is never wrong. */
static void size_here(void *arg)
{
	struct victim *v = arg;
	struct shadow_file *f = v->x->f, saved;
	struct size_view now = size_view(f);
	u64 lo, hi;

	memcpy(&saved, f, sizeof(saved));
	assert_true(now.lo <= now.hi && now.lo >= 4096 && now.hi <= 8192);
	if (now.seq & 1)
		assert_true(now.lo == 4096 && now.hi == 8192);
	if (size_bounds((struct size_view){ 4096, 4096, 0 }, now, &lo, &hi))
		assert_true(lo == 4096);
	v->states |= 1ULL << now.seq;
	shadow_bury(&v->x->sh, OTHER);
	assert_int_equal(atomic_load(&f->size_owner), 0);
	now = size_view(f);
	assert_false(now.seq & 1);
	assert_true(saved.size_seq == 0 || now.hi == 8192);
	memcpy(f, &saved, sizeof(saved));
}

static void size_windows(void **state)
{
	struct shadow_fixture x;
	struct victim v = { .x = &x, .what = DO_SIZE };
	struct size_view a, b;
	u64 lo, hi;

	(void)state;
	fixture_make(&x, false);
	size_begin(x.f, 4096);
	size_end(x.f, 4096);
	atomic_store(&x.f->size_seq, 0);
	assert_true(each_step(operate, size_here, &v) > 0);
	assert_int_equal(v.states, 7); /* before, during, after */

	a = size_view(x.f);
	size_begin(x.f, 1000);
	b = size_view(x.f);
	assert_true(size_bounds(a, b, &lo, &hi) && lo == 1000 && hi == 8192);
	assert_int_equal(size_now(x.f), 1000);
	size_end(x.f, 1000);
	assert_true(size_bounds(b, size_view(x.f), &lo, &hi) && lo == 1000 && hi == 8192);
	assert_false(size_bounds(a, size_view(x.f), &lo, &hi)); /* what was between is hidden */
	a = size_view(x.f);
	assert_true(size_bounds(a, a, &lo, &hi) && lo == 1000 && hi == 1000);
	size_begin(x.f, 3000);
	size_doubt(x.f);
	a = size_view(x.f);
	assert_true(size_bounds(a, a, &lo, &hi) && lo == 1000 && hi == 3000);
	assert_true(size_lock(x.f, WRITER, 0));
	assert_false(size_lock(x.f, OTHER, 1 * MS));
	size_unlock(x.f);
	assert_true(size_lock(x.f, OTHER, 0));
	fixture_free(&x);
}

/* Whoever comes may take it, until somebody has waited for too long. Then that one may, alone; also
 * when it gave up in between and comes again; and nobody waits for who is dead. */
static void who_waits_for_too_long_is_next(void **state)
{
	struct shadow_fixture x;
	u64 hour_ago = now_ns() - MIN(now_ns() / 2, 3600 * NSEC_PER_SEC);

	(void)state;
	fixture_make(&x, false);
	/* gave up, and does something else: in nobody's way */
	atomic_store(&x.f->size_wanted[WRITER], hour_ago & ~SIZE_WAITING);
	assert_true(size_lock(x.f, OTHER, 0));
	/* comes again, in vain, and keeps its place */
	assert_false(size_lock(x.f, WRITER, 0));
	assert_true(atomic_load(&x.f->size_wanted[WRITER]) == (hour_ago & ~SIZE_WAITING));
	size_unlock(x.f);
	/* waits: nobody else gets it, however long it asks */
	atomic_store(&x.f->size_wanted[WRITER], hour_ago | SIZE_WAITING);
	assert_false(size_lock(x.f, OTHER, 1 * MS));
	assert_true(size_lock(x.f, WRITER, 0));
	assert_true(atomic_load(&x.f->size_wanted[WRITER]) == 0);
	size_unlock(x.f);
	/* of two the one that began first, and the other one then */
	atomic_store(&x.f->size_wanted[WRITER], hour_ago | SIZE_WAITING);
	atomic_store(&x.f->size_wanted[OTHER], (hour_ago + 2 * MS) | SIZE_WAITING);
	assert_false(size_lock(x.f, OTHER, 0));
	assert_true(size_lock(x.f, WRITER, 0));
	size_unlock(x.f);
	assert_true(size_lock(x.f, OTHER, 0));
	size_unlock(x.f);
	/* killed while it waits */
	atomic_store(&x.f->size_wanted[WRITER], hour_ago | SIZE_WAITING);
	assert_false(size_lock(x.f, OTHER, 0));
	shadow_bury(&x.sh, WRITER);
	assert_true(size_lock(x.f, OTHER, 0));
	size_unlock(x.f);
	fixture_free(&x);
}

static void write_cell(struct shadow_fixture *x, bool durable)
{
	assert_int_equal(shadow_begin(&x->sh, x->f, 0, 1, WRITER, CELL_STAMP, 0), 1);
	shadow_settle(&x->sh, x->f, 0, 1, OUTCOME_DONE, durable);
}

static void durable_is_what_a_sync_covered(void **state)
{
	struct shadow_fixture x;
	struct shadow_cell *c;
	u32 early, late;

	(void)state;
	fixture_make(&x, false);
	c = shadow_cell(&x.sh, x.f, 0);
	write_cell(&x, false); /* 1 */
	early = sync_begin(x.f);
	write_cell(&x, false); /* 2: after the start of the sync */
	assert_int_equal(c->durable, 0);
	sync_commit(x.f, early);
	write_cell(&x, false); /* 3: the sync covered 1, which is gone from the shadow */
	assert_int_equal(c->durable, 0);
	late = sync_begin(x.f);
	assert_int_equal(shadow_begin(&x.sh, x.f, 0, 1, WRITER, CELL_STAMP, 0), 1);
	sync_commit(x.f, late); /* ends while 4 is under way */
	sync_commit(x.f, early);
	assert_int_equal(atomic_load(&x.f->durable_epoch), late);
	shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);
	assert_int_equal(c->durable, 3);
	write_cell(&x, true); /* O_DSYNC */
	assert_int_equal(c->durable, 5);
	sync_begin(x.f); /* fails: no commit */
	write_cell(&x, false);
	assert_int_equal(c->durable, 5);
	fixture_free(&x);
}

/* Oldest legal generation after each step, on a file that writers share. */
static void shared_cells_keep_a_set(void **state)
{
	static const struct {
		char what; /* Begin, Done, Failed, Maybe */
		u32 settled, writers, last;
	} rows[] = {
		{ 'B', 0, 1, 1 }, { 'D', 1, 0, 1 },		      /* alone */
		{ 'B', 1, 1, 2 }, { 'B', 1, 2, 3 }, { 'D', 2, 1, 3 }, /* two: either may be last */
		{ 'B', 2, 2, 4 }, { 'D', 2, 1, 4 }, { 'D', 2, 0, 4 }, /* a chain keeps the first */
		{ 'B', 2, 1, 5 }, { 'F', 2, 0, 5 }, /* a failure settles nothing */
		{ 'B', 2, 1, 6 }, { 'M', 2, 0, 6 }, { 'B', 2, 1, 7 }, { 'D', 7, 0, 7 },
		{ 'B', 7, 1, 8 }, { 'B', 7, 2, 9 }, { 'F', 7, 1, 9 }, { 'D', 8, 0, 9 },
	};
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, true);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].what == 'B')
			assert_int_equal(
				shadow_begin(&x.sh, x.f, 0, 1, (u16)(2 + i % 3), CELL_STAMP, 0), 1);
		else
			shadow_settle(&x.sh, x.f, 0, 1,
				      rows[i].what == 'D'   ? OUTCOME_DONE
				      : rows[i].what == 'F' ? OUTCOME_FAILED
							    : OUTCOME_MAYBE,
				      false);
		assert_int_equal(CELL_GEN(view(&x, 0).settled), rows[i].settled);
		assert_int_equal(CELL_WHO(view(&x, 0).flight), rows[i].writers);
		assert_int_equal(CELL_GEN(view(&x, 0).flight), rows[i].last);
		assert_int_equal(!!(view(&x, 0).flight & CELL_PENDING), rows[i].writers > 0);
	}
	/* an overlap too long to be counted settles nothing, rather than something wrong */
	for (u32 i = 0; i < 5000; i++) {
		shadow_begin(&x.sh, x.f, 0, 1, 2, CELL_STAMP, 0);
		if (i)
			shadow_settle(&x.sh, x.f, 0, 1, OUTCOME_DONE, false);
	}
	assert_true(CELL_GEN(view(&x, 0).settled) <= 10);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_has_one_holder),
		cmocka_unit_test(who_waits_gets_it),
		cmocka_unit_test(outcomes),
		cmocka_unit_test(buried_at_every_instruction),
		cmocka_unit_test(size_windows),
		cmocka_unit_test(who_waits_for_too_long_is_next),
		cmocka_unit_test(durable_is_what_a_sync_covered),
		cmocka_unit_test(shared_cells_keep_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
