// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lab: one server, one file, and what its bytes must be. Which lies there are is for the
 * tests to know.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void fill(u8 *dst, u64 off, u64 len, u64 version)
{
	for (u64 i = 0; i < len; i++)
		dst[i] = (u8)(1 + mix64((off + i) * 64 + version) % 254);
}

int open_in(const struct lab *t, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t->l.mount, name);
	fd = open(path, flags | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	return fd;
}

void write_version(struct lab *t, int fd, u64 off, u64 len, u64 version)
{
	fill(t->model + off, off, len, version);
	assert_int_equal(pwrite(fd, t->model + off, len, (off_t)off), len);
}

static int lab_setup_with(void **state, const char *const *options)
{
	static struct lab t;

	memset(&t, 0, sizeof(t));
	*state = &t;
	if (liar_start(&t.l, options) < 0)
		return -1;
	t.fd = open_in(&t, "data", O_RDWR | O_CREAT);
	t.direct = open_in(&t, "data", O_RDWR | O_DIRECT);
	write_version(&t, t.fd, 0, SIZE, 1);
	return 0;
}

int lab_setup(void **state)
{
	return lab_setup_with(state, NULL);
}

int lab_setup_invalidate(void **state)
{
	static const char *const options[] = { "--invalidate", NULL };

	return lab_setup_with(state, options);
}

int lab_teardown(void **state)
{
	struct lab *t = *state;

	close(t->fd);
	close(t->direct);
	return liar_finish(&t->l);
}

void assert_told(struct lab *t, u64 n, u64 off, u64 len)
{
	struct liar_status st;

	assert_int_equal(liar_status(&t->l, &st), 0);
	assert_int_equal(st.told - t->told, n);
	t->told = st.told;
	if (n) {
		assert_int_equal(st.last_offset, off);
		assert_int_equal(st.last_len_bytes, len);
	}
}

void assert_armed(struct lab *t, u64 armed)
{
	struct liar_status st;

	assert_int_equal(liar_status(&t->l, &st), 0);
	assert_int_equal(st.armed, armed);
}

void assert_reads(struct lab *t, const u8 *want)
{
	assert_int_equal(pread(t->direct, t->buf, SIZE, 0), SIZE);
	assert_memory_equal(t->buf, want, SIZE);
}

void assert_true_content(struct lab *t)
{
	assert_reads(t, t->model);
	assert_told(t, 0, 0, 0);
}

void cached_reads(struct lab *t, const u8 *want)
{
	assert_int_equal(posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(pread(t->fd, t->buf, SIZE, 0), SIZE);
	assert_memory_equal(t->buf, want, SIZE);
}
