// SPDX-License-Identifier: GPL-2.0-or-later
/* A directory of configfs is a device: its files are written, "power" last. */
#include "base/nullblk.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The directory of all devices, or -errno. */
static int open_group(void)
{
	_cleanup_close_ int mount = mount_detached("configfs");
	int fd;

	if (mount < 0)
		return mount;
	fd = openat(mount, "nullb", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int nullblk_have(void)
{
	_cleanup_close_ int group = geteuid() == 0 ? open_group() : -EACCES;

	if (group >= 0)
		return 0;
	return group == -EACCES || group == -EPERM ? -EACCES : -ENODEV;
}

static int open_attr(const char *name, const char *attr, int flags)
{
	_cleanup_close_ int group = open_group();
	char path[128];
	int fd, r = group < 0 ? group : path_set(path, sizeof(path), "%s/%s", name, attr);

	if (r < 0)
		return r;
	fd = openat(group, path, flags | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int nullblk_write(const char *name, const char *attr, const char *text)
{
	_cleanup_close_ int fd = open_attr(name, attr, O_WRONLY);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, text, len);
	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

int nullblk_read(const char *name, const char *attr, char *buf, size_t size)
{
	_cleanup_close_ int fd = open_attr(name, attr, O_RDONLY);
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

/* Named as its directory, or by number where the driver does not do so yet. (before Linux 6.2) */
static int find_node(const char *name, char *node, size_t size)
{
	char path[128], index[16];
	int r = path_set(path, sizeof(path), "/sys/block/%s", name);

	if (r == 0 && access(path, F_OK) == 0)
		return path_set(node, size, "/dev/%s", name);
	r = nullblk_read(name, "index", index, sizeof(index));
	return r < 0 ? r : path_set(node, size, "/dev/nullb%s", index);
}

int nullblk_create(const char *name, const struct nullblk_attr *attrs, char *node, size_t size)
{
	_cleanup_close_ int group = open_group();
	int r = 0;

	if (group < 0)
		return group;
	if (mkdirat(group, name, 0700) < 0)
		return -errno;
	for (; attrs->name && r == 0; attrs++) {
		char text[24];

		snprintf(text, sizeof(text), "%llu", (unsigned long long)attrs->value);
		r = nullblk_write(name, attrs->name, text);
	}
	if (r == 0)
		r = nullblk_write(name, "power", "1");
	return r < 0 ? r : find_node(name, node, size);
}

int nullblk_remove(const char *name)
{
	_cleanup_close_ int group = open_group();

	if (group < 0)
		return group == -ENODEV || group == -ENOENT ? 0 : group;
	/* Powered off first by the driver. */
	if (unlinkat(group, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
