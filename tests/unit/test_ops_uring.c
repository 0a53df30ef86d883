// SPDX-License-Identifier: GPL-2.0-or-later
/* A buffered write by io_uring that the kernel has no memory for at first. The entry stays in the
 * ring then: whoever gives up on it has it submitted later, with another write's bytes. */
#include "shadow_fixture.h"

#include "ops/actor.h"

#include <dlfcn.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>

static int refusals; /* submissions that are still to fail */

/* In place of the library's. */
int io_uring_submit_and_wait(struct io_uring *ring, unsigned int wait_nr)
{
	static int (*submit)(struct io_uring *, unsigned int);

	if (!submit)
		*(void **)&submit = dlsym(RTLD_NEXT, "io_uring_submit_and_wait");
	assert_non_null(submit);
	return refusals > 0 ? refusals--, -EAGAIN : submit(ring, wait_nr);
}

static bool have_uring(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(1, &ring, 0) < 0)
		return false;
	io_uring_queue_exit(&ring);
	return true;
}

static void a_refused_submission_is_made_again(void **state)
{
	struct write_op w = { .op = OP_PWRITE, .n = 2 };
	char log_path[96], run_path[96];
	struct shadow_fixture x;
	struct run_shared *run;
	struct oplog log;
	struct actor a;
	struct err e;

	(void)state;
	if (!have_uring())
		skip();
	fixture_make(&x, false);
	snprintf(log_path, sizeof(log_path), "%s/ops", x.dir);
	snprintf(run_path, sizeof(run_path), "%s/run", x.dir);
	assert_int_equal(oplog_create(log_path, "w.2", 64, &log, &e), 0);
	assert_int_equal(run_shared_create(run_path, &run, &e), 0);
	assert_int_equal(actor_init(&a, 2, &x.sh, &log, run, x.dir, "any", 1, &e), 0);
	assert_int_equal(actor_open(&a, true, &e), 0);
	assert_int_equal(op_write(&a, &a.files[0], &w), 2 * FIX_CELL);
	for (w.first = 0; w.first < 2; w.first++) {
		w.op = OP_URING_WRITE;
		w.n = 1;
		refusals = 3;
		assert_int_equal(op_write(&a, &a.files[0], &w), FIX_CELL);
		assert_int_equal(refusals, 0);
		op_read(&a, &a.files[0], 0, 2 * FIX_CELL, READ_PREAD);
	}
	for (int i = 0; i < RUN_SIGHTINGS; i++)
		assert_int_equal(atomic_load(&run->board[i].state), 0);
	for (u32 i = 0; i < a.nfiles; i++)
		unlink(a.files[i].path);
	actor_free(&a);
	run_shared_close(run);
	oplog_close(&log);
	unlink(log_path);
	unlink(run_path);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_submission_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
