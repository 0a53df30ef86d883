// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * junit.xml is well-formed whatever the texts hold, keeps to tests/unit/report_junit.xsd, and says
 * of each verdict what a CI server takes it for. xmllint judges, or python3's parser without the
 * schema; skipped (77) where there is neither.
 */
#include "report_sample.h"

#include <sys/wait.h>
#include <unistd.h>

#define XSD SOURCE_DIR "/tests/unit/report_junit.xsd"

static const char *const judges[] = {
	"xmllint --noout --schema " XSD " ",
	"python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' ",
};
static const char *judge_command;

static int judge(const char *text)
{
	char path[] = "/tmp/stressd-junit-XXXXXX", command[512];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	snprintf(command, sizeof(command), "%s%s 2>/dev/null", judge_command, path);
	status = system(command);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void outcomes(void **state)
{
	static const struct {
		int verdict;
		const char *has, *counts;
	} rows[] = {
		{ VERDICT_PASS, "<testcase name=\"short-write-vs-mmap\" classname=\"xfs\"",
		  "failures=\"0\" skipped=\"0\"" },
		{ VERDICT_FAIL, "<failure message=\"data cell 812",
		  "failures=\"1\" skipped=\"0\"" },
		{ VERDICT_ERROR, "<error message=\"because\" type=\"error\">",
		  "failures=\"1\" skipped=\"0\"" },
		{ VERDICT_INCOMPLETE, "<error message=\"because\" type=\"incomplete\">",
		  "failures=\"1\" skipped=\"0\"" },
		{ VERDICT_SKIP, "<skipped message=\"because\">", "failures=\"0\" skipped=\"1\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sample *s = sample_new(rows[i].verdict == VERDICT_FAIL);
		char *text;

		s->r.verdict = rows[i].verdict;
		strcpy(s->r.reason, "because");
		text = sample_render(s, "junit");
		assert_has(text, rows[i].has);
		assert_has(text, rows[i].counts);
		assert_has(text, "<property name=\"seed\" value=\"7\"/>");
		assert_int_equal(judge(text), 0);
		free(text);
		sample_free(s);
	}
}

static void evil_text(void **state)
{
	struct sample *s = sample_new(2);
	char *text;

	(void)state;
	sample_make_evil(s);
	text = sample_render(s, "junit");
	assert_int_equal(judge(text), 0);
	assert_has(text,
		   "message=\"a &quot;quote&quot; &amp; &lt;tag&gt; ]]&gt; 'q'&#10;new&#9;line "
		   "\\u0001\\u001b[31m \xc3\xa9 \\xff\\xc3( \\xed\\xa0\\x80 \\ end\"");
	free(text);
	sample_free(s);
}

static void many_findings(void **state)
{
	struct sample *s = sample_new(1000);
	char *text = sample_render(s, "junit");

	(void)state;
	assert_has(text, "failures=\"1\"");
	assert_has(text, "\n1000. zeroed: data cell 1811 ");
	assert_int_equal(judge(text), 0);
	free(text);
	sample_free(s);
}

/* The judge itself must be able to say no. */
static void judge_refuses(void **state)
{
	(void)state;
	assert_int_not_equal(judge("<testsuite name=\"a\x01\"/>"), 0);
	assert_int_not_equal(judge("<testsuite>"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes),
		cmocka_unit_test(evil_text),
		cmocka_unit_test(many_findings),
		cmocka_unit_test(judge_refuses),
	};

	if (system("xmllint --version >/dev/null 2>&1") == 0)
		judge_command = judges[0];
	else if (system("python3 -c 'import xml.dom.minidom' 2>/dev/null") == 0)
		judge_command = judges[1];
	else
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
