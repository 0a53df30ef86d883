// SPDX-License-Identifier: GPL-2.0-or-later
/* FIFREEZE and FITHAW. */
#include "base/freeze.h"

#include "base/cleanup.h"
#include "base/step.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

/* EINVAL: it is not frozen. */
static int thaw_fd(int fd)
{
	int r = ioctl(fd, FITHAW, 0) < 0 && errno != EINVAL ? -errno : 0;

	change("thawed", "the filesystem");
	return r;
}

int fs_freeze(const char *root)
{
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, FIFREEZE, 0) < 0)
		return -errno;
	change("froze", root);
	return 0;
}

int fs_thaw(const char *root)
{
	_cleanup_close_ int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : thaw_fd(fd);
}

/* A filesystem that is alive holds its device exclusively. (open(2), O_EXCL on block devices) */
static bool held(const char *device)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

	return fd < 0 && errno == EBUSY;
}

int fs_thaw_device(const char *device, const char *fstype)
{
	_cleanup_close_ int context = -1, mount = -1, fd = -1;

	/* Mounting what is not mounted would replay a log that `verify` wants to see. */
	if (!held(device))
		return 0;
	context = fsopen(fstype, FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", device, 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount < 0)
		return -errno;
	fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : thaw_fd(fd);
}
