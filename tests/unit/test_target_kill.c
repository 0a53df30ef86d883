// SPDX-License-Identifier: GPL-2.0-or-later
/* kill -9 at every step of a target's set-up: by recover, by the janitor or by the kernel alone,
 * no mount and no loop device stays. */
#include "target_fixture.h"

/* What a killed set-up left in this namespace, undone by recover; or by its janitor. */
static void killed_at(int step, bool with_janitor)
{
	static const char *const values[] = { "fs=ext4", "size=16M", NULL };
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char journal[400], mnt[400], run[300];
	struct mount_info m;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct fixture f;
		struct janitor j;

		begin(&f, "killed", "image", values);
		if (with_janitor && janitor_start(f.u, &j, &e) < 0)
			_exit(1);
		if (f.t.type->setup(&f.t, &e) < 0)
			_exit(2);
		if (step >= 1 && f.t.type->remount_cycle(&f.t, &e) < 0)
			_exit(3);
		if (step == 2 && f.t.type->unmount(&f.t, &e) < 0)
			_exit(4);
		if (step == 3 && f.t.type->teardown(&f.t, true, &e) < 0)
			_exit(5);
		kill(getpid(), SIGKILL);
	}
	u64 start = now_ns();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	snprintf(journal, sizeof(journal), "%s/undo/killed.journal", base);
	snprintf(mnt, sizeof(mnt), "%s/killed/mnt", base);
	if (!with_janitor)
		assert_int_equal(undo_recover(base, null), 0);
	start = now_ns();
	while (access(journal, F_OK) == 0 && now_ns() - start < DEADLINE_NS)
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(mount_at(mnt, &m), -ENOENT);
	assert_int_equal(access(mnt, F_OK), -1);
	assert_true(loops_go());
	snprintf(run, sizeof(run), "%s/killed", base);
	rm_rf(run);
}

static void killed_then_recovered(void **state)
{
	(void)state;
	for (int step = 0; step < 4; step++)
		killed_at(step, false);
}

static void killed_then_janitor(void **state)
{
	(void)state;
	for (int step = 0; step < 4; step++)
		killed_at(step, true);
}

/* Kills spread over the whole set-up: whatever was reached, nothing stays. */
static void killed_anywhere(void **state)
{
	static const char *const values[] = { "fs=ext4", "size=16M", NULL };
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char mnt[400], run[300];
	struct mount_info m;

	(void)state;
	snprintf(run, sizeof(run), "%s/any", base);
	snprintf(mnt, sizeof(mnt), "%s/mnt", run);
	for (long us = 200; us < 60000; us = us * 5 / 4) {
		pid_t pid = fork();

		if (pid == 0) {
			struct fixture f;

			begin(&f, "any", "image", values);
			f.t.type->setup(&f.t, &e);
			for (;;)
				pause();
		}
		/* The moment of the kill is the input here, no condition is awaited. */
		nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(undo_recover(base, null), 0);
		assert_int_equal(mount_at(mnt, &m), -ENOENT);
		assert_true(loops_go());
		rm_rf(run);
	}
}

/* In a namespace of its own the kernel alone drops mount and loop device. */
static void namespace_drops_all(void **state)
{
	static const char *const values[] = { "fs=ext4", "size=16M", NULL };
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char run[300];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct fixture f;

		if (target_private_mounts(&e) < 0)
			_exit(1);
		begin(&f, "ns", "image", values);
		if (f.t.type->setup(&f.t, &e) < 0)
			_exit(2);
		kill(getpid(), SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(loops_go());
	assert_int_equal(undo_recover(base, null), 0);
	snprintf(run, sizeof(run), "%s/ns", base);
	assert_int_equal(rm_rf(run), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_then_recovered),
		cmocka_unit_test(killed_then_janitor),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(namespace_drops_all),
	};

	if (geteuid() != 0 || access("/dev/loop-control", W_OK) < 0)
		return 77;
	return cmocka_run_group_tests(tests, make_base, drop_base);
}
