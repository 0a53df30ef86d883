// SPDX-License-Identifier: GPL-2.0-or-later
/* When faults are armed: "after", "for" and "every". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "faults/schedule.h"

#define MS NSEC_PER_MSEC

static void once(void **state)
{
	const struct sc_fault f = { .after_ns = 10 * MS };

	(void)state;
	assert_int_equal(schedule_arm(&f, 0, false), 10 * MS);
	/* late: at once, and not again */
	assert_int_equal(schedule_arm(&f, 25 * MS, false), 10 * MS);
	assert_true(schedule_arm(&f, 25 * MS, true) == SCHEDULE_NEVER);
	assert_true(schedule_disarm(&f, 10 * MS) == SCHEDULE_NEVER);
}

static void again(void **state)
{
	const struct sc_fault f = { .after_ns = 10 * MS, .for_ns = 5 * MS, .every_ns = 20 * MS };

	(void)state;
	assert_int_equal(schedule_arm(&f, 0, false), 10 * MS);
	assert_int_equal(schedule_arm(&f, 10 * MS + 1, true), 30 * MS);
	assert_int_equal(schedule_arm(&f, 30 * MS, true), 30 * MS);
	assert_int_equal(schedule_disarm(&f, 30 * MS), 35 * MS);
	/* what was missed is left out */
	assert_int_equal(schedule_arm(&f, 95 * MS, true), 110 * MS);
}

static void from_the_start(void **state)
{
	const struct sc_fault f = { .for_ns = MS, .every_ns = 20 * MS };

	(void)state;
	assert_int_equal(schedule_arm(&f, 0, false), 0);
	assert_int_equal(schedule_arm(&f, 1, true), 20 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(again),
		cmocka_unit_test(from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
