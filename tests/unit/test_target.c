// SPDX-License-Identifier: GPL-2.0-or-later
/* Image and directory targets on real loop devices: each filesystem there and back, killed at
 * every step of the set-up, and what FIEMAP and the device say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/loopdev.h"
#include "base/mounts.h"
#include "base/units.h"
#include "janitor.h"
#include "stamp.h"
#include "target/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DEADLINE_NS (2 * NSEC_PER_SEC)
#define BLOCK	    4096

static char base[256];
static struct err e; /* of the last call */

static int make_base(void **state)
{

	(void)state;
	strcpy(base, "/tmp/stressd-target-XXXXXX");
	if (!mkdtemp(base) || target_private_mounts(&e) < 0)
		return -1;
	return 0;
}

static int drop_base(void **state)
{
	(void)state;
	return rm_rf(base);
}

/* Decode by the type's own table what a scenario would say: "name=value" or the default. */
static void *decode(const struct target_type *type, const char *const values[])
{
	char *block = calloc(1, type->options_size);

	opt_foreach (o, type->options) {
		const char *text = o->def;
		char **list;

		for (size_t i = 0; values && values[i]; i++)
			if (!strncmp(values[i], o->name, strlen(o->name)) &&
			    values[i][strlen(o->name)] == '=')
				text = values[i] + strlen(o->name) + 1;
		switch (o->type) {
		case OPT_BOOL:
			*(bool *)(block + o->offset) = !strcmp(text, "true");
			break;
		case OPT_SIZE:
			assert_int_equal(parse_size(text, (u64 *)(block + o->offset)), 0);
			break;
		case OPT_ENUM:
			for (int i = 0; o->choices[i]; i++)
				if (!strcmp(o->choices[i], text))
					*(int *)(block + o->offset) = i;
			break;
		case OPT_STRING:
			*(const char **)(block + o->offset) = text;
			break;
		case OPT_STRINGS:
			list = calloc(2, sizeof(*list));
			list[0] = *text ? (char *)text : NULL;
			*(char ***)(block + o->offset) = list;
			break;
		default:
			fail_msg("%s: no such type in targets", o->name);
		}
	}
	return block;
}

static void free_options(const struct target_type *type, void *options)
{
	opt_foreach (o, type->options)
		if (o->type == OPT_STRINGS)
			free(*(char ***)((char *)options + o->offset));
	free(options);
}

struct fixture {
	struct scenario sc;
	struct target t;
	struct undo *u;
	char run_dir[300];
};

static void begin(struct fixture *f, const char *run, const char *type, const char *const values[])
{

	*f = (struct fixture){0};
	f->sc.target.type = target_type_by_name(type);
	assert_non_null(f->sc.target.type);
	f->sc.target.options = decode(f->sc.target.type, values);
	snprintf(f->run_dir, sizeof(f->run_dir), "%s/%s", base, run);
	assert_int_equal(mkdir_p(f->run_dir, 0700), 0);
	if (undo_create(base, run, &f->u, &e) < 0)
		fail_msg("%s", e.text);
	target_init(&f->t, &f->sc, f->run_dir, f->u, false);
}

static void end(struct fixture *f)
{
	undo_close(f->u);
	free_options(f->sc.target.type, f->sc.target.options);
	assert_int_equal(rm_rf(f->run_dir), 0);
}

#define OK(call)                                                                                   \
	do {                                                                                       \
		int r_ = (call);                                                                   \
		if (r_ < 0)                                                                        \
			fail_msg("%s: %d: %s", #call, r_, e.text);                                 \
	} while (0)

static bool any_loop_below_base(void)
{
	_cleanup_closedir_ DIR *d = opendir("/sys/block");
	char path[600], file[4096];
	struct dirent *de;

	while ((de = readdir(d))) {
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", de->d_name);
		if (!strncmp(de->d_name, "loop", 4) && attr_read(path, file, sizeof(file)) == 0 &&
		    !strncmp(file, base, strlen(base)))
			return true;
	}
	return false;
}

static bool loops_go(void)
{
	u64 end_ns = now_ns() + DEADLINE_NS;

	while (any_loop_below_base() && now_ns() < end_ns)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	return !any_loop_below_base();
}

static void write_blocks(const char *path, int n)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	u8 block[BLOCK];

	assert_true(fd >= 0);
	for (int i = 0; i < n; i++) {
		memset(block, 'A' + i, BLOCK);
		assert_int_equal(pwrite_all(fd, block, BLOCK, (u64)i * BLOCK), 0);
	}
	assert_int_equal(fsync(fd), 0);
}

static void check_device_reads(const struct target *t)
{
	char path[700];
	u8 buf[2 * BLOCK];

	snprintf(path, sizeof(path), "%s/data", t->root);
	write_blocks(path, 4);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	if (!strcmp(t->fs, "btrfs")) {
		assert_int_equal(target_read_device(t, fd, 0, buf, BLOCK), -EOPNOTSUPP);
		return;
	}
	assert_int_equal(target_read_device(t, fd, BLOCK, buf, 2 * BLOCK), 2 * BLOCK);
	assert_true(buf[0] == 'B' && buf[BLOCK - 1] == 'B' && buf[BLOCK] == 'C');
	/* Less than a device block, from its middle. */
	assert_int_equal(target_read_device(t, fd, 3 * BLOCK + 512, buf, 512), 512);
	assert_int_equal(buf[0], 'D');
	assert_int_equal(target_read_device(t, fd, 3 * BLOCK, buf, 2 * BLOCK), BLOCK);
	assert_int_equal(ftruncate(fd, 64 * BLOCK), 0);
	assert_int_equal(target_read_device(t, fd, 8 * BLOCK, buf, BLOCK), -ENODATA);
	assert_int_equal(fallocate(fd, 0, 16 * BLOCK, 4 * BLOCK), 0);
	assert_int_equal(target_read_device(t, fd, 16 * BLOCK, buf, BLOCK), -ENODATA);
	/* Dirty and not written back: the device still has the old bytes. */
	assert_int_equal(pwrite(fd, "z", 1, 0), 1);
	assert_int_equal(target_read_device(t, fd, 0, buf, 512), 512);
	assert_int_equal(buf[0], 'A');
	assert_int_equal(target_read_device(t, fd, 1, buf, 512), -EINVAL);
}

static void there_and_back(const char *fs, const char *size, const char *mkfs, bool prefill)
{
	char size_opt[32], fs_opt[32], mkfs_opt[64], data[700];
	const char *const values[] = {size_opt,
				      fs_opt,
				      mkfs_opt,
				      "mount=noatime",
				      prefill ? "prefill=true" : "prefill=false",
				      NULL};
	_cleanup_free_ char *said = NULL;
	struct mount_info m;
	struct fixture f;

	snprintf(size_opt, sizeof(size_opt), "size=%s", size);
	snprintf(fs_opt, sizeof(fs_opt), "fs=%s", fs);
	snprintf(mkfs_opt, sizeof(mkfs_opt), "mkfs=%s", mkfs);
	begin(&f, fs, "image", values);
	OK(f.t.type->probe(&f.t, &e));
	OK(f.t.type->setup(&f.t, &e));
	assert_true(f.t.mounted);
	assert_string_equal(f.t.fs, fs);
	assert_int_equal(f.t.block_bytes, 4096);
	check_device_reads(&f.t);
	OK(f.t.type->remount_cycle(&f.t, &e));
	assert_int_equal(mount_at(f.t.root, &m), 0);
	assert_string_equal(m.fstype, fs);
	snprintf(data, sizeof(data), "%s/data", f.t.root);
	assert_int_equal(access(data, F_OK), 0);
	{
		/* Held: the error says by whom. */
		_cleanup_close_ int fd = open(data, O_RDONLY | O_CLOEXEC);

		assert_int_equal(f.t.type->unmount(&f.t, &e), -EBUSY);
		assert_non_null(strstr(e.text, "test_target"));
		assert_non_null(strstr(e.text, "fd/"));
	}
	assert_int_equal(target_fsck(&f.t, &said, &e), -EBUSY);
	OK(f.t.type->unmount(&f.t, &e));
	if (target_fsck(&f.t, &said, &e) != 0)
		fail_msg("fsck: %s %s", said ? said : "", e.text);
	OK(f.t.type->teardown(&f.t, false, &e));
	assert_int_equal(undo_pending(f.u), 0);
	assert_int_equal(access(f.t.image, F_OK), -1);
	assert_true(loops_go());
	end(&f);
}

static void xfs(void **state)
{
	(void)state;
	there_and_back("xfs", "300M", "-bsize=4096", false);
}

static void ext4(void **state)
{
	(void)state;
	there_and_back("ext4", "16M", "-b4096", true);
}

static void btrfs(void **state)
{
	(void)state;
	there_and_back("btrfs", "114M", "", false);
}

/* The pattern is still on the blocks that mkfs did not write. */
static void prefill_survives_mkfs(void **state)
{
	static const char *const fs[][4] = {{"fs=ext4", "size=32M", "prefill=true", NULL},
					    {"fs=xfs", "size=300M", "prefill=true", NULL},
					    {"fs=btrfs", "size=128M", "prefill=true", NULL}};
	static u8 buf[MIB];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fs); i++) {
		struct fixture f;
		u64 good = 0, total = 0;

		begin(&f, "prefill", "image", fs[i]);
		OK(f.t.type->setup(&f.t, &e));
		assert_true(f.t.prefilled);
		OK(f.t.type->unmount(&f.t, &e));
		_cleanup_close_ int fd = open(f.t.device, O_RDONLY | O_CLOEXEC);
		for (u64 at = 0; pread(fd, buf, MIB, (off_t)at) == (ssize_t)MIB;
		     at += MIB, total++) {
			u64 where = 0;

			good += prefill_found(buf + MIB / 2, 4096, &where) && where == at + MIB / 2;
		}
		/* Journals and tables are zeroed by mkfs; most is not. */
		assert_true(good * 2 > total);
		close(take_fd(&fd));
		OK(f.t.type->teardown(&f.t, false, &e));
		end(&f);
	}
	assert_true(loops_go());
}

static void fsck_sees_damage(void **state)
{
	static const struct {
		const char *const values[3];
		u64 at, len;
	} rows[] = {{{"fs=ext4", "size=16M", NULL}, 4096, 512},
		    {{"fs=xfs", "size=300M", NULL}, 512, 512},
		    /* All between the superblocks at 64K and 64M: metadata is there twice. */
		    {{"fs=btrfs", "size=114M", NULL}, MIB, 60 * MIB}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *said = NULL, *junk = malloc(rows[i].len);
		struct fixture f;

		begin(&f, "hurt", "image", rows[i].values);
		OK(f.t.type->setup(&f.t, &e));
		OK(f.t.type->unmount(&f.t, &e));
		_cleanup_close_ int fd = open(f.t.device, O_RDWR | O_CLOEXEC);
		memset(junk, 0x5a, rows[i].len);
		assert_int_equal(pwrite_all(fd, junk, rows[i].len, rows[i].at), 0);
		assert_int_equal(fsync(fd), 0);
		close(take_fd(&fd));
		int r = target_fsck(&f.t, &said, &e);
		if (r != 1)
			fail_msg("%s: %d: %s %s", f.t.fs, r, e.text, said ? said : "");
		assert_true(strlen(said) > 0);
		OK(f.t.type->teardown(&f.t, false, &e));
		end(&f);
	}
}

/* What a killed set-up left in this namespace, undone by recover; or by its janitor. */
static void killed_at(int step, bool with_janitor)
{
	static const char *const values[] = {"fs=ext4", "size=16M", NULL};
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char journal[400], mnt[400], run[300];
	struct mount_info m;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct fixture f;
		struct janitor j;

		begin(&f, "killed", "image", values);
		if (with_janitor && janitor_start(f.u, &j, &e) < 0)
			_exit(1);
		if (f.t.type->setup(&f.t, &e) < 0)
			_exit(2);
		if (step >= 1 && f.t.type->remount_cycle(&f.t, &e) < 0)
			_exit(3);
		if (step == 2 && f.t.type->unmount(&f.t, &e) < 0)
			_exit(4);
		if (step == 3 && f.t.type->teardown(&f.t, true, &e) < 0)
			_exit(5);
		kill(getpid(), SIGKILL);
	}
	u64 start = now_ns();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	snprintf(journal, sizeof(journal), "%s/undo/killed.journal", base);
	snprintf(mnt, sizeof(mnt), "%s/killed/mnt", base);
	if (!with_janitor)
		assert_int_equal(undo_recover(base, null), 0);
	start = now_ns();
	while (access(journal, F_OK) == 0 && now_ns() - start < DEADLINE_NS)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	assert_int_equal(access(journal, F_OK), -1);
	assert_int_equal(mount_at(mnt, &m), -ENOENT);
	assert_int_equal(access(mnt, F_OK), -1);
	assert_true(loops_go());
	snprintf(run, sizeof(run), "%s/killed", base);
	rm_rf(run);
}

static void killed_then_recovered(void **state)
{
	(void)state;
	for (int step = 0; step < 4; step++)
		killed_at(step, false);
}

static void killed_then_janitor(void **state)
{
	(void)state;
	for (int step = 0; step < 4; step++)
		killed_at(step, true);
}

/* Kills spread over the whole set-up: whatever was reached, nothing stays. */
static void killed_anywhere(void **state)
{
	static const char *const values[] = {"fs=ext4", "size=16M", NULL};
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char mnt[400], run[300];
	struct mount_info m;

	(void)state;
	snprintf(run, sizeof(run), "%s/any", base);
	snprintf(mnt, sizeof(mnt), "%s/mnt", run);
	for (long us = 200; us < 60000; us = us * 5 / 4) {
		pid_t pid = fork();

		if (pid == 0) {
			struct fixture f;

			begin(&f, "any", "image", values);
			f.t.type->setup(&f.t, &e);
			for (;;)
				pause();
		}
		/* The moment of the kill is the input here, no condition is awaited. */
		nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(undo_recover(base, null), 0);
		assert_int_equal(mount_at(mnt, &m), -ENOENT);
		assert_true(loops_go());
		rm_rf(run);
	}
}

/* In a namespace of its own the kernel alone drops mount and loop device. */
static void namespace_drops_all(void **state)
{
	static const char *const values[] = {"fs=ext4", "size=16M", NULL};
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	char run[300];
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct fixture f;

		if (target_private_mounts(&e) < 0)
			_exit(1);
		begin(&f, "ns", "image", values);
		if (f.t.type->setup(&f.t, &e) < 0)
			_exit(2);
		kill(getpid(), SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(loops_go());
	assert_int_equal(undo_recover(base, null), 0);
	snprintf(run, sizeof(run), "%s/ns", base);
	assert_int_equal(rm_rf(run), 0);
}

static void directory(void **state)
{
	char path[420], other[400], file[700];
	const char *values[] = {path, NULL};
	struct fixture f;

	(void)state;
	snprintf(other, sizeof(other), "%s/place", base);
	assert_int_equal(mkdir(other, 0755), 0);
	snprintf(path, sizeof(path), "path=%s", other);
	for (int keep = 0; keep < 2; keep++) {
		begin(&f, "dir", "directory", values);
		OK(f.t.type->probe(&f.t, &e));
		OK(f.t.type->setup(&f.t, &e));
		assert_false(f.t.mounted);
		assert_null(f.t.type->unmount);
		snprintf(file, sizeof(file), "%s/data", f.t.root);
		write_blocks(file, 1);
		OK(f.t.type->teardown(&f.t, keep, &e));
		assert_int_equal(undo_pending(f.u), 0);
		assert_int_equal(access(file, F_OK), keep ? 0 : -1);
		end(&f);
	}
	assert_int_equal(rm_rf(other), 0);
}

static void wrong_options(void **state)
{
	static const struct {
		const char *const values[4];
		int ret;
		const char *says;
	} rows[] = {
		{{"size=100M"}, -EINVAL, "300M"},
		{{"size=108M", "fs=btrfs"}, -EINVAL, "114M"},
		{{"size=16777217", "fs=ext4"}, -EINVAL, "4K"},
		{{"size=1024T"}, -ENOSPC, "target.where"},
		{{"mount=loop=/dev/loop0"}, -EINVAL, "target.mount"},
		{{"mount=remount"}, -EINVAL, "target.mount"},
		{{"mount=noatime,ro"}, -EINVAL, "one option"},
		{{"where=/etc"}, -EPERM, "/etc"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fixture f;

		begin(&f, "wrong", "image", rows[i].values);
		assert_int_equal(f.t.type->probe(&f.t, &e), rows[i].ret);
		assert_non_null(strstr(e.text, rows[i].says));
		end(&f);
	}
}

/* The tool's own words come back, and nothing stays. */
static void mkfs_fails(void **state)
{
	static const char *const values[] = {"fs=ext4", "size=16M", "mkfs=-b77", NULL};
	struct fixture f;

	(void)state;
	begin(&f, "mkfs", "image", values);
	assert_int_equal(f.t.type->setup(&f.t, &e), -EINVAL);
	assert_non_null(strstr(e.text, "mkfs.ext4 failed"));
	assert_non_null(strstr(e.text, "block size"));
	OK(f.t.type->teardown(&f.t, false, &e));
	assert_int_equal(undo_pending(f.u), 0);
	assert_true(loops_go());
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xfs),
		cmocka_unit_test(ext4),
		cmocka_unit_test(btrfs),
		cmocka_unit_test(prefill_survives_mkfs),
		cmocka_unit_test(fsck_sees_damage),
		cmocka_unit_test(killed_then_recovered),
		cmocka_unit_test(killed_then_janitor),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(namespace_drops_all),
		cmocka_unit_test(directory),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(mkfs_fails),
	};

	if (geteuid() != 0 || access("/dev/loop-control", W_OK) < 0)
		return 77;
	return cmocka_run_group_tests(tests, make_base, drop_base);
}
