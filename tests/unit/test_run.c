// SPDX-License-Identifier: GPL-2.0-or-later
/* The shared block: the board under many hands, pauses with several processes, who did not pause.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#define WORKERS 4
#define PAUSER	1
#define LONG_NS (60 * NSEC_PER_SEC)

struct block {
	char dir[64], path[96];
	struct run_shared *run;
	pid_t pids[WORKERS + 2]; /* by writer id, from 2 */
};

static void block_make(struct block *b)
{
	struct err e;

	*b = (struct block){ 0 };
	snprintf(b->dir, sizeof(b->dir), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/run", b->dir);
	assert_int_equal(run_shared_create(b->path, &b->run, &e), 0);
}

static void block_free(struct block *b)
{
	run_shared_close(b->run);
	unlink(b->path);
	rmdir(b->dir);
}

static void block_comes_back(void **state)
{
	struct run_shared *again;
	struct block b;
	struct err e;

	(void)state;
	block_make(&b);
	b.run->start_ns = 77;
	assert_int_equal(run_shared_open(b.path, &again, &e), 0);
	assert_int_equal(again->start_ns, 77);
	again->start_ns = 78;
	assert_int_equal(b.run->start_ns, 77); /* a copy */
	run_shared_close(again);
	b.run->magic ^= 1;
	assert_int_equal(run_shared_open(b.path, &again, &e), -EBADMSG);
	b.run->magic ^= 1;
	b.run->len ^= 1;
	assert_int_equal(run_shared_open(b.path, &again, &e), -EBADMSG);
	assert_int_equal(truncate(b.path, 100), 0);
	assert_int_equal(run_shared_open(b.path, &again, &e), -EBADMSG);
	block_free(&b);
	assert_int_equal(run_shared_open(b.path, &again, &e), -ENOENT);
}

static void a_full_board_counts(void **state)
{
	struct sighting *s;
	struct block b;

	(void)state;
	block_make(&b);
	for (int i = 0; i < RUN_SIGHTINGS; i++) {
		s = sighting_take(b.run);
		assert_non_null(s);
		memset(s->found, 0xee, sizeof(s->found));
		sighting_post(b.run, s);
	}
	assert_null(sighting_take(b.run));
	assert_null(sighting_take(b.run));
	assert_int_equal(atomic_load(&b.run->sightings_lost), 2);
	/* a place that was read is free again, and shows nothing of what it held */
	atomic_store(&b.run->board[5].state, 0);
	s = sighting_take(b.run);
	assert_ptr_equal(s, &b.run->board[5]);
	assert_int_equal(atomic_load(&s->state), 1);
	for (size_t i = 0; i < sizeof(s->found); i++)
		assert_int_equal(s->found[i], 0);
	assert_null(sighting_take(b.run));
	block_free(&b);
}

/* Every place goes to one taker: each writes its mark, and finds it there when all have taken. */
static void no_place_is_taken_twice(void **state)
{
	u32 taken[WORKERS] = { 0 };
	struct block b;

	(void)state;
	block_make(&b);
	for (u32 w = 0; w < WORKERS; w++) {
		b.pids[w] = fork();
		assert_true(b.pids[w] >= 0);
		if (b.pids[w] == 0) {
			struct sighting *s;

			while (!atomic_load(&b.run->go))
				futex_wait(&b.run->go, 0, LONG_NS);
			while ((s = sighting_take(b.run))) {
				s->cell++; /* two takers would make it 2 */
				s->finder = (u16)w;
				sighting_post(b.run, s);
			}
			_exit(0);
		}
	}
	atomic_store(&b.run->go, 1);
	futex_wake_all(&b.run->go);
	for (u32 w = 0; w < WORKERS; w++)
		assert_int_equal(waitpid(b.pids[w], NULL, 0), b.pids[w]);
	for (int i = 0; i < RUN_SIGHTINGS; i++) {
		assert_int_equal(b.run->board[i].state, 2);
		assert_int_equal(b.run->board[i].cell, 1);
		taken[b.run->board[i].finder]++;
	}
	assert_int_equal(taken[0] + taken[1] + taken[2] + taken[3], RUN_SIGHTINGS);
	assert_int_equal(atomic_load(&b.run->sightings_lost), WORKERS);
	block_free(&b);
}

/* A worker as far as pauses go. Id 2 + @w; a deaf one never looks. "ops" counts while it works. */
static void work(struct run_shared *r, u32 w, bool deaf)
{
	struct slot *s = &r->slots[2 + w];

	snprintf(s->name, sizeof(s->name), "worker.%u", w);
	atomic_store(&s->state, SLOT_RUNNING);
	while (!run_stopping(r)) {
		u32 pause = atomic_load(&r->pause);

		atomic_fetch_add(&s->ops, 1);
		if (deaf || !(pause & 1))
			continue;
		atomic_store(&s->pause_seen, pause);
		atomic_store(&s->state, SLOT_PAUSED);
		while (atomic_load(&r->pause) == pause && !run_stopping(r))
			futex_wait(&r->pause, pause, 20 * NSEC_PER_MSEC);
		atomic_store(&s->state, SLOT_RUNNING);
	}
	_exit(0);
}

static void start_workers(struct block *b, int deaf)
{
	for (u32 w = 0; w < WORKERS; w++) {
		b->pids[w] = fork();
		assert_true(b->pids[w] >= 0);
		if (b->pids[w] == 0)
			work(b->run, w, (int)w == deaf);
	}
	for (u32 w = 0; w < WORKERS; w++)
		while (atomic_load(&b->run->slots[2 + w].state) != SLOT_RUNNING)
			sched_yield();
}

static void stop_workers(struct block *b)
{
	atomic_store(&b->run->stop, 1);
	futex_wake_all(&b->run->pause);
	for (u32 w = 0; w < WORKERS; w++)
		if (b->pids[w])
			assert_int_equal(waitpid(b->pids[w], NULL, 0), b->pids[w]);
}

static u64 ops_of(const struct block *b)
{
	u64 n = 0;

	for (u32 w = 0; w < WORKERS; w++)
		n += atomic_load(&b->run->slots[2 + w].ops);
	return n;
}

static void a_pause_holds_everybody(void **state)
{
	struct block b;
	struct err e;

	(void)state;
	block_make(&b);
	start_workers(&b, -1);
	for (int i = 0; i < 20; i++) {
		u64 ops;

		assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), 0);
		ops = ops_of(&b);
		assert_int_equal(run_pause(b.run, 99, LONG_NS, &e), -EBUSY);
		assert_true(ops_of(&b) == ops);
		run_resume(b.run);
		while (ops_of(&b) == ops)
			sched_yield();
	}
	stop_workers(&b);
	block_free(&b);
}

static void who_does_not_pause_is_named(void **state)
{
	struct block b;
	struct err e;

	(void)state;
	block_make(&b);
	start_workers(&b, 2);
	assert_int_equal(run_pause(b.run, PAUSER, NSEC_PER_SEC, &e), -ETIMEDOUT);
	assert_string_equal(e.text, "worker.2 did not pause within 1000 ms");
	/* taken back: the others go on, and the next one may ask */
	assert_int_equal(atomic_load(&b.run->pause) & 1, 0);
	assert_int_equal(atomic_load(&b.run->pauser), 0);
	/* it dies and is reaped: nobody waits for it */
	kill(b.pids[2], SIGKILL);
	assert_int_equal(waitpid(b.pids[2], NULL, 0), b.pids[2]);
	b.pids[2] = 0;
	atomic_store(&b.run->slots[4].state, SLOT_DEAD);
	assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), 0);
	/* another dies while it is paused, and its slot still says so: it counts as paused */
	kill(b.pids[0], SIGKILL);
	assert_int_equal(waitpid(b.pids[0], NULL, 0), b.pids[0]);
	b.pids[0] = 0;
	run_resume(b.run);
	assert_int_equal(run_pause(b.run, PAUSER, NSEC_PER_SEC, &e), -ETIMEDOUT);
	assert_string_equal(e.text, "worker.0 did not pause within 1000 ms");
	atomic_store(&b.run->slots[2].state, SLOT_DEAD);
	assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), 0);
	stop_workers(&b);
	assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), -EBUSY);
	run_resume(b.run);
	block_free(&b);
}

/* Killed when it had the pause to itself and had not asked yet, or had ended it and still had it.
 */
static void a_pauser_that_dies_between_holds_nobody(void **state)
{
	struct block b;
	struct err e;

	(void)state;
	block_make(&b);
	for (int asked = 0; asked < 2; asked++) {
		u32 before = atomic_load(&b.run->pause);

		atomic_store(&b.run->pauser, PAUSER);
		if (asked)
			atomic_fetch_add(&b.run->pause, 1);
		run_resume(b.run); /* as whoever reaps it does */
		assert_int_equal(atomic_load(&b.run->pause) & 1, 0);
		assert_int_equal(atomic_load(&b.run->pause), before + 2 * (u32)asked);
		assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), 0);
		run_resume(b.run);
	}
	block_free(&b);
}

/* Its files are open already, although it does not run yet. */
static void who_just_starts_is_waited_for(void **state)
{
	static const struct {
		enum slot_state state;
		bool waited;
	} rows[] = {
		{ SLOT_EMPTY, false },	{ SLOT_STARTING, true }, { SLOT_READY, true },
		{ SLOT_RUNNING, true }, { SLOT_PAUSED, true },	 { SLOT_STOPPED, false },
		{ SLOT_FAILED, false }, { SLOT_DEAD, false },
	};
	struct block b;
	struct err e;

	(void)state;
	block_make(&b);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		atomic_store(&b.run->slots[7].state, rows[i].state);
		assert_int_equal(run_pause(b.run, PAUSER, 1, &e), rows[i].waited ? -ETIMEDOUT : 0);
		if (!rows[i].waited)
			run_resume(b.run);
		/* the one who asks does not wait for itself */
		assert_int_equal(run_pause(b.run, 7, 1, &e), 0);
		run_resume(b.run);
	}
	atomic_store(&b.run->slots[7].state, SLOT_RUNNING);
	atomic_store(&b.run->stop, 1);
	assert_int_equal(run_pause(b.run, PAUSER, LONG_NS, &e), -ETIMEDOUT);
	assert_non_null(strstr(e.text, "the run ended"));
	block_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_comes_back),
		cmocka_unit_test(a_full_board_counts),
		cmocka_unit_test(no_place_is_taken_twice),
		cmocka_unit_test(a_pause_holds_everybody),
		cmocka_unit_test(who_does_not_pause_is_named),
		cmocka_unit_test(a_pauser_that_dies_between_holds_nobody),
		cmocka_unit_test(who_just_starts_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
