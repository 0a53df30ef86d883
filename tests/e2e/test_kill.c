// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 of everybody at every step of a run, and signals: 2 s later the machine is as it was,
 * and what the dead run left can be verified without a false alarm. STRESSD_TEST_FAST=1 takes
 * every fourth step only.
 */
#include "e2e.h"
#include "traces.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_S  2.0
#define STEPS_MAX   64
#define RANDOM_RUNS 12
#define FAST_EVERY  4

static const char text[] =
	"{ \"version\": 1, \"name\": \"kill\", \"seed\": 7, \"duration\": \"%s\",\n"
	"  \"stop_on\": \"never\",\n"
	"  \"target\": %s,\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"mmap_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"truncator\", \"file\": \"data\", \"options\": { \"weights\":\n"
	"      { \"truncate_down\": 1, \"truncate_up\": 1, \"punch\": 1, \"zero\": 1 } } },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" },\n"
	"    { \"type\": \"exec\", \"options\": { \"program\": [\"sleep\", \"60\"] } },\n"
	"    { \"type\": \"reader\", \"file\": \"data\" } ],\n"
	"  \"verify\": { \"layers\": [\"cache\", \"direct\", \"dropped\", \"remounted\"] },\n"
	/* What this kernel complains about is not this test's business. */
	"  \"kernel_log\": { \"fail_at\": \"never\" } }\n";

static char scenario_target[512] = "{ \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"16M\" }";
static char steps[STEPS_MAX + 1][64]; /* by number, from 1 */
static int nsteps;
static int every = 1;

static void write_scenario(const char *name, const char *duration)
{
	char full[4096];

	snprintf(full, sizeof(full), text, duration, scenario_target);
	e2e_write(e2e_path("%s.json", name), full);
}

static int step_called(const char *name)
{
	for (int i = 1; i <= nsteps; i++)
		if (!strcmp(steps[i], name))
			return i;
	fail_msg("no step is called '%s'", name);
	return 0;
}

static int setup(void **state)
{
	char why[256];
	struct e2e r;

	if (e2e_setup(state) < 0)
		return -1;
	every = getenv("STRESSD_TEST_FAST") ? FAST_EVERY : 1;
	write_scenario("short", "100ms");
	write_scenario("long", "60s");
	traces_none(why); /* remembers the sysctls */
	e2e_run(&r,
		(const char *const[]){ "run", "--quiet", "--run-dir", e2e_path("run"),
				       e2e_path("short.json"), NULL },
		(const char *const[]){ "STRESSD_KILL=list", NULL });
	e2e_assert_exit(&r, 0);
	for (char *line = strtok(r.err, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "step %d:", &nsteps) == 1 && nsteps <= STEPS_MAX)
			snprintf(steps[nsteps], sizeof(steps[0]), "%s", strchr(line, ':') + 2);
	assert_in_range(nsteps, 10, STEPS_MAX);
	e2e_free(&r);
	return 0;
}

static void run_killed(struct e2e *r, const char *who, int step)
{
	char env[64];

	e2e_remove(e2e_path("run"));
	snprintf(env, sizeof(env), "STRESSD_KILL=%s:%d", who, step);
	e2e_run(r,
		(const char *const[]){ "run", "--quiet", "--run-dir", e2e_path("run"),
				       e2e_path("short.json"), NULL },
		(const char *const[]){ env, NULL });
}

static bool recovered(void *ctx)
{
	struct e2e r;

	(void)ctx;
	E2E(&r, "recover");
	e2e_free(&r);
	return r.exit == 0;
}

/* @must: the run was so far that its check must come to its end. No finding, in no case. */
static void verify_dead(const char *what, bool must)
{
	struct e2e r;

	if (!e2e_exists(e2e_path("run/shadow")))
		return;
	E2E(&r, "verify", "--quiet", e2e_path("run"));
	if (r.exit != 0 && (must || r.exit != 3))
		fail_msg("%s: verify exits %d\n%s%s", what, r.exit, r.out, r.err);
	e2e_free(&r);
	traces_assert_none(what, DEADLINE_S);
	if (must &&
	    (e2e_exists(e2e_path("run/stressd-run.img")) || e2e_exists(e2e_path("run/shadow"))))
		fail_msg("%s: image or shadow are left after a verify without finding", what);
}

/* The coordinator dies alone: the janitor does it. With everybody: `stressd recover`. */
static void kill_coordinator(const char *who, bool everybody)
{
	int janitor = step_called("janitor started");

	for (int i = 1; i <= nsteps; i += every) {
		char what[128];
		struct e2e r;

		snprintf(what, sizeof(what), "%s killed at step %d, %s", who, i, steps[i]);
		run_killed(&r, who, i);
		if (r.signal != SIGKILL)
			fail_msg("%s: it exits %d\n%s%s", what, r.exit, r.out, r.err);
		e2e_free(&r);
		traces_assert_no_process(what, DEADLINE_S);
		if ((everybody || i < janitor) && !e2e_until(recovered, NULL, DEADLINE_S))
			fail_msg("%s: recover fails", what);
		traces_assert_none(what, DEADLINE_S);
		verify_dead(what, i >= step_called("stop") && i < step_called("target gone"));
	}
}

static void coordinator(void **state)
{
	(void)state;
	kill_coordinator("coordinator", false);
}

static void everybody(void **state)
{
	(void)state;
	kill_coordinator("both", true);
}

static void janitor(void **state)
{
	int from = step_called("janitor started"), to = step_called("started");

	(void)state;
	for (int i = from; i <= nsteps; i += every) {
		char what[128];
		struct e2e r;

		snprintf(what, sizeof(what), "janitor killed at step %d, %s", i, steps[i]);
		run_killed(&r, "janitor", i);
		/* Once the workers have stopped nobody needs it any more. */
		if (r.exit != 3 && (i <= to || r.exit != 0))
			fail_msg("%s: exit %d\n%s%s", what, r.exit, r.out, r.err);
		if (i <= to && !strstr(r.out, "the janitor died"))
			fail_msg("%s: it does not say so\n%s%s", what, r.out, r.err);
		e2e_free(&r);
		traces_assert_none(what, DEADLINE_S);
	}
}

static void kill_worker(const char *name)
{
	int from = step_called(name), to = step_called("started");

	for (int i = from; i <= to + 1; i += every) {
		char what[128], died[80];
		struct e2e r;

		snprintf(what, sizeof(what), "%s killed at step %d, %s", name, i, steps[i]);
		snprintf(died, sizeof(died), "%s died", name);
		run_killed(&r, name, i);
		/* Told to stop, it may have done so before the signal. */
		if (r.exit != 3 && (i <= to || r.exit != 0))
			fail_msg("%s: exit %d\n%s%s", what, r.exit, r.out, r.err);
		if (i <= to && !strstr(r.out, died))
			fail_msg("%s: it does not say who died\n%s%s", what, r.out, r.err);
		e2e_free(&r);
		traces_assert_none(what, DEADLINE_S);
	}
}

static void workers(void **state)
{
	int n = 0;

	(void)state;
	for (int i = 1; i <= nsteps; i++)
		if (strchr(steps[i], '.')) {
			kill_worker(steps[i]);
			n++;
		}
	assert_int_equal(n, 6);
}

/* Any of its processes, at any time: the seed is fixed, what the machine makes of it is not. */
static void anybody(void **state)
{
	unsigned int seed = 20240229;

	(void)state;
	for (int i = 0; i < RANDOM_RUNS; i += every) {
		long us = rand_r(&seed) % 250000;
		unsigned int pick = (unsigned int)rand_r(&seed);
		char what[128];
		pid_t pids[16];
		struct e2e r;
		size_t n;

		e2e_remove(e2e_path("run"));
		e2e_start(&r,
			  (const char *const[]){ "run", "--quiet", "--run-dir", e2e_path("run"),
						 e2e_path("short.json"), NULL },
			  NULL);
		/* The moment of the kill is the input here, no condition is awaited. */
		nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
		n = traces_processes(pids, 16);
		snprintf(what, sizeof(what), "run %d, a process killed after %ld us", i, us);
		if (n)
			kill(pids[pick % n], SIGKILL);
		e2e_wait(&r, E2E_LIMIT);
		/* A program that was killed is a finding, and the only one. */
		if (r.timed_out || (r.exit != 0 && r.exit != 3 && r.signal != SIGKILL &&
				    !(r.exit == 1 && strstr(r.out, "sleep was killed"))))
			fail_msg("%s: exit %d\n%s%s", what, r.exit, r.out, r.err);
		traces_assert_no_process(what, DEADLINE_S);
		if (r.signal)
			e2e_until(recovered, NULL, DEADLINE_S);
		traces_assert_none(what, DEADLINE_S);
		if (r.signal)
			verify_dead(what, false);
		e2e_free(&r);
	}
}

static bool started(void *ctx)
{
	const struct e2e *r = ctx;
	char buf[4096] = "";

	return pread(r->err_fd, buf, sizeof(buf) - 1, 0) > 0 && strstr(buf, ": started\n");
}

static void start_long(struct e2e *r)
{
	e2e_remove(e2e_path("run"));
	e2e_start(r,
		  (const char *const[]){ "run", "--quiet", "--run-dir", e2e_path("run"),
					 e2e_path("long.json"), NULL },
		  (const char *const[]){ "STRESSD_KILL=list", NULL });
	assert_true(e2e_until(started, r, 20));
}

/* A record of a worker that has its end: after the header of its ring, which takes a page. */
static bool has_done_something(void *ctx)
{
	bool done = false;

	(void)ctx;
	for (int id = 2; id < 8 && !done; id++) {
		int fd = open(e2e_path("run/ops.%d.log", id), O_RDONLY | O_CLOEXEC);
		unsigned long long end_ns = 0;

		done = fd >= 0 && pread(fd, &end_ns, sizeof(end_ns), 4096 + sizeof(end_ns)) > 0 &&
		       end_ns;
		if (fd >= 0)
			close(fd);
	}
	return done;
}

static void stopped_by(int sig)
{
	json_t *result;
	struct e2e r;

	start_long(&r);
	assert_true(e2e_until(has_done_something, NULL, 20));
	kill(r.pid, sig);
	e2e_wait(&r, 20);
	e2e_assert_exit(&r, 0);
	result = e2e_result(e2e_path("run"));
	assert_string_equal(json_string_value(json_object_get(result, "verdict")), "pass");
	json_decref(result);
	e2e_free(&r);
	traces_assert_none("stopped by a signal", DEADLINE_S);
}

static void signals(void **state)
{
	(void)state;
	stopped_by(SIGINT);
	stopped_by(SIGTERM);
}

/* The second one kills the workers: incomplete, unless they had stopped by then. */
static void signal_twice(void **state)
{
	struct e2e r;

	(void)state;
	start_long(&r);
	kill(r.pid, SIGTERM);
	kill(r.pid, SIGINT);
	e2e_wait(&r, 20);
	assert_true(r.exit == 0 || r.exit == 3);
	assert_true(e2e_exists(e2e_path("run/result.json")));
	e2e_free(&r);
	traces_assert_none("stopped by two signals", DEADLINE_S);
}

static void alive_is_not_verified(void **state)
{
	struct e2e r, v;

	(void)state;
	start_long(&r);
	E2E(&v, "verify", e2e_path("run"));
	e2e_assert_exit(&v, 2);
	assert_non_null(strstr(v.err, "alive"));
	assert_string_equal(v.out, "");
	kill(r.pid, SIGTERM);
	e2e_wait(&r, 20);
	e2e_assert_exit(&r, 0);
	e2e_free(&v);
	e2e_free(&r);
}

/* Verified where it is, and removed: a directory target needs no root for any of this. */
static void directory_is_verified(void **state)
{
	struct e2e r;

	(void)state;
	mkdir(e2e_path("dir"), 0700);
	snprintf(scenario_target, sizeof(scenario_target),
		 "{ \"type\": \"directory\", \"path\": \"%s\" }", e2e_path("dir"));
	write_scenario("short", "100ms");
	run_killed(&r, "coordinator", step_called("stop"));
	assert_int_equal(r.signal, SIGKILL);
	e2e_free(&r);
	traces_assert_none("directory target", DEADLINE_S);
	assert_int_equal(rmdir(e2e_path("dir")), -1);
	verify_dead("directory target", true);
	assert_int_equal(rmdir(e2e_path("dir")), 0);
}

/* One byte in each stamp of the image: every sector of a file's data begins with the stamp's
 * magic. Returns how many. */
static int spoil(const char *image, const char magic[8])
{
	char sector[512];
	int fd = open(image, O_RDWR | O_CLOEXEC), n = 0;

	assert_true(fd >= 0);
	for (off_t at = 0; pread(fd, sector, 512, at) == 512; at += 512)
		if (!memcmp(sector, magic, 8)) {
			sector[300] ^= 0x10;
			assert_int_equal(pwrite(fd, sector, 512, at), 512);
			n++;
		}
	close(fd);
	return n;
}

/* The magic by its frequency: the eight bytes that begin the most sectors but for zeros. */
static void find_magic(const char *image, char magic[8])
{
	static const char zeros[8];
	char begin[8], candidate[8] = "";
	int fd = open(image, O_RDONLY | O_CLOEXEC), votes = 0;

	assert_true(fd >= 0);
	for (off_t at = 0; pread(fd, begin, 8, at) == 8; at += 512) {
		if (!memcmp(begin, zeros, 8))
			continue;
		if (votes == 0)
			memcpy(candidate, begin, 8);
		votes += memcmp(candidate, begin, 8) ? -1 : 1;
	}
	close(fd);
	memcpy(magic, candidate, 8);
}

static void spoilt_is_found(void **state)
{
	const char *image = e2e_path("run/stressd-run.img");
	char magic[8];
	json_t *result;
	struct e2e r;

	(void)state;
	run_killed(&r, "coordinator", step_called("stop"));
	e2e_free(&r);
	traces_assert_none("coordinator killed", DEADLINE_S);
	find_magic(image, magic);
	assert_true(spoil(image, magic) > 100);
	E2E(&r, "verify", "--quiet", e2e_path("run"));
	e2e_assert_exit(&r, 1);
	result = e2e_result(e2e_path("run"));
	assert_true(e2e_findings(result, "bit-flip") > 0);
	json_decref(result);
	e2e_free(&r);
	/* Evidence stays, and may be verified again. */
	assert_true(e2e_exists(e2e_path("run/stressd-run.img")));
	assert_true(e2e_exists(e2e_path("run/shadow")));
	traces_assert_none("verified", DEADLINE_S);
	unlink(e2e_path("run/stressd-run.img"));
	E2E(&r, "verify", "--quiet", e2e_path("run"));
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.out, "stressd-run.img"));
	e2e_free(&r);
	traces_assert_none("the image is gone", DEADLINE_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coordinator),	   cmocka_unit_test(everybody),
		cmocka_unit_test(janitor),	   cmocka_unit_test(workers),
		cmocka_unit_test(anybody),	   cmocka_unit_test(signals),
		cmocka_unit_test(signal_twice),	   cmocka_unit_test(alive_is_not_verified),
		cmocka_unit_test(spoilt_is_found), cmocka_unit_test(directory_is_verified),
	};

	if (!e2e_privileged())
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, setup, e2e_teardown);
}
