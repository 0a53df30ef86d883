// SPDX-License-Identifier: GPL-2.0-or-later
/* Links from a page: relative below it, absolute elsewhere, and nothing in a name is more than
 * that. */
#include "report_sample.h"

#include "report/link.h"

static void assert_link(const char *from, const char *dir, const char *want)
{
	char *link = report_link(from, dir, "report.html");

	if (want)
		assert_string_equal(link, want);
	else
		assert_null(link);
	free(link);
}

static void below_a_page_links_are_relative(void **state)
{
	(void)state;
	assert_link("/n/a", "/n/a/cells/1", "cells/1/report.html");
	assert_link("/n/a/", "/n/a/cells/1/", "cells/1/report.html");
	assert_link("/n/a", "/n/a", "report.html");
	assert_link("/", "/n/a", "n/a/report.html");
}

static void elsewhere_they_are_absolute(void **state)
{
	(void)state;
	assert_link("/n/a", "/n/ab/1", "/n/ab/1/report.html");
	assert_link("/n/a", "/n", "/n/report.html");
	assert_link("/n/a", "/", "/report.html");
}

static void names_are_names_only(void **state)
{
	(void)state;
	assert_link("/n", "/n/a b\"'<c>?#%&", "a%20b%22%27%3Cc%3E%3F%23%25%26/report.html");
	assert_link("/n", "/n/javascript:x", "javascript%3Ax/report.html");
	assert_link("/n", "/n/\xc3\xa9\n\x01", "%C3%A9%0A%01/report.html");
	/* Two slashes would be a host. */
	assert_link("/n", "//host/x", "/host/x/report.html");
	assert_link("/n", "/n//host/x", "host/x/report.html");
	assert_link("/", "//host/x", "host/x/report.html");
	assert_link("/n", "javascript:x", NULL);
	assert_link("/n", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(below_a_page_links_are_relative),
		cmocka_unit_test(elsewhere_they_are_absolute),
		cmocka_unit_test(names_are_names_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
