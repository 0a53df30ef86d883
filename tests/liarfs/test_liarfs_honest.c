// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * liarfs without lies: whatever way the bytes go, they are those that a model in memory has, and
 * nothing is counted as told. No lie is armed in here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "liar_client.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <signal.h>
#include <libaio.h>
#include <liburing.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define FILE_MAX (256 * KIB)
#define ROUNDS	 4000
#define BLOCK	 4096

/* A file, and what it must hold. */
struct diff {
	struct rng rng;
	int fd, direct, spare;
	u64 size;
	u8 model[FILE_MAX];
	u8 buf[FILE_MAX] __attribute__((aligned(BLOCK)));
};

static int open_in(const struct liar *l, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", l->mount, name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	return fd;
}

static void assert_silent(const struct liar *l)
{
	struct liar_status st;

	assert_int_equal(liar_status(l, &st), 0);
	assert_int_equal(st.told, 0);
}

static void draw(struct diff *d, u64 align, u64 *ret_off, u64 *ret_len)
{
	u64 most = 1 + 3 * rng_below(&d->rng, 20000);

	*ret_off = ROUND_DOWN(rng_below(&d->rng, FILE_MAX - align), align);
	*ret_len = 1 + rng_below(&d->rng, most);
	*ret_len = MIN(ROUND_UP(*ret_len, align), FILE_MAX - *ret_off);
}

static void scribble(struct diff *d, u8 *dst, u64 len)
{
	for (u64 i = 0; i < len; i++)
		dst[i] = (u8)rng_next(&d->rng);
}

static void model_write(struct diff *d, u64 off, u64 len)
{
	memcpy(d->model + off, d->buf, len);
	d->size = MAX(d->size, off + len);
}

static void write_through(struct diff *d, int fd, u64 align)
{
	u64 off, len;

	draw(d, align, &off, &len);
	scribble(d, d->buf, len);
	assert_int_equal(pwrite(fd, d->buf, len, (off_t)off), len);
	model_write(d, off, len);
}

static void read_through(struct diff *d, int fd, u64 align)
{
	u64 off, len, want;

	draw(d, align, &off, &len);
	want = off < d->size ? MIN(len, d->size - off) : 0;
	assert_int_equal(pread(fd, d->buf, len, (off_t)off), want);
	assert_memory_equal(d->buf, d->model + off, want);
}

static void do_write(struct diff *d)
{
	write_through(d, d->fd, 1);
}

static void do_read(struct diff *d)
{
	read_through(d, d->fd, 1);
}

static void do_direct_write(struct diff *d)
{
	write_through(d, d->direct, BLOCK);
}

static void do_direct_read(struct diff *d)
{
	read_through(d, d->direct, BLOCK);
}

static void do_map(struct diff *d)
{
	u64 off, len;
	u8 *map;

	draw(d, 1, &off, &len);
	if (off + len > d->size)
		return; /* a store past the end is SIGBUS, mmap(2) */
	map = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	assert_true(map != MAP_FAILED);
	assert_memory_equal(map + off, d->model + off, len);
	scribble(d, d->buf, len);
	memcpy(map + off, d->buf, len);
	model_write(d, off, len);
	if (rng_below(&d->rng, 4) == 0)
		assert_int_equal(msync(map, d->size, MS_SYNC), 0);
	assert_int_equal(munmap(map, d->size), 0);
}

static void do_truncate(struct diff *d)
{
	u64 size = rng_below(&d->rng, FILE_MAX);

	assert_int_equal(ftruncate(d->fd, (off_t)size), 0);
	if (size < d->size)
		memset(d->model + size, 0, FILE_MAX - size);
	d->size = size;
}

static void do_fallocate(struct diff *d)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
				     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };
	int mode = modes[rng_below(&d->rng, ARRAY_SIZE(modes))];
	u64 off, len;

	draw(d, 1, &off, &len);
	assert_int_equal(fallocate(d->fd, mode, (off_t)off, (off_t)len), 0);
	if (mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE))
		memset(d->model + off, 0, len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		d->size = MAX(d->size, off + len);
}

static void do_copy(struct diff *d)
{
	u64 off, len;
	off_t from, to;

	draw(d, 1, &off, &len);
	scribble(d, d->buf, len);
	from = (off_t)rng_below(&d->rng, 10000);
	to = (off_t)off;
	assert_int_equal(pwrite(d->spare, d->buf, len, from), len);
	for (u64 left = len; left;) {
		ssize_t n = copy_file_range(d->spare, &from, d->fd, &to, left, 0);

		assert_true(n > 0);
		left -= (u64)n;
	}
	model_write(d, off, len);
}

static void do_sync(struct diff *d)
{
	assert_int_equal(rng_below(&d->rng, 2) ? fsync(d->fd) : fdatasync(d->fd), 0);
}

static void do_drop(struct diff *d)
{
	assert_int_equal(posix_fadvise(d->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

static void do_stat(struct diff *d)
{
	struct stat st;

	assert_int_equal(fstat(d->fd, &st), 0);
	assert_int_equal(st.st_size, d->size);
}

static void differential(const char *const *options)
{
	static void (*const ops[])(struct diff *) = {
		do_write, do_read,     do_direct_write, do_direct_read, do_map,
		do_map,	  do_truncate, do_read,		do_fallocate,	do_copy,
		do_sync,  do_drop,     do_stat,
	};
	_cleanup_liar_ struct liar l = { 0 };
	static struct diff diff;
	struct diff *d = &diff;

	memset(d, 0, sizeof(*d));
	d->rng.state = 20;
	assert_int_equal(liar_start(&l, options), 0);
	d->fd = open_in(&l, "data", O_RDWR | O_CREAT);
	d->direct = open_in(&l, "data", O_RDWR | O_DIRECT);
	d->spare = open_in(&l, "spare", O_RDWR | O_CREAT);
	for (int i = 0; i < ROUNDS; i++)
		ops[rng_below(&d->rng, ARRAY_SIZE(ops))](d);
	assert_int_equal(fsync(d->fd), 0);
	do_drop(d);
	assert_int_equal(pread(d->fd, d->buf, FILE_MAX, 0), d->size);
	assert_memory_equal(d->buf, d->model, d->size);
	assert_int_equal(pread(d->direct, d->buf, FILE_MAX, 0), d->size);
	assert_memory_equal(d->buf, d->model, d->size);
	assert_silent(&l);
	close(d->fd);
	close(d->direct);
	close(d->spare);
	assert_int_equal(liar_finish(&l), 0);
}

static void differential_write_through(void **state)
{
	(void)state;
	differential(NULL);
}

static void differential_writeback(void **state)
{
	static const char *const options[] = { "--writeback", "--invalidate", NULL };

	(void)state;
	differential(options);
}

/* Every process owns each fourth cell: pages are contended, bytes are not. */
#define CELL	    512
#define PROCESSES   4
#define SHARED_SIZE (64 * KIB)

static int contend(int fd, int me)
{
	u8 *map = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	u8 cell[CELL], seen[CELL];

	if (map == MAP_FAILED)
		return 1;
	for (int round = 0; round < 20; round++)
		for (u64 at = (u64)me * CELL; at < SHARED_SIZE; at += PROCESSES * CELL) {
			memset(cell, me * 20 + round + 1, CELL);
			if (round % 2)
				memcpy(map + at, cell, CELL);
			else if (pwrite(fd, cell, CELL, (off_t)at) != CELL)
				return 2;
			if (round % 5 == 0)
				posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			if (pread(fd, seen, CELL, (off_t)at) != CELL ||
			    memcmp(seen, cell, CELL) != 0)
				return 3;
		}
	return munmap(map, SHARED_SIZE) == 0 && fsync(fd) == 0 ? 0 : 4;
}

static void many_processes(void **state)
{
	_cleanup_liar_ struct liar l = { 0 };
	_cleanup_close_ int fd = -1, direct = -1;
	static u8 buf[SHARED_SIZE] __attribute__((aligned(BLOCK)));
	pid_t pids[PROCESSES];

	(void)state;
	assert_int_equal(liar_start(&l, NULL), 0);
	fd = open_in(&l, "data", O_RDWR | O_CREAT);
	direct = open_in(&l, "data", O_RDWR | O_DIRECT);
	assert_int_equal(ftruncate(fd, SHARED_SIZE), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(contend(open_in(&l, "data", O_RDWR), i));
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(pread(direct, buf, SHARED_SIZE, 0), SHARED_SIZE);
	for (u64 i = 0; i < SHARED_SIZE; i++)
		assert_int_equal(buf[i], i / CELL % PROCESSES * 20 + 20);
	assert_silent(&l);
}

static void uring_write_read(int fd, u8 *from, u8 *to)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;

	assert_int_equal(io_uring_queue_init(8, &ring, 0), 0);
	for (int step = 0; step < 2; step++) {
		for (unsigned int i = 0; i < 8; i++) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

			if (step == 0)
				io_uring_prep_write(sqe, fd, from + i * BLOCK, BLOCK, i * BLOCK);
			else
				io_uring_prep_read(sqe, fd, to + i * BLOCK, BLOCK, i * BLOCK);
		}
		assert_int_equal(io_uring_submit_and_wait(&ring, 8), 8);
		for (int i = 0; i < 8; i++) {
			assert_int_equal(io_uring_wait_cqe(&ring, &cqe), 0);
			assert_int_equal(cqe->res, BLOCK);
			io_uring_cqe_seen(&ring, cqe);
		}
	}
	io_uring_queue_exit(&ring);
}

static void libaio_write_read(int fd, u8 *from, u8 *to)
{
	struct iocb iocbs[8], *list[8];
	struct io_event events[8];
	io_context_t context = 0;

	assert_int_equal(io_setup(8, &context), 0);
	for (int step = 0; step < 2; step++) {
		for (int i = 0; i < 8; i++) {
			list[i] = &iocbs[i];
			if (step == 0)
				io_prep_pwrite(list[i], fd, from + i * BLOCK, BLOCK, i * BLOCK);
			else
				io_prep_pread(list[i], fd, to + i * BLOCK, BLOCK, i * BLOCK);
		}
		assert_int_equal(io_submit(context, 8, list), 8);
		assert_int_equal(io_getevents(context, 8, 8, events, NULL), 8);
		for (int i = 0; i < 8; i++)
			assert_int_equal(events[i].res, BLOCK);
	}
	io_destroy(context);
}

static void asynchronous(void **state)
{
	static void (*const engines[])(int, u8 *, u8 *) = { uring_write_read, libaio_write_read };
	static u8 from[8 * BLOCK] __attribute__((aligned(BLOCK)));
	static u8 to[8 * BLOCK] __attribute__((aligned(BLOCK)));
	_cleanup_liar_ struct liar l = { 0 };
	struct rng rng = { 3 };

	(void)state;
	assert_int_equal(liar_start(&l, NULL), 0);
	for (size_t e = 0; e < ARRAY_SIZE(engines); e++) {
		_cleanup_close_ int fd = open_in(&l, "data", O_RDWR | O_CREAT | O_DIRECT);

		for (size_t i = 0; i < sizeof(from); i++)
			from[i] = (u8)rng_next(&rng);
		engines[e](fd, from, to);
		assert_memory_equal(from, to, sizeof(from));
	}
	assert_silent(&l);
}

static void sparse(void **state)
{
	_cleanup_liar_ struct liar l = { 0 };
	_cleanup_close_ int fd = -1;
	char buf[8] = "x";
	struct stat st;
	struct statvfs fs;

	(void)state;
	assert_int_equal(liar_start(&l, NULL), 0);
	fd = open_in(&l, "data", O_RDWR | O_CREAT);
	assert_int_equal(ftruncate(fd, (off_t)(6 * GIB)), 0);
	assert_int_equal(fallocate(fd, 0, 0, (off_t)(7 * GIB)), 0);
	assert_int_equal(pwrite(fd, "far", 3, (off_t)(5 * GIB)), 3);
	assert_int_equal(pread(fd, buf, 1, (off_t)(4 * GIB)), 1);
	assert_int_equal(buf[0], 0);
	assert_int_equal(pread(fd, buf, 3, (off_t)(5 * GIB)), 3);
	assert_memory_equal(buf, "far", 3);
	assert_true(lseek(fd, 0, SEEK_DATA) == (off_t)(5 * GIB));
	assert_true(lseek(fd, (off_t)(5 * GIB), SEEK_HOLE) == (off_t)(5 * GIB + BLOCK));
	assert_true(lseek(fd, (off_t)(6 * GIB), SEEK_DATA) < 0 && errno == ENXIO);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size == (off_t)(7 * GIB) && st.st_blocks <= 16);
	assert_int_equal(statvfs(l.mount, &fs), 0);
	assert_true(fs.f_bfree > 0 && fs.f_bfree < fs.f_blocks);
}

/* Names in the root, sorted into one string, for there are few. */
static void list(const struct liar *l, char names[256])
{
	struct dirent **entries;
	int n = scandir(l->mount, &entries, NULL, alphasort);

	assert_true(n >= 0);
	names[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' || strlen(entries[i]->d_name) > 2)
			strcat(strcat(names, entries[i]->d_name), " ");
		free(entries[i]);
	}
	free(entries);
}

static void names(void **state)
{
	_cleanup_liar_ struct liar l = { 0 };
	_cleanup_close_ int fd = -1;
	char buf[256];

	(void)state;
	assert_int_equal(liar_start(&l, NULL), 0);
	assert_int_equal(chdir(l.mount), 0);
	fd = open("a", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "kept", 4), 4);
	close(open("b", O_RDWR | O_CREAT, 0600));
	assert_int_equal(mkdir("dir", 0755), 0);
	list(&l, buf);
	assert_string_equal(buf, "a b dir ");
	assert_int_equal(rename("b", "dir/c"), 0);
	assert_int_equal(rmdir("dir"), -1);
	assert_int_equal(errno, ENOTEMPTY);
	assert_int_equal(rename("dir/c", "a"), 0); /* over a file that is open */
	assert_int_equal(pread(fd, buf, 4, 0), 4);
	assert_memory_equal(buf, "kept", 4);
	assert_int_equal(rmdir("dir"), 0);
	list(&l, buf);
	assert_string_equal(buf, "a ");
	assert_int_equal(unlink("a"), 0);
	assert_int_equal(unlink(".liar"), -1);
	assert_int_equal(errno, EPERM);
	list(&l, buf);
	assert_string_equal(buf, "");
	assert_int_equal(chdir("/"), 0);
}

/* Killed, the mount goes all the same; stopped, nothing stays. */
static void leaves_nothing(void **state)
{
	_cleanup_liar_ struct liar l = { 0 };
	char mount[64];
	int status;

	(void)state;
	assert_int_equal(liar_start(&l, NULL), 0);
	memcpy(mount, l.mount, sizeof(mount));
	kill(l.pid, SIGKILL);
	assert_int_equal(liar_finish(&l), -EPIPE);
	assert_int_equal(access(mount, F_OK), -1);
	assert_int_equal(errno, ENOENT);
	/* Unmounted by somebody else, it ends by itself. */
	assert_int_equal(liar_start(&l, NULL), 0);
	assert_int_equal(umount2(l.mount, 0), 0);
	assert_int_equal(waitpid(l.pid, &status, 0), l.pid);
	assert_int_equal(status, 0);
	l.pid = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differential_write_through),
		cmocka_unit_test(differential_writeback),
		cmocka_unit_test(many_processes),
		cmocka_unit_test(asynchronous),
		cmocka_unit_test(sparse),
		cmocka_unit_test(names),
		cmocka_unit_test(leaves_nothing),
	};
	struct liar l;

	if (liar_start(&l, NULL) == -ENODEV)
		return 77;
	liar_stop(&l);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
