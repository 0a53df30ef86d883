// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kill -9 after every change that recording, arming and disarming faults makes: 2 s later nothing
 * is armed, frozen, mounted or attached. A ballast file and a frozen filesystem are what every
 * machine has; tests/vm/sweep.c does the same with all faults in a guest. STRESSD_TEST_FAST=1:
 * every third.
 */
#include "e2e.h"
#include "traces.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_S 2.0
#define STEPS_MAX  64
#define IMAGE	   "run/stressd-run.img"

static const char scenario[] =
	"{ \"version\": 1, \"name\": \"kill\", \"seed\": 7, \"duration\": \"300ms\",\n"
	"  \"stop_on\": \"never\",\n"
	"  \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"16M\" },\n"
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" } ],\n"
	"  \"workers\": [\n"
	"    { \"type\": \"buffered_writer\", \"file\": \"data\", \"count\": 2 },\n"
	"    { \"type\": \"mmap_writer\", \"file\": \"data\" },\n"
	"    { \"type\": \"syncer\", \"file\": \"data\" },\n"
	"    { \"type\": \"reader\", \"file\": \"data\" } ],\n"
	"  \"faults\": [\n"
	"    { \"type\": \"enospc\", \"options\": { \"free\": \"1M\" } },\n"
	"    { \"type\": \"freeze\", \"after\": \"50ms\", \"for\": \"100ms\" } ],\n"
	"  \"verify\": { \"layers\": [\"cache\", \"remounted\"] },\n"
	"  \"kernel_log\": { \"fail_at\": \"never\" } }\n";

static char changes[STEPS_MAX + 1][64]; /* by number, from 1 */
static int nchanges, every = 1;
/* The changes that lie between two stages of the run. */
static int first, started, last;

/* Lines of `STRESSD_KILL=list`: stages of the run, and the changes between them. */
static void take_line(const char *line)
{
	const char *name = strchr(line, ':');

	if (sscanf(line, "change %d:", &nchanges) == 1 && nchanges <= STEPS_MAX)
		snprintf(changes[nchanges], sizeof(changes[0]), "%s", name + 2);
	if (strncmp(line, "step ", 5) != 0 || !name)
		return;
	if (!strcmp(name, ": files laid out"))
		first = nchanges + 1;
	if (!strcmp(name, ": started"))
		started = nchanges;
	if (!strcmp(name, ": enospc put back"))
		last = nchanges;
}

static void run(struct e2e *r, const char *env)
{
	e2e_remove(e2e_path("run"));
	e2e_run(r,
		(const char *const[]){ "run", "--quiet", "--run-dir", e2e_path("run"),
				       e2e_path("kill.json"), NULL },
		(const char *const[]){ env, NULL });
}

static int setup(void **state)
{
	char why[256];
	struct e2e r;

	if (e2e_setup(state) < 0)
		return -1;
	every = getenv("STRESSD_TEST_FAST") ? 3 : 1;
	e2e_write(e2e_path("kill.json"), scenario);
	traces_none(why); /* remembers the sysctls */
	run(&r, "STRESSD_KILL=list");
	e2e_assert_exit(&r, 0);
	for (char *line = strtok(r.err, "\n"); line; line = strtok(NULL, "\n"))
		take_line(line);
	assert_in_range(nchanges, 10, STEPS_MAX);
	assert_true(first > 1 && started >= first && last > started);
	e2e_free(&r);
	return 0;
}

static bool recovered(void *ctx)
{
	struct e2e r;

	E2E(&r, "recover");
	snprintf(ctx, 600, "%s%s", r.out, r.err);
	e2e_free(&r);
	return r.exit == 0;
}

/* What the image holds, asked of e2fsprogs: the kernel's own view is gone with the mount. */
static bool image_has(const char *name)
{
	char cmd[600], line[256];
	bool missing = false;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "debugfs -R 'stat /%s' %s 2>&1", name, e2e_path(IMAGE));
	f = popen(cmd, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		missing |= strstr(line, "File not found") != NULL;
	pclose(f);
	return !missing;
}

/* Between the first record and the last thing that is put back. */
static void each_step(void (*killed)(int change, const char *what), const char *who)
{
	for (int i = first; i <= last; i += every) {
		char what[128], env[64];
		struct e2e r;

		snprintf(what, sizeof(what), "%s killed at change %d, %s", who, i, changes[i]);
		snprintf(env, sizeof(env), "STRESSD_KILL=%s:change:%d", who, i);
		run(&r, env);
		if (r.signal != SIGKILL)
			fail_msg("%s: it exits %d\n%s%s", what, r.exit, r.out, r.err);
		e2e_free(&r);
		killed(i, what);
	}
}

static void assert_clean(int change, const char *what)
{
	struct e2e r;

	traces_assert_none(what, DEADLINE_S);
	if (change <= started)
		return;
	E2E(&r, "verify", "--quiet", e2e_path("run"));
	if (r.exit != 0 && r.exit != 3)
		fail_msg("%s: verify exits %d\n%s%s", what, r.exit, r.out, r.err);
	e2e_free(&r);
	traces_assert_none(what, DEADLINE_S);
}

/* The janitor still has the mount, and the ballast in it. */
static void assert_no_ballast(int change, const char *what)
{
	traces_assert_none(what, DEADLINE_S);
	assert_true(image_has("data")); /* or the next line could not fail */
	if (image_has(".stressd-ballast"))
		fail_msg("%s: the ballast is still there", what);
	assert_clean(change, what);
}

static void coordinator(void **state)
{
	(void)state;
	each_step(assert_no_ballast, "coordinator");
}

/* Nobody is left to thaw: who waits for the frozen filesystem waits for `recover`. A ballast stays
 * in the image, whose mount went with its last process. */
static void recover_first(int change, const char *what)
{
	char said[600] = "";

	if (!e2e_until(recovered, said, DEADLINE_S))
		fail_msg("%s: recover fails\n%s", what, said);
	assert_clean(change, what);
}

static void everybody(void **state)
{
	(void)state;
	each_step(recover_first, "both");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coordinator),
		cmocka_unit_test(everybody),
	};

	if (!e2e_privileged() || system("debugfs -V >/dev/null 2>&1") != 0)
		return E2E_SKIP;
	return cmocka_run_group_tests(tests, setup, e2e_teardown);
}
