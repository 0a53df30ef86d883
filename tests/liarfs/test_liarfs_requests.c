// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lies about the outcome of a request (errors, syncs, sizes, delays), and how lies are asked
 * for. Lies that change bytes are in test_liarfs_bytes.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lab.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 10000

static off_t size_now(const struct lab *t)
{
	struct stat st;

	assert_int_equal(fstat(t->fd, &st), 0);
	return st.st_size;
}

static void errors(void **state)
{
	struct lab *t = *state;
	static u8 next[PAGE] __attribute__((aligned(PAGE)));

	fill(next, 4096, PAGE, 5);
	assert_int_equal(liar_command(&t->l, "write-error data 4096 512 errno=ENOSPC"), 0);
	assert_int_equal(pwrite(t->direct, next, PAGE, 4096), -1);
	assert_int_equal(errno, ENOSPC);
	assert_told(t, 1, 4096, 512);
	assert_true_content(t);

	assert_int_equal(liar_command(&t->l, "phantom data 4608 512 1 errno=EIO"), 0);
	assert_int_equal(pwrite(t->direct, next, PAGE, 4096), -1);
	assert_int_equal(errno, EIO);
	assert_told(t, 1, 4608, 512);
	memcpy(t->model + 4608, next + 512, 512);
	assert_true_content(t);

	assert_int_equal(liar_command(&t->l, "read-error data 4096 1"), 0);
	assert_int_equal(pread(t->direct, t->buf, PAGE, 4096), -1);
	assert_int_equal(errno, EIO);
	assert_told(t, 1, 4096, 1);
	assert_true_content(t);
}

/* Not with O_DIRECT: the kernel asks the page cache for the rest (generic_file_read_iter). In a
 * cached page the rest is zeros, and the file may seem to end there until the next stat. */
static void short_reads(void **state)
{
	struct lab *t = *state;
	ssize_t n;

	assert_int_equal(liar_command(&t->l, "short-read data 6000 10"), 0);
	assert_int_equal(posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(pread(t->direct, t->buf, PAGE, 8192), PAGE);
	assert_told(t, 0, 0, 0);
	n = pread(t->fd, t->buf, PAGE, 4096);
	assert_told(t, 1, 6000, 10);
	assert_true(n >= 6000 - 4096);
	assert_memory_equal(t->buf, t->model + 4096, 6000 - 4096);
	for (ssize_t i = 6000 - 4096; i < n; i++)
		assert_int_equal(t->buf[i], 0);
	assert_int_equal(size_now(t), SIZE);
	cached_reads(t, t->model);
	assert_true_content(t);
}

static void syncs(void **state)
{
	struct lab *t = *state;
	static u8 old[SIZE];

	/* Synced data stays; what came after it in the range is lost, and fsync says so. */
	assert_int_equal(liar_command(&t->l, "fsync-error data 0 4096"), 0);
	write_version(t, t->fd, 0, 2 * PAGE, 2);
	assert_int_equal(liar_command(&t->l, "none"), 0);
	assert_int_equal(fsync(t->fd), 0);
	assert_int_equal(liar_command(&t->l, "fsync-error data 0 4096"), 0);
	assert_int_equal(fsync(t->fd), 0); /* nothing to lose */
	assert_told(t, 0, 0, 0);
	memcpy(old, t->model, SIZE);
	write_version(t, t->fd, 512, 2 * PAGE, 3);
	write_version(t, t->fd, 1024, 512, 4);
	assert_int_equal(fsync(t->fd), -1);
	assert_int_equal(errno, EIO);
	assert_told(t, 1, 0, 4096);
	memcpy(t->model, old, 4096);
	assert_true_content(t);
	assert_int_equal(fsync(t->fd), 0);

	/* What was cut off is not brought back. */
	assert_int_equal(liar_command(&t->l, "fsync-error data 0 0"), 0);
	write_version(t, t->fd, SIZE - PAGE, PAGE, 5);
	assert_int_equal(ftruncate(t->fd, SIZE - PAGE), 0);
	assert_int_equal(ftruncate(t->fd, SIZE), 0);
	memset(t->model + SIZE - PAGE, 0, PAGE);
	assert_int_equal(fsync(t->fd), 0);
	assert_true_content(t);
	assert_int_equal(liar_command(&t->l, "none"), 0);

	/* Swallowed: dropped at the write, told when fsync passes over it. */
	assert_int_equal(liar_command(&t->l, "swallow-error data 512 512"), 0);
	memcpy(old, t->model, SIZE);
	write_version(t, t->fd, 0, PAGE, 5);
	memcpy(t->model + 512, old + 512, 512);
	assert_true_content(t);
	assert_int_equal(fsync(t->fd), 0);
	assert_told(t, 1, 512, 512);
	assert_int_equal(fsync(t->fd), 0);
	assert_true_content(t);
}

static void sizes(void **state)
{
	struct lab *t = *state;

	assert_int_equal(liar_command(&t->l, "wrong-size data 0 0 delta=-512"), 0);
	assert_int_equal(size_now(t), SIZE - 512);
	assert_told(t, 1, SIZE, 0);
	assert_int_equal(size_now(t), SIZE);
	assert_true_content(t);

	/* Acknowledged and not done: the size comes back, and the data. */
	assert_int_equal(liar_command(&t->l, "lost-truncate data 0 0"), 0);
	assert_int_equal(ftruncate(t->fd, 4096), 0);
	assert_told(t, 1, 4096, SIZE - 4096);
	assert_int_equal(size_now(t), SIZE);
	assert_true_content(t);
	assert_int_equal(ftruncate(t->fd, SIZE), 0);

	/* The size is right; after growing, one cell has its data back. */
	assert_int_equal(liar_command(&t->l, "resurrect data 10240 512"), 0);
	assert_int_equal(ftruncate(t->fd, 5000), 0);
	assert_told(t, 1, 10240, 512);
	assert_int_equal(size_now(t), 5000);
	assert_int_equal(ftruncate(t->fd, SIZE), 0);
	memset(t->model + 5000, 0, 10240 - 5000);
	memset(t->model + 10752, 0, SIZE - 10752);
	assert_true_content(t);

	/* Truncated again and truly, it is gone. */
	assert_int_equal(ftruncate(t->fd, 5000), 0);
	assert_int_equal(ftruncate(t->fd, SIZE), 0);
	memset(t->model + 5000, 0, SIZE - 5000);
	assert_true_content(t);
}

static void punches(void **state)
{
	static const char *const kinds[] = { "resurrect data 1024 512",
					     "lost-truncate data 1024 512" };
	struct lab *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		static u8 old[SIZE];

		write_version(t, t->fd, 0, SIZE, 30 + i);
		memcpy(old, t->model, SIZE);
		assert_int_equal(liar_command(&t->l, "%s", kinds[i]), 0);
		assert_int_equal(
			fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 512, 2048), 0);
		assert_told(t, 1, i ? 512 : 1024, i ? 2048 : 512);
		if (i == 0) {
			memset(t->model + 512, 0, 2048);
			memcpy(t->model + 1024, old + 1024, 512);
		}
		assert_true_content(t);
		assert_int_equal(fallocate(t->fd, FALLOC_FL_ZERO_RANGE, 512, 2048), 0);
		memset(t->model + 512, 0, 2048);
		assert_true_content(t);
		/* A hole that is punched again loses nothing: no lie. */
		assert_int_equal(liar_command(&t->l, "%s", kinds[i]), 0);
		assert_int_equal(fallocate(t->fd, FALLOC_FL_ZERO_RANGE, 512, 2048), 0);
		assert_true_content(t);
		assert_int_equal(liar_command(&t->l, "none"), 0);
	}
}

static void *reader(void *arg)
{
	struct lab *t = arg;

	return (void *)pread(t->direct, t->buf, PAGE, 4096);
}

static void delays(void **state)
{
	struct lab *t = *state;
	pthread_t thread;
	void *got = NULL;
	u64 start_ns;

	assert_int_equal(liar_command(&t->l, "delay data 4096 4096 at=read"), 0);
	assert_int_equal(pthread_create(&thread, NULL, reader, t), 0);
	assert_int_equal(liar_wait_held(&t->l, 1, WAIT_MS), 0);
	assert_told(t, 1, 4096, 4096);
	assert_int_equal(pthread_tryjoin_np(thread, &got), EBUSY);
	/* Others are served meanwhile. */
	assert_int_equal(pwrite(t->fd, t->model, 512, 0), 512);
	assert_int_equal(liar_command(&t->l, "release"), 0);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_int_equal((intptr_t)got, PAGE);
	assert_memory_equal(t->buf, t->model + 4096, PAGE);

	/* With a time limit nobody has to release it. */
	assert_int_equal(liar_command(&t->l, "delay data 4096 4096 at=read ms=20"), 0);
	start_ns = now_ns();
	assert_int_equal((intptr_t)reader(t), PAGE);
	assert_true(now_ns() - start_ns >= 20 * NSEC_PER_MSEC);
	assert_told(t, 1, 4096, 4096);
	assert_true_content(t);

	/* The end of the server is not held up. */
	assert_int_equal(liar_command(&t->l, "delay data 4096 4096 at=read"), 0);
	assert_int_equal(pthread_create(&thread, NULL, reader, t), 0);
	assert_int_equal(liar_wait_told(&t->l, t->told + 1, WAIT_MS), 0);
	assert_int_equal(liar_finish(&t->l), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

#define HELD_MAX 8

static void *lone_reader(void *arg)
{
	struct lab *t = arg;
	u8 buf[PAGE] __attribute__((aligned(PAGE)));

	return (void *)pread(t->direct, buf, PAGE, 4096);
}

/* However many are to be held, some are left to serve. */
static void held_at_once(void **state)
{
	struct lab *t = *state;
	pthread_t threads[HELD_MAX];
	void *got;

	assert_int_equal(liar_command(&t->l, "delay data 4096 4096 100 at=read"), 0);
	for (int i = 0; i < HELD_MAX; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, lone_reader, t), 0);
	assert_int_equal(liar_wait_held(&t->l, HELD_MAX, WAIT_MS), 0);
	assert_int_equal((intptr_t)lone_reader(t), PAGE);
	assert_told(t, HELD_MAX, 4096, 4096);
	assert_int_equal(liar_command(&t->l, "none"), 0);
	for (int i = 0; i < HELD_MAX; i++) {
		assert_int_equal(pthread_join(threads[i], &got), 0);
		assert_int_equal((intptr_t)got, PAGE);
	}
}

static void times_and_names(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE];

	memcpy(want, t->model, SIZE);
	memset(want + 512, 0, 512);
	assert_int_equal(liar_command(&t->l, "zeros dir/later 512 512 3"), 0);
	assert_true_content(t);
	assert_int_equal(liar_command(&t->l, "zeros data 512 512 3"), 0);
	assert_armed(t, 6);
	for (int i = 0; i < 3; i++)
		assert_reads(t, want);
	assert_told(t, 3, 512, 512);
	assert_true_content(t);
	assert_armed(t, 3);
	/* A name counts as it is when the request comes. */
	assert_int_equal(chdir(t->l.mount), 0);
	assert_int_equal(mkdir("dir", 0755), 0);
	assert_int_equal(rename("data", "dir/later"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_reads(t, want);
	assert_int_equal(liar_command(&t->l, "none"), 0);
	assert_armed(t, 0);
	assert_told(t, 1, 512, 512);
	assert_int_equal(liar_command(&t->l, "zeros * 512 512"), 0);
	assert_reads(t, want);
	assert_told(t, 1, 512, 512);
	assert_true_content(t);
}

static void refusals(void **state)
{
	static const char *const bad[] = {
		"nonsense data 0 512",
		"zeros data",
		"zeros data x 512",
		"zeros data 0 512 0",
		"zeros data 0 512 1 bit=1",
		"flip-bit data 0 1 bit=8",
		"write-error data 0 1 errno=EWHAT",
		"zeros /data 0 512",
		"zeros data 0 512 at=fsync",
		"zeros data 0 512 at=never",
		"swap-blocks data 0 512",
		"zeros none 0 512 at=now",
		"wrong-size data 0 0",
		"stale data 0 512 byte=256",
		"stale data 0 512 at=now",
		"swap-blocks data 0 512 with=64K",
	};
	struct lab *t = *state;
	struct liar_status st;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(liar_command(&t->l, "%s", bad[i]) < 0);
		assert_int_equal(liar_status(&t->l, &st), 0);
		assert_true(st.error[0] != '\0');
		assert_int_equal(st.armed, 0);
	}
	assert_true_content(t);
	for (int i = 0; i < 16; i++)
		assert_int_equal(liar_command(&t->l, "zeros data 0 512"), 0);
	assert_int_equal(liar_command(&t->l, "zeros data 0 512"), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB(errors), LAB(short_reads),	LAB(syncs),	      LAB(sizes),    LAB(punches),
		LAB(delays), LAB(held_at_once), LAB(times_and_names), LAB(refusals),
	};
	struct liar l;

	if (liar_start(&l, NULL) == -ENODEV)
		return 77;
	liar_stop(&l);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
