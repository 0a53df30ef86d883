// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The matrix: each mistake with its line and JSON pointer, which cells there are, what their ids
 * depend on, and what the records of a cell come to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../fake_image.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "matrix/internal.h"

#include <errno.h>

static char dir[] = "/tmp/stressd-matrix-XXXXXX";

DEFINE_CLEANUP(struct matrix *, matrix_free);
#define _cleanup_matrix_ _cleanup_(matrix_freep)

static const char scenario[] =
	"{ \"version\": 1, \"name\": \"%s\", \"files\": [ { \"name\": \"data\", \"size\": "
	"\"1M\" } ], \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ] }";

#define HEAD	   "{ \"version\": 1, \"name\": \"m\",\n"
#define NATIVE	   "\"kernels\": [ { \"name\": \"native\" } ],\n"
#define PLAYS	   "\"scenarios\": [ \"good.json\" ]"
#define KERNEL(k)  HEAD "\"kernels\": [ { " k " } ],\n" PLAYS " }"
#define WITH(more) HEAD NATIVE PLAYS ",\n" more " }"

/* @said begins behind "DIR/FILE:". */
static const struct {
	const char *text, *file, *said;
} rows[] = {
	{ "{", "m.json", "1: /: " },
	{ "[]", "m.json", "1: /: " },
	{ "{ \"version\": 2 }", "m.json", "1: /version: " },
	{ "{ \"version\": 1,\n\"name\": \"-x\" }", "m.json", "2: /name: \"-x\" has" },
	{ "{ \"version\": 1, \"name\": \"m\" }", "m.json", "1: /: key \"kernels\" is missing" },
	{ HEAD "\"kernels\": [],\n" PLAYS " }", "m.json", "2: /kernels: no list, or an empty" },
	{ HEAD NATIVE "\"scenarios\": {} }", "m.json", "3: /scenarios: no list" },
	{ HEAD NATIVE "\"scenarios\": [ 7 ] }", "m.json", "3: /scenarios/0: 7 is no file name" },
	{ HEAD NATIVE "\"scenarios\": [ \"gone.json\" ] }", "m.json",
	  "3: /scenarios/0: gone.json cannot be read: No such file or directory; expected" },
	/* The scenario's own mistake, in its own file. */
	{ HEAD NATIVE "\"scenarios\": [ \"bad.json\" ] }", "bad.json", "1: /: key \"workers\"" },
	{ HEAD NATIVE "\"scenarios\": [ \"good.json\",\n\"copy.json\" ] }", "m.json",
	  "4: /scenarios/1: it is called \"good\", and so is element 0" },
	{ KERNEL("\"image\": \"x\""), "m.json", "2: /kernels/0: key \"name\" is missing" },
	{ KERNEL("\"name\": \"a b\""), "m.json", "2: /kernels/0/name: \"a b\" has" },
	{ KERNEL("\"name\": \"k\", \"image\": \"gone\""), "m.json",
	  "2: /kernels/0/image: gone cannot be read: No such file" },
	{ KERNEL("\"name\": \"k\", \"comit\": \"0\""), "m.json",
	  "2: /kernels/0/comit: unknown key" },
	{ KERNEL("\"name\": \"k\", \"commit\": \"HEAD\""), "m.json", "2: /kernels/0/commit: " },
	{ KERNEL("\"name\": \"native\", \"append\": \"quiet\""), "m.json",
	  "2: /kernels/0: the kernel that is running has neither image" },
	{ KERNEL("\"name\": \"k\" },\n{ \"name\": \"k\""), "m.json",
	  "3: /kernels/1/name: \"k\" is there twice" },
	{ WITH("\"targets\": [ { \"name\": \"t\", \"target\": 7 } ]"), "m.json",
	  "4: /targets/0/target: 7 is no target" },
	{ WITH("\"targets\": [ { \"name\": \"t\" }, { \"name\": \"t\" } ]"), "m.json",
	  "4: /targets/1/name: \"t\" is there twice" },
	{ WITH("\"seeds\": \"3..1\""), "m.json", "4: /seeds: \"3..1\" " },
	{ WITH("\"seeds\": []"), "m.json", "4: /seeds: an array has" },
	{ WITH("\"attempts\": 0"), "m.json", "4: /attempts: 0 is out of range" },
	{ WITH("\"duration\": \"now\""), "m.json", "4: /duration: \"now\" " },
	{ WITH("\"guest\": { \"memory\": \"1M\" }"), "m.json", "4: /guest/memory: \"1M\" is out" },
	{ WITH("\"guest\": { \"accel\": \"fast\" }"), "m.json", "4: /guest/accel: \"fast\" " },
	{ WITH("\"exclude\": [ {} ]"), "m.json", "4: /exclude/0: it excludes everything" },
	{ WITH("\"exclude\": [ { \"kernels\": [ \"next\" ] } ]"), "m.json",
	  "4: /exclude/0/kernels/0: there is no kernel \"next\" above" },
	{ WITH("\"exclude\": [ { \"scenarios\": [ \"good\", \"godo\" ] } ]"), "m.json",
	  "4: /exclude/0/scenarios/1: there is no scenario" },
};

static const char *put(const char *name, const char *text)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
	return path;
}

static int setup(void **state)
{
	static const char *const names[][2] = { { "good.json", "good" },
						{ "copy.json", "good" },
						{ "other.json", "other" } };
	char text[400];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(text, sizeof(text), scenario, names[i][1]);
		put(names[i][0], text);
	}
	put("bad.json", "{ \"version\": 1, \"name\": \"bad\", \"files\": [] }");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return rm_rf(dir);
}

static void mistakes(void **state)
{
	char said[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_matrix_ struct matrix *m = NULL;
		struct err e = { "" };

		assert_int_equal(matrix_load(put("m.json", rows[i].text), &m, &e), -EINVAL);
		snprintf(said, sizeof(said), "%s/%s:%s", dir, rows[i].file, rows[i].said);
		if (strncmp(e.text, said, strlen(said)) != 0)
			fail_msg("row %zu says: %s\ninstead of: %s", i, e.text, said);
		assert_non_null(strstr(e.text, "; expected "));
	}
}

static struct matrix *expand(const char *text)
{
	struct matrix *m = NULL;
	struct err e = { "" };

	if (matrix_load(put("m.json", text), &m, &e) < 0 || matrix_expand(m, &e) < 0)
		fail_msg("%s", e.text);
	return m;
}

static void cells_are_the_product_without_what_is_excluded(void **state)
{
	_cleanup_matrix_ struct matrix *m = expand(
		HEAD
		"\"kernels\": [ { \"name\": \"native\" } ], \"seeds\": \"1..3\","
		"\"targets\": [ { \"name\": \"own\" }, { \"name\": \"ext4\", \"target\": { "
		"\"fs\": \"ext4\" } } ],"
		"\"scenarios\": [ \"good.json\", \"other.json\" ],"
		"\"exclude\": [ { \"scenarios\": [ \"other\" ], \"targets\": [ \"ext4\" ] } ] }");

	(void)state;
	assert_int_equal(m->ncells, 9);
	for (size_t i = 0; i < m->ncells; i++) {
		_cleanup_json_ json_t *o = json_loads(m->cells[i].text, 0, NULL);
		const char *fs =
			json_string_value(json_object_get(json_object_get(o, "target"), "fs"));

		assert_int_equal(json_integer_value(json_object_get(o, "seed")), m->cells[i].seed);
		assert_string_equal(fs, strcmp(m->cells[i].target->name, "own") ? "ext4" : "xfs");
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(m->cells[i].id, m->cells[k].id);
	}
}

static bool has(const struct matrix *m, const char *id)
{
	for (size_t i = 0; i < m->ncells; i++)
		if (!strcmp(m->cells[i].id, id))
			return true;
	return false;
}

/* What is finished stays so: a matrix may grow, and be written in another order. */
static void ids_are_of_the_cell_and_not_of_the_matrix(void **state)
{
	_cleanup_matrix_ struct matrix *small = expand(HEAD NATIVE PLAYS " }");
	_cleanup_matrix_ struct matrix *large =
		expand("{ \"seeds\": \"0..2\", \"scenarios\": [ \"other.json\", \"good.json\" ], "
		       "\"attempts\": 7, \"kernels\": [ { \"commit\": \"0123456\", \"name\": "
		       "\"native\" } ], \"name\": \"another\", \"version\": 1 }");

	(void)state;
	assert_int_equal(small->ncells, 1);
	assert_int_equal(strlen(small->cells[0].id), 16);
	assert_int_equal(large->ncells, 6);
	assert_true(has(large, small->cells[0].id));
}

static void what_decides_what_a_cell_does_is_in_its_id(void **state)
{
	static const char *const changes[] = {
		"\"duration\": \"7s\"",
		"\"seeds\": 2",
		"\"targets\": [ { \"name\": \"x\" } ]",
		"\"guest\": { \"cpus\": 3 }",
		"\"targets\": [ { \"name\": \"own\", \"target\": { \"fs\": \"ext4\" } } ]",
	};
	_cleanup_matrix_ struct matrix *before = expand(HEAD NATIVE PLAYS " }");
	char text[600];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_matrix_ struct matrix *after = NULL;

		snprintf(text, sizeof(text), HEAD NATIVE PLAYS ", %s }", changes[i]);
		after = expand(text);
		assert_string_not_equal(before->cells[0].id, after->cells[0].id);
	}
}

static void a_kernel_is_its_bytes(void **state)
{
	static const char text[] =
		HEAD "\"kernels\": [ { \"name\": \"k\", \"image\": \"bzImage\" } "
		     "],\n" PLAYS " }";
	_cleanup_matrix_ struct matrix *a = NULL, *moved = NULL, *b = NULL;
	struct err e = { "" };
	char path[512], setting[600];

	(void)state;
	snprintf(path, sizeof(path), "%s/bzImage", dir);
	fake_image(path, "CONFIG_XFS_FS=y\n", FAKE_GZIP);
	a = expand(text);
	assert_int_equal(strlen(a->kernels[0].config), 16);
	/* The same image elsewhere is the same kernel. */
	snprintf(path, sizeof(path), "%s/moved", dir);
	fake_image(path, "CONFIG_XFS_FS=y\n", FAKE_GZIP);
	assert_int_equal(matrix_load(put("m.json", text), &moved, &e), 0);
	snprintf(setting, sizeof(setting), "k=%s", path);
	assert_int_equal(matrix_set_kernel(moved, setting, &e), 0);
	assert_int_equal(matrix_expand(moved, &e), 0);
	assert_string_equal(a->cells[0].id, moved->cells[0].id);
	snprintf(path, sizeof(path), "%s/bzImage", dir);
	fake_image(path, "CONFIG_XFS_FS=m\n", FAKE_GZIP);
	b = expand(text);
	assert_string_not_equal(a->cells[0].id, b->cells[0].id);
	assert_string_not_equal(a->kernels[0].config, b->kernels[0].config);
}

static void kernels_without_an_image_are_asked_for(void **state)
{
	_cleanup_matrix_ struct matrix *m = NULL;
	struct err e = { "" };

	(void)state;
	assert_int_equal(matrix_load(put("m.json", KERNEL("\"name\": \"next\"")), &m, &e), 0);
	assert_int_equal(matrix_set_kernel(m, "nxt=/dev/null", &e), -EINVAL);
	assert_int_equal(matrix_set_kernel(m, "next", &e), -EINVAL);
	assert_int_equal(matrix_set_kernel(m, "next=/nonexistent", &e), -EINVAL);
	assert_int_equal(matrix_expand(m, &e), -EINVAL);
	assert_non_null(strstr(e.text, "--kernel next=IMAGE"));
}

static void a_target_that_a_scenario_cannot_have_is_said_before_anything_runs(void **state)
{
	_cleanup_matrix_ struct matrix *m = NULL;
	struct err e = { "" };

	(void)state;
	assert_int_equal(
		matrix_load(put("m.json", WITH("\"targets\": [ { \"name\": \"t\", \"target\": "
					       "{ \"fs\": \"zfs\" } } ]")),
			    &m, &e),
		0);
	assert_int_equal(matrix_expand(m, &e), -EINVAL);
	assert_non_null(strstr(e.text, "target \"t\" does not go with"));
}

static char cell[600];

static struct cell_outcome look(void)
{
	struct cell_outcome o;
	struct err e = { "" };

	if (cell_look(cell, &o, &e) < 0)
		fail_msg("%s", e.text);
	return o;
}

static void fresh_cell(const char *name)
{
	snprintf(cell, sizeof(cell), "%s/%s", dir, name);
	assert_int_equal(mkdir_p(cell, 0700), 0);
}

static void records_say_what_became_of_a_cell(void **state)
{
	static const struct {
		const char *end;
		int exit, state;
	} ends[] = { { "finished", 0, CELL_FINISHED },
		     { "finished", 1, CELL_FINISHED },
		     { "again", 75, CELL_LEFT },
		     { "interrupted", -1, CELL_LEFT },
		     { "lost", 1, CELL_LOST } };
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char name[32];

		snprintf(name, sizeof(name), "cell-%zu", i);
		fresh_cell(name);
		assert_int_equal(look().state, CELL_LEFT);
		assert_int_equal(cell_started(cell, 1, &e), 0);
		assert_int_equal(cell_ended(cell, 1, ends[i].end, ends[i].exit, "why", &e), 0);
		assert_int_equal(look().state, ends[i].state);
		assert_int_equal(look().exit, ends[i].exit);
		assert_int_equal(look().n, 1);
		assert_string_equal(look().text, "why");
		/* The last attempt counts. */
		assert_int_equal(cell_started(cell, 2, &e), 0);
		assert_int_equal(cell_ended(cell, 2, "finished", 4, "", &e), 0);
		assert_int_equal(look().state, CELL_FINISHED);
		assert_int_equal(look().exit, 4);
	}
}

/* Begun, not ended, and nobody has the lock: killed, as this machine still runs. */
static void what_was_killed_is_run_again(void **state)
{
	struct err e;
	int fd;

	(void)state;
	fresh_cell("killed");
	assert_int_equal(cell_lock(cell, false, &fd, &e), 0);
	assert_int_equal(cell_started(cell, 1, &e), 0);
	assert_int_equal(look().state, CELL_RUNNING);
	close(fd);
	assert_int_equal(look().state, CELL_LEFT);
	assert_int_equal(look().n, 1);
}

static void assert_lost(const char *name, const char *started)
{
	char path[700];

	fresh_cell(name);
	snprintf(path, sizeof(path), "%s/started-1.json", cell);
	assert_int_equal(write_file_atomic(path, started, strlen(started), 0600), 0);
	assert_int_equal(look().state, CELL_LOST);
	assert_int_equal(look().exit, 1);
	/* It stays so, whoever looks next. */
	assert_int_equal(look().state, CELL_LOST);
}

static void what_a_dead_machine_left_is_a_finding(void **state)
{
	(void)state;
	assert_lost("rebooted", "{ \"host\": \"here\", \"boot\": \"another\" }");
	assert_lost("elsewhere", "{ \"host\": \"node7.example\" }");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(cells_are_the_product_without_what_is_excluded),
		cmocka_unit_test(ids_are_of_the_cell_and_not_of_the_matrix),
		cmocka_unit_test(what_decides_what_a_cell_does_is_in_its_id),
		cmocka_unit_test(a_kernel_is_its_bytes),
		cmocka_unit_test(kernels_without_an_image_are_asked_for),
		cmocka_unit_test(a_target_that_a_scenario_cannot_have_is_said_before_anything_runs),
		cmocka_unit_test(records_say_what_became_of_a_cell),
		cmocka_unit_test(what_was_killed_is_run_again),
		cmocka_unit_test(what_a_dead_machine_left_is_a_finding),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
