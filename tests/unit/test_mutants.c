// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of mutants: the tree's own, each mistake with its line and JSON pointer, and a choice
 * of some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fsutil.h"
#include "vm/mutants.h"

#include <errno.h>

static char dir[] = "/tmp/stressd-mutants-XXXXXX";

#define HEAD "{ \"version\": 1, \"mutants\": [\n"
#define NAMED(n, i)                                                                                \
	"{ \"id\": " i ", \"name\": \"" n "\", \"summary\": \"It is lost.\"," FINDS PLAYS
#define FINDS	   "\n\"findings\": [\"zeroed\"],"
#define PLAYS	   "\n\"scenarios\": [\"good.json\"]"
#define GOOD	   NAMED("loses", "1") " }"
#define WITH(more) HEAD NAMED("loses", "1") ",\n" more " } ] }"
#define FINDING(f)                                                                                 \
	HEAD "{ \"id\": 1, \"name\": \"loses\", \"summary\": \"It is lost.\",\n\"findings\": " f   \
	     "," PLAYS " } ] }"
#define PLAYING(s)                                                                                 \
	HEAD "{ \"id\": 1, \"name\": \"loses\", \"summary\": \"It is lost.\"," FINDS               \
	     "\n\"scenarios\": " s " } ] }"

#define LEFT_OUT(l) HEAD GOOD " ],\n\"left_out\": " l " }"

static const char scenario[] =
	"{ \"version\": 1, \"name\": \"good\", \"files\": [ { \"name\": \"data\", \"size\": "
	"\"1M\" } ], \"workers\": [ { \"type\": \"buffered_writer\", \"file\": \"data\" } ] }";

/* @said begins behind "DIR/FILE:". */
static const struct {
	const char *text, *file, *said;
} rows[] = {
	{ "{", "list.json", "1: /: " },
	{ "[]", "list.json", "1: /: " },
	{ "{ \"version\": 2, \"mutants\": [] }", "list.json", "1: /version: " },
	{ "{ \"version\": 1 }", "list.json", "1: /: key \"mutants\" is missing" },
	{ "{ \"version\": 1,\n\"mutants\": {} }", "list.json", "2: /mutants: no list" },
	{ HEAD "] }", "list.json", "1: /mutants: no list of mutants; expected an array" },
	{ HEAD "7 ] }", "list.json", "2: /mutants/0: " },
	{ HEAD GOOD ", {} ] }", "list.json", "4: /mutants/1" },
	{ HEAD NAMED("loses", "0") " } ] }", "list.json", "2: /mutants/0/id: 0 is out of range" },
	{ HEAD NAMED("a/b", "1") " } ] }", "list.json", "2: /mutants/0/name: \"a/b\" has" },
	{ WITH("\"kind\": 1"), "list.json", "5: /mutants/0/kind: unknown key" },
	{ WITH("\"boot\": \"mine\""), "list.json", "5: /mutants/0/boot: \"mine\" is none of" },
	{ WITH("\"needs\": [\"LOCKDEP\"]"), "list.json", "5: /mutants/0/needs/0: \"LOCKDEP\" has" },
	{ WITH("\"append\": \"quiet\""), "list.json",
	  "5: /mutants/0/append: others share the boot; expected none, \"boot\": \"own\" or a "
	  "\"cut\"" },
	{ WITH("\"limit\": \"soon\""), "list.json", "5: /mutants/0/limit: \"soon\" " },
	{ WITH("\"cut\": \"soon\""), "list.json", "5: /mutants/0/cut: \"soon\" " },
	{ WITH("\"cut\": \"500ms..3s\""), "list.json",
	  "5: /mutants/0/cut: \"500ms..3s\" is out of range" },
	{ WITH("\"cut\": \"3s..2s\""), "list.json", "5: /mutants/0/cut: \"3s..2s\" " },
	{ FINDING("[]"), "list.json", "3: /mutants/0/findings: there is none; expected" },
	{ FINDING("[\"bad\"]"), "list.json", "3: /mutants/0/findings/0: \"bad\" is none of" },
	{ FINDING("[\"zeroed\", \"torn\", \"zeroed\"]"), "list.json",
	  "3: /mutants/0/findings/2: \"zeroed\" is there twice" },
	{ PLAYING("[]"), "list.json", "4: /mutants/0/scenarios: there is none" },
	{ PLAYING("[\"good.json\", \"gone.json\"]"), "list.json",
	  "4: /mutants/0/scenarios/1: gone.json cannot be read: No such file or directory; "
	  "expected a scenario file, relative to this one" },
	/* The scenario's own mistake, in its own file. */
	{ PLAYING("[\"bad.json\"]"), "bad.json", "1: /: key \"workers\"" },
	{ HEAD GOOD ",\n" NAMED("other", "1") " } ] }", "list.json",
	  "5: /mutants/1/id: loses has 1 already" },
	{ HEAD GOOD ",\n" NAMED("loses", "2") " } ] }", "list.json",
	  "5: /mutants/1/name: mutant 1 has the name already" },
	{ LEFT_OUT("{}"), "list.json", "5: /left_out: no list; expected an array of" },
	{ LEFT_OUT("[ {} ]"), "list.json", "5: /left_out/0: key \"scenario\" is missing" },
	{ LEFT_OUT("[ { \"scenario\": \"good.json\" } ]"), "list.json",
	  "5: /left_out/0: key \"why\" is missing" },
	{ LEFT_OUT("[ { \"scenario\": \"other.json\", \"why\": \"it is\" } ]"), "list.json",
	  "5: /left_out/0/scenario: no mutant has other.json; expected one of" },
};

static const char *put(const char *name, const char *text)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
	return path;
}

static void mistakes(void **state)
{
	char said[512];

	(void)state;
	put("good.json", scenario);
	put("bad.json", "{ \"version\": 1, \"name\": \"bad\", \"files\": [] }");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_mutants_ struct mutant_list list = { 0 };
		struct err e = { "" };

		assert_int_equal(mutants_load(put("list.json", rows[i].text), &list, &e), -EINVAL);
		snprintf(said, sizeof(said), "%s/%s:%s", dir, rows[i].file, rows[i].said);
		if (strncmp(e.text, said, strlen(said)) != 0)
			fail_msg("row %zu says: %s\ninstead of: %s", i, e.text, said);
		assert_non_null(strstr(e.text, "; expected "));
	}
}

static void cannot_be_read(void **state)
{
	_cleanup_mutants_ struct mutant_list list = { 0 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(mutants_load("/nonexistent/list.json", &list, &e), -ENOENT);
	assert_string_equal(e.text, "/nonexistent/list.json:1: /: cannot be read: No such file or "
				    "directory; expected a list of mutants, such as "
				    "lab/mutants.json");
}

static void everything(void **state)
{
	_cleanup_mutants_ struct mutant_list list = { 0 };
	const struct mutant *m;
	struct err e = { "" };
	const char *path;

	(void)state;
	put("good.json", scenario);
	path = put("list.json", HEAD GOOD
		   ",\n" NAMED("dies", "9") ", \"boot\": \"own\", \"append\": \"quiet\","
					    " \"needs\": [\"CONFIG_A\", \"CONFIG_B\"],"
					    " \"missed\": \"nobody looks\","
					    " \"limit\": \"5s\" } ],"
					    " \"left_out\": [ { \"scenario\": \"good.json\","
					    " \"why\": \"finds another\" } ] }");
	assert_int_equal(mutants_load(path, &list, &e), 0);
	assert_int_equal(list.n, 2);
	m = &list.mutants[0];
	assert_true(m->boot == MUTANT_SHARED && !m->cut.hi && !m->append && !m->missed &&
		    !m->needs[0]);
	assert_true(m->kinds == 1ULL << FINDING_ZEROED);
	m = &list.mutants[1];
	assert_int_equal(m->id, 9);
	assert_int_equal(m->boot, MUTANT_OWN);
	assert_string_equal(m->append, "quiet");
	assert_string_equal(m->missed, "nobody looks");
	assert_true(m->limit_ns == 5 * NSEC_PER_SEC && !list.mutants[0].limit_ns);
	assert_string_equal(m->needs[1], "CONFIG_B");
	assert_null(m->needs[2]);
	/* One file, one scenario. */
	assert_int_equal(list.nscenarios, 1);
	assert_true(m->nplays == 1 && m->plays[0] == 0);
	assert_string_equal(list.scenarios[0]->name, "good");
	assert_true(list.nleft_out == 1 && list.left_out[0].play == 0);
	assert_string_equal(list.left_out[0].why, "finds another");
}

/* Whoever pulls the plug has the machine for itself. */
static void cuts(void **state)
{
	static const struct {
		const char *cut;
		struct range range;
	} good[] = {
		{ "\"2s..6s\"", { 2 * NSEC_PER_SEC, 6 * NSEC_PER_SEC } },
		{ "\"3s\", \"append\": \"quiet\"", { 3 * NSEC_PER_SEC, 3 * NSEC_PER_SEC } },
	};
	char text[1024];

	(void)state;
	put("good.json", scenario);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_mutants_ struct mutant_list list = { 0 };
		struct err e = { "" };

		snprintf(text, sizeof(text), HEAD NAMED("loses", "1") ", \"cut\": %s } ] }",
			 good[i].cut);
		if (mutants_load(put("list.json", text), &list, &e) < 0)
			fail_msg("%s", e.text);
		assert_int_equal(list.mutants[0].cut.lo, good[i].range.lo);
		assert_int_equal(list.mutants[0].cut.hi, good[i].range.hi);
		assert_int_equal(list.mutants[0].boot, MUTANT_OWN);
	}
}

static void some(void **state)
{
	static const struct {
		const char *only;
		int r;
		size_t n;
		u64 first;
		const char *said;
	} choices[] = {
		{ "dies", 0, 1, 9, "" },
		{ "9", 0, 1, 9, "" },
		{ "dies,loses", 0, 2, 1, "" },
		{ "dies,,9,", 0, 1, 9, "" },
		{ "", -EINVAL, 0, 0, "--only names no mutant" },
		{ ",", -EINVAL, 0, 0, "--only names no mutant" },
		{ "2", -EINVAL, 0, 0, "there is no mutant \"2\"" },
		{ "dies,los", -EINVAL, 0, 0, "there is no mutant \"los\"; expected names such as" },
	};

	(void)state;
	put("good.json", scenario);
	put("list.json", HEAD GOOD ",\n" NAMED("dies", "9") " } ] }");
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		_cleanup_mutants_ struct mutant_list list = { 0 };
		struct err e = { "" };
		char path[512];

		snprintf(path, sizeof(path), "%s/list.json", dir);
		assert_int_equal(mutants_load(path, &list, &e), 0);
		assert_int_equal(mutants_only(&list, choices[i].only, &e), choices[i].r);
		if (choices[i].r == 0) {
			assert_int_equal(list.n, choices[i].n);
			assert_int_equal(list.mutants[0].id, choices[i].first);
		} else if (!strstr(e.text, choices[i].said)) {
			fail_msg("%s says: %s", choices[i].only, e.text);
		}
	}
}

static void the_trees_own(void **state)
{
	_cleanup_mutants_ struct mutant_list list = { 0 };
	struct err e = { "" };

	(void)state;
	if (mutants_load(SOURCE_DIR "/lab/mutants.json", &list, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(list.n >= 4);
	assert_string_equal(list.mutants[0].name, "iomap-short-write-drops-cache");
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rm_rf(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),   cmocka_unit_test(cannot_be_read),
		cmocka_unit_test(everything), cmocka_unit_test(cuts),
		cmocka_unit_test(some),	      cmocka_unit_test(the_trees_own),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
