// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of a scoreboard: every attempt is told in each, foreign text stays text, and a full
 * disk is an error. With a path as argument the page is written there, to be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "report/report.h"
#include "scoreboard_sample.h"

static struct sample s;

typedef int (*writer)(const struct scoreboard *b, FILE *out);

static char *written(writer write)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(write(&s.b, out), 0);
	fclose(out);
	return text;
}

static void has(const char *text, const char *const *parts)
{
	for (; *parts; parts++)
		if (!strstr(text, *parts))
			fail_msg("\"%s\" is not in:\n%s", *parts, text);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void as_text(void **state)
{
	static const char *const parts[] = {
		"1  drops-cache: detected\n",
		"5 of 5",
		"250 ms",
		"90 ms to 730 ms",
		"2  warns: wrong finding: lost-write\n",
		"0 of 5",
		"2 reached, not detected",
		"4  deadlocks: did not run\n",
		"no kernel given has CONFIG_LOCKDEP",
		"known to be missed: needs a power failure",
		"silent in 10s",
		"silent in 3 cuts at 2s..6s\n",
		"left out in 0s\n        finds what any kernel has",
		"FAIL  2 of 5 mutants detected, 1 known to be missed, 1 not detected, 1 did not "
		"run; "
		"the healthy kernel silent in 4 of 4; 9 boots",
		"/results",
		NULL,
	};
	char *text = written(scoreboard_text);

	(void)state;
	has(text, parts);
	free(text);
}

static void as_markdown(void **state)
{
	static const char *const parts[] = {
		"<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n# Detection\n",
		"| 1 `drops-cache` | `short-write` | 5 of 5 | 250 ms | 90 ms to 730 ms | zeroed "
		"|\n",
		"| 3 `loses` | `stale` | 2 of 3 | 12.0 s | 800 ms to > 60.0 s | lost-write, "
		"zeroed; 1 "
		"not detected |\n",
		"did not run: no kernel given has CONFIG_LOCKDEP |\n",
		"- `warns` (kernel-warning): &lt;script>alert(\"1\")&lt;/script> a \\| b &amp; "
		"\\`c\\`\n",
		"*Not detected:* needs a power failure &lt;script>",
		"| `short-write` | 10s | nothing |\n",
		"| `stale` | 3 cuts at 2s..6s | nothing |\n",
		"| `uptodate-bits-aimed` | 0s | left out: finds what any kernel has &lt;script>",
		NULL,
	};
	char *text = written(scoreboard_markdown);

	(void)state;
	has(text, parts);
	/* It goes into the tree: nothing of this machine. */
	assert_null(strstr(text, "/results"));
	assert_null(strstr(text, "lab/bzImage"));
	assert_null(strstr(text, "<script"));
	free(text);
}

static void as_html(void **state)
{
	static const char *const parts[] = {
		"<!doctype html>",
		"name=\"viewport\"",
		"prefers-color-scheme: dark",
		"<b>drops-cache</b> <span class=\"good\">detected</span>",
		"<b>warns</b> <span class=\"bad\">wrong finding: lost-write</span>",
		"<b>known</b> <span class=\"odd\">reached, not detected</span>",
		"&lt;script&gt;alert(\"1\")&lt;/script&gt; a | b &amp; `c`",
		"6.1.0-&lt;lab&gt;",
		"&gt; 60.0 s",
		"left out</span><br><span class=\"soft\">finds what any kernel has &lt;script",
		NULL,
	};
	char *text = written(scoreboard_html);

	(void)state;
	has(text, parts);
	assert_null(strstr(text, "<script"));
	/* By itself: nothing is fetched. */
	assert_null(strstr(text, "http"));
	assert_null(strstr(text, " src="));
	assert_null(strstr(text, "@import"));
	/* A dot for each attempt that had a result. */
	assert_int_equal(count(text, "<circle"), 14);
	assert_int_equal(count(text, "class=\"open\""), 7);
	for (const char *const *tag = (const char *const[]){ "table", "tbody", "tr", "td", "th",
							     "span", "svg", NULL };
	     *tag; tag++) {
		char open[16], open_with[16], close[16];

		snprintf(open, sizeof(open), "<%s>", *tag);
		snprintf(open_with, sizeof(open_with), "<%s ", *tag);
		snprintf(close, sizeof(close), "</%s>", *tag);
		assert_int_equal(count(text, open) + count(text, open_with), count(text, close));
	}
	free(text);
}

static void as_json(void **state)
{
	char *text = written(scoreboard_json);
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *m, *t, *a;

	(void)state;
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "version")), 1);
	assert_int_equal(json_integer_value(json_object_get(o, "exit")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "mutants")), 5);
	assert_int_equal(json_array_size(json_object_get(o, "healthy")), 5);
	t = json_array_get(json_object_get(o, "healthy"), 4);
	a = json_array_get(json_object_get(t, "attempts"), 0);
	assert_string_equal(json_string_value(json_object_get(a, "outcome")), "left-out");
	t = json_array_get(json_object_get(o, "healthy"), 3);
	a = json_array_get(json_object_get(t, "attempts"), 1);
	assert_true(json_number_value(json_object_get(a, "cut_ms")) == 3000);
	m = json_array_get(json_object_get(o, "mutants"), 1);
	assert_string_equal(json_string_value(json_object_get(m, "summary")), SAMPLE_HOSTILE);
	assert_true(json_is_true(json_object_get(m, "failed")));
	t = json_array_get(json_object_get(m, "trials"), 0);
	assert_int_equal(json_array_size(json_object_get(t, "attempts")), 5);
	assert_true(json_is_true(json_object_get(json_object_get(t, "median"), "open")));
	a = json_array_get(json_object_get(t, "attempts"), 2);
	assert_string_equal(json_string_value(json_object_get(a, "outcome")), "never-reached");
	assert_int_equal(json_integer_value(json_object_get(a, "hits")), 0);
	assert_true(json_is_null(json_object_get(a, "finding")));
	assert_true(json_is_null(json_object_get(a, "cut_ms")));
	m = json_array_get(json_object_get(o, "mutants"), 3);
	t = json_array_get(json_object_get(m, "trials"), 0);
	assert_true(json_is_null(json_object_get(t, "median")));
	assert_true(json_is_null(json_object_get(t, "kernel")));
	json_decref(o);
	free(text);
}

/* Interrupted before anything ran: the tables say so, and hold together. */
static void with_nothing_run(void **state)
{
	static const writer writers[] = { scoreboard_text, scoreboard_markdown, scoreboard_html,
					  scoreboard_json };

	(void)state;
	for (size_t i = 0; i < s.nattempts; i++)
		s.attempts[i].end = ATTEMPT_NOT_RUN;
	s.b.interrupted = true;
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		char *text = written(writers[i]);

		assert_null(strstr(text, "nan"));
		assert_true(strstr(text, "did not run") || strstr(text, "not-run"));
		free(text);
	}
	sample_make(&s);
}

static void full_disk(void **state)
{
	static const writer writers[] = { scoreboard_text, scoreboard_markdown, scoreboard_html,
					  scoreboard_json };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		FILE *out = fopen("/dev/full", "w");

		assert_non_null(out);
		assert_true(writers[i](&s.b, out) < 0);
		fclose(out);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text),	    cmocka_unit_test(as_markdown),
		cmocka_unit_test(as_html),	    cmocka_unit_test(as_json),
		cmocka_unit_test(with_nothing_run), cmocka_unit_test(full_disk),
	};

	sample_make(&s);
	if (argc > 1) {
		FILE *out = fopen(argv[1], "w");

		return !out || scoreboard_html(&s.b, out) < 0 || fclose(out) != 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
