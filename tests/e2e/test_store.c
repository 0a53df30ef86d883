// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * store, history and compare from outside: what they print and how they exit, on run directories
 * that are made up, as a comparison needs more findings than a kernel gives.
 */
#include "e2e.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "WARNING in some_function"

/* Run @n of a night, with the finding or without. */
static void put_run(const char *night, int n, int day, bool hit)
{
	char text[1200], dir[300];

	mkdir(e2e_path("%s", night), 0700);
	snprintf(dir, sizeof(dir), "%s", e2e_path("%s/%d", night, n));
	mkdir(dir, 0700);
	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"scenario\": \"made-up\", \"verdict\": \"%s\", \"exit\": %d, "
		 "\"seed\": %d, \"started\": \"2024-05-%02dT00:00:%02dZ\", \"duration_s\": 1.0, "
		 "\"environment\": { \"kernel\": \"6.1.%d\", \"fs\": \"xfs\" }, \"findings\": [ %s "
		 "] }",
		 hit ? "fail" : "pass", hit, n, day, n, day,
		 hit ? "{ \"kind\": \"kernel-warning\", \"title\": \"" TITLE
		       "\", \"sentence\": \"a "
		       "warning\\u001b[31m\", \"time_ms\": 1.0, \"repeats\": 0 }"
		     : "");
	e2e_write(e2e_path("%s/%d/result.json", night, n), text);
}

static void put_night(const char *night, int day, int hits, int runs)
{
	for (int n = 0; n < runs; n++)
		put_run(night, n, day, n < hits);
}

static void import(const char *night)
{
	struct e2e r;

	E2E(&r, "store", "import", "--night", night, e2e_path("%s", night));
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
}

static void assert_compare(const char *a, const char *b, int exit, const char *part)
{
	struct e2e r;

	E2E(&r, "compare", a, b);
	e2e_assert_exit(&r, exit);
	if (!strstr(r.out, part))
		fail_msg("\"%s\" is not in:\n%s", part, r.out);
	assert_null(strchr(r.out, '\x1b'));
	e2e_free(&r);
}

/* Nights and directories come to the same; only what is new is exit status 1. */
static void compare_exits_with_1_for_new_findings_alone(void **state)
{
	(void)state;
	put_night("none", 1, 0, 5);
	put_night("some", 2, 5, 5);
	put_night("more", 3, 5, 5);
	put_night("gone", 4, 0, 5);
	put_night("rare", 5, 1, 5);
	assert_compare(e2e_path("none"), e2e_path("some"), 1, "new (1)");
	assert_compare(e2e_path("some"), e2e_path("gone"), 0, "fixed (1)");
	import("none");
	import("some");
	import("more");
	import("gone");
	import("rare");
	assert_compare("none", "some", 1, TITLE);
	assert_compare("some", "more", 0, "still there (1)");
	assert_compare("more", "gone", 0, "fixed (1)");
	/* The store knows that it was there before. */
	assert_compare("gone", "rare", 0, "flaky: the difference may be chance (1)");
	assert_compare(e2e_path("gone"), e2e_path("rare"), 1, "new (1)");
	assert_compare("none", "none", 0, "0 new, 0 fixed, 0 still there, 0 flaky");
}

static void compare_says_in_json_what_it_says_in_words(void **state)
{
	json_t *finding, *result;
	char *second;
	struct e2e r;

	(void)state;
	E2E(&r, "compare", "--json", "none", "some");
	e2e_assert_exit(&r, 1);
	second = strchr(r.out, '\n');
	assert_non_null(second);
	finding = json_loadb(r.out, (size_t)(second - r.out), 0, NULL);
	result = json_loads(second, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(finding, "change")), "new");
	assert_int_equal(json_integer_value(json_object_get(finding, "hits_b")), 5);
	assert_int_equal(json_integer_value(json_object_get(finding, "tries_a")), 5);
	assert_true(json_real_value(json_object_get(finding, "p")) < 0.01);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(result, "counts"), "new")), 1);
	assert_int_equal(json_integer_value(json_object_get(result, "exit")), 1);
	json_decref(finding);
	json_decref(result);
	e2e_free(&r);
}

static void history_leads_from_a_scenario_to_a_finding(void **state)
{
	char hash[17] = "";
	const char *at;
	struct e2e r;

	(void)state;
	E2E(&r, "history", "made-up");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "made-up on xfs: 11 of 25"));
	assert_non_null(
		strstr(r.out, "first 2024-05-02 00:00:00, 6.1.2; last 2024-05-05 00:00:00, 6.1.5"));
	e2e_free(&r);
	E2E(&r, "history", "--json");
	at = strstr(r.out, "\"fingerprint\":\"");
	assert_non_null(at);
	snprintf(hash, sizeof(hash), "%s", at + strlen("\"fingerprint\":\""));
	e2e_free(&r);
	E2E(&r, "history", "--limit", "1", hash);
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, TITLE));
	assert_non_null(strstr(r.out, "night rare"));
	assert_null(strstr(r.out, "night some"));
	e2e_free(&r);
}

static void assert_line(const struct e2e *r, int exit, const char *part)
{
	e2e_assert_exit(r, exit);
	if (!strstr(r->err, part) || strchr(r->err, '\n') != r->err + strlen(r->err) - 1)
		fail_msg("\"%s\" is not the one line:\n%s", part, r->err);
}

static void mistakes_end_in_one_line(void **state)
{
	struct e2e r;

	(void)state;
	E2E(&r, "history", "nobody");
	assert_line(&r, 2, "no such scenario or fingerprint");
	e2e_free(&r);
	E2E(&r, "compare", "none", "never");
	assert_line(&r, 2, "stressd store nights");
	e2e_free(&r);
	E2E(&r, "history", "--store", e2e_path("absent.db"));
	assert_line(&r, 2, "stressd store import DIR");
	e2e_free(&r);
	E2E(&r, "store", "nights", "--store", e2e_path("absent.db"));
	assert_line(&r, 2, "stressd store import DIR");
	e2e_free(&r);
	e2e_write(e2e_path("text.db"), "this is no database, and long enough not to be taken for a "
				       "new one, which an empty file would be: a hundred bytes");
	E2E(&r, "store", "import", "--store", e2e_path("text.db"), e2e_path("none"));
	assert_line(&r, 3, "is no store");
	e2e_free(&r);
	mkdir(e2e_path("torn"), 0700);
	e2e_write(e2e_path("torn/result.json"), "{ \"version\": 1,");
	E2E(&r, "store", "import", e2e_path("torn"));
	assert_line(&r, 3, "not stored: result.json is damaged");
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compare_exits_with_1_for_new_findings_alone),
		cmocka_unit_test(compare_says_in_json_what_it_says_in_words),
		cmocka_unit_test(history_leads_from_a_scenario_to_a_finding),
		cmocka_unit_test(mistakes_end_in_one_line),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
