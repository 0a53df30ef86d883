// SPDX-License-Identifier: GPL-2.0-or-later
/* Targets on real loop devices: each filesystem there and back, what FIEMAP and the device say,
 * and what is refused or fails without leaving anything. */
#include "target_fixture.h"
#include "target/fstype.h"

#define BLOCK 4096

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
	const char *const values[] = { size_opt,
				       fs_opt,
				       mkfs_opt,
				       "mount=noatime",
				       prefill ? "prefill=true" : "prefill=false",
				       NULL };
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

		assert_true(fd >= 0);
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
	static const char *const fs[][4] = { { "fs=ext4", "size=32M", "prefill=true", NULL },
					     { "fs=xfs", "size=300M", "prefill=true", NULL },
					     { "fs=btrfs", "size=128M", "prefill=true", NULL } };
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
	} rows[] = { { { "fs=ext4", "size=16M", NULL }, 4096, 512 },
		     { { "fs=xfs", "size=300M", NULL }, 512, 512 },
		     /* All between the superblocks at 64K and 64M: metadata is there twice. */
		     { { "fs=btrfs", "size=114M", NULL }, MIB, 60 * MIB } };

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

static void directory(void **state)
{
	char path[420], other[400], file[700];
	const char *values[] = { path, NULL };
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
		{ { "size=100M" }, -EINVAL, "300M" },
		{ { "size=108M", "fs=btrfs" }, -EINVAL, "114M" },
		{ { "size=16777217", "fs=ext4" }, -EINVAL, "4K" },
		{ { "size=1024T" }, -ENOSPC, "target.where" },
		{ { "mount=loop=/dev/loop0" }, -EINVAL, "target.mount" },
		{ { "mount=remount" }, -EINVAL, "target.mount" },
		{ { "mount=noatime,ro" }, -EINVAL, "one option" },
		{ { "where=/etc" }, -EPERM, "/etc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *key;
		struct fixture f;
		int r;

		begin(&f, "wrong", "image", rows[i].values);
		r = f.t.type->check(f.t.options, &key, &e);
		if (r == 0)
			r = f.t.type->probe(&f.t, &e);
		assert_int_equal(r, rows[i].ret);
		assert_non_null(strstr(e.text, rows[i].says));
		end(&f);
	}
}

/* The tool's own words come back, and nothing stays. */
static void mkfs_fails(void **state)
{
	static const char *const values[] = { "fs=ext4", "size=16M", "mkfs=-b77", NULL };
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

/* A loop device of our own plays the disk. */
static void device(void **state)
{
	static const u64 bytes = 32 * MIB;
	char dev[LOOP_NAME_MAX], file[400], path_opt[64];
	const char *const values[] = { path_opt, "fs=ext4", "prefill=true", NULL };
	u8 line[4096];
	struct fixture f;
	u64 where;
	int loop_fd;

	(void)state;
	snprintf(file, sizeof(file), "%s/disk", base);
	_cleanup_close_ int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	assert_int_equal(loop_find_free(dev), 0);
	assert_int_equal(loop_bind(dev, fd, 0, true, &loop_fd), 0);
	assert_int_equal(fstype_make(FSTYPE_EXT4, dev, (char *[]){ "-L", "precious", NULL }, &e),
			 0);
	snprintf(path_opt, sizeof(path_opt), "path=%s", dev);
	begin(&f, "device", "device", values);
	/* Without --destroy: refused, with what would be lost; setup itself looks too. */
	assert_int_equal(f.t.type->probe(&f.t, &e), -EPERM);
	assert_non_null(strstr(e.text, "ext4 labelled precious"));
	assert_non_null(strstr(e.text, "--destroy"));
	assert_int_equal(f.t.type->setup(&f.t, &e), -EPERM);
	f.t.destroy_ok = true;
	OK(f.t.type->probe(&f.t, &e));
	OK(f.t.type->setup(&f.t, &e));
	check_device_reads(&f.t);
	/* Mounted now, also for the one who may destroy it. */
	assert_int_equal(f.t.type->probe(&f.t, &e), -EPERM);
	OK(f.t.type->remount_cycle(&f.t, &e));
	OK(f.t.type->teardown(&f.t, false, &e));
	assert_int_equal(undo_pending(f.u), 0);
	/* mke2fs wipes the last 64K, where another's superblock could be; this is before that. */
	assert_int_equal(pread(loop_fd, line, sizeof(line), (off_t)(bytes - MIB)), sizeof(line));
	assert_true(prefill_found(line, sizeof(line), &where));
	assert_int_equal(where, bytes - MIB);
	end(&f);
	close(loop_fd);
	assert_true(loops_go());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xfs),
		cmocka_unit_test(ext4),
		cmocka_unit_test(btrfs),
		cmocka_unit_test(prefill_survives_mkfs),
		cmocka_unit_test(fsck_sees_damage),
		cmocka_unit_test(directory),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(mkfs_fails),
		cmocka_unit_test(device),
	};

	if (geteuid() != 0 || access("/dev/loop-control", W_OK) < 0)
		return 77;
	return cmocka_run_group_tests(tests, make_base, drop_base);
}
