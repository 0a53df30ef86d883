// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs beside the workers: what they say is judged, a fault that is planted is found, and no
 * process of theirs is left at the end.
 */
#include "../worker_harness.h"
#include "base/proc.h"

#define HEAD                                                                                       \
	"{\"version\":1,\"name\":\"t\",\"seed\":7,\"duration\":\"1s\","                            \
	"\"target\":{\"type\":\"directory\",\"path\":\"/tmp\"},"                                   \
	"\"files\":[{\"name\":\"data\",\"size\":\"64K\",\"layout\":\"written\"}],\"workers\":["
#define SH(script, more)                                                                           \
	HEAD "{\"type\":\"exec\",\"options\":{\"program\":[\"sh\",\"-c\",\"" script "\"]" more     \
	     "}}]}"
#define FIO(options) HEAD "{\"type\":\"fio\",\"options\":{" options "}}]}"

struct program {
	const char *json;
	const char *finding; /* part of its sentence; NULL: silence */
};

static u64 ops(const struct harness *h)
{
	return atomic_load(&h->run->slots[harness_id(0)].ops);
}

static bool ran(struct harness *h, u64 elapsed_ns)
{
	return ops(h) || elapsed_ns > HARNESS_END_NS;
}

static void judged(void **state)
{
	const struct program *p = *state;
	struct harness h;
	const struct sighting *s;

	harness_open(&h, p->json);
	harness_run(&h, ran);
	harness_check_slots(&h);
	s = &h.run->board[0];
	assert_int_equal(harness_sightings(&h), p->finding ? 1 : 0);
	if (p->finding) {
		assert_int_equal(s->kind, FINDING_PROGRAM_FAILED);
		if (!strstr(s->text, p->finding))
			fail_msg("\"%s\" lacks \"%s\"", s->text, p->finding);
	}
	harness_close(&h);
}

static void fio_judged(void **state)
{
	char path[PATH_MAX];

	if (proc_find("fio", path, sizeof(path)) < 0)
		skip();
	judged(state);
}

static bool started(struct harness *h, u64 elapsed_ns)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/pid", h->root);
	return access(path, F_OK) == 0 || elapsed_ns > HARNESS_END_NS;
}

/* A child that ignores SIGTERM left an orphan in a session of its own. */
static void nothing_outlives_the_worker(void **state)
{
	struct harness h;
	char path[PATH_MAX], pid[32];

	(void)state;
	harness_open(&h, SH("trap '' TERM; setsid sh -c 'echo $$ > pid.new; mv pid.new pid; exec "
			    "sleep 1000' & while :; do sleep 0.05; done",
			    ""));
	harness_run(&h, started);
	harness_check_slots(&h);
	assert_int_equal(harness_sightings(&h), 0);
	snprintf(path, sizeof(path), "%s/pid", h.root);
	assert_int_equal(attr_read(path, pid, sizeof(pid)), 0);
	assert_int_equal(kill(atoi(pid), 0), -1);
	harness_close(&h);
}

static bool began_again(struct harness *h, u64 elapsed_ns)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/again", h->dir);
	return access(path, F_OK) == 0 || elapsed_ns > HARNESS_END_NS;
}

/* A fio that reports once, and the next time is stopped before it does. */
static void the_last_report_of_fio_stays(void **state)
{
	char bin[] = "/tmp/stressd-fio-XXXXXX", program[64], path[PATH_MAX], text[64],
	     search[PATH_MAX];
	const char *before = getenv("PATH");
	struct harness h;

	(void)state;
	assert_non_null(mkdtemp(bin));
	snprintf(program, sizeof(program), "%s/fio", bin);
	harness_open(&h, FIO(""));
	snprintf(path, sizeof(path),
		 "#!/bin/sh\ncd %s\nif mkdir first; then echo '{\"jobs\":[]}' >\"${2#--output=}\"; "
		 "exit 0; fi\n"
		 ": >\"${2#--output=}\"; : >again; exec sleep 1000\n",
		 h.dir);
	assert_int_equal(write_file_atomic(program, path, strlen(path), 0700), 0);
	snprintf(search, sizeof(search), "%s:%s", bin, before);
	setenv("PATH", search, 1);
	harness_run(&h, began_again);
	snprintf(search, sizeof(search), "%s", strchr(search, ':') + 1);
	setenv("PATH", search, 1);
	assert_true(began_again(&h, 0));
	snprintf(path, sizeof(path), "%s/fio.%u.json", h.dir, harness_id(0));
	assert_int_equal(attr_read(path, text, sizeof(text)), 0);
	assert_string_equal(text, "{\"jobs\":[]}");
	snprintf(path, sizeof(path), "%s/fio.%u.last.json", h.dir, harness_id(0));
	assert_int_equal(access(path, F_OK), -1);
	harness_close(&h);
	assert_int_equal(rm_rf(bin), 0);
}

static void no_capabilities(void **state)
{
	const struct program p = { SH("grep '^CapEff' /proc/self/status",
				      ",\"output\":\"CapEff:\\t0000000000000000\""),
				   NULL };
	void *program = (void *)(uintptr_t)&p;

	(void)state;
	judged(&program);
}

#define CASE(name, fn, json, finding)                                                              \
	{                                                                                          \
		name, fn, NULL, NULL, &(struct program)                                            \
		{                                                                                  \
			json, finding                                                              \
		}                                                                                  \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("exec success", judged, SH("exit 0", ""), NULL),
		CASE("exec failure", judged, SH("exit 3", ""), "exited with 3"),
		CASE("exec expects failure", judged, SH("exit 3", ",\"expect\":3"), NULL),
		CASE("exec killed", judged, SH("kill -9 $$", ""), "signal 9"),
		CASE("exec output there", judged, SH("echo all good", ",\"output\":\"good\""),
		     NULL),
		CASE("exec output missing", judged, SH("echo all bad", ",\"output\":\"good\""),
		     "lacks what it must have"),
		CASE("exec forbidden", judged, SH("echo oops >&2", ",\"forbid\":\"oops\""),
		     "forbidden"),
		CASE("exec not forbidden", judged, SH("echo fine", ",\"forbid\":\"oops\""), NULL),
		CASE("exec timeout", judged, SH("sleep 1000", ",\"timeout\":\"100ms\""),
		     "did not end in time"),
		CASE("exec environment", judged,
		     SH("test -n \\\"$STRESSD_SEED\\\" -a -d \\\"$STRESSD_RUN_DIR\\\" -a "
			"$(pwd) = \\\"$STRESSD_TARGET\\\"",
			""),
		     NULL),
		CASE("exec much output", judged, SH("head -c 5000000 /dev/zero | tr '\\\\0' x", ""),
		     NULL),
		CASE("fio default", fio_judged, FIO(""), NULL),
		/* blocks that nobody wrote have no checksum */
		CASE("fio wrong data", fio_judged,
		     FIO("\"job\":\"[bad]\\nrw=read\\nsize=64k\\nverify=crc32c\\n\""),
		     "found wrong data"),
		CASE("fio bad job", fio_judged, FIO("\"job\":\"[bad]\\nnonsense=1\\n\""),
		     "exited with"),
		cmocka_unit_test(nothing_outlives_the_worker),
		cmocka_unit_test(the_last_report_of_fio_stays),
		cmocka_unit_test(no_capabilities),
	};

	return cmocka_run_group_tests_name("programs", tests, NULL, NULL);
}
