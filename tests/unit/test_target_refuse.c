// SPDX-License-Identifier: GPL-2.0-or-later
/* What may not be a target: every refusal says what is wrong and what to do, and a good place
 * beside it is let through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/loopdev.h"
#include "target/fstype.h"
#include "target/target.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>

static char base[256];
static struct err e; /* of the last call */

static int make_base(void **state)
{
	(void)state;
	strcpy(base, "/tmp/stressd-refuse-XXXXXX");
	return mkdtemp(base) && target_private_mounts(&e) == 0 ? 0 : -1;
}

static int drop_base(void **state)
{
	(void)state;
	return rm_rf(base);
}

static void paths_of_the_system(void **state)
{
	static const struct {
		const char *path;
		int ret;
		const char *says;
	} rows[] = {
		{ "/", -EPERM, "below it" },
		{ "//", -EPERM, "below it" },
		{ "/tmp", -EPERM, "below it" },
		{ "/tmp/.", -EPERM, "below it" },
		{ "/usr/../tmp/", -EPERM, "below it" },
		{ "/home", -EPERM, "below it" },
		{ "/root", -EPERM, "below it" },
		{ "/var", -EPERM, "below it" },
		{ "/var/lib", -EPERM, "below it" },
		{ "/usr", -EPERM, "system" },
		{ "/usr/share", -EPERM, "system" },
		{ "/etc", -EPERM, "system" },
		{ "/dev", -EPERM, "system" },
		{ "/proc/self/task", -EINVAL, "symbolic link" },
		{ "/proc", -EPERM, "system" },
		{ "/sys/kernel", -EPERM, "system" },
		{ "/etc/passwd", -EINVAL, "name a directory" },
		{ "/no/such/place", -EINVAL, "make the directory" },
		{ "", -EINVAL, "make the directory" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = target_refuse_path(rows[i].path, &e);

		if (r != rows[i].ret || !strstr(e.text, rows[i].says))
			fail_msg("%s: %d: %s", rows[i].path, r, e.text);
	}
	assert_int_equal(target_refuse_path(base, &e), 0);
}

static void links_are_named(void **state)
{
	char dir[300], link[300], path[700];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/real", base);
	snprintf(link, sizeof(link), "%s/link", base);
	snprintf(path, sizeof(path), "%s/link/in", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink(dir, link), 0);
	snprintf(dir, sizeof(dir), "%s/real/in", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(target_refuse_path(path, &e), -EINVAL);
	snprintf(path, sizeof(path), "%s is a symbolic link (to %s/real)", link, base);
	assert_non_null(strstr(e.text, path));
	assert_int_equal(target_refuse_path(dir, &e), 0);
}

static void filesystems_that_keep_nothing(void **state)
{
	char dir[300];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/fs", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mount("proc", dir, "proc", 0, NULL), 0);
	assert_int_equal(target_refuse_path(dir, &e), -EINVAL);
	assert_non_null(strstr(e.text, "is on proc"));
	assert_int_equal(umount(dir), 0);
	assert_int_equal(mount("none", dir, "tmpfs", MS_RDONLY, NULL), 0);
	assert_int_equal(target_refuse_path(dir, &e), -EINVAL);
	assert_non_null(strstr(e.text, "read-only"));
	assert_int_equal(umount(dir), 0);
	assert_int_equal(mount("none", dir, "tmpfs", 0, NULL), 0);
	assert_int_equal(target_refuse_path(dir, &e), 0);
	assert_int_equal(umount(dir), 0);
}

static void not_writable(void **state)
{
	char dir[300];
	int status;
	pid_t pid;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/mine", base);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chmod(base, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(9);
		_exit(target_refuse_path(dir, &e) == -EPERM && strstr(e.text, "no right") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A loop device over a small file, or over a file given; *ret_fd keeps it. */
static void make_loop(char dev[LOOP_NAME_MAX], int *ret_fd)
{
	char path[300];
	int r;

	snprintf(path, sizeof(path), "%s/disk", base);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, 16 * MIB), 0);
	do {
		assert_int_equal(loop_find_free(dev), 0);
		r = loop_bind(dev, fd, 0, true, ret_fd);
	} while (r == -EBUSY);
	assert_int_equal(r, 0);
	assert_true(loop_backed_by(dev, path));
}

static void drop_loop(const char *dev, int fd)
{
	char path[300];

	close(fd);
	snprintf(path, sizeof(path), "%s/disk", base);
	assert_int_equal(loop_unbind(dev, path, 2 * NSEC_PER_SEC), 0);
	assert_false(loop_backed_by(dev, path));
}

static void no_device(void **state)
{
	(void)state;
	assert_int_equal(target_refuse_device("/dev/no-such", NULL, &e), -EINVAL);
	assert_int_equal(target_refuse_device("/dev/null", NULL, &e), -EINVAL);
	assert_non_null(strstr(e.text, "no block device"));
	assert_int_equal(target_refuse_device(base, NULL, &e), -EINVAL);
}

static void the_device_under_root(void **state)
{
	struct stat st;
	char dev[300], name[300];
	ssize_t n;

	(void)state;
	assert_int_equal(stat("/", &st), 0);
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u", (unsigned int)(st.st_dev >> 8),
		 (unsigned int)(st.st_dev & 0xff));
	n = readlink(name, dev, sizeof(dev) - 1);
	if (n < 0)
		skip();
	dev[n] = '\0';
	snprintf(name, sizeof(name), "/dev/%.200s", strrchr(dev, '/') + 1);
	assert_int_equal(target_refuse_device(name, NULL, &e), -EPERM);
	assert_non_null(strstr(e.text, "root filesystem"));
}

static void devices_in_use(void **state)
{
	char dev[LOOP_NAME_MAX], dir[300];
	const char *protect[] = { dir, NULL };
	int fd;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/on", base);
	assert_int_equal(mkdir(dir, 0700), 0);
	make_loop(dev, &fd);
	assert_int_equal(target_refuse_device(dev, protect, &e), 0);
	assert_int_equal(fstype_make(FSTYPE_EXT4, dev, NULL, &e), 0);
	assert_int_equal(mount(dev, dir, "ext4", 0, NULL), 0);
	assert_int_equal(target_refuse_device(dev, NULL, &e), -EPERM);
	assert_non_null(strstr(e.text, "is mounted on"));
	assert_non_null(strstr(e.text, dir));
	/* The run directory on it is the better reason. */
	assert_int_equal(target_refuse_device(dev, protect, &e), -EPERM);
	assert_non_null(strstr(e.text, "which the run needs"));
	assert_int_equal(umount(dir), 0);
	assert_int_equal(target_refuse_device(dev, protect, &e), 0);
	drop_loop(dev, fd);
}

static void swap_space(void **state)
{
	/* The least that swapon(2) takes: version, last page, magic. (mkswap(8)) */
	u8 page[4096] = { 0 };
	char dev[LOOP_NAME_MAX];
	u32 head[] = { 1, 16 * MIB / 4096 - 1 };
	int fd;

	(void)state;
	make_loop(dev, &fd);
	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + 4086, "SWAPSPACE2", 10);
	assert_int_equal(pwrite_all(fd, page, sizeof(page), 0), 0);
	assert_int_equal(fsync(fd), 0);
	if (swapon(dev, 0) < 0) {
		drop_loop(dev, fd);
		skip();
	}
	int r = target_refuse_device(dev, NULL, &e);

	assert_int_equal(swapoff(dev), 0);
	assert_int_equal(r, -EPERM);
	assert_non_null(strstr(e.text, "swapoff"));
	drop_loop(dev, fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_the_system),
		cmocka_unit_test(links_are_named),
		cmocka_unit_test(filesystems_that_keep_nothing),
		cmocka_unit_test(not_writable),
		cmocka_unit_test(no_device),
		cmocka_unit_test(the_device_under_root),
		cmocka_unit_test(devices_in_use),
		cmocka_unit_test(swap_space),
	};

	if (geteuid() != 0 || access("/dev/loop-control", W_OK) < 0)
		return 77;
	return cmocka_run_group_tests(tests, make_base, drop_base);
}
