// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * repro, minimize and bisect-step in guests: many attempts in a boot, judged while they come in. A
 * finding is planted by a program beside the workers. The kernel is $STRESSD_LAB_KERNEL, or a lab
 * kernel beside the checkout; skipped (77) without one.
 */
#include "vmtest.h"

#include <dirent.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_LIMIT_S 500.0

/* Long enough for a program to be started on a busy machine; a finding ends it. */
static const char *scenario(const char *duration, const char *program)
{
	static const char text[] =
		"{ \"version\": 1, \"name\": \"planted\", \"duration\": \"%s\",\n"
		"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\" },\n"
		"  \"files\": [ { \"name\": \"data\", \"size\": \"256K\" } ], \"workers\": [\n"
		"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
		"    { \"type\": \"reader\", \"file\": \"data\" },\n"
		"    { \"type\": \"syncer\", \"file\": \"data\" },\n"
		"    { \"type\": \"exec\", \"options\": { \"program\": [\"sh\", \"-c\", \"%s\"]\n"
		"    } } ] }\n";
	static char path[512];
	char full[2048];

	snprintf(full, sizeof(full), text, duration, program);
	snprintf(path, sizeof(path), "%s", e2e_path("planted.json"));
	e2e_write(path, full);
	return path;
}

#define GUEST(r, command, ...)                                                                     \
	do {                                                                                       \
		e2e_start(r,                                                                       \
			  (const char *const[]){ command, "--kernel", vm_kernel, "--memory", "1G", \
						 __VA_ARGS__, NULL },                              \
			  NULL);                                                                   \
		e2e_wait(r, SEARCH_LIMIT_S);                                                       \
	} while (0)

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	for (struct dirent *de; d && (de = readdir(d));)
		n += de->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static size_t boots(const char *dir)
{
	char pattern[600];
	glob_t g = { 0 };
	size_t n;

	snprintf(pattern, sizeof(pattern), "%s/boot-*", dir);
	n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
	globfree(&g);
	return n;
}

/* All in one boot, and the rest of the batch is not waited for. */
static void attempts_share_a_boot(void **state)
{
	struct e2e r;

	(void)state;
	GUEST(&r, "repro", "--json", "--hits", "3", "--run-dir", e2e_path("hits"),
	      scenario("30s", "exit 1"));
	e2e_assert_exit(&r, 1);
	assert_non_null(strstr(r.out, "\"attempts\":3,\"hits\":3"));
	assert_int_equal(boots(e2e_path("hits")), 1);
	assert_true(e2e_exists(e2e_path("hits/boot-1/console.log")));
	assert_true(e2e_exists(e2e_path("hits/boot-1/3/result.json")));
	assert_false(e2e_exists(e2e_path("hits/boot-1/4")));
	assert_true(e2e_exists(e2e_path("hits/attempt-3.json")));
	assert_false(e2e_exists(e2e_path("hits/attempt-4.json")));
	e2e_free(&r);
	e2e_remove(e2e_path("hits"));
}

static const struct {
	const char *finding, *duration, *program, *times;
	int exit;
	const char *says;
} steps[] = {
	{ "program-failed", "1s", "exit 0", "3", 0, "good" },
	{ "program-failed", "30s", "exit 1", "3", 1, "bad" },
	/* Something else is wrong with it: neither. */
	{ "lost-write", "30s", "exit 1", "1", 125, "cannot be tested" },
};

static void a_step_has_three_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct e2e r;

		GUEST(&r, "bisect-step", "--times", steps[i].times, "--finding", steps[i].finding,
		      scenario(steps[i].duration, steps[i].program));
		e2e_assert_exit(&r, steps[i].exit);
		assert_non_null(strstr(r.out, steps[i].says));
		e2e_free(&r);
	}
	assert_int_equal(entries(e2e_path("runs")), 0);
}

static void what_does_not_matter_goes(void **state)
{
	json_t *small, *rows;
	struct e2e r;

	(void)state;
	GUEST(&r, "minimize", "--quiet", "--output", e2e_path("small.json"),
	      scenario("30s", "exit 1"));
	e2e_assert_exit(&r, 0);
	small = json_load_file(e2e_path("small.json"), 0, NULL);
	rows = json_object_get(small, "workers");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "type")),
			    "exec");
	json_decref(small);
	e2e_free(&r);
	assert_int_equal(entries(e2e_path("runs")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_share_a_boot),
		cmocka_unit_test(a_step_has_three_answers),
		cmocka_unit_test(what_does_not_matter_goes),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
