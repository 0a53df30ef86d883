// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Places in JSON texts, both ways, and the escaping of foreign text that error lines rest on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/json_locate.h"

static const char doc[] = "\n{\n"				     /* line 2 */
			  " \"a\": [\n"				     /* 3 */
			  "  1,\n"				     /* 4 */
			  "  { \"b\\u002fc\": true,\n"		     /* 5 */
			  "    \"d~e\":\n"			     /* 6 */
			  "      \"{[,:\\\"\" },\n"		     /* 7 */
			  "  [], [[2],\n"			     /* 8 */
			  "  [3]] ],\n"				     /* 9 */
			  " \"\": 0, \"a0\": 1,\n"		     /* 10 */
			  " \"z\\ud83d\\ude00\\n\": { \"1\": {} }\n" /* 11 */
			  "}\n";

static void lines(void **state)
{
	static const struct {
		const char *pointer;
		size_t line;
	} rows[] = {
		{ "", 2 },
		{ "/a", 3 },
		{ "/a/0", 4 },
		{ "/a/1", 5 },
		{ "/a/1/b~1c", 5 },
		{ "/a/1/d~0e", 6 },
		{ "/a/2", 8 },
		{ "/a/3", 8 },
		{ "/a/3/0", 8 },
		{ "/a/3/0/0", 8 },
		{ "/a/3/1", 9 },
		{ "/a/3/1/0", 9 },
		{ "/", 10 },
		{ "/a0", 10 },
		{ "/z\xf0\x9f\x98\x80\n", 11 },
		{ "/z\xf0\x9f\x98\x80\n/1", 11 },
		/* Not there. */
		{ "/b", 0 },
		{ "/a/4", 0 },
		{ "/a/00", 0 },
		{ "/a/-", 0 },
		{ "/a/1/b/c", 0 },
		{ "/a/1/d~e", 0 },
		{ "/a/2/0", 0 },
		{ "/a/", 0 },
		{ "a", 0 },
		{ "/a/0/0", 0 },
		{ "/z", 0 },
		{ "//1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t line = json_line_of(doc, sizeof(doc) - 1, rows[i].pointer);

		if (line != rows[i].line)
			fail_msg("%s: line %zu, not %zu", rows[i].pointer, line, rows[i].line);
	}
}

static void pointers(void **state)
{
	static const char text[] = "{\"a\":[1,{\"b\":\"c\"}],\"d\":{}}";
	char buf[64];

	(void)state;
	for (size_t n = 0; n <= strlen(text); n++) {
		_cleanup_free_ char *copy = malloc(n + 1);

		memcpy(copy, text, n);
		json_pointer_at(copy, n, n, buf, sizeof(buf));
		/* Whatever it is, it is the pointer of a value of the whole text. */
		assert_int_equal(json_line_of(text, strlen(text), buf), 1);
	}
	assert_string_equal(json_pointer_at(text, strlen(text), 7, buf, sizeof(buf)), "/a/0");
	assert_string_equal(json_pointer_at(text, strlen(text), 8, buf, sizeof(buf)), "/a");
	assert_string_equal(json_pointer_at(text, strlen(text), 9, buf, sizeof(buf)), "/a/1");
	assert_string_equal(json_pointer_at(text, strlen(text), 15, buf, sizeof(buf)), "/a/1/b");
	assert_string_equal(json_pointer_at(text, strlen(text), 17, buf, sizeof(buf)), "/a/1");
	assert_string_equal(json_pointer_at(text, strlen(text), 18, buf, sizeof(buf)), "/a");
	assert_string_equal(json_pointer_at(text, strlen(text), 19, buf, sizeof(buf)), "");
	assert_string_equal(json_pointer_at(text, strlen(text), 25, buf, sizeof(buf)), "/d");
	assert_string_equal(json_pointer_at(text, strlen(text), 15, buf, 4), "/a/");
}

static void deep(void **state)
{
	size_t n = 1 << 20;
	_cleanup_free_ char *text = malloc(2 * n);
	char buf[1024], expected[1024] = "";

	(void)state;
	memset(text, '[', n);
	memset(text + n, ']', n);
	for (int i = 0; i < JSON_LOCATE_DEPTH; i++)
		strcat(expected, "/0");
	assert_string_equal(json_pointer_at(text, 2 * n, n, buf, sizeof(buf)), expected);
	assert_string_equal(json_pointer_at(text, 2 * n, 2 * n, buf, sizeof(buf)), "");
	assert_int_equal(json_line_of(text, 2 * n, expected), 1);
	assert_int_equal(json_line_of(text, 2 * n, strcat(expected, "/0")), 0);
}

static void escapes(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "a\nb\t", "a\\u000ab\\u0009" },
		{ "\x1b[31m\x7f", "\\u001b[31m\\u007f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x85", "\\u0085" },			  /* C1: next line */
		{ "\xe2\x80\xa8\xe2\x80\xae", "\\u2028\\u202e" }, /* line separator, override */
		{ "\xff\xc0\x80", "\\xff\\xc0\\x80" },		  /* never in UTF-8; overlong NUL */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },		  /* surrogate */
		{ "\xf0\x9f\x98\x80\xf0\x9f", "\xf0\x9f\x98\x80\\xf0\\x9f" }, /* whole, cut */
		{ "", "" },
	};
	char buf[64], again[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		text_escape(buf, sizeof(buf), rows[i].in, strlen(rows[i].in));
		assert_string_equal(buf, rows[i].out);
		text_escape(again, sizeof(again), buf, strlen(buf));
		assert_string_equal(again, buf);
	}
	assert_string_equal(text_escape(buf, 16, "123456789012345", 15), "123456789012345");
	assert_string_equal(text_escape(buf, 16, "1234567890123456", 16), "123456789012...");
	assert_string_equal(text_escape(buf, 16, "1234567890\n\n", 12), "1234567890...");
	assert_string_equal(text_escape(buf, 16, "a\0b", 3), "a\\u0000b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(pointers),
		cmocka_unit_test(deep),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
