// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lies that change bytes: each told once, in the bytes that it was asked for and no others,
 * not before and not after. Lies about the outcome of a request are in test_liarfs_requests.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lab.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

/* Lies of bytes: what a range of the file becomes. */
struct row {
	const char *command; /* KIND FILE OFFSET LENGTH, as a format for what follows */
	const char *options;
	u64 off, len;
	void (*lie)(u8 *bytes, const struct row *r, const u8 *model);
};

static void lie_zeros(u8 *bytes, const struct row *r, const u8 *model)
{
	(void)model;
	memset(bytes, 0, r->len);
}

static void lie_flip(u8 *bytes, const struct row *r, const u8 *model)
{
	(void)model;
	for (u64 i = 0; i < r->len; i++)
		bytes[i] ^= 8;
}

static void lie_swap(u8 *bytes, const struct row *r, const u8 *model)
{
	memcpy(bytes, model + 32768, r->len);
}

static void lie_other(u8 *bytes, const struct row *r, const u8 *model)
{
	(void)model;
	fill(bytes, r->off, r->len, 9);
}

static const struct row rows[] = {
	{ "zeros", "", 4096, 512, lie_zeros },
	{ "zeros", "", 5000, 7, lie_zeros },
	{ "flip-bit", "bit=3", 12345, 1, lie_flip },
	{ "swap-blocks", "with=32K", 8192, 4096, lie_swap },
	{ "other-file", "other=pool", 1024, 512, lie_other },
};

static void make_pool(struct lab *t)
{
	_cleanup_close_ int fd = open_in(t, "pool", O_RDWR | O_CREAT);
	static u8 buf[SIZE];

	fill(buf, 0, SIZE, 9);
	assert_int_equal(pwrite(fd, buf, SIZE, 0), SIZE);
}

static void say(struct lab *t, const struct row *r, const char *at)
{
	assert_int_equal(liar_command(&t->l, "%s data %llu %llu 1 at=%s %s", r->command,
				      (unsigned long long)r->off, (unsigned long long)r->len, at,
				      r->options),
			 0);
}

static void bytes_at_read(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE];

	make_pool(t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		for (int cached = 0; cached < 2; cached++) {
			assert_true_content(t);
			say(t, r, "read");
			/* Elsewhere, and in another file, the truth is told and nothing counted. */
			assert_int_equal(pread(t->direct, t->buf, PAGE, SIZE - PAGE), PAGE);
			assert_memory_equal(t->buf, t->model + SIZE - PAGE, PAGE);
			assert_told(t, 0, 0, 0);
			memcpy(want, t->model, SIZE);
			r->lie(want + r->off, r, t->model);
			(cached ? cached_reads : assert_reads)(t, want);
			assert_told(t, 1, r->off, r->len);
			assert_armed(t, 0);
			cached_reads(t, t->model);
		}
	}
	assert_true_content(t);
}

/* What is stored is wrong, whichever way the write came; the next write makes it good. */
static void bytes_at_write(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE];
	u64 version = 2;

	make_pool(t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		for (int direct = 0; direct < 2; direct++) {
			say(t, r, "write");
			write_version(t, t->direct, SIZE - PAGE, PAGE, version++);
			assert_true_content(t);
			write_version(t, direct ? t->direct : t->fd, 0, 16384, version++);
			memcpy(want, t->model, SIZE);
			r->lie(want + r->off, r, t->model);
			assert_told(t, 1, r->off, r->len);
			assert_reads(t, want);
			cached_reads(t, want);
			write_version(t, t->fd, 0, 16384, version++);
			assert_true_content(t);
		}
	}
}

static void bytes_now(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE];

	make_pool(t);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		memcpy(want, t->model, SIZE);
		r->lie(want + r->off, r, t->model);
		if (r->lie == lie_swap)
			memcpy(want + 32768, t->model + r->off, r->len);
		say(t, r, "now");
		assert_told(t, 1, r->off, r->len);
		/* --invalidate: the page cache has the lie without being dropped. */
		assert_int_equal(pread(t->fd, t->buf, SIZE, 0), SIZE);
		assert_memory_equal(t->buf, want, SIZE);
		assert_reads(t, want);
		write_version(t, t->fd, 0, SIZE, 1);
		assert_true_content(t);
	}
}

/* What is allocated keeps its bytes, and so does all else: either is lied about. */
static void bytes_at_allocation(void **state)
{
	static const char *const moments[] = { "allocate", "beside" };
	struct lab *t = *state;
	static u8 want[SIZE];

	make_pool(t);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i / 2];
		/* The one meets the range, the other does not. */
		const off_t at[] = { (off_t)ROUND_DOWN(r->off, PAGE), SIZE - PAGE };
		bool beside = i % 2;

		memcpy(want, t->model, SIZE);
		r->lie(want + r->off, r, t->model);
		if (r->lie == lie_swap)
			memcpy(want + 32768, t->model + r->off, r->len);
		say(t, r, moments[beside]);
		assert_int_equal(fallocate(t->fd, FALLOC_FL_KEEP_SIZE, at[!beside], 2 * PAGE), 0);
		assert_true_content(t);
		assert_int_equal(fallocate(t->fd, 0, at[beside], PAGE), 0);
		assert_told(t, 1, r->off, r->len);
		assert_armed(t, 0);
		/* --invalidate: the page cache has the lie without being dropped. */
		assert_int_equal(pread(t->fd, t->buf, SIZE, 0), SIZE);
		assert_memory_equal(t->buf, want, SIZE);
		assert_reads(t, want);
		write_version(t, t->fd, 0, SIZE, 1);
		assert_true_content(t);
	}
	/* Of a range that it meets in part, only that part; and none past the end of the file. */
	assert_int_equal(liar_command(&t->l, "zeros data 4096 8192 1 at=allocate"), 0);
	assert_int_equal(fallocate(t->fd, FALLOC_FL_KEEP_SIZE, SIZE, PAGE), 0);
	assert_true_content(t);
	assert_int_equal(fallocate(t->fd, FALLOC_FL_KEEP_SIZE, 8192, 2 * PAGE), 0);
	assert_told(t, 1, 8192, PAGE);
}

/* Writes that do not arrive, or in part; through mmap too, where whole pages are written. */
static void lost_writes(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE], old[SIZE];
	u8 *map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);

	assert_true(map != MAP_FAILED);
	for (int tear = 0; tear < 2; tear++)
		for (int mapped = 0; mapped < 2; mapped++) {
			u64 version = 10 + (u64)(2 * tear + mapped);

			assert_true_content(t);
			assert_int_equal(liar_command(&t->l, "%s data 1024 512",
						      tear ? "tear" : "drop-write"),
					 0);
			/* The neighbour's store brings the cell along, unchanged: no lie yet. */
			fill(t->model, 0, 512, version);
			memcpy(map, t->model, 512);
			assert_int_equal(msync(map, SIZE, MS_SYNC), 0);
			assert_true_content(t);
			memcpy(old, t->model, SIZE);
			fill(t->model + 512, 512, 1536, version);
			if (mapped) {
				memcpy(map + 512, t->model + 512, 1536);
				assert_int_equal(msync(map, SIZE, MS_SYNC), 0);
			} else {
				assert_int_equal(pwrite(t->fd, t->model + 512, 1536, 512), 1536);
			}
			memcpy(want, t->model, SIZE);
			memcpy(want + 1024 + (tear ? 256 : 0), old + 1024 + (tear ? 256 : 0),
			       tear ? 256 : 512);
			assert_told(t, 1, 1024, 512);
			assert_reads(t, want);
			write_version(t, t->direct, 0, PAGE, version + 20);
		}
	assert_true_content(t);
	munmap(map, SIZE);
}

static void old_data(void **state)
{
	struct lab *t = *state;
	static u8 want[SIZE];

	assert_int_equal(liar_command(&t->l, "old-data data 2048 512"), 0);
	assert_true_content(t); /* no write yet: the previous version is the last */
	write_version(t, t->fd, 0, PAGE, 2);
	memcpy(want, t->model, SIZE);
	write_version(t, t->fd, 2048, 512, 3);
	write_version(t, t->fd, 0, 512, 3);
	memcpy(want, t->model, 2048);
	assert_reads(t, want);
	assert_told(t, 1, 2048, 512);
	assert_true_content(t);

	/* A version that nobody was asked to remember is not replaced by an older one. */
	assert_int_equal(liar_command(&t->l, "old-data data 2048 512"), 0);
	write_version(t, t->fd, 0, PAGE, 4);
	assert_int_equal(liar_command(&t->l, "none"), 0);
	write_version(t, t->fd, 0, PAGE, 5);
	assert_int_equal(liar_command(&t->l, "old-data data 2048 512"), 0);
	assert_true_content(t);
	/* Data from before a punch is another lie. */
	write_version(t, t->fd, 0, PAGE, 6);
	assert_int_equal(fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), 0);
	memset(t->model, 0, PAGE);
	assert_true_content(t);
	assert_armed(t, 1);
}

static void stale(void **state)
{
	static const char *const patterns[] = { "byte=0x5a", "random=7", "other=pool" };
	struct lab *t = *state;

	make_pool(t);
	/* A hole of one cell, in a page with data. */
	assert_int_equal(fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8704, 512),
			 0);
	memset(t->model + 8704, 0, 512);
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		assert_true_content(t);
		assert_int_equal(liar_command(&t->l, "stale data 8192 1024 %s", patterns[i]), 0);
		assert_int_equal(pread(t->direct, t->buf, SIZE, 0), SIZE);
		assert_told(t, 1, 8192, 1024);
		assert_memory_equal(t->buf, t->model, 8704);
		assert_memory_not_equal(t->buf + 8704, t->model + 8704, 512);
		assert_memory_equal(t->buf + 9216, t->model + 9216, SIZE - 9216);
		if (i == 0)
			assert_int_equal(t->buf[8704], 0x5a);
		if (i == 2) {
			fill(t->model + 8704, 8704, 512, 9);
			assert_memory_equal(t->buf + 8704, t->model + 8704, 512);
			memset(t->model + 8704, 0, 512);
		}
	}
	assert_true_content(t);
	/* Where there is no hole there is nothing to tell. */
	assert_int_equal(liar_command(&t->l, "stale data 0 4096"), 0);
	assert_true_content(t);
	assert_armed(t, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB(bytes_at_read),
		LAB(bytes_at_write),
		cmocka_unit_test_setup_teardown(bytes_now, lab_setup_invalidate, lab_teardown),
		cmocka_unit_test_setup_teardown(bytes_at_allocation, lab_setup_invalidate,
						lab_teardown),
		LAB(lost_writes),
		LAB(old_data),
		LAB(stale),
	};
	struct liar l;

	if (liar_start(&l, NULL) == -ENODEV)
		return 77;
	liar_stop(&l);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
