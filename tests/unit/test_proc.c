// SPDX-License-Identifier: GPL-2.0-or-later
/* Running programs: what they return and say, that none outlives its limit, its group or us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "caps.h"

#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define LIMIT (10 * NSEC_PER_SEC)

static int sh(const char *script, u64 limit_ns, size_t max, struct proc_result *r, struct err *e)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	return proc_run(argv, limit_ns, max, r, e);
}

static bool alive(pid_t pid)
{
	pid_t pgrp;
	char state;
	u64 ticks;

	return proc_stat(pid, &state, &pgrp, &ticks) == 0 && state != 'Z';
}

static bool dies(pid_t pid)
{
	u64 end = now_ns() + 2 * NSEC_PER_SEC;

	while (alive(pid) && now_ns() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return !alive(pid);
}

static void exits_and_output(void **state)
{
	static const struct {
		const char *script;
		int code, signal;
		const char *output;
	} rows[] = {
		{ "exit 0", 0, 0, "" },
		{ "echo out; echo err >&2; exit 3", 3, 0, "out\nerr\n" },
		{ "kill -9 $$", -1, SIGKILL, "" },
		{ "echo $LC_ALL; cat", 0, 0, "C\n" },
		{ "kill -PIPE $$; echo no", -1, SIGPIPE, "" },
	};
	struct err e;

	(void)state;
	/* Ours are not theirs. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(proc_result_free) struct proc_result r;

		assert_int_equal(sh(rows[i].script, LIMIT, 100, &r, &e), 0);
		assert_int_equal(r.exit_code, rows[i].code);
		assert_int_equal(r.signal, rows[i].signal);
		assert_string_equal(r.output, rows[i].output);
		assert_false(r.timed_out || r.truncated);
	}
	signal(SIGPIPE, SIG_DFL);
}

static void output_is_bounded(void **state)
{
	_cleanup_(proc_result_free) struct proc_result r;
	struct err e;

	(void)state;
	assert_int_equal(sh("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done",
			    LIMIT, 25, &r, &e),
			 0);
	assert_int_equal(r.exit_code, 0);
	assert_true(r.truncated);
	assert_string_equal(r.output, "0123456789\n0123456789\n012");
}

static void the_limit_kills_the_group(void **state)
{
	_cleanup_(proc_result_free) struct proc_result r;
	u64 start = now_ns();
	struct err e;

	(void)state;
	assert_int_equal(sh("sleep 100 & echo $!; wait", NSEC_PER_SEC / 10, 100, &r, &e), 0);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGKILL);
	assert_true(now_ns() - start < 5 * NSEC_PER_SEC);
	assert_true(dies(atoi(r.output)));
}

/* It ended, but what it left keeps the pipe: neither are we held up, nor does it live on. */
static void leftovers_die(void **state)
{
	_cleanup_(proc_result_free) struct proc_result r;
	u64 start = now_ns();
	struct err e;

	(void)state;
	assert_int_equal(sh("sleep 100 & echo $!", LIMIT, 100, &r, &e), 0);
	assert_int_equal(r.exit_code, 0);
	assert_true(now_ns() - start < 5 * NSEC_PER_SEC);
	assert_true(dies(atoi(r.output)));
}

static void what_cannot_start(void **state)
{
	static const char *const none[] = { "no-such-program", NULL };
	static const char *const text[] = { "/etc/passwd", NULL };
	struct proc_result r;
	struct err e;

	(void)state;
	assert_int_equal(proc_run(none, LIMIT, 10, &r, &e), -ENOENT);
	assert_non_null(strstr(e.text, "no-such-program"));
	assert_int_equal(proc_run(text, LIMIT, 10, &r, &e), -ENOENT);
	assert_null(r.output);
}

/* kill -9 of the caller takes the program along. */
static void dies_with_us(void **state)
{
	int fds[2];
	pid_t pid, program;
	char text[16];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct proc_result r;
		char script[64];
		struct err e;

		snprintf(script, sizeof(script), "echo $$ >&%d; exec sleep 100", fds[1]);
		_exit(sh(script, LIMIT, 10, &r, &e));
	}
	n = read(fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	program = atoi(text);
	assert_true(alive(program));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(dies(program));
	close(fds[0]);
	close(fds[1]);
}

static void start_times(void **state)
{
	u64 mine, again;

	(void)state;
	assert_int_equal(proc_start_time(getpid(), &mine), 0);
	assert_int_equal(proc_start_time(getpid(), &again), 0);
	assert_true(mine > 0 && mine == again);
	assert_int_equal(proc_start_time(0x3fffffff, &again), -ESRCH);
}

/* The table and the JSON name the same rows, and what is missing has a cure. */
static void caps_are_told(void **state)
{
	_cleanup_free_ char *table = NULL, *text = NULL;
	size_t size;
	FILE *f = open_memstream(&table, &size);
	json_t *list, *row;
	int missing = caps_report(f, "/tmp", false), seen = 0;
	size_t i;

	(void)state;
	fclose(f);
	assert_true(missing >= 0);
	f = open_memstream(&text, &size);
	assert_int_equal(caps_report(f, "/tmp", true), missing);
	fclose(f);
	list = json_loads(text, 0, NULL);
	assert_int_equal(json_array_size(list), ncap_rows);
	json_array_foreach (list, i, row) {
		const char *name, *purpose, *cure;
		int there;

		assert_int_equal(json_unpack(row, "{s:s, s:b, s:s, s:s}", "name", &name,
					     "available", &there, "purpose", &purpose, "cure",
					     &cure),
				 0);
		assert_non_null(strstr(table, name));
		assert_true(there ? !*cure : *cure);
		seen += !there;
	}
	assert_int_equal(seen, missing);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_and_output),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(the_limit_kills_the_group),
		cmocka_unit_test(leftovers_die),
		cmocka_unit_test(what_cannot_start),
		cmocka_unit_test(dies_with_us),
		cmocka_unit_test(start_times),
		cmocka_unit_test(caps_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
