// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's queue from outside: what was acknowledged is run, whoever is killed at whatever
 * moment; nothing runs beside what needs the machine alone; no store costs a result.
 */
#include "../fake_image.h"
#include "daemon_lab.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 12

static int start(void **state)
{
	(void)state;
	return lab_begin("jobs", ", \"stop\": \"30s\", \"vms\": 2, \"cpus\": 8, \"memory\": \"8G\"",
			 NULL);
}

static void cancel(int id)
{
	json_t *o = lab_ask(&lab, "{\"command\":\"cancel\",\"id\":%d}", id);

	assert_string_equal(json_string_value(json_object_get(o, "type")), "result");
	json_decref(o);
}

static bool is_gone(void *ctx)
{
	return !lab_alive(*(pid_t *)ctx);
}

static bool is_written(void *ctx)
{
	return e2e_exists(ctx);
}

/* Until it has begun: its run directory has the scenario, resolved. */
static void await_begun(int id, int attempt)
{
	char path[600];

	lab_await(&lab, id, "running");
	snprintf(path, sizeof(path), "%s/daemon/runs/%d-%d/scenario.json", lab.state, id, attempt);
	assert_true(e2e_until(is_written, path, LAB_LIMIT));
}

static json_t *result_of(int id, int attempt)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/daemon/runs/%d-%d", lab.state, id, attempt);
	return e2e_result(path);
}

/* The exit status of its last attempt; what else it was is said with its reason. */
static void assert_ended(int id, int exit)
{
	json_t *o;

	if (lab_number(&lab, id, "exit") == exit)
		return;
	o = result_of(id, (int)lab_number(&lab, id, "attempt"));
	fail_msg("job %d: exit %d and not %d: %s", id, (int)lab_number(&lab, id, "exit"), exit,
		 json_string_value(json_object_get(o, "reason")));
}

static void a_job_runs_and_is_stored(void **state)
{
	int id = lab_submit(&lab, LAB_SHORT, ", \"name\": \"mine\"");
	json_t *o;

	(void)state;
	lab_await(&lab, id, "finished");
	assert_ended(id, 0);
	o = result_of(id, 1);
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "pass");
	json_decref(o);
}

static bool is_stored(void *ctx)
{
	return lab_number(&lab, *(int *)ctx, "stored");
}

static void results_come_from_the_store(void **state)
{
	int fd, id = 1;
	json_t *o;

	(void)state;
	assert_true(e2e_until(is_stored, &id, LAB_LIMIT));
	fd = lab_connect(&lab);
	lab_put(fd, "{\"command\":\"results\",\"scenario\":\"small\"}\n", 41);
	o = json_loads(lab_line(fd), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(o, "type")), "run");
	assert_string_equal(json_string_value(json_object_get(o, "verdict")), "pass");
	json_decref(o);
	assert_non_null(strstr(lab_line(fd), "\"type\":\"result\""));
	close(fd);
}

static void by_the_command_it_is_the_same(void **state)
{
	struct e2e r;

	(void)state;
	e2e_write(e2e_path("command.json"), lab_scenario(&lab, LAB_SHORT));
	E2E(&r, "submit", "--socket", lab.socket, "--name", "by-hand", e2e_path("command.json"));
	e2e_assert_exit(&r, 0);
	assert_string_equal(r.out, "2 queued by-hand\n");
	e2e_free(&r);
	lab_await(&lab, 2, "finished");
	E2E(&r, "status", "--socket", lab.socket, "2");
	e2e_assert_exit(&r, 0);
	assert_string_equal(r.out, "2 finished by-hand, exit 0\n");
	e2e_free(&r);
	E2E(&r, "cancel", "--socket", lab.socket, "2");
	e2e_assert_exit(&r, 2);
	assert_non_null(strstr(r.err, "job 2 is finished"));
	e2e_free(&r);
	e2e_write(e2e_path("command.json"), "{ \"version\": 1, \"nmae\": 1 }");
	E2E(&r, "submit", "--socket", lab.socket, e2e_path("command.json"));
	e2e_assert_exit(&r, 2);
	assert_non_null(strstr(r.err, "command.json:1: /nmae: unknown key"));
	e2e_free(&r);
	E2E(&r, "status", "--socket", "/nonexistent");
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.err, "start it"));
	e2e_free(&r);
}

/* One of ten minutes runs, two wait. */
static void killed_with_a_queue_it_goes_on(void **state)
{
	int first = lab_submit(&lab, LAB_LONG, ""), second = lab_submit(&lab, LAB_SHORT, ""), third;
	pid_t pid;

	(void)state;
	third = lab_submit(&lab, LAB_SHORT, "");
	await_begun(first, 1);
	pid = lab_pid(&lab, first);
	assert_true(lab_alive(pid));
	lab_kill(&lab);
	/* With nobody to come after it the run stops in order, and puts everything back. */
	assert_true(e2e_until(is_gone, &pid, LAB_LIMIT));
	lab_start(&lab);
	await_begun(first, 2);
	assert_int_equal(lab_number(&lab, first, "attempt"), 2);
	lab_await(&lab, second, "queued");
	cancel(first);
	lab_await(&lab, first, "cancelled");
	lab_await(&lab, second, "finished");
	lab_await(&lab, third, "finished");
	assert_ended(second, 0);
	assert_int_equal(lab_number(&lab, third, "attempt"), 1);
}

/* The daemon is back at once, while the run of the one before still ends. SIGSTOP keeps it there.
 */
static void nothing_runs_beside_what_is_still_there(void **state)
{
	int first = lab_submit(&lab, LAB_LONG, ", \"interruption\": \"drop\"");
	int second = lab_submit(&lab, LAB_SHORT, "");
	pid_t pid;

	(void)state;
	await_begun(first, 1);
	pid = lab_pid(&lab, first);
	kill(pid, SIGSTOP);
	lab_kill(&lab);
	lab_start(&lab);
	lab_await(&lab, first, "running");
	lab_await(&lab, second, "queued");
	assert_int_equal(lab_pid(&lab, first), pid);
	assert_true(lab_alive(pid));
	kill(pid, SIGCONT);
	lab_await(&lab, second, "finished");
	assert_false(lab_alive(pid));
	/* And by its policy it is not run again. */
	lab_await(&lab, first, "interrupted");
	assert_int_equal(lab_number(&lab, first, "attempt"), 1);
}

/* At whatever moment: all that was acknowledged comes to its end, once. */
static void killed_at_any_moment_no_job_is_lost(void **state)
{
	int ids[ROUNDS];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct timespec t = { .tv_nsec = i * 7919 * 1000 % 60000000 };

		ids[i] = lab_submit(&lab, LAB_SHORT, "");
		/* No condition is waited for: it is the moment of the kill that differs. */
		nanosleep(&t, NULL);
		lab_kill(&lab);
		lab_start(&lab);
	}
	for (int i = 0; i < ROUNDS; i++) {
		json_t *o;

		assert_int_equal(ids[i], i + 1);
		lab_await(&lab, ids[i], "finished");
		assert_ended(ids[i], 0);
		o = result_of(ids[i], (int)lab_number(&lab, ids[i], "attempt"));
		assert_string_equal(json_string_value(json_object_get(o, "verdict")), "pass");
		json_decref(o);
	}
}

static void sigterm_stops_what_runs_and_keeps_the_rest(void **state)
{
	int first = lab_submit(&lab, LAB_LONG, ""), second = lab_submit(&lab, LAB_SHORT, "");
	pid_t pid;

	await_begun(first, 1);
	pid = lab_pid(&lab, first);
	lab_end(state);
	assert_false(lab_alive(pid));
	assert_false(e2e_exists(lab.socket));
	lab_start(&lab);
	await_begun(first, 2);
	cancel(first);
	lab_await(&lab, second, "finished");
	lab_await(&lab, first, "cancelled");
}

static void what_is_cancelled_does_not_run(void **state)
{
	int first = lab_submit(&lab, LAB_LONG, ""), second = lab_submit(&lab, LAB_SHORT, "");
	char path[600];

	(void)state;
	cancel(second);
	lab_await(&lab, second, "cancelled");
	await_begun(first, 1);
	cancel(first);
	lab_await(&lab, first, "cancelled");
	assert_int_equal(lab_number(&lab, second, "attempt"), 0);
	snprintf(path, sizeof(path), "%s/daemon/runs/%d-1", lab.state, second);
	assert_false(e2e_exists(path));
}

static void set_in_file(int id, const char *key, const char *value)
{
	char path[600];
	json_t *o;

	snprintf(path, sizeof(path), "%s/daemon/jobs/%d.json", lab.state, id);
	o = json_load_file(path, 0, NULL);
	assert_non_null(o);
	json_object_set_new(o, key, json_string(value));
	assert_int_equal(json_dump_file(o, path, 0), 0);
	json_decref(o);
}

/* What took the machine down is not tried again; a damaged file is left alone. */
static void a_machine_that_went_down_is_a_finding(void **state)
{
	int first = lab_submit(&lab, LAB_LONG, ""), second;
	char path[600];
	pid_t pid;

	(void)state;
	await_begun(first, 1);
	pid = lab_pid(&lab, first);
	lab_kill(&lab);
	assert_true(e2e_until(is_gone, &pid, LAB_LIMIT));
	set_in_file(first, "boot", "another boot");
	snprintf(path, sizeof(path), "%s/daemon/runs/%d-1/result.json", lab.state, first);
	e2e_remove(path);
	snprintf(path, sizeof(path), "%s/daemon/jobs/7.json", lab.state);
	e2e_write(path, "{ half");
	lab_start(&lab);
	lab_await(&lab, first, "lost");
	assert_ended(first, 1);
	/* The damaged file is said, left, and its number not given away. */
	second = lab_submit(&lab, LAB_SHORT, "");
	assert_int_equal(second, 8);
	lab_await(&lab, second, "finished");
	lab_stop(&lab);
	assert_non_null(strstr(lab.run.err, "7.json:1: "));
	assert_true(e2e_exists(path));
	e2e_free(&lab.run);
	lab_start(&lab);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Neither a damaged store nor one that cannot be written costs a result; it is said once. */
static void no_store_costs_a_result(void **state)
{
	static const struct {
		const char *keys, *refusal;
	} rows[] = {
		{ "", "store.db: is " }, /* damaged */
		{ ", \"store\": \"/proc/store.db\"", "/proc/store.db: " },
	};

	for (size_t i = 0; i < 2; i++) {
		char path[400];

		lab_end(state);
		lab_init(&lab, "nostore", rows[i].keys);
		snprintf(path, sizeof(path), "%s/store.db", lab.state);
		if (i == 0)
			e2e_write(path, "this was a store once, and it is none any more: "
					"SQLite wants a header and pages");
		lab_start(&lab);
		for (int id = 1; id <= 3; id++) {
			assert_int_equal(lab_submit(&lab, LAB_SHORT, ""), id);
			lab_await(&lab, id, "finished");
			assert_ended(id, 0);
		}
		assert_non_null(
			strstr(lab_refusal(&lab, "{\"command\":\"results\"}"), rows[i].refusal));
		lab_stop(&lab);
		assert_int_equal(count(lab.run.err, "complete, and not in the store"), 1);
		e2e_free(&lab.run);
		lab_init(&lab, "kept", "");
		lab_start(&lab);
	}
}

static void a_store_that_is_back_gets_the_rest(void **state)
{
	char path[400];
	int id = 1;

	lab_end(state);
	snprintf(path, sizeof(path), "%s/store.db", lab.state);
	e2e_write(path, "no store at all, and longer than nothing");
	lab_start(&lab);
	assert_int_equal(lab_submit(&lab, LAB_SHORT, ""), id);
	lab_await(&lab, id, "finished");
	lab_stop(&lab);
	assert_int_equal(count(lab.run.err, "complete, and not in the store"), 1);
	e2e_free(&lab.run);
	e2e_remove(path);
	lab_start(&lab);
	assert_true(e2e_until(is_stored, &id, LAB_LIMIT));
}

/* A filesystem without a byte left, in a mount namespace of this test and its daemons. */
static void mount_full(const char *path, char *filler, size_t size)
{
	char block[4096] = { 0 };
	FILE *f;

	mkdir(path, 0700);
	assert_int_equal(mount("full", path, "tmpfs", 0, "size=256k"), 0);
	snprintf(filler, size, "%s/filler", path);
	f = fopen(filler, "we");
	assert_non_null(f);
	setbuf(f, NULL);
	while (fwrite(block, sizeof(block), 1, f) == 1)
		;
	assert_int_equal(errno, ENOSPC);
	fclose(f);
}

static void alone(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
}

/* What cannot be kept is not acknowledged, and leaves nothing. */
static void a_full_disk_takes_no_job(void **state)
{
	char jobs[400], filler[500];

	alone();
	snprintf(jobs, sizeof(jobs), "%s/daemon/jobs", lab.state);
	lab_end(state);
	mount_full(jobs, filler, sizeof(filler));
	lab_start(&lab);
	assert_non_null(strstr(lab_refusal(&lab, "{\"command\":\"submit\",\"scenario\":%s}",
					   lab_scenario(&lab, LAB_SHORT)),
			       "the job cannot be kept: No space left on device"));
	assert_non_null(strstr(lab_refusal(&lab, "{\"command\":\"status\",\"id\":1}"),
			       "there is no job 1"));
	e2e_remove(filler);
	assert_int_equal(lab_submit(&lab, LAB_SHORT, ""), 1);
	lab_await(&lab, 1, "finished");
	lab_end(state);
	umount2(jobs, MNT_DETACH);
	lab_start(&lab);
}

static void a_full_store_costs_no_result(void **state)
{
	char full[300], filler[400], keys[400];

	alone();
	lab_end(state);
	snprintf(full, sizeof(full), "%s", e2e_path("full"));
	mount_full(full, filler, sizeof(filler));
	snprintf(keys, sizeof(keys), ", \"store\": \"%s/store.db\"", full);
	lab_init(&lab, "fullstore", keys);
	lab_start(&lab);
	for (int id = 1; id <= 2; id++) {
		assert_int_equal(lab_submit(&lab, LAB_SHORT, ""), id);
		lab_await(&lab, id, "finished");
		assert_ended(id, 0);
	}
	lab_stop(&lab);
	assert_int_equal(count(lab.run.err, "complete, and not in the store"), 1);
	assert_non_null(strstr(lab.run.err, "has no more room"));
	e2e_free(&lab.run);
	umount2(full, MNT_DETACH);
	lab_start(&lab);
}

/* A QEMU that sits there: as long as the launcher has patience, the guest runs. */
static void fake_qemu(char *env, size_t size)
{
	char bin[300], qemu[400];

	snprintf(bin, sizeof(bin), "%s", e2e_path("qemu-bin"));
	mkdir(bin, 0700);
	snprintf(qemu, sizeof(qemu), "%s/qemu-system-x86_64", bin);
	e2e_write(qemu, "#!/bin/sh\nexec sleep 600\n");
	chmod(qemu, 0700);
	fake_image(e2e_path("bzImage"), NULL, FAKE_GZIP);
	snprintf(env, size, "PATH=%s:%s", bin, getenv("PATH"));
}

/* Two guests fit and a third waits; what needs the machine alone waits for them all, and whoever
 * comes after it waits behind it. */
static void as_many_run_as_fit(void **state)
{
	char env[2000], keys[600];
	int guests[3], native, last;

	lab_end(state);
	fake_qemu(env, sizeof(env));
	lab.env[0] = env;
	lab_start(&lab);
	snprintf(keys, sizeof(keys),
		 ", \"kernel\": \"%s\", \"accel\": \"tcg\", \"memory\": \"256M\"",
		 e2e_path("bzImage"));
	for (int i = 0; i < 3; i++)
		guests[i] = lab_submit(&lab, LAB_LONG, keys);
	native = lab_submit(&lab, LAB_SHORT, "");
	last = lab_submit(&lab, LAB_LONG, keys);
	lab_await(&lab, guests[0], "running");
	lab_await(&lab, guests[1], "running");
	lab_await(&lab, guests[2], "queued");
	cancel(guests[0]);
	lab_await(&lab, guests[2], "running");
	lab_await(&lab, native, "queued");
	lab_await(&lab, last, "queued");
	cancel(guests[1]);
	lab_await(&lab, guests[1], "cancelled");
	lab_await(&lab, native, "queued"); /* one runs, and it needs the machine alone */
	cancel(guests[2]);
	lab_await(&lab, native, "finished");
	lab_await(&lab, last, "running");
	cancel(last);
	lab_await(&lab, last, "cancelled");
	assert_non_null(strstr(lab_refusal(&lab,
					   "{\"command\":\"submit\",\"scenario\":%s%s,"
					   "\"cpus\":9}",
					   lab_scenario(&lab, LAB_SHORT), keys),
			       "/cpus: 9 is more than there is; expected at most 8"));
}

static void a_matrix_goes_on_where_it_was(void **state)
{
	char path[400], text[600], cells[600];
	struct e2e r;
	json_t *o;

	(void)state;
	e2e_write(e2e_path("cell.json"), lab_scenario(&lab, LAB_SHORT));
	snprintf(path, sizeof(path), "%s", e2e_path("matrix.json"));
	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"night\", \"scenarios\": [ \"cell.json\" ],"
		 " \"seeds\": \"1..4\", \"kernels\": [ { \"name\": \"native\" } ] }");
	e2e_write(path, text);
	o = lab_ask(&lab, "{\"command\":\"submit\",\"matrix\":\"%s\"}", path);
	assert_string_equal(json_string_value(json_object_get(o, "type")), "result");
	assert_true(json_is_true(
		json_object_get(json_object_get(json_object_get(o, "job"), "spec"), "exclusive")));
	json_decref(o);
	lab_await(&lab, 1, "running");
	snprintf(cells, sizeof(cells), "%s/daemon/runs/1/night.json", lab.state);
	assert_true(e2e_until(is_written, cells, LAB_LIMIT));
	lab_kill(&lab);
	lab_start(&lab);
	lab_await(&lab, 1, "finished");
	assert_ended(1, 0);
	assert_int_equal(lab_number(&lab, 1, "attempt"), 2);
	snprintf(cells, sizeof(cells), "%s/daemon/runs/1", lab.state);
	E2E(&r, "matrix", "--list", "--no-store", "--json", "--run-dir", cells, path);
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "\"passed\":4"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_job_runs_and_is_stored, start),
		cmocka_unit_test(results_come_from_the_store),
		cmocka_unit_test_teardown(by_the_command_it_is_the_same, lab_end),
		cmocka_unit_test_setup_teardown(killed_with_a_queue_it_goes_on, start, lab_end),
		cmocka_unit_test_setup_teardown(nothing_runs_beside_what_is_still_there, start,
						lab_end),
		cmocka_unit_test_setup_teardown(killed_at_any_moment_no_job_is_lost, start,
						lab_end),
		cmocka_unit_test_setup_teardown(sigterm_stops_what_runs_and_keeps_the_rest, start,
						lab_end),
		cmocka_unit_test_setup_teardown(what_is_cancelled_does_not_run, start, lab_end),
		cmocka_unit_test_setup_teardown(a_machine_that_went_down_is_a_finding, start,
						lab_end),
		cmocka_unit_test_setup_teardown(no_store_costs_a_result, start, lab_end),
		cmocka_unit_test_setup_teardown(a_store_that_is_back_gets_the_rest, start, lab_end),
		cmocka_unit_test_setup_teardown(a_full_disk_takes_no_job, start, lab_end),
		cmocka_unit_test_setup_teardown(a_full_store_costs_no_result, start, lab_end),
		cmocka_unit_test_setup_teardown(as_many_run_as_fit, start, lab_end),
		cmocka_unit_test_setup_teardown(a_matrix_goes_on_where_it_was, start, lab_end),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
