// SPDX-License-Identifier: GPL-2.0-or-later
/* Races: the barrier with processes, dead ones among them; overlaps and offsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "race/race.h"
#include "stepped.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_NS (20 * NSEC_PER_SEC)

static struct race *make(u32 parties, struct range offset)
{
	struct race *r =
		mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(r != MAP_FAILED);
	race_init(r, "test", 7);
	for (u32 i = 0; i < parties; i++)
		assert_int_equal(race_add(r, (u16)(i + 1), (u16)i, offset, false), (int)i);
	return r;
}

static void interval(struct race *r, u32 i, u64 start, u64 end)
{
	r->parties[i].start_ns = start;
	r->parties[i].end_ns = end;
}

static void overlap_is_one_instant_of_all(void **state)
{
	struct race *r = make(3, (struct range){ 0, 0 });

	(void)state;
	interval(r, 0, 10, 20);
	interval(r, 1, 15, 30);
	interval(r, 2, 19, 21);
	assert_true(race_overlapped(r));
	interval(r, 2, 20, 31); /* met 1, came when 0 had just ended */
	assert_false(race_overlapped(r));
	interval(r, 2, 0, 0); /* did nothing */
	assert_false(race_overlapped(r));
	r->parties[2].actor = 1; /* another process of the same actor */
	r->nactors = 2;
	assert_true(race_overlapped(r));
	interval(r, 1, 0, 0);
	interval(r, 2, 5, 11);
	assert_true(race_overlapped(r));
	munmap(r, sizeof(*r));
}

static void offsets_sweep_and_then_go_where_it_overlapped(void **state)
{
	struct race *r = make(2, (struct range){ 1000, 2599 });
	u32 seen[RACE_BINS] = { 0 }, there = 0;

	(void)state;
	for (u64 k = 0; k < (u64)4 * RACE_BINS; k++) {
		race_draw(r, k);
		for (u32 i = 0; i < 2; i++) {
			const struct race_party *p = &r->parties[i];

			assert_in_range(p->offset_ns, 1000 + 100 * p->bin, 1099 + 100 * p->bin);
		}
		seen[r->parties[1].bin]++;
	}
	for (u32 i = 0; i < RACE_BINS; i++)
		assert_int_equal(seen[i], 4);
	for (u32 i = 0; i < RACE_BINS; i++)
		r->parties[0].bins[i].tries = r->parties[1].bins[i].tries = 4;
	r->parties[1].bins[5].overlaps = 4;
	for (u64 k = 100; k < 1100; k++) {
		race_draw(r, k);
		there += r->parties[1].bin == 5;
	}
	/* 64 + 1 of 80 in three of four attempts: about 620; evenly it would be 62 */
	assert_in_range(there, 500, 750);
	munmap(r, sizeof(*r));
}

/* Four turns try each quarter of the range: a window of that width is met soon. */
static void the_first_turns_have_been_everywhere(void **state)
{
	struct race *r = make(3, (struct range){ 0, 1599 });

	(void)state;
	for (u64 k = 0; k < (u64)4 * RACE_BINS; k += 4) {
		u32 quarters[3] = { 0 };

		for (u64 turn = k; turn < k + 4; turn++) {
			race_draw(r, turn);
			for (u32 i = 0; i < 3; i++)
				quarters[i] |= 1U << r->parties[i].bin / (RACE_BINS / 4);
		}
		for (u32 i = 0; i < 3; i++)
			assert_int_equal(quarters[i], 15);
	}
	munmap(r, sizeof(*r));
}

/* Each fourth attempt after the sweep goes on with it, through every bin of every party. */
static void the_sweep_never_ends(void **state)
{
	struct race *r = make(2, (struct range){ 0, 1599 });
	u32 seen[2][RACE_BINS] = { 0 };

	(void)state;
	for (u64 k = 64; k < 64 + (u64)4 * 4 * RACE_BINS; k += 4) {
		race_draw(r, k);
		for (u32 i = 0; i < 2; i++)
			seen[i][r->parties[i].bin]++;
	}
	for (u32 i = 0; i < 2; i++)
		for (u32 b = 0; b < RACE_BINS; b++)
			assert_int_equal(seen[i][b], 4);
	munmap(r, sizeof(*r));
}

static void one_offset_is_that_offset(void **state)
{
	struct race *r = make(1, (struct range){ 42, 42 });

	(void)state;
	for (u64 k = 0; k < 200; k++) {
		race_draw(r, k);
		assert_int_equal(r->parties[0].offset_ns, 42);
	}
	munmap(r, sizeof(*r));
}

static void windows_come_in_turn(void **state)
{
	struct race *r = make(1, (struct range){ 0, 0 });

	(void)state;
	assert_int_equal(race_place(r, 3, 4096), 0);
	r->window = 1024;
	assert_int_equal(race_place(r, 3, 4096), 3072);
	assert_int_equal(race_place(r, 4, 4096), 0);
	assert_int_equal(race_place(r, 4, 100), 0); /* larger than the file */
	munmap(r, sizeof(*r));
}

static bool too_late(void *deadline)
{
	return now_ns() > *(u64 *)deadline;
}

/* A party: attempts until the race has had its limit. It exits with 0 then. */
static void party(struct race *r, u32 me, u32 die_at)
{
	u64 deadline = now_ns() + LIMIT_NS;

	for (u32 k = 0;; k++) {
		int ret = race_enter(r, me, too_late, &deadline);
		u64 start = now_ns();

		if (ret == -ENODATA)
			_exit(0);
		if (ret < 0)
			_exit(1);
		if (k == die_at)
			raise(SIGKILL);
		race_done(r, me, start, now_ns() + 1);
		if (!race_wait_done(r, too_late, &deadline))
			_exit(2);
	}
}

static void run_parties(struct race *r, u32 n, u32 dies, u32 at)
{
	pid_t pids[RACE_PARTIES];
	int status;

	for (u32 i = 0; i < n; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			party(r, i, i == dies ? at : UINT32_MAX);
	}
	if (dies < n) {
		assert_int_equal(waitpid(pids[dies], &status, 0), pids[dies]);
		assert_true(WIFSIGNALED(status));
		race_bury(r, dies);
	}
	for (u32 i = 0; i < n; i++) {
		if (i == dies)
			continue;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void processes_meet_at_each_attempt(void **state)
{
	struct race *r = make(3, (struct range){ 0, 1000 });

	(void)state;
	r->limit = 100;
	run_parties(r, 3, UINT32_MAX, 0);
	race_finish(r);
	assert_int_equal(atomic_load(&r->attempts), 100);
	assert_int_equal(atomic_load(&r->round), 100);
	assert_true(race_over(r));
	for (u32 i = 0; i < 3; i++) {
		u32 tries = 0;

		for (u32 b = 0; b < RACE_BINS; b++)
			tries += r->parties[i].bins[b].tries;
		assert_int_equal(tries, 100);
	}
	munmap(r, sizeof(*r));
}

/* Killed in the middle of its operation: the others neither wait for it now nor at any barrier. */
static void the_dead_hold_nobody_up(void **state)
{
	struct race *r = make(3, (struct range){ 0, 0 });

	(void)state;
	r->limit = 20;
	run_parties(r, 3, 1, 5);
	assert_int_equal(atomic_load(&r->attempts), 20);
	/* it is an actor still: without it no attempt is an overlap of all */
	assert_true(atomic_load(&r->overlaps) <= 5);
	munmap(r, sizeof(*r));
}

static bool at_once(void *asked)
{
	(*(u32 *)asked)++;
	return true;
}

static void who_is_told_leaves_the_barrier(void **state)
{
	struct race *r = make(2, (struct range){ 0, 0 });
	u32 asked = 0;

	(void)state;
	assert_int_equal(race_enter(r, 0, at_once, &asked), -EINTR);
	assert_int_equal(asked, 1);
	assert_int_equal(atomic_load(&r->arrived), 0);
	assert_int_equal(atomic_load(&r->round), 0);
	munmap(r, sizeof(*r));
}

struct last_to_come {
	struct race *r;
	struct race last;
	u32 states, claimed;
};

static void come_last(void *arg)
{
	struct last_to_come *l = arg;
	u32 asked = 0;

	race_enter(l->r, 0, at_once, &asked);
}

static bool never(void *arg)
{
	(void)arg;
	fail_msg("nobody lets the other one go");
	return true;
}

/* Killed here and buried, it leaves the one that waited at the barrier to go on alone. */
static void killed_here(void *arg)
{
	struct last_to_come *l = arg;
	struct race saved;

	memcpy(&saved, l->r, sizeof(saved));
	if (l->states && !memcmp(&saved, &l->last, sizeof(saved)))
		return;
	l->states++;
	l->claimed += (u32)saved.claimed != saved.round;
	race_bury(l->r, 0);
	assert_int_equal(race_enter(l->r, 1, never, NULL), 0);
	memcpy(l->r, &saved, sizeof(saved));
	memcpy(&l->last, &saved, sizeof(saved));
}

static void the_dead_release_nobody_half(void **state)
{
	struct race *r = make(2, (struct range){ 0, 0 });
	struct last_to_come l = { .r = r };

	(void)state;
	atomic_store(&r->arrived, 2); /* the other one waits */
	assert_true(each_step(come_last, killed_here, &l) > 0);
	assert_true(l.claimed > 3); /* on its way it was met more than once */
	assert_int_equal(atomic_load(&r->round), 1);
	munmap(r, sizeof(*r));
}

static void a_hit_counts_once_an_attempt(void **state)
{
	struct race *r = make(1, (struct range){ 0, 0 });
	u32 asked = 0;

	(void)state;
	assert_int_equal(race_enter(r, 0, at_once, &asked), 0);
	race_done(r, 0, 1, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(race_enter(r, 0, at_once, &asked), 0);
		assert_int_equal(atomic_load(&r->first_hit), i ? 2 : 0);
		race_hit(r);
		race_hit(r);
		race_done(r, 0, 5, 6);
	}
	race_finish(r);
	assert_int_equal(atomic_load(&r->attempts), 3);
	assert_int_equal(atomic_load(&r->hits), 2);
	assert_int_equal(atomic_load(&r->first_hit), 2);
	assert_int_equal(atomic_load(&r->overlaps), 3);
	race_finish(r); /* nothing is counted twice */
	assert_int_equal(atomic_load(&r->attempts), 3);
	munmap(r, sizeof(*r));
}

static void loops_are_not_waited_for(void **state)
{
	struct race *r = make(2, (struct range){ 0, 0 });

	(void)state;
	r->parties[1].loop = true;
	assert_true(race_others_done(r, 0));
	assert_false(race_others_done(r, 1));
	race_done(r, 0, 1, 2);
	assert_true(race_others_done(r, 1));
	munmap(r, sizeof(*r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlap_is_one_instant_of_all),
		cmocka_unit_test(offsets_sweep_and_then_go_where_it_overlapped),
		cmocka_unit_test(the_first_turns_have_been_everywhere),
		cmocka_unit_test(the_sweep_never_ends),
		cmocka_unit_test(one_offset_is_that_offset),
		cmocka_unit_test(windows_come_in_turn),
		cmocka_unit_test(processes_meet_at_each_attempt),
		cmocka_unit_test(the_dead_hold_nobody_up),
		cmocka_unit_test(who_is_told_leaves_the_barrier),
		cmocka_unit_test(the_dead_release_nobody_half),
		cmocka_unit_test(a_hit_counts_once_an_attempt),
		cmocka_unit_test(loops_are_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
