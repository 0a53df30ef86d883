// SPDX-License-Identifier: GPL-2.0-or-later
/* A frozen filesystem is thawed by who does not see its mount, whatever the image's name leads to:
 * a file, or a disk as in a guest of `stressd vm`. Needs root, loop devices and ext4. */
#include "target_fixture.h"

#include "base/freeze.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define SKIPPED 77

static char disk[LOOP_NAME_MAX], image[300], mnt[300];
static int disk_fd = -1, image_fd = -1;

static void bind(const char *path, char dev[LOOP_NAME_MAX], int *ret_fd)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	int r = -EBUSY;

	for (int i = 0; i < 10 && r == -EBUSY; i++)
		if (loop_find_free(dev) == 0)
			r = loop_bind(dev, fd, 0, false, ret_fd);
	assert_int_equal(r, 0);
}

/* ext4 on a loop device over the image, mounted and frozen. */
static void freeze_on(const char *what)
{
	char dev[LOOP_NAME_MAX], command[100];

	path_set(image, sizeof(image), "%s/%s", base, what);
	path_set(mnt, sizeof(mnt), "%s/mnt", base);
	mkdir(mnt, 0700);
	bind(image, dev, &image_fd);
	snprintf(command, sizeof(command), "mkfs.ext4 -q %s", dev);
	assert_int_equal(system(command), 0);
	assert_int_equal(mount(dev, mnt, "ext4", 0, NULL), 0);
	assert_int_equal(fs_freeze(mnt), 0);
}

static bool is_frozen(void)
{
	_cleanup_close_ int fd = open(mnt, O_RDONLY | O_CLOEXEC);

	return ioctl(fd, FITHAW, 0) == 0;
}

/* By the image alone: there is nothing where the mount was. */
static void put_back(void)
{
	char none[300];
	struct undo *u;
	int n;

	path_set(none, sizeof(none), "%s/none", base);
	assert_int_equal(undo_create(base, "frozen", &u, &e), 0);
	n = undo_record(u, UNDO_FREEZE, none, image, "ext4");
	assert_true(n >= 0);
	if (undo_put_back(u, n, &e) < 0)
		print_error("%s\n", e.text);
	undo_close(u);
}

static void make_file(const char *name)
{
	char path[300];
	int fd;

	path_set(path, sizeof(path), "%s/%s", base, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 16 << 20), 0);
	close(fd);
}

static void image_is_a_file(void **state)
{
	(void)state;
	make_file("file.img");
	freeze_on("file.img");
	put_back();
	assert_false(is_frozen());
}

static void image_is_a_disk(void **state)
{
	char path[300], name[300];

	(void)state;
	make_file("disk");
	path_set(path, sizeof(path), "%s/disk", base);
	bind(path, disk, &disk_fd);
	path_set(name, sizeof(name), "%s/disk.img", base);
	assert_int_equal(symlink(disk, name), 0);
	freeze_on("disk.img");
	put_back();
	assert_false(is_frozen());
}

/* Whatever came of it, nobody may wait for ever. */
static int release(void **state)
{
	(void)state;
	fs_thaw(mnt);
	umount2(mnt, MNT_DETACH);
	close(take_fd(&image_fd));
	if (disk_fd >= 0)
		close(take_fd(&disk_fd));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(image_is_a_file, release),
		cmocka_unit_test_teardown(image_is_a_disk, release),
	};
	char dev[LOOP_NAME_MAX];

	if (geteuid() != 0 || loop_find_free(dev) < 0 || system("mkfs.ext4 -V 2>/dev/null") != 0)
		return SKIPPED;
	return cmocka_run_group_tests(tests, make_base, drop_base);
}
