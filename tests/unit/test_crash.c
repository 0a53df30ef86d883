// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules for after a crash, one by one: what happened to a cell as a script, and below it what
 * the device may hold and what it may not. Sizes and syncs of a file likewise.
 */
#include "shadow_fixture.h"

#include "verify.h"

#include <string.h>

#define CELL	4
#define OTHER	9
#define WRITER	2
#define CUT_AT	100
#define CUT_END 300

/*
 * Script: w write, d O_DSYNC write, z zero, c cut, m move from OTHER, h move of a hole, f failed
 * write, y write of uncertain outcome, p write that is pending; S sync, [ sync begins, ] it
 * succeeds, ! it fails and says so. Contents: 1 to 9 a generation, 0 zeros, a generation 3 of OTHER,
 * x words of the last two generations, k generation 1 cut, g garbage, P prefill, R another run's.
 */
static const struct {
	const char *why, *script, *legal, *open, *wrong;
} rows[] = {
	{ "never written", "", "0", "", "12aPR" },
	{ "never synced", "www", "0123x", "", "4aPR" },
	{ "synced", "wwS", "2", "", "0134xagPR" },
	{ "written since", "wwSww", "234x", "", "015agPR" },
	{ "in flight since", "wwSp", "23x", "", "014aPR" },
	{ "failed since", "wwSf", "2", "", "013aPR" },
	{ "uncertain since", "wwSyw", "234x", "", "015aPR" },
	{ "a sync in flight", "ww[w", "0123x", "", "4PR" },
	{ "written during a sync, which is then not counted", "w[w]", "012x", "", "3PR" },
	{ "O_DSYNC", "wd", "2", "", "013xPR" },
	{ "written after O_DSYNC", "wdw", "23x", "", "014PR" },
	{ "zeroed and synced", "wzS", "0", "", "123xPR" },
	{ "zeroed since", "wSz", "01", "", "3aPR" },
	{ "zeroed and written since", "wSzw", "013", "", "4aPR" },
	{ "zeroed, synced, written", "wzSw", "03", "", "14PR" },
	{ "uncertain zeros, then written", "wSuw", "013", "", "4PR" },
	{ "moved and synced", "wmS", "a", "", "012PR" },
	{ "moved since", "wSm", "1a0", "g", "PR" },
	{ "moved, written, synced", "wmwS", "3", "", "01aPR" },
	{ "moved and written since", "wSmw", "13a0", "", "PR" },
	{ "a hole moved here and synced", "zhS", "0", "", "1aPR" },
	{ "a hole moved here since", "zSh", "0a", "g", "PR" },
	{ "a hole moved here since, then written", "zShw", "03a", "", "PR" },
	{ "a hole moved here, written, synced", "zhwS", "3", "", "0aPR" },
	{ "cut and synced", "wcS", "k", "", "01x3PR" },
	{ "cut since", "wSc", "1k0", "", "3PR" },
	{ "cut, synced, written", "wcSw", "30", "k", "1PR" },
	{ "an error that was told", "ww!S", "012x", "", "3PR" },
	{ "written after such an error, synced", "w!wS", "2", "", "013PR" },
	{ "written, after such an error and a good sync", "w!Sw", "012x", "", "3PR" },
};

static void stamp(u8 *dst, u64 run, u64 cell, u32 gen)
{
	struct stamp id = { .run = run, .gen = gen, .writer = WRITER, .cell = cell };

	stamp_fill(dst, FIX_CELL, &id);
}

static void content(struct shadow_fixture *x, char c, u8 *dst)
{
	u32 last = CELL_GEN(atomic_load(&shadow_cell(&x->sh, x->f, CELL)->flight));
	u8 other[FIX_CELL];

	memset(dst, 0, FIX_CELL);
	if (c >= '1' && c <= '9')
		stamp(dst, FIX_RUN, CELL, (u32)(c - '0'));
	else if (c == 'a')
		stamp(dst, FIX_RUN, OTHER, 3);
	else if (c == 'R')
		stamp(dst, FIX_RUN + 1, CELL, 1);
	else if (c == 'g')
		memset(dst, 0xa5, FIX_CELL);
	else if (c == 'P')
		prefill_fill(dst, FIX_CELL, 1 << 20);
	if (c == 'k' || c == 'x')
		stamp(dst, FIX_RUN, CELL, c == 'k' ? 1 : last - 1);
	if (c == 'k')
		memset(dst + CUT_AT, 0, CUT_END - CUT_AT);
	if (c == 'x') {
		stamp(other, FIX_RUN, CELL, last);
		memcpy(dst + 130, other + 130, FIX_CELL - 130);
	}
}

static void begin(struct shadow_fixture *x, enum cell_kind kind)
{
	assert_int_equal(shadow_begin(&x->sh, x->f, CELL, 1, WRITER, kind, 0), 1);
}

static void settle(struct shadow_fixture *x, enum outcome how, bool durable)
{
	shadow_settle(&x->sh, x->f, CELL, 1, how, durable);
}

static u32 syncing;

static void step(struct shadow_fixture *x, char c)
{
	switch (c) {
	case 'S':
		sync_commit(x->f, sync_begin(x->f));
		return;
	case '[':
		syncing = sync_begin(x->f);
		return;
	case ']':
		sync_commit(x->f, syncing);
		return;
	case '!':
		sync_begin(x->f);
		sync_failed(x->f);
		return;
	}
	begin(x, c == 'z' || c == 'u'	? CELL_ZERO
		 : c == 'c'		? CELL_CUT
		 : c == 'm' || c == 'h' ? CELL_MOVED
					: CELL_STAMP);
	if (c == 'w' || c == 'd' || c == 'z')
		settle(x, OUTCOME_DONE, c == 'd');
	else if (c == 'f')
		settle(x, OUTCOME_FAILED, false);
	else if (c == 'y' || c == 'u')
		settle(x, OUTCOME_MAYBE, false);
	else if (c == 'c')
		shadow_settle_as(&x->sh, x->f, CELL, CELL_CUT, WRITER, CUT(1, CUT_AT, CUT_END));
	else if (c == 'm')
		shadow_settle_as(&x->sh, x->f, CELL, CELL_MOVED, WRITER, ORIGIN(0, OTHER, 3));
	else if (c == 'h')
		shadow_settle_as(&x->sh, x->f, CELL, CELL_ZERO, WRITER, 0);
}

static void play(struct shadow_fixture *x, const char *script)
{
	for (; *script; script++)
		step(x, *script);
	shadow_bury(&x->sh, WRITER);
	x->sh.crashed = true;
}

static enum judgement judge(struct shadow_fixture *x, char c, struct verdict *ret)
{
	u8 bytes[FIX_CELL];

	content(x, c, bytes);
	return verify_cell(&x->sh, x->f, CELL, bytes, 0, FIX_CELL,
			   shadow_view(shadow_cell(&x->sh, x->f, CELL)), ret);
}

static void expect(struct shadow_fixture *x, size_t row, const char *contents, enum judgement want)
{
	struct verdict v;

	for (; *contents; contents++)
		if (judge(x, *contents, &v) != want)
			fail_msg("%s (%s): %c is judged %d, not %d", rows[row].why,
				 rows[row].script, *contents, judge(x, *contents, &v), want);
}

static void rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct shadow_fixture x;

		fixture_make(&x, false);
		x.f->reshaped = true; /* the rule must not need it to be false */
		play(&x, rows[i].script);
		expect(&x, i, rows[i].legal, JUDGED_LEGAL);
		expect(&x, i, rows[i].open, JUDGED_OPEN);
		expect(&x, i, rows[i].wrong, JUDGED_WRONG);
		fixture_free(&x);
	}
}

static void names(void **state)
{
	static const struct {
		const char *script;
		char content;
		int kind;
	} named[] = {
		{ "wwS", '1', FINDING_NOT_DURABLE },	{ "wwS", '0', FINDING_NOT_DURABLE },
		{ "wzS", '1', FINDING_NOT_DURABLE },	{ "wwS", 'x', FINDING_NOT_DURABLE },
		{ "wwS", 'P', FINDING_STALE_EXPOSURE }, { "wwS", 'R', FINDING_STALE_EXPOSURE },
		{ "www", 'P', FINDING_STALE_EXPOSURE }, { "www", 'a', FINDING_MISPLACED },
		{ "wwS", 'a', FINDING_MISPLACED },	{ "wwSf", '3', FINDING_PHANTOM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		struct shadow_fixture x;
		struct verdict v;

		fixture_make(&x, false);
		play(&x, named[i].script);
		assert_int_equal(judge(&x, named[i].content, &v), JUDGED_WRONG);
		assert_int_equal(v.kind, named[i].kind);
		fixture_free(&x);
	}
}

/* data=writeback: old blocks may show where nothing was synced, and only there. */
static void old_blocks_may_show(void **state)
{
	struct shadow_fixture x;
	struct verdict v;

	(void)state;
	fixture_make(&x, false);
	play(&x, "ww");
	x.sh.stale_ok = true;
	assert_int_equal(judge(&x, 'P', &v), JUDGED_OPEN);
	sync_commit(x.f, sync_begin(x.f));
	assert_int_equal(judge(&x, 'P', &v), JUDGED_WRONG);
	fixture_free(&x);
}

static void shared_cells_promise_little(void **state)
{
	struct shadow_fixture x;
	struct verdict v;

	(void)state;
	fixture_make(&x, true);
	play(&x, "wwwS");
	assert_int_equal(judge(&x, '1', &v), JUDGED_LEGAL);
	assert_int_equal(judge(&x, '3', &v), JUDGED_LEGAL);
	assert_int_equal(judge(&x, '0', &v), JUDGED_LEGAL);
	assert_int_equal(judge(&x, '4', &v), JUDGED_WRONG);
	assert_int_equal(judge(&x, 'P', &v), JUDGED_WRONG);
	fixture_free(&x);
}

static void resize(struct shadow_file *f, u64 to)
{
	size_begin(f, to);
	size_end(f, to);
}

static void assert_window(const struct shadow_file *f, u64 lo, u64 hi)
{
	assert_int_equal(atomic_load(&f->unsynced.lo), lo);
	assert_int_equal(atomic_load(&f->unsynced.hi), hi);
}

static void sizes(void **state)
{
	struct shadow_fixture x;
	u32 a, b;

	(void)state;
	fixture_make(&x, false);
	resize(x.f, 4000);
	assert_window(x.f, 0, 4000);
	sync_commit(x.f, sync_begin(x.f));
	assert_window(x.f, 4000, 4000);
	resize(x.f, 1000);
	resize(x.f, 2000);
	assert_window(x.f, 1000, 4000);
	/* A change that overlaps the sync may be in it or not. */
	size_begin(x.f, 3000);
	a = sync_begin(x.f);
	size_end(x.f, 3000);
	sync_commit(x.f, a);
	assert_window(x.f, 2000, 3000);
	a = sync_begin(x.f);
	resize(x.f, 500);
	sync_commit(x.f, a);
	assert_window(x.f, 500, 3000);
	/* Of two, the first is followed. */
	a = sync_begin(x.f);
	resize(x.f, 600);
	b = sync_begin(x.f);
	sync_commit(x.f, b);
	assert_window(x.f, 500, 3000);
	sync_commit(x.f, a);
	assert_window(x.f, 500, 600);
	resize(x.f, 700);
	size_durable(x.f);
	assert_window(x.f, 700, 700);
	fixture_free(&x);
}

/* A sync whose process was killed must not be the last that counts. */
static void dead_syncs_are_forgotten(void **state)
{
	struct shadow_fixture x;

	(void)state;
	fixture_make(&x, false);
	sync_begin(x.f);
	resize(x.f, 4000);
	for (int i = 0; i < 40; i++)
		sync_commit(x.f, sync_begin(x.f));
	assert_window(x.f, 4000, 4000);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(names),
		cmocka_unit_test(old_blocks_may_show),
		cmocka_unit_test(shared_cells_promise_little),
		cmocka_unit_test(sizes),
		cmocka_unit_test(dead_syncs_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
