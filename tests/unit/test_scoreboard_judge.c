// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an attempt comes to, from the files of its run: each way with a result.json and a
 * mutant.json as guests leave them, and none of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fsutil.h"
#include "vm/scoreboard.h"

static char dir[] = "/tmp/stressd-judge-XXXXXX";

#define ZEROED	"{\"kind\": \"zeroed\", \"time_ms\": 20.5, \"sentence\": \"zeros\"}"
#define LOST	"{\"kind\": \"lost-write\", \"time_ms\": 10, \"sentence\": \"lost\"}"
#define LATER	"{\"kind\": \"zeroed\", \"time_ms\": 30, \"sentence\": \"later\"}"
#define ENTERED "[{\"exercised\": true}, {\"exercised\": true}]"
#define IDLE	"[{\"exercised\": true}, {\"exercised\": false}]"
#define HITS(n) "{\"mutant\": 1, \"hits\": " n ", \"error\": null}"

static const struct row {
	bool healthy;
	const char *verdict, *reason, *findings, *races, *mutant;
	int end, kind;
	u64 time_us;
	s64 hits;
	const char *text;
} rows[] = {
	{ false, "fail", "", ZEROED, ENTERED, HITS("3"), ATTEMPT_DETECTED, FINDING_ZEROED, 20500, 3,
	  "zeros" },
	/* The first that is right counts, whatever came before it. */
	{ false, "fail", "", LATER ", " LOST ", " ZEROED, ENTERED, HITS("3"), ATTEMPT_DETECTED,
	  FINDING_ZEROED, 20500, 3, "zeros" },
	{ false, "fail", "", LOST, ENTERED, HITS("3"), ATTEMPT_WRONG, FINDING_LOST_WRITE, 10000, 3,
	  "lost" },
	{ true, "fail", "", ZEROED ", " LOST, ENTERED, NULL, ATTEMPT_WRONG, FINDING_LOST_WRITE,
	  10000, -1, "lost" },
	{ false, "pass", "", "", ENTERED, HITS("3"), ATTEMPT_REACHED, -1, 0, 3, "" },
	{ false, "pass", "", "", ENTERED, HITS("0"), ATTEMPT_NEVER, -1, 0, 0, "" },
	{ false, "pass", "", "", ENTERED, HITS("null"), ATTEMPT_MISSED, -1, 0, -1, "" },
	{ false, "pass", "", "", ENTERED, NULL, ATTEMPT_MISSED, -1, 0, -1, "" },
	{ true, "pass", "", "", ENTERED, NULL, ATTEMPT_SILENT, -1, 0, -1, "" },
	{ false, "incomplete", "race tail", "", IDLE, HITS("0"), ATTEMPT_IDLE, -1, 0, 0,
	  "race tail" },
	{ true, "incomplete", "race tail", "", IDLE, NULL, ATTEMPT_IDLE, -1, 0, -1, "race tail" },
	/* Incomplete for another reason: nothing is known. */
	{ true, "incomplete", "log lost", "", ENTERED, NULL, ATTEMPT_NOT_RUN, -1, 0, -1,
	  "log lost" },
	{ false, "skip", "no mkfs.xfs", "", "[]", HITS("0"), ATTEMPT_NOT_RUN, -1, 0, 0,
	  "no mkfs.xfs" },
	{ false, "error", "mount failed", "", "[]", HITS("0"), ATTEMPT_NOT_RUN, -1, 0, 0,
	  "mount failed" },
	/* This kernel has not the fault. */
	{ false, NULL, "", "", "", "{\"mutant\": 9, \"hits\": null, \"error\": \"cannot be set\"}",
	  ATTEMPT_NOT_RUN, -1, 0, -1, "cannot be set" },
	{ false, NULL, "", "", "", NULL, ATTEMPT_NOT_RUN, -1, 0, -1, "" },
};

static void put(const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	if (text)
		assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
}

static void judges(void **state)
{
	const struct mutant m = { .kinds = 1ULL << FINDING_ZEROED };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];
		const struct trial t = { .mutant = r->healthy ? NULL : &m };
		struct attempt a = { .text = "" };

		snprintf(text, sizeof(text),
			 "{\"verdict\": \"%s\", \"reason\": \"%s\", \"findings\": [%s], "
			 "\"races\": %s}",
			 r->verdict ? r->verdict : "", r->reason, r->findings, r->races);
		put("result.json", r->verdict ? text : NULL);
		put("mutant.json", r->mutant);
		scoreboard_judge(&t, dir, &a);
		if (a.end != r->end || a.kind != r->kind || a.time_ns != r->time_us * 1000 ||
		    a.hits != r->hits || strcmp(a.text, r->text) != 0)
			fail_msg("row %zu: %s, kind %d, %llu ns, %lld hits, \"%s\"", i,
				 attempt_names[a.end], a.kind, (unsigned long long)a.time_ns,
				 (long long)a.hits, a.text);
	}
}

/* After a power cut: the host's word on the run, then what the check found. */
static void after_a_cut(void **state)
{
	static const struct {
		bool healthy;
		const char *before, *verdict, *found;
		int end, kind;
		const char *text;
	} cuts[] = {
		{ false, "", "fail", ZEROED, ATTEMPT_DETECTED, FINDING_ZEROED, "zeros" },
		{ false, "", "fail", LOST, ATTEMPT_WRONG, FINDING_LOST_WRITE, "lost" },
		{ true, "", "fail", LOST, ATTEMPT_WRONG, FINDING_LOST_WRITE, "lost" },
		{ true, "", "pass", "", ATTEMPT_SILENT, -1, "" },
		{ false, "", "pass", "", ATTEMPT_MISSED, -1, "" },
		/* What the console had counts, whatever the check says. */
		{ false, ZEROED, "pass", "", ATTEMPT_DETECTED, FINDING_ZEROED, "zeros" },
		{ true, LOST, "pass", "", ATTEMPT_WRONG, FINDING_LOST_WRITE, "lost" },
		/* The check failed, or was never made: no result, though the cut was. */
		{ true, "", "error", "", ATTEMPT_NOT_RUN, -1, "why" },
		{ true, "", NULL, "", ATTEMPT_NOT_RUN, -1, "cut" },
	};
	const struct mutant m = { .kinds = 1ULL << FINDING_ZEROED };
	char text[1024];

	(void)state;
	put("mutant.json", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		const struct trial t = { .mutant = cuts[i].healthy ? NULL : &m };
		struct attempt a = { .text = "", .cut_ns = NSEC_PER_SEC };

		snprintf(text, sizeof(text),
			 "{\"verdict\": \"incomplete\", \"reason\": \"cut\", \"findings\": [%s], "
			 "\"races\": []}",
			 cuts[i].before);
		put("result.json", text);
		snprintf(text, sizeof(text),
			 "{\"verdict\": \"%s\", \"reason\": \"%s\", \"findings\": [%s], "
			 "\"races\": []}",
			 cuts[i].verdict ? cuts[i].verdict : "",
			 cuts[i].verdict && !strcmp(cuts[i].verdict, "error") ? "why" : "",
			 cuts[i].found);
		put("verify/result.json", cuts[i].verdict ? text : NULL);
		scoreboard_judge(&t, dir, &a);
		if (a.end != cuts[i].end || a.kind != cuts[i].kind ||
		    strcmp(a.text, cuts[i].text) != 0)
			fail_msg("row %zu: %s, kind %d, \"%s\"", i, attempt_names[a.end], a.kind,
				 a.text);
	}
	put("verify/result.json", NULL);
}

/* A guest that went wild sends what is no result: nothing is known, and nothing breaks. */
static void nonsense(void **state)
{
	static const char *const texts[] = { "",
					     "{",
					     "[]",
					     "7",
					     "{\"verdict\": 3, \"findings\": {}}",
					     "{\"findings\": [1, {\"kind\": \"unheard-of\"}]}" };
	const struct trial t = { .mutant = NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct attempt a = { .text = "" };

		put("result.json", texts[i]);
		put("mutant.json", texts[i]);
		scoreboard_judge(&t, dir, &a);
		assert_int_equal(a.end, ATTEMPT_NOT_RUN);
		assert_int_equal(a.kind, -1);
		assert_int_equal(a.hits, -1);
	}
}

static int set_up(void **state)
{
	char path[512];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/verify", dir);
	return mkdir_p(path, 0700);
}

static int tear_down(void **state)
{
	(void)state;
	return rm_rf(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges),
		cmocka_unit_test(after_a_cut),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
