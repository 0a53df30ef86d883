// SPDX-License-Identifier: GPL-2.0-or-later
/* Taint bits in words, and where debugfs is mounted. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "klog/internal.h"

static void taint(void **state)
{
	char buf[512];

	(void)state;
	klog_taint_text(0, buf, sizeof(buf));
	assert_string_equal(buf, "not tainted");
	klog_taint_text(1 << 9 | 1 << 7, buf, sizeof(buf));
	assert_string_equal(buf, "oops or BUG (D), warning (W)");
	klog_taint_text(1ULL << 40, buf, sizeof(buf));
	assert_string_equal(buf, "bit 40");
	klog_taint_text(~0ULL, buf, 8);
	assert_int_equal(strlen(buf), 7);
	assert_true(klog_taint() >= 0);
}

static void debugfs(void **state)
{
	static const struct {
		const char *text;
		int ret;
		const char *path;
	} rows[] = {
		{ "24 1 0:7 / /sys/kernel/debug rw shared:9 - debugfs debugfs rw\n", 0,
		  "/sys/kernel/debug" },
		{ "24 1 0:7 / /a\\040b rw - debugfs none rw\n", 0, "/a b" },
		{ "24 1 0:7 / /x rw - tmpfs debugfs rw\n", -ENOENT, NULL },
		{ "x - debugfs debugfs rw", -ENOENT, NULL },
		{ "\n", -ENOENT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_fclose_ FILE *f =
			fmemopen((void *)rows[i].text, strlen(rows[i].text), "r");
		char buf[64];

		assert_non_null(f);
		assert_int_equal(find_debugfs(f, buf, sizeof(buf)), rows[i].ret);
		if (rows[i].ret == 0)
			assert_string_equal(buf, rows[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taint),
		cmocka_unit_test(debugfs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
