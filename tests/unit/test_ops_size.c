// SPDX-License-Identifier: GPL-2.0-or-later
/* Operations on a size that a dead worker left open: the file says what it is, and what may be
 * moved or read is bounded. Operations that allocate: no byte is another one after. A plain
 * directory is target enough. */
#include "shadow_fixture.h"

#include "ops/actor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

struct stage {
	struct shadow_fixture x;
	struct oplog log;
	struct run_shared *run;
	struct actor a;
	char log_path[96], run_path[96];
};

static void stage_make(struct stage *s)
{
	struct err e;

	memset(s, 0, sizeof(*s));
	fixture_make(&s->x, false);
	snprintf(s->log_path, sizeof(s->log_path), "%s/ops", s->x.dir);
	snprintf(s->run_path, sizeof(s->run_path), "%s/run", s->x.dir);
	assert_int_equal(oplog_create(s->log_path, "w.2", 64, &s->log, &e), 0);
	assert_int_equal(run_shared_create(s->run_path, &s->run, &e), 0);
	assert_int_equal(actor_init(&s->a, 2, &s->x.sh, &s->log, s->run, s->x.dir, "any", 1, &e),
			 0);
	assert_int_equal(actor_open(&s->a, true, &e), 0);
}

static void stage_free(struct stage *s)
{
	for (u32 i = 0; i < s->a.nfiles; i++)
		unlink(s->a.files[i].path);
	actor_free(&s->a);
	run_shared_close(s->run);
	oplog_close(&s->log);
	unlink(s->log_path);
	unlink(s->run_path);
	fixture_free(&s->x);
}

/* Worker 5 grows the file to 6 cells and is killed before it could say so. */
static void die_growing(struct stage *s)
{
	struct afile *f = &s->a.files[0];

	assert_true(size_lock(f->sf, 5, 0));
	size_begin(f->sf, 6 * FIX_CELL);
	assert_int_equal(ftruncate(f->fd, 6 * FIX_CELL), 0);
	shadow_bury(&s->x.sh, 5);
	assert_int_equal(size_now(f->sf), 2 * FIX_CELL);
	assert_true(atomic_load(&f->sf->size_hi) == 6 * FIX_CELL);
}

static u64 sightings(const struct stage *s)
{
	u64 n = 0;

	for (int i = 0; i < RUN_SIGHTINGS; i++)
		n += atomic_load(&s->run->board[i].state) != 0;
	return n;
}

/* Who waits for its turn in vain lives; who is never asked for a sign would be killed for it. */
static void waiting_is_a_sign_of_life(void **state)
{
	struct stage s;
	struct afile *f;
	u64 before;

	(void)state;
	stage_make(&s);
	f = &s.a.files[0];
	assert_true(size_lock(f->sf, 5, 0));
	before = now_ns();
	assert_int_equal(op_append(&s.a, f, 1, 0), -EBUSY);
	assert_true(atomic_load(&s.a.slot->beat_ns) > before);
	assert_int_equal(atomic_load(&s.a.slot->busy), 1);
	size_unlock(f->sf);
	stage_free(&s);
}

static void an_open_size_is_learned(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		struct write_op w = { .op = OP_PWRITE, .first = 0, .n = 2 }, next = w;
		struct stage s;
		struct afile *f;

		stage_make(&s);
		f = &s.a.files[0];
		assert_int_equal(op_write(&s.a, f, &w), 2 * FIX_CELL);
		die_growing(&s);
		if (how == 0) { /* a write past the least size, within what the file has */
			next.first = 2;
			next.n = 1;
			assert_int_equal(op_write(&s.a, f, &next), FIX_CELL);
			assert_true(size_now(f->sf) == 6 * FIX_CELL);
		} else {
			assert_int_equal(op_truncate(&s.a, f, FIX_CELL), 0);
			assert_true(size_now(f->sf) == FIX_CELL);
		}
		assert_true(atomic_load(&f->sf->size_hi) == size_now(f->sf));
		op_stat(&s.a, f);
		op_read(&s.a, f, 1, 64 * FIX_CELL, READ_PREAD); /* past all cells */
		assert_int_equal(sightings(&s), 0);
		/* silence ends when the file is not as long as it must be */
		assert_int_equal(ftruncate(f->fd, 77), 0);
		op_stat(&s.a, f);
		assert_int_equal(sightings(&s), 1);
		op_read(&s.a, f, 0, FIX_CELL, READ_PREAD);
		assert_true(sightings(&s) > 1);
		stage_free(&s);
	}
}

/* What the file says must be one of the two: otherwise nobody builds on it. */
static void an_impossible_size_is_not_learned(void **state)
{
	struct write_op w = { .op = OP_PWRITE, .first = 0, .n = 2 };
	struct stage s;
	struct afile *f;

	(void)state;
	stage_make(&s);
	f = &s.a.files[0];
	assert_int_equal(op_write(&s.a, f, &w), 2 * FIX_CELL);
	die_growing(&s);
	assert_int_equal(ftruncate(f->fd, FIX_CELL), 0);
	assert_int_equal(op_truncate(&s.a, f, 0), -EBUSY);
	op_stat(&s.a, f);
	assert_int_equal(sightings(&s), 1);
	stage_free(&s);
}

static void shared_cells_do_not_move(void **state)
{
	struct stage s;

	(void)state;
	stage_make(&s);
	s.x.f->conflict = 1;
	assert_int_equal(op_move(&s.a, &s.a.files[1], 0, &s.a.files[0], 0, FIX_CELL, OP_COPY),
			 -EINVAL);
	assert_int_equal(op_move(&s.a, &s.a.files[0], 0, &s.a.files[1], 0, FIX_CELL, OP_COPY),
			 -EINVAL);
	stage_free(&s);
}

/* What is written O_DSYNC is durable when the call returns, and so is the size; once the power is
 * cut, no call that returns says so any more. */
static void after_the_cut_no_size_is_durable(void **state)
{
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		struct write_op w = { .op = OP_PWRITE, .n = 2 };
		struct shadow_file *sf;
		struct stage s;

		stage_make(&s);
		sf = s.a.files[0].sf;
		assert_int_equal(op_write(&s.a, &s.a.files[0], &w), 2 * FIX_CELL);
		atomic_store(&s.run->cut_ns, cut ? 1 : 0);
		assert_int_equal(op_append(&s.a, &s.a.files[0], 1, RWF_DSYNC), FIX_CELL);
		assert_true(atomic_load(&sf->unsynced.hi) == 3 * FIX_CELL);
		assert_true(atomic_load(&sf->unsynced.lo) == (cut ? 0 : 3 * FIX_CELL));
		stage_free(&s);
	}
}

/* The calls that move content, in place of the library's: was the long call announced? */
static struct slot *mover;
static int calls, announced;

static int refuse(void)
{
	calls++;
	announced += atomic_load(&mover->quiet) == 1;
	errno = EOPNOTSUPP;
	return -1;
}

static int (*allocator)(int fd, int mode, off_t offset, off_t len);

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return allocator ? allocator(fd, mode, offset, len) : refuse();
}

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t len, unsigned int flags)
{
	(void)in, (void)from, (void)out, (void)to, (void)len, (void)flags;
	return refuse();
}

/* Writeback of all that is dirty behind the offset is part of them. */
static void moves_are_long_calls(void **state)
{
	struct write_op w = { .op = OP_PWRITE, .n = 16 };
	struct afile *f;
	struct stage s;

	(void)state;
	stage_make(&s);
	f = s.a.files;
	mover = s.a.slot;
	assert_int_equal(op_write(&s.a, &f[0], &w), 16 * FIX_CELL);
	assert_int_equal(op_write(&s.a, &f[1], &w), 16 * FIX_CELL);
	op_move(&s.a, &f[1], 0, &f[0], 0, 16 * FIX_CELL, OP_COPY);
	op_shift(&s.a, &f[0], OP_COLLAPSE, 0, FIX_CELL);
	op_zero(&s.a, &f[0], OP_PUNCH, 0, FIX_CELL, true, NULL);
	op_allocate(&s.a, &f[0], OP_UNSHARE, 0, FIX_CELL, true);
	assert_int_equal(calls, 4);
	assert_int_equal(announced, 4);
	assert_int_equal(atomic_load(&mover->quiet), 0);
	stage_free(&s);
}

/* A filesystem that unshares: what it returns, what it makes of the size, and where it zeroes. */
static struct {
	int error; /* 0: it does well */
	int mode;  /* that it was called with */
	u64 size;  /* 0: stays */
	u64 zero_at, zero_len;
} unsharer;

static int unshare_range(int fd, int mode, off_t offset, off_t len)
{
	static const u8 zeros[2 * FIX_CELL];

	(void)offset, (void)len;
	unsharer.mode = mode;
	if (unsharer.size)
		assert_int_equal(ftruncate(fd, (off_t)unsharer.size), 0);
	if (unsharer.zero_len)
		assert_int_equal(pwrite(fd, zeros, unsharer.zero_len, (off_t)unsharer.zero_at),
				 unsharer.zero_len);
	errno = unsharer.error;
	return unsharer.error ? -1 : 0;
}

#define WRITTEN 4 /* cells, and synced */

static void stage_unshare(struct stage *s)
{
	struct write_op w = { .op = OP_PWRITE, .n = WRITTEN };

	stage_make(s);
	assert_int_equal(op_write(&s->a, &s->a.files[0], &w), WRITTEN * FIX_CELL);
	assert_int_equal(op_sync(&s->a, &s->a.files[0], OP_FSYNC), 0);
	unsharer.mode = -1;
	unsharer.size = unsharer.zero_at = unsharer.zero_len = 0;
	unsharer.error = 0;
	allocator = unshare_range;
}

/* Done, refused, stopped midway: no cell's state is another one, nor less durable. */
static void unsharing_settles_nothing(void **state)
{
	static const struct {
		int error;
		bool legal;
	} rows[] = { { 0, true },     { EOPNOTSUPP, true }, { EINVAL, true },
		     { EINTR, true }, { ENOMEM, true },	    { EIO, false } };
	struct shadow_cell before[WRITTEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct op_record rec;
		struct afile *f;
		struct stage s;

		stage_unshare(&s);
		f = &s.a.files[0];
		memcpy(before, shadow_cell(&s.x.sh, f->sf, 0), sizeof(before));
		unsharer.error = rows[i].error;
		assert_int_equal(op_allocate(&s.a, f, OP_UNSHARE, 5, 700, true), -rows[i].error);
		assert_int_equal(unsharer.mode, FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE);
		assert_memory_equal(shadow_cell(&s.x.sh, f->sf, 0), before, sizeof(before));
		assert_true(size_now(f->sf) == WRITTEN * FIX_CELL);
		assert_int_equal(sightings(&s), !rows[i].legal);
		assert_int_equal(oplog_read(&s.log, oplog_count(&s.log) - 1, &rec), 1);
		assert_true(rec.op == OP_UNSHARE && rec.offset == 5 && rec.len == 700);
		stage_free(&s);
	}
	allocator = NULL;
}

/* Past the end it makes the file longer. One that found no space may have done so or not. */
static void unsharing_past_the_end(void **state)
{
	static const struct {
		int error;
		u64 size;
	} rows[] = { { 0, 6 }, { ENOSPC, 0 }, { ENOSPC, 6 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 want = (rows[i].size ? rows[i].size : WRITTEN) * FIX_CELL;
		struct afile *f;
		struct stage s;

		stage_unshare(&s);
		f = &s.a.files[0];
		unsharer.error = rows[i].error;
		unsharer.size = rows[i].size * FIX_CELL;
		op_allocate(&s.a, f, OP_UNSHARE, FIX_CELL, 5 * FIX_CELL, false);
		assert_int_equal(unsharer.mode, FALLOC_FL_UNSHARE_RANGE);
		assert_true(size_now(f->sf) == want && atomic_load(&f->sf->size_hi) == want);
		stage_free(&s);
	}
	allocator = NULL;
}

/* One that zeroes what it was to unshare, or what lies beside; and one that does neither. */
static void bytes_that_unsharing_changes_are_seen(void **state)
{
	static const struct {
		u64 at, len;
		bool seen;
	} rows[] = { { 0, 0, false },
		     { FIX_CELL, FIX_CELL, true },
		     { 3 * FIX_CELL, FIX_CELL, true },
		     { 0, 2 * FIX_CELL, true },
		     { 6 * FIX_CELL, FIX_CELL, false } }; /* zeros already */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct afile *f;
		struct stage s;

		stage_unshare(&s);
		f = &s.a.files[0];
		assert_int_equal(op_truncate(&s.a, f, 8 * FIX_CELL), 0);
		unsharer.zero_at = rows[i].at;
		unsharer.zero_len = rows[i].len;
		assert_int_equal(op_allocate(&s.a, f, OP_UNSHARE, FIX_CELL, FIX_CELL, true), 0);
		op_read(&s.a, f, 0, 8 * FIX_CELL, READ_PREAD);
		assert_int_equal(sightings(&s), rows[i].seen);
		if (rows[i].seen)
			assert_int_equal(s.run->board[0].kind, FINDING_ZEROED);
		stage_free(&s);
	}
	allocator = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_is_a_sign_of_life),
		cmocka_unit_test(an_open_size_is_learned),
		cmocka_unit_test(an_impossible_size_is_not_learned),
		cmocka_unit_test(shared_cells_do_not_move),
		cmocka_unit_test(after_the_cut_no_size_is_durable),
		cmocka_unit_test(moves_are_long_calls),
		cmocka_unit_test(unsharing_settles_nothing),
		cmocka_unit_test(unsharing_past_the_end),
		cmocka_unit_test(bytes_that_unsharing_changes_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
