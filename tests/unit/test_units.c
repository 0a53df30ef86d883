// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes, times and ranges: what is read, what is refused, and that writing is exact. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/units.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int ret;
		u64 value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "64K", 0, 65536 },
		{ "16M", 0, 16 * MIB },
		{ "1T", 0, 1024 * GIB },
		{ "", -EINVAL, 0 },
		{ "K", -EINVAL, 0 },
		{ "1k", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1 K", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "18446744073709551615", 0, ~0ULL },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999T", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 v = 0;

		assert_int_equal(parse_size(rows[i].text, &v), rows[i].ret);
		if (rows[i].ret == 0)
			assert_true(v == rows[i].value);
	}
}

static void times(void **state)
{
	u64 v;

	(void)state;
	assert_int_equal(parse_time("200us", &v), 0);
	assert_true(v == 200000);
	assert_int_equal(parse_time("2h", &v), 0);
	assert_true(v == 7200 * NSEC_PER_SEC);
	assert_int_equal(parse_time("0", &v), 0);
	assert_int_equal(parse_time("5", &v), -EINVAL);
	assert_int_equal(parse_time("5msec", &v), -EINVAL);
}

static void ranges(void **state)
{
	struct range r;

	(void)state;
	assert_int_equal(parse_range("0..200us", parse_time, &r), 0);
	assert_true(r.lo == 0 && r.hi == 200000);
	assert_int_equal(parse_range("4K", parse_size, &r), 0);
	assert_true(r.lo == 4096 && r.hi == 4096);
	assert_int_equal(parse_range("2..1", parse_size, &r), -EINVAL);
	assert_int_equal(parse_range("..", parse_size, &r), -EINVAL);
	assert_int_equal(parse_range("1..", parse_size, &r), -EINVAL);
	assert_int_equal(parse_range("11111111111111111111111111111111111111..2", parse_size, &r),
			 -EINVAL);
}

static void formats(void **state)
{
	char buf[UNITS_MAX];

	(void)state;
	assert_string_equal(format_size(buf, 65536), "64K");
	assert_string_equal(format_size(buf, 1000), "1000");
	assert_string_equal(format_size(buf, 0), "0");
	assert_string_equal(format_time(buf, 1500000), "1500us");
	assert_string_equal(format_time(buf, 60 * NSEC_PER_SEC), "1m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(ranges),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
