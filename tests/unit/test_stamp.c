// SPDX-License-Identifier: GPL-2.0-or-later
/* Stamps: every bit of a cell counts, every field of its identity shows, prefill names its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "stamp.h"

static const struct stamp id = {
	.run = 0x1122334455667788, .gen = 31, .file = 2, .writer = 7, .cell = 812
};

static void every_bit_counts(void **state)
{
	_Alignas(64) u8 cell[CELL_MAX];
	struct stamp got;

	(void)state;
	for (size_t len = CELL_MIN; len <= CELL_MAX; len *= 2) {
		stamp_fill(cell, len, &id);
		assert_true(stamp_equal(cell, len, &id));
		assert_true(stamp_intact(cell, len, &got));
		assert_memory_equal(&got, &id, sizeof(id));
		for (size_t bit = 0; bit < len * 8; bit++) {
			cell[bit / 8] ^= (u8)(1 << bit % 8);
			assert_false(stamp_equal(cell, len, &id));
			assert_false(stamp_intact(cell, len, &got));
			cell[bit / 8] ^= (u8)(1 << bit % 8);
		}
	}
}

/* Cells are filled on one machine and read on another: both ways of computing must be one. */
static void narrow_and_wide_agree(void **state)
{
	_Alignas(64) u8 narrow[CELL_MAX], wide[CELL_MAX + 64];

	(void)state;
	if (!stamp_use_wide(true))
		skip();
	for (size_t len = CELL_MIN; len <= CELL_MAX; len += CELL_MIN) {
		u8 *at = wide + len / 8 % 64; /* words are aligned, cells need not be */

		stamp_fill(at, len, &id);
		stamp_use_wide(false);
		stamp_fill(narrow, len, &id);
		assert_memory_equal(narrow, at, len);
		assert_true(stamp_equal(at, len, &id));
		stamp_use_wide(true);
	}
}

/* The machine's own way was looked at above; any machine has the narrow one. */
static void every_bit_counts_narrow(void **state)
{
	stamp_use_wide(false);
	every_bit_counts(state);
	stamp_use_wide(true);
}

static void every_field_counts(void **state)
{
	const struct stamp others[] = {
		{ id.run + 1, id.gen, id.file, id.writer, id.cell },
		{ id.run, id.gen + 1, id.file, id.writer, id.cell },
		{ id.run, id.gen, (u16)(id.file + 1), id.writer, id.cell },
		{ id.run, id.gen, id.file, (u16)(id.writer + 1), id.cell },
		{ id.run, id.gen, id.file, id.writer, id.cell + 1 },
	};
	u64 a[64], b[64];

	(void)state;
	stamp_fill(a, sizeof(a), &id);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_false(stamp_equal(a, sizeof(a), &others[i]));
		stamp_fill(b, sizeof(b), &others[i]);
		/* any word past the header alone tells two stamps apart */
		for (size_t w = 4; w < ARRAY_SIZE(a); w++)
			assert_true(a[w] != b[w]);
	}
}

static void zeros_are_no_stamp(void **state)
{
	u8 buf[512] = { 0 };
	struct stamp got;

	(void)state;
	assert_false(stamp_intact(buf, sizeof(buf), &got));
	for (size_t len = 0; len <= sizeof(buf); len++)
		assert_true(bytes_zero(buf, len));
	for (size_t i = 0; i < sizeof(buf); i++) {
		buf[i] = 1;
		assert_false(bytes_zero(buf, sizeof(buf)));
		assert_true(bytes_zero(buf, i));
		buf[i] = 0;
	}
}

static void prefill_names_its_place(void **state)
{
	u8 buf[4096];
	u64 where = 0;

	(void)state;
	prefill_fill(buf, sizeof(buf), 1 << 20);
	assert_true(prefill_found(buf, sizeof(buf), &where));
	assert_true(where == 1 << 20);
	memset(buf, 0, 1024 + 1); /* the line at 1024 is broken as well */
	assert_true(prefill_found(buf, sizeof(buf), &where));
	assert_true(where == (1 << 20) + 1024 + 64);
	stamp_fill(buf, sizeof(buf), &id);
	assert_false(prefill_found(buf, sizeof(buf), &where));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_counts),	 cmocka_unit_test(every_bit_counts_narrow),
		cmocka_unit_test(narrow_and_wide_agree), cmocka_unit_test(every_field_counts),
		cmocka_unit_test(zeros_are_no_stamp),	 cmocka_unit_test(prefill_names_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
