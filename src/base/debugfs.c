// SPDX-License-Identifier: GPL-2.0-or-later
/* debugfs through a mount that is attached nowhere. Nothing is cached: who forks would share a
 * stale number. */
#include "base/debugfs.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/claim.h"
#include "base/mounts.h"
#include "base/step.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>

/* One that somebody mounted stays as it is, also read-only. */
static int open_root(void)
{
	int fd = mount_clone("debugfs", DEBUGFS_MAGIC, "/sys/kernel/debug");

	return fd >= 0 ? fd : mount_detached("debugfs");
}

static int open_knob(const char *knob, int flags)
{
	_cleanup_close_ int mount = open_root();
	int fd;

	if (mount < 0)
		return mount;
	/* The open file keeps the mount. */
	fd = openat(mount, knob, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int debugfs_read(const char *knob, char *buf, size_t size)
{
	_cleanup_close_ int fd = open_knob(knob, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int debugfs_read_all(const char *knob, size_t max_bytes, char **ret)
{
	_cleanup_close_ int fd = open_knob(knob, O_RDONLY);

	return fd < 0 ? fd : read_fd(fd, max_bytes, ret, NULL);
}

int debugfs_may_write(const char *knob)
{
	_cleanup_close_ int fd = open_knob(knob, O_WRONLY);

	return fd < 0 ? fd : 0;
}

int debugfs_write(const char *knob, const char *value)
{
	_cleanup_close_ int fd = open_knob(knob, O_WRONLY);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, value, len);
	if (n < 0)
		return -errno;
	change("wrote", knob);
	return (size_t)n == len ? 0 : -EIO;
}

int debugfs_claim(const char *dir)
{
	int fd = open_knob(dir, O_RDONLY | O_DIRECTORY);

	return fd < 0 ? fd : claim_take(fd, true);
}
