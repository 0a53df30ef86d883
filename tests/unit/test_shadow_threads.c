// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shadow protocol under real concurrency: threads lease, store and settle, others view, copy
 * and judge. The data is copied in relaxed atomic words, as a kernel beside us would, so that
 * ThreadSanitizer sees the protocol alone; it runs clean under every preset.
 */
#include "shadow_fixture.h"

#include "verify.h"

#include <pthread.h>
#include <string.h>

#define CELLS	8
#define WRITERS 4
#define READERS 2
#define WRITES	6000  /* each, at least */
#define READS	20000 /* all readers together, at least, while writers write */
#define WORDS	(FIX_CELL / 8)

struct arena {
	struct shadow_fixture x;
	_Atomic u64 data[CELLS][WORDS];
	_Atomic u32 writers_left;
	_Atomic u64 wrong, open, judged;
	u32 lose_at; /* writer 0 loses one write in so many; 0: none */
	u32 seed;
};

struct thread {
	struct arena *a;
	u32 index;
	pthread_t id;
};

static void store(struct arena *a, u64 cell, const u64 *words)
{
	for (u32 i = 0; i < WORDS; i++)
		atomic_store_explicit(&a->data[cell][i], words[i], memory_order_relaxed);
}

static void copy(struct arena *a, u64 cell, u64 *words)
{
	for (u32 i = 0; i < WORDS; i++)
		words[i] = atomic_load_explicit(&a->data[cell][i], memory_order_relaxed);
}

static void one_write(struct arena *a, u32 me, struct rng *rng, u32 n)
{
	u64 cell = rng_below(rng, CELLS), words[WORDS];
	struct stamp id = { .run = FIX_RUN, .writer = (u16)(2 + me), .cell = cell };
	enum cell_kind kind = a->x.f->reshaped && rng_below(rng, 4) == 0 ? CELL_ZERO : CELL_STAMP;
	u64 chance = rng_below(rng, 8);

	if (!shadow_begin(&a->x.sh, a->x.f, cell, 1, id.writer, kind, 0))
		return;
	id.gen = CELL_GEN(atomic_load(&shadow_cell(&a->x.sh, a->x.f, cell)->flight));
	memset(words, 0, sizeof(words));
	if (kind == CELL_STAMP)
		stamp_fill(words, FIX_CELL, &id);
	if (chance && !(me == 0 && a->lose_at && n % a->lose_at == 0))
		store(a, cell, words);
	shadow_settle(&a->x.sh, a->x.f, cell, 1,
		      !chance	    ? OUTCOME_FAILED
		      : chance == 1 ? OUTCOME_MAYBE
				    : OUTCOME_DONE,
		      false);
}

/* Enough was written: reads met the writes, and a planted loss was met too or never will be. */
static bool enough(struct arena *a, u32 n)
{
	if (n <= WRITES || atomic_load(&a->judged) < READS)
		return false;
	return !a->lose_at || atomic_load(&a->wrong) || n > 1000 * WRITES;
}

static void *writer(void *arg)
{
	struct thread *t = arg;
	struct rng rng = { .state = t->a->seed + t->index };

	for (u32 n = 1; !enough(t->a, n); n++)
		one_write(t->a, t->index, &rng, n);
	atomic_fetch_sub(&t->a->writers_left, 1);
	return NULL;
}

static enum judgement one_read(struct arena *a, u64 cell)
{
	struct cell_view s = shadow_view(shadow_cell(&a->x.sh, a->x.f, cell));
	u64 words[WORDS];
	struct verdict v;
	enum judgement j;

	atomic_thread_fence(memory_order_seq_cst);
	copy(a, cell, words);
	j = verify_cell(&a->x.sh, a->x.f, cell, (const u8 *)words, 0, FIX_CELL, s, &v);
	atomic_fetch_add(&a->judged, 1);
	atomic_fetch_add(&a->open, j == JUDGED_OPEN);
	atomic_fetch_add(&a->wrong, j == JUDGED_WRONG);
	return j;
}

static void *reader(void *arg)
{
	struct thread *t = arg;
	struct rng rng = { .state = t->a->seed + 1000 + t->index };

	while (atomic_load(&t->a->writers_left))
		one_read(t->a, rng_below(&rng, CELLS));
	return NULL;
}

static void run(struct arena *a, bool conflict, bool reshaped, u32 lose_at, u32 seed)
{
	struct thread threads[WRITERS + READERS];

	memset(a, 0, sizeof(*a));
	a->seed = seed;
	a->lose_at = lose_at;
	fixture_make_sized(&a->x, conflict, CELLS);
	a->x.f->reshaped = reshaped;
	atomic_store(&a->writers_left, WRITERS);
	for (u32 i = 0; i < WRITERS + READERS; i++) {
		threads[i] = (struct thread){ .a = a, .index = i };
		assert_int_equal(pthread_create(&threads[i].id, NULL, i < WRITERS ? writer : reader,
						&threads[i]),
				 0);
	}
	for (u32 i = 0; i < WRITERS + READERS; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
}

static void nothing_legal_is_wrong(void **state)
{
	static struct arena a;

	(void)state;
	for (u32 mode = 0; mode < 3; mode++) {
		run(&a, mode == 1, mode == 2, 0, mode);
		assert_true(atomic_load(&a.judged) >= READS);
		for (u64 cell = 0; cell < CELLS; cell++)
			if (one_read(&a, cell) == JUDGED_OPEN)
				assert_true(mode == 1); /* a mixture of a long row of overlaps */
		assert_int_equal(atomic_load(&a.wrong), 0);
		fixture_free(&a.x);
	}
}

/* The last write of a cell is lost: whoever reads afterwards sees it. */
static void a_lost_write_is_found(void **state)
{
	static struct arena a;
	struct rng rng = { .state = 5 };

	(void)state;
	for (u32 mode = 0; mode < 3; mode++) {
		run(&a, mode == 1, mode == 2, 0, 40 + mode);
		for (u64 cell = 0; cell < CELLS; cell++) {
			assert_int_equal(shadow_begin(&a.x.sh, a.x.f, cell, 1, 2, CELL_STAMP, 0),
					 1);
			shadow_settle(&a.x.sh, a.x.f, cell, 1, OUTCOME_DONE, false);
			assert_int_equal(one_read(&a, cell), JUDGED_WRONG);
		}
		fixture_free(&a.x);
	}
	/* one in three of a writer's lost, while everybody is at it */
	run(&a, false, false, 3, (u32)rng_next(&rng));
	for (u64 cell = 0; cell < CELLS; cell++)
		one_read(&a, cell);
	assert_true(atomic_load(&a.wrong) > 0);
	fixture_free(&a.x);
}

/* Descriptors are told of one error at the same moment. Whatever was settled before the last of
 * them was told may be lost: the range reaches to there, and from where the first one began. */
#define TELLERS	  4
#define TOLD_EACH 20000

struct teller {
	struct shadow_file *f;
	pthread_barrier_t *together;
	_Atomic u32 missed;
};

static void *tell(void *arg)
{
	struct teller *t = arg;

	for (u32 n = 0; n < TOLD_EACH; n++) {
		pthread_barrier_wait(t->together);
		sync_failed(t->f);
		pthread_barrier_wait(t->together);
		if (!sync_lost(t->f, 0, atomic_load(&t->f->epoch) - 1))
			atomic_fetch_add(&t->missed, 1);
	}
	return NULL;
}

static void losses_told_at_once_count_all(void **state)
{
	struct shadow_fixture x;
	pthread_barrier_t together;
	pthread_t ids[TELLERS];
	struct teller t = { .together = &together };

	(void)state;
	fixture_make(&x, false);
	t.f = x.f;
	pthread_barrier_init(&together, NULL, TELLERS);
	for (u32 i = 0; i < TELLERS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, tell, &t), 0);
	for (u32 i = 0; i < TELLERS; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_int_equal(atomic_load(&t.missed), 0);
	assert_false(sync_lost(x.f, 0, atomic_load(&x.f->epoch)));
	pthread_barrier_destroy(&together);
	fixture_free(&x);
}

/* Takers of the size lock change what only its holder may, without atomics. */
#define TAKERS	  4
#define TAKE_EACH 5000

struct taker {
	struct shadow_file *f;
	u64 *count;
	u16 who;
};

static void *take(void *arg)
{
	struct taker *t = arg;

	for (u32 n = 0; n < TAKE_EACH;) {
		if (!size_lock(t->f, t->who, n % 3 * NSEC_PER_USEC))
			continue; /* gave up, as one does who is told to stop */
		++*t->count;
		n++;
		size_unlock(t->f);
	}
	return NULL;
}

static void the_size_lock_has_one_holder(void **state)
{
	struct taker takers[TAKERS];
	struct shadow_fixture x;
	pthread_t ids[TAKERS];
	u64 count = 0;

	(void)state;
	fixture_make(&x, false);
	for (u32 i = 0; i < TAKERS; i++) {
		takers[i] = (struct taker){ .f = x.f, .count = &count, .who = (u16)(2 + i) };
		assert_int_equal(pthread_create(&ids[i], NULL, take, &takers[i]), 0);
	}
	for (u32 i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_int_equal(count, TAKERS * TAKE_EACH);
	fixture_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_legal_is_wrong),
		cmocka_unit_test(a_lost_write_is_found),
		cmocka_unit_test(losses_told_at_once_count_all),
		cmocka_unit_test(the_size_lock_has_one_holder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
