// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moments of a run: what a device may hold that was cut off between two looks at the shadow, for
 * what was done before the first, between them and after the second. Then sizes likewise.
 */
#include "shadow_fixture.h"

#include "shadow/moment.h"
#include "verify.h"

#include <string.h>

#define CELL   4
#define WRITER 2

/*
 * Script: w a write, p one that is begun and . settled, z zeros, h a hole that is moved here,
 * S a sync, [ one begins and ]
 * succeeds; | the look before, ^ the one after. Contents: a digit is a generation, 0 zeros, x words
 * of generations 1 and 2, a another cell, P prefill.
 */
static const struct {
	const char *why, *script, *legal, *open, *wrong;
} rows[] = {
	{ "synced before", "wwS|^", "2", "", "013xP" },
	{ "synced before, written after", "wwS|^ww", "2", "", "0134xP" },
	{ "synced between: it proves nothing", "ww|S^", "012x", "", "3P" },
	{ "synced after: likewise", "ww|^S", "012x", "", "3P" },
	{ "a sync that ends between", "ww[|]^", "012x", "", "3P" },
	{ "written between", "wS|w^", "12x", "", "03P" },
	{ "begun between", "wS|p^.", "12x", "", "03P" },
	{ "begun before, settled between", "wSp|.^", "12x", "", "03P" },
	{ "begun before, settled after", "wSp|^.", "12x", "", "03P" },
	{ "written twice between", "wS|ww^", "123x", "", "04P" },
	{ "written and synced between", "wS|wS^", "12x", "", "03P" },
	{ "written, synced, written between", "wS|wSw^", "123", "", "04P" },
	{ "zeroed between", "wS|z^", "01", "", "3P" },
	{ "zeroed before", "wSz|^", "01", "", "3P" },
	{ "zeroed and synced before", "wzS|^", "0", "", "123xP" },
	{ "a hole moved here between", "zS|h^", "0a", "", "P" },
	{ "a hole moved here after", "zS|^h", "0", "", "aP" },
	{ "never synced", "ww|ww^w", "01234x", "", "5P" },
	{ "nothing was ever written", "|^w", "0", "", "12P" },
};

static void stamp(u8 *dst, u32 gen)
{
	struct stamp id = { .run = FIX_RUN, .gen = gen, .writer = WRITER, .cell = CELL };

	stamp_fill(dst, FIX_CELL, &id);
}

static void content(char c, u8 *dst)
{
	u8 other[FIX_CELL];

	memset(dst, 0, FIX_CELL);
	if (c == 'P')
		prefill_fill(dst, FIX_CELL, 1 << 20);
	else if (c == 'x')
		stamp(dst, 1);
	else if (c == 'a')
		stamp_fill(dst, FIX_CELL,
			   &(struct stamp){
				   .run = FIX_RUN, .gen = 1, .writer = WRITER, .cell = CELL + 1 });
	else if (c != '0')
		stamp(dst, (u32)(c - '0'));
	if (c != 'x')
		return;
	stamp(other, 2);
	memcpy(dst + 130, other + 130, FIX_CELL - 130);
}

static void begin(struct shadow_fixture *x, enum cell_kind kind)
{
	assert_int_equal(shadow_begin(&x->sh, x->f, CELL, 1, WRITER, kind, 0), 1);
}

static void settle(struct shadow_fixture *x)
{
	shadow_settle(&x->sh, x->f, CELL, 1, OUTCOME_DONE, false);
}

static u32 syncing;

static void step(struct shadow_fixture *x, struct shadow_moment *m, char c)
{
	switch (c) {
	case '|':
		assert_int_equal(moment_before(&x->sh, m), 0);
		break;
	case '^':
		moment_after(&x->sh, m);
		break;
	case 'S':
		sync_commit(x->f, sync_begin(x->f));
		break;
	case '[':
		syncing = sync_begin(x->f);
		break;
	case ']':
		sync_commit(x->f, syncing);
		break;
	case 'p':
		begin(x, CELL_STAMP);
		break;
	case '.':
		settle(x);
		break;
	case 'h':
		begin(x, CELL_MOVED);
		shadow_settle_as(&x->sh, x->f, CELL, CELL_ZERO, WRITER, 0);
		break;
	default:
		begin(x, c == 'z' ? CELL_ZERO : CELL_STAMP);
		settle(x);
	}
}

static void expect(const struct shadow *then, size_t row, const char *contents, enum judgement want)
{
	const struct shadow_file *f = &then->files[0];

	for (; *contents; contents++) {
		u8 bytes[FIX_CELL];
		struct verdict v;
		enum judgement is;

		content(*contents, bytes);
		is = verify_cell(then, f, CELL, bytes, 0, FIX_CELL,
				 shadow_view_begun(then, f, CELL), &v);
		if (is != want)
			fail_msg("%s (%s): %c is judged %d, not %d", rows[row].why,
				 rows[row].script, *contents, is, want);
	}
}

static void cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct shadow_fixture x;
		struct shadow_moment m;
		struct shadow then;

		fixture_make(&x, false);
		for (const char *c = rows[i].script; *c; c++)
			step(&x, &m, *c);
		assert_int_equal(moment_shadow(&x.sh, &m, &m, &then), 0);
		expect(&then, i, rows[i].legal, JUDGED_LEGAL);
		expect(&then, i, rows[i].open, JUDGED_OPEN);
		expect(&then, i, rows[i].wrong, JUDGED_WRONG);
		moment_shadow_free(&then);
		moment_free(&m);
		fixture_free(&x);
	}
}

static void resize(struct shadow_file *f, u64 to)
{
	size_begin(f, to);
	size_end(f, to);
}

/* Sizes set and synced before, between; the window that is left. */
static void sizes(void **state)
{
	static const struct {
		const char *why;
		u64 before[3], between[3];
		bool synced_between, reshaped;
		u64 lo, hi;
	} sizes[] = {
		{ "synced before", { 1000 }, { 0 }, false, false, 1000, 1000 },
		{ "grown between", { 1000 }, { 2000 }, false, false, 1000, 2000 },
		{ "grown and synced between", { 1000 }, { 2000 }, true, false, 1000, 2000 },
		{ "grown twice", { 1000 }, { 2000, 3000 }, true, false, 1000, 3000 },
		{ "cut between", { 3000 }, { 1000 }, true, true, 1000, 3000 },
		{ "up and down", { 1000 }, { 3000, 2000 }, true, true, 0, FIX_CELLS * FIX_CELL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct shadow_fixture x;
		struct shadow_moment m;
		struct shadow then;

		fixture_make(&x, false);
		x.f->reshaped = sizes[i].reshaped;
		for (size_t k = 0; sizes[i].before[k]; k++)
			resize(x.f, sizes[i].before[k]);
		sync_commit(x.f, sync_begin(x.f));
		assert_int_equal(moment_before(&x.sh, &m), 0);
		for (size_t k = 0; sizes[i].between[k]; k++)
			resize(x.f, sizes[i].between[k]);
		if (sizes[i].synced_between)
			sync_commit(x.f, sync_begin(x.f));
		moment_after(&x.sh, &m);
		resize(x.f, 7000);
		assert_int_equal(moment_shadow(&x.sh, &m, &m, &then), 0);
		if (atomic_load(&then.files[0].unsynced.lo) != sizes[i].lo ||
		    atomic_load(&then.files[0].unsynced.hi) != sizes[i].hi)
			fail_msg("%s: %d to %d", sizes[i].why,
				 (int)atomic_load(&then.files[0].unsynced.lo),
				 (int)atomic_load(&then.files[0].unsynced.hi));
		moment_shadow_free(&then);
		moment_free(&m);
		fixture_free(&x);
	}
}

/* Of two moments the first says what is durable, the second what was issued. */
static void between_two(void **state)
{
	struct shadow_moment one, two;
	struct shadow_fixture x;
	struct shadow then;

	(void)state;
	fixture_make(&x, false);
	for (const char *c = "wS|^"; *c; c++)
		step(&x, &one, *c);
	for (const char *c = "wSw|^w"; *c; c++)
		step(&x, &two, *c);
	assert_int_equal(moment_shadow(&x.sh, &one, &two, &then), 0);
	expect(&then, 0, "123", JUDGED_LEGAL);
	expect(&then, 0, "04P", JUDGED_WRONG);
	moment_shadow_free(&then);
	moment_free(&one);
	moment_free(&two);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells),
		cmocka_unit_test(sizes),
		cmocka_unit_test(between_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
