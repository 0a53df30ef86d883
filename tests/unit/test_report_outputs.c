// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktap, kcidb and prometheus, each read by the program that it is for where that is here: the
 * kernel's kunit_parser.py out of a linux-source package, kcidb_io, promtool. What each must say is
 * asserted without them.
 */
#include "report_sample.h"

#include <sys/wait.h>
#include <unistd.h>

#define CHECK "python3 " SOURCE_DIR "/tests/unit/check_outputs.py "

/* 0: the reader is content, or is not here (@ret_absent). */
static int judge(const char *kind, const char *text, const char *wanted, bool *ret_absent)
{
	char path[] = "/tmp/stressd-output-XXXXXX", command[512];
	int fd = mkstemp(path), status;

	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	snprintf(command, sizeof(command), CHECK "%s %s '%s'%s", kind, path, wanted,
		 ret_absent ? "" : " 2>/dev/null");
	status = system(command);
	unlink(path);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (!ret_absent || status != 77)
		return status;
	*ret_absent = true;
	return 0;
}

static struct sample *sample_of(int verdict)
{
	struct sample *s = sample_new(verdict == VERDICT_FAIL ? 3 : 0);
	static struct race_result race = {
		.name = "tail # 1", .attempts = 9, .overlaps = 3, .hits = 1
	};

	s->r.verdict = verdict;
	s->sc.verify.fsck = true;
	s->r.races = &race;
	s->r.nraces = 1;
	if (verdict == VERDICT_FAIL)
		s->f[2].kind = FINDING_FSCK;
	else if (verdict != VERDICT_PASS)
		strcpy(s->r.reason, "because # of a hash");
	return s;
}

static void ktap(void **state)
{
	static const struct {
		int verdict;
		const char *has, *wanted;
	} rows[] = {
		{ VERDICT_PASS, "  ok 1 contents\n", "SUCCESS Ran 8 tests: passed: 8" },
		{ VERDICT_FAIL, "  not ok 1 contents\n",
		  "FAILURE Ran 8 tests: passed: 6, failed: 2" },
		{ VERDICT_SKIP, "ok 1 short-write-vs-mmap # SKIP because - of a hash\n",
		  "SKIPPED Ran 1 tests: skipped: 1" },
		{ VERDICT_ERROR, "  # because # of a hash\nnot ok 1 short-write-vs-mmap\n",
		  "FAILURE Ran 1 tests: failed: 1" },
	};
	bool absent = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !absent; i++) {
		struct sample *s = sample_of(rows[i].verdict);
		char *text = sample_render(s, "ktap");

		assert_has(text, rows[i].has);
		assert_int_equal(judge("ktap", text, rows[i].wanted, &absent), 0);
		free(text);
		sample_free(s);
	}
	if (absent)
		skip();
}

static void ktap_skips_what_was_not_checked(void **state)
{
	struct sample *s = sample_of(VERDICT_PASS);
	char *text;

	(void)state;
	s->r.klog_watched = s->sc.verify.fsck = false;
	s->r.races->overlaps = 0;
	text = sample_render(s, "ktap");
	assert_has(text, "  ok 6 kernel-log # SKIP the kernel log was not watched\n");
	assert_has(text, "  ok 7 fsck # SKIP the scenario asks for no fsck\n");
	assert_has(text, "  not ok 8 race-tail - 1 was not exercised\n");
	s->r.races->overlaps = 3;
	free(text);
	sample_free(s);
}

static void kcidb(void **state)
{
	static const char *const statuses[VERDICTS] = {
		[VERDICT_PASS] = "\"PASS\"",   [VERDICT_FAIL] = "\"FAIL\"",
		[VERDICT_ERROR] = "\"ERROR\"", [VERDICT_INCOMPLETE] = "\"ERROR\"",
		[VERDICT_SKIP] = "\"SKIP\"",
	};
	struct sample *s;
	bool absent = false;
	char *text;

	(void)state;
	for (int v = 0; v < VERDICTS; v++) {
		s = sample_of(v);
		s->sc.name = "a name.with/all kinds";
		text = sample_render(s, "kcidb");
		assert_has(text, statuses[v]);
		assert_has(text, "\"path\": \"stressd.a_name_with_all_kinds\"");
		assert_has(text, "\"build_id\": \"stressd:6.1.0 #1 SMP\"");
		assert_int_equal(judge("kcidb", text, "", &absent), 0);
		free(text);
		sample_free(s);
	}
	assert_int_equal(judge("kcidb", "{\"version\": {\"major\": 4}, \"tests\": []}", "", NULL),
			 1);
	setenv("STRESSD_KCIDB_ORIGIN", "My-Lab", 1);
	setenv("STRESSD_KCIDB_BUILD", "maestro:abc", 1);
	s = sample_of(VERDICT_FAIL);
	sample_make_evil(s);
	text = sample_render(s, "kcidb");

	assert_has(text, "\"origin\": \"my_lab\"");
	assert_has(text, "\"build_id\": \"maestro:abc\"");
	assert_int_equal(judge("kcidb", text, "", &absent), 0);
	unsetenv("STRESSD_KCIDB_ORIGIN");
	unsetenv("STRESSD_KCIDB_BUILD");
	free(text);
	sample_free(s);
}

static void prometheus(void **state)
{
	struct sample *s = sample_of(VERDICT_FAIL);
	bool absent = false;
	char *text;

	(void)state;
	sample_make_evil(s);
	s->sc.name = EVIL;
	text = sample_render(s, "prometheus");
	assert_has(text, "scenario=\"a \\\"quote\\\" & <tag> ]]> 'q'\\\\u000anew");
	assert_has(text, ",kind=\"zeroed\"} 2\n");
	assert_has(text, ",kind=\"torn\"} 0\n");
	assert_has(text, ",verdict=\"fail\"} 1\n");
	assert_has(text, "\nstressd_run_operations{");
	assert_has(text, "} 1205000\n");
	assert_int_equal(judge("prometheus", text, "", &absent), 0);
	if (!absent)
		assert_int_equal(judge("prometheus", "# TYPE x counter\nx 1\n", "", NULL), 1);
	free(text);
	sample_free(s);
	if (absent)
		skip();
}

static char source[] = "/tmp/stressd-kunit-XXXXXX";

/* The source package takes long to look through: once. */
static int unpack_parser(void **state)
{
	char command[256];

	(void)state;
	if (getenv("STRESSD_LINUX_SOURCE") || !mkdtemp(source))
		return 0;
	snprintf(command, sizeof(command), CHECK "unpack %s", source);
	if (system(command) == 0)
		setenv("STRESSD_LINUX_SOURCE", source, 1);
	return 0;
}

static int remove_parser(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", source);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ktap),
		cmocka_unit_test(ktap_skips_what_was_not_checked),
		cmocka_unit_test(kcidb),
		cmocka_unit_test(prometheus),
	};

	if (system("python3 -c '' 2>/dev/null") != 0) {
		fputs("python3 is missing\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, unpack_parser, remove_parser);
}
