// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrong scenarios: each is refused with one line that names the file, the line, the pointer and
 * what was expected. The cases are the tables in tests/bad-scenarios; this is what runs them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "../scenario_sample.h"
#include "base/json_locate.h"

#define R64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct replacement {
	const char *find, *replace;
	int line;
	const char *pointer, *says;
};

static const struct replacement replacements[] = {
#define B(find, replace, line, pointer, says) { find, replace, line, pointer, says },
#include "../bad-scenarios/cross.def"
#include "../bad-scenarios/keys.def"
#include "../bad-scenarios/values.def"
#undef B
};

static const struct {
	const char *value, *key;
	int line;
	const char *pointer, *right;
} type_rows[] = {
#define T(value, key, line, pointer, right) { value, key, line, pointer, right },
#include "../bad-scenarios/types.def"
#undef T
};

static const struct {
	const char *text;
	size_t len;
	int line;
	const char *pointer, *says;
} documents[] = {
#define D(text, line, pointer, says) { text, sizeof(text) - 1, line, pointer, says },
#include "../bad-scenarios/syntax.def"
#undef D
};

static char *base;

/* The shape of every error, whatever it says. */
static void assert_one_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			fail_msg("control character in: %s", text);
	if (!strstr(text, "; expected ") || strstr(text, "; expected ")[11] == '\0')
		fail_msg("says not what was expected: %s", text);
}

static void expect_bad(const char *text, size_t len, const char *what, int line,
		       const char *pointer, const char *says)
{
	struct scenario *sc = NULL;
	struct err e = { "" };
	char start[512];
	int r = scenario_parse_with(&sample_tables, "bad.json", text, len, &sc, &e);

	if (r != -EINVAL || sc)
		fail_msg("%s: returned %d", what, r);
	snprintf(start, sizeof(start), "bad.json:%d: %s: ", line, pointer);
	if (strncmp(e.text, start, strlen(start)))
		fail_msg("%s: \"%s\" does not begin with \"%s\"", what, e.text, start);
	if (!strstr(e.text + strlen(start), says))
		fail_msg("%s: \"%s\" does not say \"%s\"", what, e.text, says);
	assert_one_line(e.text);
}

/* base.json with the one place @find replaced. */
static char *mutate(const char *find, const char *replace)
{
	char *at = strstr(base, find), *text = NULL;

	if (!at || strstr(at + 1, find))
		fail_msg("\"%s\" must be in base.json once", find);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - base), base, replace,
			     at + strlen(find)) > 0);
	return text;
}

static void base_is_good(void **state)
{
	struct scenario *sc = NULL;
	struct err e = { "" };

	(void)state;
	if (scenario_parse_with(&sample_tables, "base.json", base, strlen(base), &sc, &e))
		fail_msg("%s", e.text);
	scenario_free(sc);
}

static void replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
		const struct replacement *r = &replacements[i];
		_cleanup_free_ char *text = mutate(r->find, r->replace);

		expect_bad(text, strlen(text), r->replace, r->line, r->pointer, r->says);
	}
	assert_true(ARRAY_SIZE(replacements) + ARRAY_SIZE(documents) >= 200);
}

static void wrong_types(void **state)
{
	static const struct {
		char name;
		const char *text;
	} values[] = {
		{ 'n', "null" },  { 'b', "true" }, { 'f', "2.5" }, { 'i', "-1" },
		{ 's', "\"?\"" }, { 'a', "[]" },   { 'o', "{}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(type_rows) * ARRAY_SIZE(values); i++) {
		size_t row = i / ARRAY_SIZE(values), v = i % ARRAY_SIZE(values);
		_cleanup_free_ char *text = NULL, *find = NULL, *replace = NULL;

		if (strchr(type_rows[row].right, values[v].name))
			continue;
		assert_true(asprintf(&find, "\"%s\": %s", type_rows[row].key,
				     type_rows[row].value) > 0);
		assert_true(asprintf(&replace, "\"%s\": %s", type_rows[row].key, values[v].text) >
			    0);
		text = mutate(find, replace);
		expect_bad(text, strlen(text), replace, type_rows[row].line, type_rows[row].pointer,
			   "");
	}
}

static void whole_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		expect_bad(documents[i].text, documents[i].len, documents[i].text,
			   documents[i].line, documents[i].pointer, documents[i].says);
}

/* Every prefix of a scenario is refused at the line where it ends. */
static void truncated(void **state)
{
	int line = 1;
	size_t len = strrchr(base, '}') - base;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		/* A copy of exactly n bytes: ASan sees a read behind its end. */
		_cleanup_free_ char *text = malloc(n + 1);
		struct scenario *sc = NULL;
		struct err e = { "" };
		char start[64];

		memcpy(text, base, n);
		text[n] = 'x';
		if (n && base[n - 1] == '\n')
			line++;
		assert_int_equal(scenario_parse_with(&sample_tables, "cut.json", text, n, &sc, &e),
				 -EINVAL);
		snprintf(start, sizeof(start), "cut.json:%d: /", line);
		if (strncmp(e.text, start, strlen(start)))
			fail_msg("after %zu bytes: %s", n, e.text);
		assert_one_line(e.text);
	}
}

/* Lists one longer than allowed: too long for a table. */
static void long_lists(void **state)
{
	_cleanup_free_ char *text = NULL, *list = NULL;
	size_t size;
	FILE *out = open_memstream(&list, &size);

	(void)state;
	for (int i = 0; i < 65; i++)
		fprintf(out, "%s{\"name\": \"f%d\", \"size\": 512}", i ? "," : "", i);
	fclose(out);
	assert_true(asprintf(&text,
			     "{\"version\": 1, \"name\": \"n\",\n\"files\": [%s],\n"
			     "\"workers\": [{\"type\": \"dropper\"}]}",
			     list) > 0);
	expect_bad(text, strlen(text), "65 files", 2, "/files", "there are 65; expected 1..64");
	free(text);
	text = strdup("{\"version\": 1, \"name\": \"n\",\n\"files\": [],\n\"workers\": []}");
	expect_bad(text, strlen(text), "no files", 2, "/files", "there are 0; expected 1..64");
	free(text);
	text = strdup("{\"version\": 1, \"name\": \"n\", \"workers\": [],"
		      "\"files\": [{\"name\": \"a\",\n\"size\": 512}]}");
	expect_bad(text, strlen(text), "no workers", 1, "/workers", "expected 1..256");
}

/* What a table cannot hold: depth, length, keys without end. */
static void monsters(void **state)
{
	char zeros[2 * JSON_LOCATE_DEPTH + 1] = "";
	size_t len = 900 * 1024;
	_cleanup_free_ char *text = malloc(100 * MIB);
	struct err e = { "" };
	struct scenario *sc = NULL;

	(void)state;
	memset(text, '[', 100 * MIB);
	for (size_t i = 0; i < JSON_LOCATE_DEPTH; i++)
		strcat(zeros, "/0");
	expect_bad(text, len, "[ without end", 1, zeros, "nested less deeply");
	expect_bad(text, 100 * MIB, "100 MB of [", 1, "/", "at most 1048576 bytes");
	/* One key of 900 KiB. */
	memset(text, 'k', len);
	memcpy(text, "{\"", 2);
	memcpy(text + len - 4, "\":1}", 4);
	assert_int_equal(scenario_parse_with(&sample_tables, "k", text, len, &sc, &e), -EINVAL);
	assert_non_null(strstr(e.text, "kkk...: unknown key; expected one of: version"));
	assert_one_line(e.text);
	/* A path longer than the line: the message still shows. */
	text[4000] = '\0';
	assert_int_equal(scenario_parse_with(&sample_tables, text, "{}", 2, &sc, &e), -EINVAL);
	assert_non_null(strstr(e.text, "...:1: /: key \"version\" is missing; expected 1"));
	assert_int_equal(scenario_parse_with(&sample_tables, "a\nb\xff", "{}", 2, &sc, &e),
			 -EINVAL);
	assert_memory_equal(e.text, "a\\u000ab\\xff:1: /: ", 18);
}

static void expect_unreadable(const char *path, int ret, const char *says)
{
	struct scenario *sc = NULL;
	struct err e = { "" };
	char start[600];

	assert_int_equal(scenario_load_with(&sample_tables, path, &sc, &e), ret);
	assert_null(sc);
	snprintf(start, sizeof(start), "%s:1: /: ", path);
	assert_memory_equal(e.text, start, strlen(start));
	if (!strstr(e.text, says))
		fail_msg("%s", e.text);
	assert_one_line(e.text);
}

static void unreadable(void **state)
{
	char dir[] = "/tmp/stressd-bad-XXXXXX", path[64];
	u64 start;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s.json", dir);
	expect_unreadable(path, -ENOENT, "cannot be read: No such file or directory");
	expect_unreadable(dir, -EISDIR, "cannot be read: Is a directory");
	expect_unreadable("/dev/null", -EINVAL, "expected");
	expect_unreadable("/dev/zero", -EINVAL, "at most 1048576 bytes");
	f = fopen(path, "w");
	/* 100 MB of '[', for the most part a hole that is never read. */
	assert_true(fputs("[[[[[[[[", f) > 0 && ftruncate(fileno(f), 100 * 1000 * 1000) == 0);
	fclose(f);
	start = now_ns();
	expect_unreadable(path, -EINVAL, "at most 1048576 bytes");
	assert_true(now_ns() - start < NSEC_PER_SEC);
	unlink(path);
	rmdir(dir);
}

static void no_fault_types(void **state)
{
	static const struct fault_type *const none[] = { NULL };
	struct scenario_tables tables = sample_tables;
	struct scenario *sc = NULL;
	struct err e = { "" };

	(void)state;
	tables.faults = none;
	assert_int_equal(scenario_parse_with(&tables, "f", base, strlen(base), &sc, &e), -EINVAL);
	assert_string_equal(e.text, "f:37: /faults/0/type: this build has no fault types; "
				    "expected none, see `stressd list faults`");
}

/* Without a directory under it this worker is fine; base.json cannot show both. */
static void mount_in_directory(void **state)
{
	static const char good[] =
		"{\"version\": 1, \"name\": \"n\", \"target\":\n{\"type\": \"image\"},"
		"\"files\": [{\"name\": \"a\", \"size\": 512}],\n"
		"\"workers\": [{\"type\": \"remount\"}]}";
	static const char bad[] = "{\"version\": 1, \"name\": \"n\", \"target\":\n{\"type\": "
				  "\"directory\", \"path\": \"x\"},"
				  "\"files\": [{\"name\": \"a\", \"size\": 512}],\n"
				  "\"workers\": [{\"type\": \"remount\"}]}";
	struct scenario *sc = NULL;
	struct err e = { "" };

	(void)state;
	assert_int_equal(scenario_parse_with(&sample_tables, "g", good, sizeof(good) - 1, &sc, &e),
			 0);
	scenario_free(sc);
	expect_bad(bad, sizeof(bad) - 1, "remount", 3, "/workers/0/type", "another target");
}

static int read_base(void **state)
{
	FILE *f = fopen(SOURCE_DIR "/tests/bad-scenarios/base.json", "r");
	size_t len;

	(void)state;
	base = calloc(1, 8192);
	len = f ? fread(base, 1, 8191, f) : 0;
	if (f)
		fclose(f);
	return len > 0 ? 0 : -1;
}

static int free_base(void **state)
{
	(void)state;
	free(base);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_is_good),	  cmocka_unit_test(replaced),
		cmocka_unit_test(wrong_types),	  cmocka_unit_test(whole_documents),
		cmocka_unit_test(truncated),	  cmocka_unit_test(long_lists),
		cmocka_unit_test(monsters),	  cmocka_unit_test(unreadable),
		cmocka_unit_test(no_fault_types), cmocka_unit_test(mount_in_directory),
	};

	return cmocka_run_group_tests(tests, read_base, free_base);
}
