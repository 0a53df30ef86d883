// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `stressd vm --scoreboard` with a lab kernel: faults that are found, one that cannot be, one that
 * kills the boot under the next, and what is written when it is interrupted. The kernel is
 * $STRESSD_LAB_KERNEL, or a lab kernel beside the checkout; skipped (77) without one.
 */
#include "vmtest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCOREBOARD_LIMIT_S 300.0
#define RACES		   SOURCE_DIR "/configs/races/"
#define LIST		   "{ \"version\": 1, \"mutants\": [ "
#define MUTANT(id, name, finding, scenario, more)                                                  \
	"{ \"id\": " id ", \"name\": \"" name                                                      \
	"\", \"summary\": \"test\", \"findings\": [\"" finding "\"], \"scenarios\": [\"" scenario  \
	"\"]" more " }"

/* ext4 has its own buffered writes: nothing of iomap's is ever reached. */
#define ELSEWHERE                                                                                  \
	"{ \"version\": 1, \"name\": \"elsewhere\", \"target\": { \"type\": \"image\","            \
	" \"fs\": \"ext4\", \"size\": \"64M\" },"                                                  \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ], \"workers\": ["                 \
	" { \"type\": \"buffered_writer\", \"file\": \"data\" }%s ] }"
/* With SysRq in the kernel, and without. */
#define PANIC                                                                                      \
	", { \"type\": \"exec\", \"options\": { \"program\": [ \"/bin/sh\", \"-c\","               \
	" \"sleep 1; echo c > /proc/sysrq-trigger; echo 2 > /proc/sys/vm/panic_on_oom;"            \
	" for d in /tmp /dev/shm /run; do dd if=/dev/zero of=$d/fill bs=1M; done; sleep 60\" ] }"  \
	" }"

/* The fault is not in its way, and what it syncs is there after a power cut. */
#define SYNCS                                                                                      \
	"{ \"version\": 1, \"name\": \"syncs\", \"target\": { \"type\": \"image\","                \
	" \"fs\": \"ext4\", \"size\": \"64M\", \"mount\": [ %s ] },"                               \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"hole\" } ],"          \
	" \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" },"                   \
	" { \"type\": \"syncer\" } ] }"

static const char *run_dir(void)
{
	static char dir[512];

	snprintf(dir, sizeof(dir), "%s", e2e_path("board"));
	e2e_remove(dir);
	return dir;
}

/* The list of this test, with the scenarios that it may name beside it. */
static const char *list(const char *text)
{
	static char path[512];
	char scenario[2048];

	snprintf(scenario, sizeof(scenario), SYNCS, "");
	e2e_write(e2e_path("syncs.json"), scenario);
	/* Without barriers nothing is flushed, and a cut loses it: on every kernel. */
	snprintf(scenario, sizeof(scenario), SYNCS, "\"barrier=0\"");
	e2e_write(e2e_path("loses.json"), scenario);

	snprintf(scenario, sizeof(scenario), ELSEWHERE, "");
	e2e_write(e2e_path("elsewhere.json"), scenario);
	snprintf(scenario, sizeof(scenario), ELSEWHERE, PANIC);
	e2e_write(e2e_path("panic.json"), scenario);
	snprintf(path, sizeof(path), "%s", e2e_path("mutants.json"));
	e2e_write(path, text);
	return path;
}

#define START(r, dir, mutants, ...)                                                                \
	e2e_start(r,                                                                               \
		  (const char *const[]){ "vm", "--kernel", vm_kernel, "--run-dir", dir,            \
					 "--scoreboard", mutants, __VA_ARGS__, NULL },             \
		  NULL)
#define BOARD(r, ...)                                                                              \
	do {                                                                                       \
		START(r, __VA_ARGS__);                                                             \
		e2e_wait(r, SCOREBOARD_LIMIT_S);                                                   \
	} while (0)

static json_t *board(const char *dir)
{
	char path[600];
	json_t *o;

	snprintf(path, sizeof(path), "%s/scoreboard.json", dir);
	o = json_load_file(path, 0, NULL);
	assert_non_null(o);
	snprintf(path, sizeof(path), "%s/scoreboard.html", dir);
	assert_true(e2e_exists(path));
	snprintf(path, sizeof(path), "%s/DETECTION.md", dir);
	assert_true(e2e_exists(path));
	return o;
}

/* Attempt @i of the first trial of mutant @m. */
static json_t *attempt(const json_t *o, size_t m, size_t i)
{
	json_t *mutant = json_array_get(json_object_get(o, "mutants"), m);
	json_t *trial = json_array_get(json_object_get(mutant, "trials"), 0);

	return json_array_get(json_object_get(trial, "attempts"), i);
}

static const char *text_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static json_int_t sum_at(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(o, "sum"), key));
}

static void found_and_silent(void **state)
{
	const char *dir = run_dir();
	const char *mutants =
		list(LIST MUTANT("1", "drops-cache", "zeroed", RACES "short-write-vs-mmap.json",
				 "") ", " MUTANT("4", "uptodate", "lost-write",
						 RACES "uptodate-bits.json", "") " ] }");
	json_t *o, *a;
	struct e2e r;

	(void)state;
	BOARD(&r, dir, mutants, "--repeat", "1", "--limit", "60s", "--silence-time", "2s");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "PASS  2 of 2 mutants detected"));
	assert_non_null(strstr(r.err, "[4/4] healthy: uptodate-bits"));
	o = board(dir);
	for (size_t i = 0; i < 2; i++) {
		a = attempt(o, i, 0);
		assert_string_equal(text_at(a, "outcome"), "detected");
		assert_string_equal(text_at(a, "finding"), i ? "lost-write" : "zeroed");
		assert_true(json_number_value(json_object_get(a, "time_ms")) > 0);
		assert_true(e2e_exists(e2e_path("board/%s/result.json", text_at(a, "run_dir"))));
	}
	assert_int_equal(sum_at(o, "silent"), 2);
	json_decref(o);
	e2e_free(&r);
}

/* The scenario goes nowhere near the fault; another fault wants a kernel that is not there. */
static void not_found(void **state)
{
	const char *dir = run_dir();
	const char *mutants =
		list(LIST MUTANT("1", "drops-cache", "zeroed", "elsewhere.json",
				 "") ", " MUTANT("2", "elsewhere", "torn", "elsewhere.json",
						 ", \"needs\": [\"CONFIG_NOT_THERE\"]") " ] }");
	const char *outcome;
	json_t *o, *hits;
	struct e2e r;

	(void)state;
	BOARD(&r, dir, mutants, "--repeat", "2", "--limit", "1s", "--silence-time", "1s");
	e2e_assert_exit(&r, 1);
	assert_non_null(strstr(r.out, "no kernel given has CONFIG_NOT_THERE"));
	o = board(dir);
	for (size_t i = 0; i < 2; i++) {
		hits = json_object_get(attempt(o, 0, i), "hits");
		outcome = text_at(attempt(o, 0, i), "outcome");
		assert_string_equal(outcome, json_is_null(hits) ? "not-detected" : "never-reached");
	}
	assert_int_equal(sum_at(o, "failed"), 1);
	assert_int_equal(sum_at(o, "not_run"), 1);
	json_decref(o);
	e2e_free(&r);
	/* The same, known: good. Without the other, for what a kernel lacks is no success. */
	dir = run_dir();
	mutants = list(LIST MUTANT("1", "drops-cache", "zeroed", "elsewhere.json",
				   ", \"missed\": \"not its filesystem\"") " ] }");
	BOARD(&r, dir, mutants, "--repeat", "1", "--limit", "1s", "--silence-time", "1s");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "known to be missed: not its filesystem"));
	e2e_free(&r);
}

/* Rows of one boot, the first of which kills it: as a finding, and the others get another. */
static void boot_dies(void **state)
{
	const char *dir = run_dir();
	const char *mutants =
		list(LIST MUTANT("1", "dies", "kernel-crash", "panic.json", "") ", " MUTANT(
			"2", "lives", "torn", "elsewhere.json", ", \"missed\": \"test\"") " ] }");
	json_t *o, *last;
	struct e2e r;

	(void)state;
	BOARD(&r, dir, mutants, "--repeat", "1", "--limit", "30s", "--silence-time", "500ms",
	      "--memory", "256M");
	o = board(dir);
	assert_string_equal(text_at(attempt(o, 0, 0), "outcome"), "detected");
	assert_string_equal(text_at(attempt(o, 0, 0), "finding"), "kernel-crash");
	assert_string_equal(text_at(attempt(o, 0, 0), "run_dir"), "boot.1/1");
	last = attempt(o, 1, 0);
	assert_int_not_equal(strcmp(text_at(last, "outcome"), "not-run"), 0);
	assert_int_equal(strncmp(text_at(last, "run_dir"), "boot.2", 6), 0);
	json_decref(o);
	e2e_free(&r);
}

/* A run that does not come to its end takes its boot along; three of them, and it is given up. */
static void overdue(void **state)
{
	const char *dir = run_dir();
	const char *mutants =
		list(LIST MUTANT("1", "drops-cache", "zeroed", "elsewhere.json", "") " ] }");
	json_t *o;
	struct e2e r;

	(void)state;
	BOARD(&r, dir, mutants, "--repeat", "4", "--limit", "100s", "--timeout", "5s",
	      "--silence-time", "500ms");
	e2e_assert_exit(&r, 3);
	o = board(dir);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(text_at(attempt(o, 0, i), "outcome"), "not-run");
		assert_non_null(strstr(text_at(attempt(o, 0, i), "text"),
				       i < 3 ? "--timeout was over" : "given up"));
	}
	assert_int_equal(sum_at(o, "not_run"), 1);
	json_decref(o);
	e2e_free(&r);
}

/* The power is cut in each attempt, and the check after it is what counts, with the fault and
 * without. */
static void cuts(void **state)
{
	const char *dir = run_dir();
	const char *mutants = list(LIST MUTANT(
		"1", "nothing", "not-durable", "syncs.json",
		", \"cut\": \"1s..2s\", \"missed\": \"test\"") ", " MUTANT("2", "loses",
									   "not-durable",
									   "loses.json",
									   ", \"cut\": "
									   "\"2s\"") " ] "
										     "}");
	json_t *o, *silent, *alarm;
	struct e2e r;

	(void)state;
	BOARD(&r, dir, mutants, "--repeat", "1", "--limit", "30s");
	e2e_assert_exit(&r, 1);
	assert_non_null(strstr(r.out, "silent in 3 cuts at 1s..2s"));
	assert_non_null(strstr(r.out, "false alarm: not-durable in 3 cuts at 2s"));
	o = board(dir);
	assert_string_equal(text_at(attempt(o, 0, 0), "outcome"), "not-detected");
	assert_string_equal(text_at(attempt(o, 1, 0), "outcome"), "detected");
	assert_string_equal(text_at(attempt(o, 1, 0), "finding"), "not-durable");
	assert_true(json_number_value(json_object_get(attempt(o, 1, 0), "cut_ms")) == 2000);
	/* Each in a boot of its own; what is kept is the reports. */
	assert_string_equal(text_at(attempt(o, 1, 0), "run_dir"), "boot.2");
	assert_true(e2e_exists(e2e_path("board/boot.2/verify/result.json")));
	assert_false(e2e_exists(e2e_path("board/boot.2/shadow")));
	assert_false(e2e_exists(e2e_path("board/boot.2/stressd-boot.2.img")));
	silent = json_array_get(json_object_get(o, "healthy"), 0);
	alarm = json_array_get(json_object_get(o, "healthy"), 1);
	assert_int_equal(json_array_size(json_object_get(silent, "attempts")), 3);
	assert_int_equal(json_array_size(json_object_get(alarm, "attempts")), 3);
	assert_int_equal(sum_at(o, "silent"), 1);
	assert_int_equal(sum_at(o, "false_alarms"), 1);
	json_decref(o);
	e2e_free(&r);
}

static bool board_operates(void *ctx)
{
	char text[4096] = "";
	FILE *log = fopen(e2e_path("board/runs.log"), "re");

	(void)ctx;
	if (!log)
		return false;
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	fclose(log);
	return strstr(text, "first operation");
}

static void interrupted(void **state)
{
	const char *dir = run_dir();
	const char *mutants =
		list(LIST MUTANT("1", "drops-cache", "zeroed", "elsewhere.json", "") " ] }");
	json_t *o;
	struct e2e r;

	(void)state;
	START(&r, dir, mutants, "--repeat", "3", "--limit", "100s");
	assert_true(e2e_until(board_operates, NULL, 60));
	kill(r.pid, SIGINT);
	e2e_wait(&r, 30);
	e2e_assert_exit(&r, 3);
	o = board(dir);
	assert_true(json_is_true(json_object_get(o, "interrupted")));
	assert_string_equal(text_at(attempt(o, 0, 0), "text"), "interrupted");
	assert_string_equal(text_at(attempt(o, 0, 2), "outcome"), "not-run");
	assert_int_equal(json_array_size(json_object_get(o, "healthy")), 1);
	json_decref(o);
	e2e_free(&r);
}

/* Said in a line, before anything is booted or made. */
static void bad_input(void **state)
{
	const char *good = list(LIST MUTANT("1", "one", "torn", "elsewhere.json", "") " ] }");
	const struct {
		const char *mutants, *option, *value;
		const char *said;
	} rows[] = {
		{ good, "--repeat", "0", "--repeat 0: expected a number from 1" },
		{ good, "--limit", "0", "--limit 0: expected a time" },
		{ good, "--silence-time", "soon", "--silence-time soon: expected a time" },
		{ good, "--only", "two", "there is no mutant \"two\"; expected names such as one" },
		{ good, "--kernel", "/nonexistent", "/nonexistent: cannot read the kernel" },
		{ vm_kernel, "--repeat", "1", "cannot be read" },
		{ "/nonexistent", "--repeat", "1", "/nonexistent:1: /: cannot be read" },
	};
	const char *dir = run_dir();
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		BOARD(&r, dir, rows[i].mutants, rows[i].option, rows[i].value);
		e2e_assert_exit(&r, 2);
		if (!strstr(r.err, rows[i].said))
			fail_msg("row %zu says: %s", i, r.err);
		assert_ptr_equal(strchr(r.err, '\n') + 1, r.err + strlen(r.err));
		assert_false(e2e_exists(dir));
		e2e_free(&r);
	}
	e2e_run(&r, (const char *const[]){ "vm", "--kernel", vm_kernel, "--fast", good, NULL },
		NULL);
	e2e_assert_exit(&r, 2);
	assert_non_null(strstr(r.err, "for --scoreboard"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_input),   cmocka_unit_test(found_and_silent),
		cmocka_unit_test(not_found),   cmocka_unit_test(boot_dies),
		cmocka_unit_test(cuts),	       cmocka_unit_test(overdue),
		cmocka_unit_test(interrupted),
	};

	if (!can_run_guests())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
