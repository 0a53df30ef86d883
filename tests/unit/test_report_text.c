// SPDX-License-Identifier: GPL-2.0-or-later
/* The text report says what a tired person needs, within its width, whatever the texts hold. */
#include "report_sample.h"

#include "report/chars.h"
#include "report/people.h"

#include <errno.h>

/* The longest line in columns; lines that a person copies are left out. */
static size_t widest(const char *text)
{
	size_t most = 0;

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n"), columns = 0;

		for (size_t i = 0; i < len; i++)
			columns += ((unsigned char)p[i] & 0xc0) != 0x80;
		if (strncmp(p, "Reproduce:", 10) && strncmp(p, "Everything is in", 16))
			most = columns > most ? columns : most;
		p += len + (p[len] == '\n');
	}
	return most;
}

static void one_finding(void **state)
{
	struct sample *s = sample_new(1);
	char *text = sample_render(s, "text"), *first, *second;

	(void)state;
	assert_ptr_equal(
		strstr(text, "FAIL  short-write-vs-mmap: 1 finding in 29.30 s, seed 7 (exit 1)"),
		text);
	first = strstr(text,
		       "\n1. data cell 812 (offset 415744): store 31 by mmap_writer.0 is gone");
	assert_non_null(first);
	/* the sentence comes before any evidence */
	second = strstr(text, "Bytes: 512 of 512 bytes differ, +0 to +511; found: all zeros");
	assert_true(second > first);
	assert_has(text,
		   "zeroed (zeros where data must be). Seen by dio_reader.1 at 1.204 s; seen 3 "
		   "more times.");
	assert_has(text, "offset 415744 = cell +0, page 101 +2048, sector 4 of it [sector begins]");
	assert_has(text, "expected  01 01 03 03 05 05 07 07  09 09 0b 0b 0d 0d 0f 0f");
	assert_has(text, "found     00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |....");
	assert_has(text, "... and 26 more lines of 16 bytes differ, to cell +511");
	assert_has(text, "cache WRONG | direct ok | dropped - | remounted - | device n/a");
	assert_has(text, "The page cache is wrong; the disk has the right bytes.");
	assert_has(text, "-2.000 ms .. -50.00 us    short_write.1      pwrite(458752 bytes");
	assert_has(text, "+2.000 us .. in flight    mmap_writer.0      store(512 bytes at 415744)");
	assert_has(text, "WARNING: CPU: 1 PID: 7");
	assert_has(text, "\nReproduce: stressd run --run-dir again scenario.json\n");
	assert_has(text, "1.2 M operations (41 k/s)");
	assert_has(text, "why: no memory");
	assert_has(text, "  - dropcache: no cgroup v2\n");
	assert_has(text, "  - ENOSPC from fallocate was explained\n");
	assert_has(text, "Kernel taint: 0 (not tainted) before, 512 (");
	assert_has(text, "\nEverything is in /var/lib/stressd/runs/1\n");
	assert_true(widest(text) <= 100);
	assert_has_not(text, "\033");
	free(text);
	sample_free(s);
}

/* Each row: what the layers returned, and what that says about where the data died. */
static void where_it_died(void **state)
{
	static const struct {
		int cache, direct, dropped;
		const char *says, *says_not;
	} rows[] = {
		{ LAYER_BAD, LAYER_GOOD, LAYER_GOOD,
		  "The page cache is wrong; the disk has the right bytes.", "has not" },
		{ LAYER_GOOD, LAYER_BAD, LAYER_BAD,
		  "The page cache has the right bytes; the disk has not.", "is wrong" },
		{ LAYER_BAD, LAYER_BAD, LAYER_BAD, "Wrong in the page cache and on the disk.",
		  "right bytes" },
		{ LAYER_BAD, LAYER_GOOD, LAYER_BAD, "cache WRONG | direct ok | dropped WRONG",
		  "The page cache" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sample *s = sample_new(1);
		char *text;

		s->f->layers[LAYER_CACHE].state = rows[i].cache;
		s->f->layers[LAYER_DIRECT].state = rows[i].direct;
		s->f->layers[LAYER_DROPPED].state = rows[i].dropped;
		text = sample_render(s, "text");
		assert_has(text, rows[i].says);
		assert_has_not(text, rows[i].says_not);
		free(text);
		sample_free(s);
	}
}

/* A single flipped byte is shown on its line alone; the same bytes twice show nothing. */
static void dump_shows_what_differs(void **state)
{
	struct sample *s = sample_new(1);
	char *text;

	(void)state;
	memcpy(s->f->found, s->f->expected, sizeof(s->f->found));
	text = sample_render(s, "text");
	assert_has_not(text, "Bytes:");
	free(text);
	s->f->found[300] ^= 4;
	text = sample_render(s, "text");
	assert_has(text, "Bytes: 1 of 512 bytes differ, +300 to +300\n");
	assert_has(text, "offset 416032 = cell +288, page 101 +2336, sector 4 of it\n");
	assert_has_not(text, "more lines of 16 bytes");
	free(text);
	sample_free(s);
}

static void nothing_found(void **state)
{
	struct sample *s = sample_new(0);
	char *text;

	(void)state;
	text = sample_render(s, "text");
	assert_ptr_equal(strstr(text, "PASS  short-write-vs-mmap: nothing found in 29.30 s"), text);
	assert_has(text, "Kernel log: watched throughout; 0 events, 0 allowed\n");
	free(text);
	s->r.klog_events = 3;
	s->r.klog_allowed = 2;
	text = sample_render(s, "text");
	assert_has(text, "3 events, 2 allowed; the others are notices, not findings\n");
	free(text);
	s->r.klog_lost = 4;
	text = sample_render(s, "text");
	assert_has(text, "Kernel log: INCOMPLETE, 4 records lost");
	free(text);
	s->r.klog_watched = false;
	text = sample_render(s, "text");
	assert_has(text, "Kernel log: NOT WATCHED");
	free(text);
	sample_free(s);
}

/* A scenario that could not be read leaves a result with next to nothing in it. */
static void empty_result(void **state)
{
	struct sample *s = sample_new(0);
	char *text;

	(void)state;
	s->r = (struct run_result){ .verdict = VERDICT_SKIP, .exit = 4, .reason = "needs root" };
	text = sample_render(s, "text");
	assert_ptr_equal(strstr(text, "SKIP  stressd: nothing was run in 0 ns, seed 0 (exit 4)\n"
				      "      needs root\n"),
			 text);
	assert_has_not(text, "Reproduce");
	free(text);
	sample_free(s);
}

static void many_findings(void **state)
{
	struct sample *s = sample_new(1000);
	char *text;

	(void)state;
	s->r.findings_lost = 2;
	text = sample_render(s, "text");
	assert_has(text, ": 1000 findings in");
	assert_has(text, "\n3. data cell 814");
	assert_has(text, "\n4. 1.204 s  zeroed  data cell 815");
	assert_has(text, "\n103. 1.204 s  zeroed  data cell 914");
	assert_has_not(text, "\n104. ");
	assert_has(text, "... and 897 more, all of them in result.json\n");
	assert_has(text, "2 sightings more did not fit on the board and were not kept");
	assert_true(widest(text) <= 100);
	free(text);
	sample_free(s);
}

static void evil_text(void **state)
{
	struct sample *s = sample_new(5);
	char *text;

	(void)state;
	sample_make_evil(s);
	text = sample_render(s, "text");
	assert_has_not(text, "\x1b");
	assert_has_not(text, "\x01");
	assert_has_not(text, "\xff");
	assert_has(text, "\\u000anew");
	assert_has(text, "\\u001b[31m \xc3\xa9 \\xff\\xc3( \\xed\\xa0\\x80 \\ end");
	assert_true(widest(text) <= 100);
	free(text);
	sample_free(s);
}

/* A caret of KASAN points at a byte of the line above it: the blanks must stay. */
static void log_keeps_blanks(void **state)
{
	static char shadow[] = ">ffff888012345680: fa fb", caret[] = "                   ^";
	struct sample *s = sample_new(1);
	char *text;

	(void)state;
	s->f->log[0] = shadow;
	s->f->log[1] = caret;
	text = sample_render(s, "text");
	assert_has(text, "\n     >ffff888012345680: fa fb\n                        ^\n");
	free(text);
	sample_free(s);
}

static void colours(void **state)
{
	struct sample *s = sample_new(1);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	report_text(&s->r, out, true);
	fclose(out);
	assert_has(text, "\033[1;31mFAIL\033[0m");
	free(text);
	sample_free(s);
}

static void people(void **state)
{
	static const struct {
		const char *(*format)(char *, u64);
		u64 value;
		const char *text;
	} rows[] = {
		{ people_count, 0, "0" },
		{ people_count, 9999, "9999" },
		{ people_count, 10000, "10 k" },
		{ people_count, 41234, "41 k" },
		{ people_count, 999499, "999 k" },
		{ people_count, 999500, "1.0 M" },
		{ people_count, 1234567, "1.2 M" },
		{ people_count, ~0ULL, "18446744 T" },
		{ people_bytes, 512, "512 B" },
		{ people_bytes, 65536, "64 KiB" },
		{ people_bytes, 4939212391ULL, "4.6 GiB" },
		{ people_time, 850, "850 ns" },
		{ people_time, 1204 * NSEC_PER_MSEC, "1.204 s" },
		{ people_time, 123 * NSEC_PER_SEC, "2 m 03 s" },
		{ people_time, 3723 * NSEC_PER_SEC, "1 h 02 m" },
	};
	char buf[PEOPLE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(rows[i].format(buf, rows[i].value), rows[i].text);
	assert_string_equal(people_rate(buf, 100, 0), "0");
	assert_string_equal(people_rate(buf, 1205000, 29.3), "41 k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_finding),
		cmocka_unit_test(where_it_died),
		cmocka_unit_test(dump_shows_what_differs),
		cmocka_unit_test(nothing_found),
		cmocka_unit_test(empty_result),
		cmocka_unit_test(many_findings),
		cmocka_unit_test(evil_text),
		cmocka_unit_test(log_keeps_blanks),
		cmocka_unit_test(colours),
		cmocka_unit_test(people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
