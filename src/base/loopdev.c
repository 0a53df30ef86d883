// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop driver's ioctls and nothing else. LOOP_CONFIGURE (Linux 5.8) binds in one step, so
 * that a killed process never leaves a device bound without AUTOCLEAR. */
#include "base/loopdev.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define POLL_NS (10 * NSEC_PER_MSEC)

int loop_find_free(char dev[LOOP_NAME_MAX])
{
	_cleanup_close_ int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int n;

	if (fd < 0)
		return -errno;
	n = ioctl(fd, LOOP_CTL_GET_FREE);
	if (n < 0)
		return -errno;
	return path_set(dev, LOOP_NAME_MAX, "/dev/loop%d", n);
}

int loop_bind(const char *dev, int backing_fd, u64 len, bool direct, int *ret_fd)
{
	_cleanup_close_ int fd = open(dev, O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = (u32)backing_fd,
		.info.lo_sizelimit = len,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | (direct ? LO_FLAGS_DIRECT_IO : 0),
	};

	if (fd < 0)
		return -errno;
	if (ioctl(fd, LOOP_CONFIGURE, &config) < 0) {
		/* Some kernels refuse direct I/O that the backing filesystem cannot do, others
		 * go without it; both are as good to us. */
		if (errno != EINVAL && errno != EOPNOTSUPP)
			return -errno;
		config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
		if (ioctl(fd, LOOP_CONFIGURE, &config) < 0)
			return -errno;
	}
	change("bound", dev);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The path that sysfs shows, for a backing file that is deleted by now. */
static bool shows_backing(const char *dev, const char *backing)
{
	static const char deleted[] = " (deleted)";
	const char *name = strrchr(dev, '/');
	char path[128], shown[FSUTIL_PATH_MAX];
	size_t len = strlen(backing);

	if (!name || path_set(path, sizeof(path), "/sys/block/%s/loop/backing_file", name + 1) < 0)
		return false;
	if (attr_read(path, shown, sizeof(shown)) < 0 || strncmp(shown, backing, len) != 0)
		return false;
	return !shown[len] || !strcmp(shown + len, deleted);
}

int loop_find_backed(const char *backing, char dev[LOOP_NAME_MAX])
{
	_cleanup_closedir_ DIR *d = opendir("/sys/block");
	/* The kernel shows where the name led to. */
	_cleanup_free_ char *real = realpath(backing, NULL);
	struct dirent *de;

	while (d && (de = readdir(d)))
		if (!strncmp(de->d_name, "loop", 4) &&
		    path_set(dev, LOOP_NAME_MAX, "/dev/%s", de->d_name) == 0 &&
		    shows_backing(dev, real ? real : backing))
			return 0;
	return -ENOENT;
}

bool loop_backed_by(const char *dev, const char *backing)
{
	struct loop_info64 info;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (stat(backing, &st) < 0)
		return shows_backing(dev, backing);
	fd = open(dev, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		return false;
	return info.lo_device == st.st_dev && info.lo_inode == st.st_ino;
}

int loop_unbind(const char *dev, const char *backing, u64 limit_ns)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + limit_ns;

	while (loop_backed_by(dev, backing)) {
		int fd = open(dev, O_RDONLY | O_CLOEXEC);

		/* With other openers the kernel only promises to clear it after the last. */
		if (fd >= 0) {
			ioctl(fd, LOOP_CLR_FD, 0);
			close(fd);
			change("freed", dev);
		}
		if (!loop_backed_by(dev, backing))
			return 0;
		if (now_ns() >= end_ns)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}
