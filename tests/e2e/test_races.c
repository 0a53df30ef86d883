// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Races from outside: attempts are made and counted exactly; actors that never were at work
 * together make a run incomplete; what cannot be a race is refused in one line that says where.
 */
#include "e2e.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

/* Line 5 has the races. */
static const char text[] =
	"{ \"version\": 1, \"name\": \"race\", \"duration\": \"30s\", \"seed\": 1,\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"64K\" } ], \"stop_on\": { \"attempts\": "
	"20 },\n"
	"  \"target\": { \"type\": \"directory\", \"path\": \"%s\" },\n"
	"  \"verify\": { \"layers\": [\"cache\"] },\n"
	"  \"races\": [ %s ],\n"
	"  \"workers\": [ { \"type\": \"steps\", \"file\": \"data\", \"options\": { \"steps\": "
	"[%s] } },\n"
	"    { \"type\": \"steps\", \"file\": \"data\", \"options\": { \"steps\": [\"read\"] } },\n"
	"    { \"type\": \"dropcache\", \"file\": \"data\", \"options\": { \"scope\": \"file\" } } "
	"] }\n";

static void run(struct e2e *r, const char *race, const char *steps)
{
	char full[4096], dir[512];

	snprintf(dir, sizeof(dir), "%s", e2e_path("files"));
	e2e_remove(dir);
	e2e_remove(e2e_path("run"));
	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(full, sizeof(full), text, dir, race, steps);
	e2e_write(e2e_path("race.json"), full);
	E2E(r, "run", "--quiet", "--run-dir", e2e_path("run"), e2e_path("race.json"));
}

static json_int_t count(const json_t *result, const char *key)
{
	const json_t *race = json_array_get(json_object_get(result, "races"), 0);

	return json_integer_value(json_object_get(race, key));
}

#define TOGETHER "{ \"name\": \"r\", \"actors\": [\"steps.0\", \"steps.1\"] }"
/* The reader comes when a store of a few bytes is over long since. */
#define APART                                                                                      \
	"{ \"name\": \"r\", \"actors\": [\"steps.0\", { \"worker\": \"steps.1\","                  \
	" \"offset\": \"400ms..500ms\" }] }"

static void attempts_are_made_and_counted(void **state)
{
	json_t *result;
	struct e2e r;

	(void)state;
	/* The write's source is held until the read is done: they overlap each time. */
	run(&r,
	    "{ \"name\": \"r\", \"actors\": [\"steps.0\", \"steps.1\"],"
	    " \"hold\": \"source-fault\", \"hold_limit\": \"100ms\" }",
	    "\"write 4K\"");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "20 attempts"));
	result = e2e_result(e2e_path("run"));
	assert_non_null(result);
	assert_int_equal(count(result, "attempts"), 20);
	assert_int_equal(count(result, "held"), 20);
	assert_in_range(count(result, "overlaps"), 1, 20);
	assert_int_equal(count(result, "hits"), 0);
	json_decref(result);
	e2e_free(&r);
}

/* Direct I/O blocks while its pages are pinned, in the submission too; the handler lets it go on.
 */
static void every_engine_is_held(void **state)
{
	static const char *const engines[] = { "psync", "libaio", "io_uring" };
	static const char *const rows[][2] = { { "dio_reader", "dest-fault" },
					       { "dio_writer", "source-fault" } };
	char full[2048];
	struct e2e r;

	(void)state;
	if (!e2e_privileged())
		skip();
	for (size_t i = 0; i < ROWS(engines) * ROWS(rows); i++) {
		const char *const *row = rows[i / ROWS(engines)];
		json_t *result;

		snprintf(
			full, sizeof(full),
			"{ \"version\": 1, \"name\": \"engine\", \"stop_on\": { \"attempts\": 10 },"
			" \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"64M\" },"
			" \"files\": [ { \"name\": \"data\", \"size\": \"4M\" } ],"
			" \"workers\": [ { \"type\": \"%s\", \"file\": \"data\","
			" \"options\": { \"engine\": \"%s\", \"depth\": 4, \"length\": \"16K\" } },"
			" { \"type\": \"steps\", \"file\": \"data\", \"options\": { \"steps\":"
			" [\"read 64K at random\"] } } ],"
			" \"races\": [ { \"name\": \"r\", \"actors\": [0, 1], \"hold\": \"%s\" } ] "
			"}",
			row[0], engines[i % ROWS(engines)], row[1]);
		e2e_write(e2e_path("engine.json"), full);
		e2e_remove(e2e_path("run"));
		E2E(&r, "run", "--quiet", "--run-dir", e2e_path("run"), e2e_path("engine.json"));
		e2e_assert_exit(&r, 0);
		result = e2e_result(e2e_path("run"));
		assert_int_equal(count(result, "attempts"), 10);
		assert_in_range(count(result, "held"), 10, 40);
		json_decref(result);
		e2e_free(&r);
	}
}

static void a_race_never_entered_is_no_pass(void **state)
{
	const json_t *race;
	json_t *result;
	struct e2e r;

	(void)state;
	run(&r, APART, "\"store 512\"");
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.out, "not-exercised: race r"));
	result = e2e_result(e2e_path("run"));
	assert_non_null(result);
	assert_string_equal(json_string_value(json_object_get(result, "verdict")), "incomplete");
	race = json_array_get(json_object_get(result, "races"), 0);
	assert_true(json_is_false(json_object_get(race, "exercised")));
	assert_int_equal(count(result, "attempts"), 20);
	assert_int_equal(count(result, "overlaps"), 0);
	json_decref(result);
	e2e_free(&r);
}

static const struct {
	const char *race, *steps, *begin, *has;
} wrong[] = {
	{ "{ \"name\": \"r\", \"actors\": [\"steps.0\", \"steps.2\"] }", "\"read\"",
	  ":5: /races/0/actors/1: ", "there is no worker \"steps.2\"" },
	{ "{ \"name\": \"r\", \"actors\": [\"steps.0\", \"steps\"] }", "\"read\"",
	  ":5: /races/0/actors/1: ", "more than one of the workers" },
	{ "{ \"name\": \"r\", \"actors\": [0, 1], \"offset\": \"2us..1us\" }", "\"read\"",
	  ":5: /races/0/offset: ", "expected" },
	{ "{ \"name\": \"r\", \"actors\": [\"dropcache\", 0], \"hold\": \"source-fault\" }",
	  "\"read\"", ":5: /races/0/hold: ", "copy nothing from a buffer" },
	{ "{ \"name\": \"r\", \"actors\": [0, 1], \"hold\": \"source-fault\" }", "\"read\"",
	  ":5: /races/0/hold: ", "copy nothing from a buffer" },
	{ TOGETHER, "\"wirte 4K\"", ":6: /workers/0/options: ", "no such verb" },
	{ TOGETHER, "\"write 4K at 100\"", ":6: /workers/0/options: ", "multiples" },
	{ TOGETHER, "\"write 4K at 64K\"", ":6: /workers/0/options: ", "past the file's maximum" },
	{ TOGETHER, "\"short-write 4K\"", ":6: /workers/0/options: ", "readable" },
	{ TOGETHER, "\"fsync 4K\"", ":6: /workers/0/options: ", "no range" },
	{ TOGETHER, "\"clone 4K\"", ":6: /workers/0/options: ", "\"from OFFSET\"" },
	{ TOGETHER, "\"clone from 8K\"", ":6: /workers/0/options: ", "expected a length" },
	{ TOGETHER, "\"write 4K from 8K\"", ":6: /workers/0/options: ", "of no other" },
	{ TOGETHER, "\"clone 8K from 4K\"", ":6: /workers/0/options: ", "overlap" },
	{ TOGETHER, "\"clone 4K from 100\"", ":6: /workers/0/options: ", "overlap" },
	{ TOGETHER, "\"clone 4K at 8K from 100\"", ":6: /workers/0/options: ", "multiples" },
	{ TOGETHER, "\"clone 8K from 60K\"", ":6: /workers/0/options: ", "\"from\" reaches past" },
	{ TOGETHER, "\"read 4K hard\"", ":6: /workers/0/options: ", "VERB [LENGTH]" },
	{ TOGETHER, "", ":6: /workers/0/options: ", "is empty" },
};

static void what_is_no_race_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(wrong); i++) {
		struct e2e r;
		char *end;

		run(&r, wrong[i].race, wrong[i].steps);
		e2e_assert_exit(&r, 2);
		assert_string_equal(r.out, "");
		end = strchr(r.err, '\n');
		if (!end || end[1] || !strstr(r.err, wrong[i].begin) ||
		    !strstr(r.err, wrong[i].has))
			fail_msg("row %zu: expected one line '...%s...%s...', got\n%s", i,
				 wrong[i].begin, wrong[i].has, r.err);
		e2e_free(&r);
	}
}

#define READER "{ \"type\": \"reader\", \"file\": \"data\""
static const struct {
	const char *workers, *has;
} crowds[] = {
	{ READER " }, " READER ", \"optional\": true }",
	  ":5: /races/0/actors/1: /workers/1 is optional, and the race would lack it" },
	{ READER " }, " READER ", \"count\": 32 }",
	  ":5: /races/0/actors: that makes 33 processes; expected at most 32" },
};

static void who_cannot_line_up_is_refused(void **state)
{
	static const char with[] = "{ \"version\": 1, \"name\": \"race\",\n"
				   "  \"files\": [ { \"name\": \"data\", \"size\": \"64K\" } ],\n"
				   "  \"target\": { \"type\": \"directory\", \"path\": \"%s\" },\n"
				   "  \"workers\": [ %s ],\n"
				   "  \"races\": [ { \"name\": \"r\", \"actors\": [0, 1] } ] }\n";

	(void)state;
	for (size_t i = 0; i < ROWS(crowds); i++) {
		char full[2048];
		struct e2e r;

		snprintf(full, sizeof(full), with, e2e_path("files"), crowds[i].workers);
		e2e_write(e2e_path("crowd.json"), full);
		E2E(&r, "run", "--quiet", e2e_path("crowd.json"));
		e2e_assert_exit(&r, 2);
		assert_string_equal(r.out, "");
		assert_non_null(strstr(r.err, crowds[i].has));
		e2e_free(&r);
	}
}

static void verbs_are_listed(void **state)
{
	struct e2e r;

	(void)state;
	E2E(&r, "list", "steps");
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "sync_file_range"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_are_made_and_counted),
		cmocka_unit_test(every_engine_is_held),
		cmocka_unit_test(a_race_never_entered_is_no_pass),
		cmocka_unit_test(what_is_no_race_is_refused),
		cmocka_unit_test(who_cannot_line_up_is_refused),
		cmocka_unit_test(verbs_are_listed),
	};

	if (!e2e_privileged())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
