// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page of a night: well-formed whatever the names hold, what is new before what is known, every
 * field of the matrix with its outcome and its history. With STRESSD_KEEP_PAGE=FILE the page of the
 * sample stays, to be looked at.
 */
#include "report_sample.h"

#include "report/night.h"

#include <unistd.h>

static const char *const rows[] = { "short-write-vs-mmap", "uptodate-bits", "ext4-dio-read-stale",
				    "mixer" };
static const char *const columns[] = { "6.1.192, xfs", "6.18.44, xfs", "6.18.44, ext4" };
static const u8 quiet[] = { 0, 0, 0, 0, 0, NIGHT_NOT_RUN, 0, 0 };
static const u8 flaky[] = { 0, 20, 0, 0, 100, 0, 40, 0 };
static const u8 always[] = { 100, 100, 80, 100, 100, 100, 90, 100 };

static const struct night_field fields[] = {
	{ 10, 0, 0, 0, NULL, quiet, 8 },
	{ 10, 3, 0, 0, "runs/7/report.html", quiet, 8 },
	{ 0, 0, 0, 0, NULL, NULL, 0 },
	{ 10, 2, 0, 1, "runs/9/report.html", flaky, 8 },
	{ 10, 0, 0, 0, NULL, flaky, 8 },
	{ 0, 0, 0, 0, NULL, NULL, 0 },
	{ 10, 0, 10, 0, NULL, NULL, 0 },
	{ 10, 0, 10, 0, NULL, NULL, 0 },
	{ 10, 10, 0, 0, "runs/3/report.html", always, 8 },
	{ 4, 0, 0, 4, NULL, quiet, 8 },
	{ 4, 0, 0, 0, NULL, quiet, 8 },
	{ 4, 0, 0, 0, NULL, quiet, 8 },
};

static const struct night_finding findings[] = {
	{ NEWS_KNOWN, 2, 2, "stale-exposure", "data cell 632: prefill where zeros must be", NULL,
	  "runs/3/report.html", 10, 10 },
	{ NEWS_FIXED, 3, 0, "kernel-warning", "WARNING in iomap_thing", "0 of 10 after 9 of 10",
	  NULL, 0, 4 },
	{ NEWS_NEW, 0, 1, "zeroed", "data cell 812: zeros where data must be", "p = 0.003",
	  "runs/7/report.html", 3, 10 },
	{ NEWS_FLAKY, 1, 0, "lost-write", "data cell 9: older data", "3 of 7 nights",
	  "runs/9/report.html", 2, 10 },
};

static struct night_page sample(void)
{
	return (struct night_page){ .name = "nightly",
				    .against = "the night of 2024-04-30",
				    .started = { 1714564800, 0 },
				    .took_s = 7200,
				    .rows = rows,
				    .columns = columns,
				    .nrows = ARRAY_SIZE(rows),
				    .ncolumns = ARRAY_SIZE(columns),
				    .fields = fields,
				    .findings = findings,
				    .nfindings = ARRAY_SIZE(findings) };
}

/* Owned by the caller. */
static char *render(const struct night_page *n)
{
	char path[] = "/tmp/stressd-night-XXXXXX", command[256], *text = NULL;
	int fd = mkstemp(path);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(night_html(n, out), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	snprintf(command, sizeof(command),
		 "python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' %s", path);
	assert_int_equal(system(command), 0);
	unlink(path);
	return text;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static void whole(void **state)
{
	struct night_page n = sample();
	char *text = render(&n);
	const char *keep = getenv("STRESSD_KEEP_PAGE");
	FILE *out = keep ? fopen(keep, "w") : NULL;
	const char *at = text;
	static const char *const order[] = {
		">New <",   ">zeroed<",		">Comes and goes <",	">lost-write<",
		">Known <", ">stale-exposure<", ">Not seen any more <", "kernel-warning",
		">Matrix<"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		if (!at)
			fail_msg("%s is not where it must be", order[i]);
	}
	assert_has(text, "1 new finding: of 82 runs in 10 fields of the matrix, 4 fields passed, 3 "
			 "failed, 1 came to no verdict, 2 skipped.</p>");
	assert_has(text, ": 3 of 10 runs<p>data cell 812: zeros where data must be</p>"
			 "<p class=\"soft\">p = 0.003</p>");
	assert_int_equal(count(text, "<td class=\"fail\">"), 3);
	assert_int_equal(count(text, "<td class=\"pass\">"), 4);
	assert_int_equal(count(text, "<td class=\"skip\">"), 2);
	assert_int_equal(count(text, "<td class=\"lost\">"), 1);
	assert_int_equal(count(text, "<td class=\"absent\">"), 2);
	assert_int_equal(count(text, "<svg class=\"spark\""), 8);
	assert_has(text, "failed in 3 of 8 nights before");
	assert_has(text, "failed in 0 of 7 nights before");
	assert_has(text, "<a href=\"runs/7/report.html\">3/10</a>");
	if (out) {
		fputs(text, out);
		fclose(out);
	}
	free(text);
}

static void nothing(void **state)
{
	struct night_page n = sample();
	char *text;

	(void)state;
	n.nfindings = n.nrows = 0;
	n.against = NULL;
	n.left = 3;
	text = render(&n);
	assert_has(text, ". Not over: 3 cells are left to run.</p>");
	assert_has(text, "Nothing was found: of 0 runs");
	assert_has_not(text, "compared with");
	free(text);
}

static void hostile(void **state)
{
	static const char *const evil[] = { "<script>alert(1)</script>", EVIL, "\"><b>", "c" };
	struct night_finding f = { NEWS_NEW, 0, 1, EVIL, "<img src=x>", EVIL, "\"><script>", 1, 1 };
	struct night_page n = sample();
	char *text;

	(void)state;
	n.rows = n.columns = evil;
	n.findings = &f;
	n.nfindings = 1;
	n.name = n.against = EVIL;
	text = render(&n);
	assert_has_not(text, "<script");
	assert_has_not(text, "<img");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(nothing),
		cmocka_unit_test(hostile),
	};

	if (system("python3 -c 'import xml.dom.minidom' 2>/dev/null") != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
