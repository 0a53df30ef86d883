// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Infrastructure that fails (75) under a job of the daemon: it is tried again, later each time and
 * not for ever, what became of each attempt is told, others go on meanwhile, and a daemon that is
 * killed changes nothing of it.
 */
#include "daemon_lab.h"

#include "../fake_image.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char path_env[2000];

static int quick(void **state)
{
	(void)state;
	return lab_begin("retry", ", \"retry\": \"1s\"", path_env);
}

static int slow(void **state)
{
	(void)state;
	return lab_begin("retry", ", \"retry\": \"10m\"", path_env);
}

static json_t *job(int id)
{
	json_t *o = lab_ask(&lab, "{\"command\":\"status\",\"id\":%d}", id);
	json_t *found = json_incref(json_object_get(o, "job"));

	assert_non_null(found);
	json_decref(o);
	return found;
}

static json_int_t number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

/* A guest whose QEMU is killed as soon as it starts. */
static int submit_guest(const char *more)
{
	char keys[700];

	snprintf(keys, sizeof(keys),
		 ", \"kernel\": \"%s\", \"accel\": \"tcg\", \"memory\": \"256M\", \"cpus\": 1%s",
		 e2e_path("bzImage"), more);
	return lab_submit(&lab, LAB_SHORT, keys);
}

/* The run as such, and not the daemon's request to stop. */
static void kill_run(int id)
{
	lab_await(&lab, id, "running");
	assert_int_equal(kill(lab_pid(&lab, id), SIGKILL), 0);
}

static void it_is_tried_so_often_and_each_time_later(void **state)
{
	int id = submit_guest("");
	json_int_t ended;
	json_t *j, *tries;

	(void)state;
	lab_await(&lab, id, "finished");
	j = job(id);
	tries = json_object_get(j, "tries");
	assert_int_equal(number(j, "exit"), 75);
	assert_int_equal(number(j, "attempt"), 3);
	assert_int_equal(number(j, "failures"), 3);
	assert_int_equal(json_array_size(tries), 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *t = json_array_get(tries, i);

		assert_int_equal(number(t, "attempt"), i + 1);
		assert_int_equal(number(t, "exit"), 75);
		assert_non_null(strstr(json_string_value(json_object_get(t, "said")),
				       "killed from outside"));
		assert_true(number(t, "ended") >= number(t, "started"));
	}
	/* One second, then two. */
	ended = number(json_array_get(tries, 0), "ended");
	assert_true(number(json_array_get(tries, 1), "started") >= ended + 1);
	ended = number(json_array_get(tries, 1), "ended");
	assert_true(number(j, "started") >= ended + 2);
	json_decref(j);
}

static void what_then_works_is_a_result_as_any(void **state)
{
	int id = lab_submit(&lab, LAB_LONG, "");
	json_t *j;

	(void)state;
	kill_run(id);
	lab_await(&lab, id, "running");
	while (lab_number(&lab, id, "attempt") < 2)
		lab_await(&lab, id, "running");
	j = job(id);
	assert_int_equal(number(j, "failures"), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(j, "tries"), 0), "said")),
			    "killed by signal 9");
	json_decref(j);
	json_decref(lab_ask(&lab, "{\"command\":\"cancel\",\"id\":%d}", id));
	lab_await(&lab, id, "cancelled");
	assert_int_equal(lab_number(&lab, id, "attempt"), 2);
}

static void once_is_once(void **state)
{
	int id = submit_guest(", \"attempts\": 1");
	json_t *j;

	(void)state;
	lab_await(&lab, id, "finished");
	j = job(id);
	assert_int_equal(number(j, "attempt"), 1);
	assert_int_equal(number(j, "exit"), 75);
	assert_int_equal(json_array_size(json_object_get(j, "tries")), 0);
	json_decref(j);
	assert_non_null(strstr(lab_refusal(&lab,
					   "{\"command\":\"submit\",\"scenario\":%s,"
					   "\"attempts\":0}",
					   lab_scenario(&lab, LAB_SHORT)),
			       "/attempts"));
}

static void others_go_on_and_the_next_daemon_waits_as_long(void **state)
{
	int id = submit_guest(""), other;
	json_int_t again;

	(void)state;
	while (lab_number(&lab, id, "failures") < 1)
		;
	lab_await(&lab, id, "queued");
	again = lab_number(&lab, id, "again");
	assert_true(again > (json_int_t)time(NULL) + 60);
	other = lab_submit(&lab, LAB_SHORT, "");
	lab_await(&lab, other, "finished");
	lab_kill(&lab);
	lab_start(&lab);
	other = lab_submit(&lab, LAB_SHORT, "");
	lab_await(&lab, other, "finished");
	lab_await(&lab, id, "queued");
	assert_int_equal(lab_number(&lab, id, "again"), again);
	assert_int_equal(lab_number(&lab, id, "failures"), 1);
	assert_int_equal(lab_number(&lab, id, "attempt"), 1);
	json_decref(lab_ask(&lab, "{\"command\":\"cancel\",\"id\":%d}", id));
	lab_await(&lab, id, "cancelled");
}

static int make_qemu(void **state)
{
	char bin[300], qemu[400];
	int r = e2e_setup(state);

	snprintf(bin, sizeof(bin), "%s", e2e_path("qemu-bin"));
	mkdir(bin, 0700);
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", bin);
	e2e_write(qemu, "#!/bin/sh\nkill -9 $$\n");
	chmod(qemu, 0700);
	fake_image(e2e_path("bzImage"), NULL, FAKE_GZIP);
	snprintf(path_env, sizeof(path_env), "PATH=%s:%s", bin, getenv("PATH"));
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_tried_so_often_and_each_time_later, quick,
						lab_end),
		cmocka_unit_test_setup_teardown(what_then_works_is_a_result_as_any, quick, lab_end),
		cmocka_unit_test_setup_teardown(once_is_once, quick, lab_end),
		cmocka_unit_test_setup_teardown(others_go_on_and_the_next_daemon_waits_as_long,
						slow, lab_end),
	};

	return cmocka_run_group_tests(tests, make_qemu, e2e_teardown);
}
