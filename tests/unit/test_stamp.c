// SPDX-License-Identifier: GPL-2.0-or-later
/* Stamps: every bit of a cell counts, every field of its identity shows, prefill names its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "stamp.h"

static const struct stamp id = { .run = 0x1122334455667788, .gen = 31, .file = 2, .writer = 7,
				 .cell = 812 };

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
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_field_counts),
		cmocka_unit_test(zeros_are_no_stamp),
		cmocka_unit_test(prefill_names_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
