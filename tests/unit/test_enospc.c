// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ballast of enospc on a small filesystem in memory: what it leaves is what was asked for, to
 * the block, also as it breathes; all is there again without it. Needs root, for the mount.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/option.h"
#include "faults/fault.h"
#include "undo/undo.h"

#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define SKIPPED 77
#define BLOCK	4096

static char dir[64], root[80];
static struct err e;

static u64 free_bytes(void)
{
	struct statvfs v;

	assert_int_equal(statvfs(root, &v), 0);
	assert_int_equal(v.f_frsize, BLOCK);
	return (u64)v.f_bavail * v.f_frsize;
}

/* A fault with the option @free, as a scenario has it. */
struct ballast {
	struct target target;
	struct fault f;
	u64 options[16], state[256];
};

static void make(struct ballast *b, const char *range)
{
	const struct fault_type *t = fault_type_by_name("enospc");
	json_t *o = json_pack("{s:s}", "free", range);
	struct json_doc doc = { .path = "test", .e = &e };
	const struct json_at at = { .doc = &doc };

	memset(b, 0, sizeof(*b));
	assert_true(t->options_size <= sizeof(b->options) && t->state_size <= sizeof(b->state));
	assert_int_equal(option_decode(t->options, NULL, o, b->options, &at, NULL), 0);
	json_decref(o);
	snprintf(b->target.root, sizeof(b->target.root), "%s", root);
	strcpy(b->target.fs, "tmpfs");
	b->f = (struct fault){ .type = t,
			       .options = b->options,
			       .state = b->state,
			       .target = &b->target,
			       .rng.state = 7 };
	assert_int_equal(undo_create(dir, "enospc", &b->f.undo, &e), 0);
	assert_int_equal(t->save(&b->f, &e), 0);
}

static void free_it(struct ballast *b)
{
	assert_int_equal(b->f.type->disarm(&b->f, &e), 0);
	assert_false(b->f.type->is_armed(&b->f));
	assert_int_equal(fault_put_back(&b->f, &e), 0);
	undo_close(b->f.undo);
}

static void leaves(const char *range, u64 bytes)
{
	u64 before = free_bytes();
	struct ballast b;

	make(&b, range);
	assert_int_equal(b.f.type->arm(&b.f, &e), 0);
	assert_true(b.f.type->is_armed(&b.f));
	assert_int_equal(free_bytes(), bytes);
	b.f.type->step(&b.f); /* nothing to be done */
	assert_int_equal(free_bytes(), bytes);
	free_it(&b);
	assert_int_equal(free_bytes(), before);
}

static void to_the_block(void **state)
{
	(void)state;
	leaves("0", 0);
	leaves("40K", 40 * KIB);
	leaves("100K", 100 * KIB);
	leaves("1M", MIB);
}

/* There is little left as it is. */
static void of_little(void **state)
{
	char path[100];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/full", root);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fallocate(fd, 0, 0, (off_t)(free_bytes() - 48 * KIB)), 0);
	leaves("0", 0);
	leaves("8K", 8 * KIB);
	leaves("64K", 48 * KIB);
	close(fd);
	unlink(path);
}

static void breathes(void **state)
{
	u64 least = UINT64_MAX, most = 0;
	struct ballast b;

	(void)state;
	make(&b, "0..256K");
	assert_int_equal(b.f.type->arm(&b.f, &e), 0);
	for (int i = 0; i < 50; i++) {
		u64 now = free_bytes();

		assert_true(now <= 256 * KIB + BLOCK);
		least = MIN(least, now);
		most = MAX(most, now);
		b.f.type->step(&b.f);
	}
	assert_true(least < 64 * KIB && most > 192 * KIB);
	free_it(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_the_block),
		cmocka_unit_test(of_little),
		cmocka_unit_test(breathes),
	};
	int r;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return SKIPPED;
	snprintf(dir, sizeof(dir), "/tmp/stressd-test-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	snprintf(root, sizeof(root), "%s/mnt", dir);
	if (mkdir(root, 0700) < 0 || mount("tmpfs", root, "tmpfs", 0, "size=4M") < 0)
		return SKIPPED;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	umount(root);
	rmdir(root);
	snprintf(root, sizeof(root), "rm -rf %s", dir);
	return system(root) == 0 ? r : 1;
}
