// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * repro, minimize and bisect-step from outside, natively. What they look for is planted: a program
 * beside the workers that fails, always or once in a while. Then a race that is in some kernels,
 * where this one has it.
 */
#include "e2e.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define RACE5	SOURCE_DIR "/tests/minimize/race5-among-ten.json"

/* Five workers, of which the program alone matters. */
static const char text[] =
	"{ \"version\": 1, \"name\": \"planted\", \"description\": \"test\", \"reference\": "
	"\"none\",\n"
	"  \"duration\": \"%s\", \"seed\": 3, \"kernel_log\": { \"fail_at\": \"never\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"256K\" } ],\n"
	"  \"target\": { \"type\": \"directory\", \"path\": \"%s\" },\n"
	"  \"verify\": { \"layers\": [\"cache\"] }, \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"reader\", \"file\": \"data\", \"count\": 2 },\n"
	"    { \"type\": \"exec\", \"options\": { \"program\": [\"sh\", \"-c\", \"%s\"],\n"
	"      \"timeout\": \"50s\" } },\n"
	"    { \"type\": \"mmap_writer\", \"file\": \"data\", \"options\": { \"store\": 8 } },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" } ] }\n";

static const char *scenario(const char *duration, const char *program)
{
	static char path[512];
	char full[4096], dir[512];

	snprintf(dir, sizeof(dir), "%s", e2e_path("files"));
	mkdir(dir, 0700);
	snprintf(full, sizeof(full), text, duration, dir, program);
	snprintf(path, sizeof(path), "%s", e2e_path("planted.json"));
	e2e_write(path, full);
	return path;
}

/* The last object of JSON lines. */
static json_t *last_line(const struct e2e *r)
{
	const char *end = r->out + strlen(r->out), *line;

	if (end > r->out)
		end--;
	for (line = end; line > r->out && line[-1] != '\n';)
		line--;
	return json_loadb(line, (size_t)(end - line), 0, NULL);
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

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

static void a_hit_ends_it(void **state)
{
	static const char *const names[][2] = { { "repro", "--quiet" }, { "run", "--until-hit" } };
	json_t *result;
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++) {
		E2E(&r, names[i][0], names[i][1], "--json", "--run-dir", e2e_path("hits"),
		    scenario("5s", "exit 1"));
		e2e_assert_exit(&r, 1);
		result = last_line(&r);
		assert_int_equal(number(result, "attempts"), 1);
		assert_int_equal(number(result, "hits"), 1);
		json_decref(result);
		e2e_free(&r);
		/* Its evidence stays, and the scenario that repeats it. */
		assert_true(e2e_exists(e2e_path("hits/attempt-1/result.json")));
		E2E(&r, "run", "--quiet", "--run-dir", e2e_path("again"),
		    e2e_path("hits/attempt-1.json"));
		e2e_assert_exit(&r, 1);
		e2e_free(&r);
		e2e_remove(e2e_path("hits"));
		e2e_remove(e2e_path("again"));
	}
}

static void silence_is_counted(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	E2E(&r, "repro", "--json", "--times", "3", scenario("200ms", "exit 0"));
	e2e_assert_exit(&r, 0);
	result = last_line(&r);
	assert_int_equal(number(result, "attempts"), 3);
	assert_int_equal(number(result, "silent"), 3);
	json_decref(result);
	e2e_free(&r);
	/* Nothing is left of them. */
	assert_int_equal(entries(e2e_path("runs")), 0);
	E2E(&r, "repro", "--quiet", "--for", "2s", scenario("100ms", "exit 0"));
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "SILENT"));
	e2e_free(&r);
}

/* Another finding is not what was asked for, but it is told. */
static void what_counts_can_be_said(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	E2E(&r, "repro", "--json", "--times", "2", "--finding", "lost-write,zeroed",
	    scenario("2s", "exit 1"));
	e2e_assert_exit(&r, 0);
	result = last_line(&r);
	assert_int_equal(number(result, "others"), 2);
	json_decref(result);
	e2e_free(&r);
	E2E(&r, "repro", "--json", "--hits", "3", "--finding", "program-failed",
	    scenario("2s", "exit 1"));
	e2e_assert_exit(&r, 1);
	result = last_line(&r);
	assert_int_equal(number(result, "hits"), 3);
	json_decref(result);
	e2e_free(&r);
	e2e_remove(e2e_path("runs"));
}

static const char *output(void)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s", e2e_path("small.json"));
	e2e_remove(path);
	return path;
}

/* What is written loads, says what it is, hits, and has the program and nothing else. */
static void assert_small(const char *path)
{
	json_t *small = json_load_file(path, 0, NULL), *rows = json_object_get(small, "workers");
	struct e2e r;

	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "type")),
			    "exec");
	assert_string_equal(json_string_value(json_object_get(small, "name")), "planted-min");
	assert_string_equal(json_string_value(json_object_get(small, "description")), "test");
	assert_string_equal(json_string_value(json_object_get(small, "reference")), "none");
	assert_string_equal(json_string_value(json_object_get(small, "expect")), "program-failed");
	json_decref(small);
	E2E(&r, "check", path);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
}

static void what_does_not_matter_goes(void **state)
{
	const char *to = output();
	struct e2e r;

	(void)state;
	e2e_start(&r,
		  (const char *[]){ "minimize", "--quiet", "--output", to, scenario("2s", "exit 1"),
				    NULL },
		  NULL);
	e2e_wait(&r, 200);
	e2e_assert_exit(&r, 0);
	assert_small(to);
	assert_non_null(strstr(r.out, "looking for program-failed"));
	assert_non_null(strstr(r.out, "went:\n"));
	assert_non_null(strstr(r.out, "mattered:\n"));
	assert_non_null(strstr(r.out, "1 of 5 workers"));
	e2e_free(&r);
	assert_int_equal(entries(e2e_path("runs")), 0);
}

/* A run's directory says what it found; its scenario has every default in it. */
static void a_run_that_failed_is_minimized(void **state)
{
	const char *to = output();
	struct e2e r;

	(void)state;
	E2E(&r, "run", "--quiet", "--run-dir", e2e_path("failed"), scenario("2s", "exit 1"));
	e2e_assert_exit(&r, 1);
	e2e_free(&r);
	e2e_start(
		&r,
		(const char *[]){ "minimize", "--json", "--output", to, e2e_path("failed"), NULL },
		NULL);
	e2e_wait(&r, 200);
	e2e_assert_exit(&r, 0);
	assert_small(to);
	e2e_free(&r);
	e2e_remove(e2e_path("failed"));
}

static bool is_written(void *path)
{
	return e2e_exists(path);
}

static void interrupted_it_leaves_the_best_so_far(void **state)
{
	const char *to = output();
	struct e2e r;

	(void)state;
	e2e_start(&r,
		  (const char *[]){ "minimize", "--quiet", "--output", to, scenario("2s", "exit 1"),
				    NULL },
		  NULL);
	assert_true(e2e_until(is_written, (void *)to, 60));
	kill(r.pid, SIGINT);
	e2e_wait(&r, 60);
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "stopped before everything was tried"));
	e2e_free(&r);
	E2E(&r, "check", to);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
	assert_int_equal(entries(e2e_path("runs")), 0);
}

static void what_never_hits_is_not_minimized(void **state)
{
	const char *to = output();
	struct e2e r;

	(void)state;
	e2e_start(&r,
		  (const char *[]){ "minimize", "--quiet", "--finding", "torn", "--output", to,
				    scenario("50ms", "exit 0"), NULL },
		  NULL);
	e2e_wait(&r, 200);
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.err, "torn did not come in 40 attempts"));
	assert_false(e2e_exists(to));
	e2e_free(&r);
}

/* PATH stands for a scenario. */
static const struct {
	const char *argv[7];
	int exit;
	const char *has;
} misuse[] = {
	{ { "repro" }, 2, "expected one scenario" },
	{ { "repro", "PATH", "PATH" }, 2, "expected one scenario" },
	{ { "repro", "/nonexistent.json" }, 2, "cannot be read" },
	{ { "repro", "--times", "0", "PATH" }, 2, "--times 0: expected so many attempts" },
	{ { "repro", "--for", "5", "PATH" }, 2, "--for 5: expected no longer" },
	{ { "repro", "--hits", "x", "PATH" }, 2, "--hits x" },
	{ { "repro", "--seed", "-1", "PATH" }, 2, "--seed -1" },
	{ { "repro", "--duration", "soon", "PATH" }, 2, "--duration soon" },
	{ { "repro", "--finding", "lots-write", "PATH" }, 2, "--finding lots-write" },
	{ { "repro", "--append", "x=1", "PATH" }, 2, "--append: only with --kernel" },
	{ { "repro", "--destroy", "/dev/x", "--kernel", "/k", "PATH" }, 2, "not with --kernel" },
	{ { "repro", "--run-dir", "/proc", "PATH" }, 2, "not empty" },
	{ { "repro", "--kernel", "/nonexistent", "PATH" }, 2, "/nonexistent" },
	{ { "repro", "--kernel", "/dev/null", "--cpus", "0", "PATH" }, 2, "--cpus 0" },
	{ { "run", "--until-hit", "--bogus", "PATH" }, 2, "bogus" },
	{ { "minimize" }, 2, "expected one run directory or one scenario" },
	{ { "minimize", "/proc" }, 2, "cannot be read" },
	{ { "minimize", "--keep-rate", "0", "PATH" }, 2, "--keep-rate 0" },
	{ { "minimize", "--keep-rate", "100", "PATH" }, 2, "--keep-rate 100" },
	{ { "minimize", "--confidence", "20", "PATH" }, 2, "--confidence 20" },
	{ { "minimize", "--output", "PATH", "--times", "3", "PATH" }, 2, "times" },
	/* One step of a bisection has three answers. */
	{ { "bisect-step" }, 125, "expected --kernel IMAGE" },
	{ { "bisect-step", "PATH" }, 125, "expected --kernel IMAGE" },
	{ { "bisect-step", "--kernel", "/k" }, 125, "expected one scenario" },
	{ { "bisect-step", "--bogus" }, 125, "bogus" },
	{ { "bisect-step", "--rate", "0", "--kernel", "/k", "PATH" }, 125, "--rate 0" },
	{ { "bisect-step", "--kernel", "/nonexistent", "PATH" }, 125, "/nonexistent" },
	{ { "bisect-step", "--kernel", "/k", "/nonexistent.json" }, 125, "cannot be read" },
	{ { "bisect-step", "--kernel", "/dev/null", "PATH" }, 125, "/dev/null" },
};

static void misuse_is_told_in_one_line(void **state)
{
	const char *path = scenario("50ms", "exit 0");

	(void)state;
	for (size_t i = 0; i < ROWS(misuse); i++) {
		const char *argv[8] = { 0 };
		struct e2e r;
		char *end;

		for (size_t k = 0; k < ROWS(misuse[i].argv) && misuse[i].argv[k]; k++)
			argv[k] = strcmp(misuse[i].argv[k], "PATH") ? misuse[i].argv[k] : path;
		e2e_run(&r, argv, NULL);
		end = strchr(r.err, '\n');
		if (r.exit != misuse[i].exit || !end || end[1] || !strstr(r.err, misuse[i].has) ||
		    r.out[0])
			fail_msg(
				"row %zu: exit %d, expected %d and one line with \"%s\", got\n%s%s",
				i, r.exit, misuse[i].exit, misuse[i].has, r.err, r.out);
		e2e_free(&r);
	}
	assert_int_equal(entries(e2e_path("runs")), 0);
}

/* Race 5, among ten workers. A kernel without it shows nothing here. */
static void a_race_is_found_among_ten_workers(void **state)
{
	const char *to = output();
	json_t *small;
	struct e2e r;

	(void)state;
	if (getenv("STRESSD_TEST_FAST"))
		skip();
	E2E(&r, "repro", "--quiet", "--times", "3", RACE5);
	if (r.exit != 1) {
		print_message("this kernel does not show race 5 (exit %d)\n", r.exit);
		e2e_free(&r);
		skip();
	}
	e2e_free(&r);
	e2e_remove(e2e_path("runs"));
	/* The rest of the time is for what is smaller than a worker. */
	e2e_start(&r,
		  (const char *[]){ "minimize", "--quiet", "--for", "150s", "--finding",
				    "stale-exposure,resurrected", "--output", to, RACE5, NULL },
		  NULL);
	e2e_wait(&r, 240);
	e2e_assert_exit(&r, 0);
	small = json_load_file(to, 0, NULL);
	if (json_array_size(json_object_get(small, "workers")) > 3)
		fail_msg("more than three workers are left:\n%s", r.out);
	json_decref(small);
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hit_ends_it),
		cmocka_unit_test(silence_is_counted),
		cmocka_unit_test(what_counts_can_be_said),
		cmocka_unit_test(what_does_not_matter_goes),
		cmocka_unit_test(a_run_that_failed_is_minimized),
		cmocka_unit_test(interrupted_it_leaves_the_best_so_far),
		cmocka_unit_test(what_never_hits_is_not_minimized),
		cmocka_unit_test(misuse_is_told_in_one_line),
		cmocka_unit_test(a_race_is_found_among_ten_workers),
	};

	if (!e2e_privileged())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
