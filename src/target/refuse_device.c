// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which block devices may be destroyed: none that the kernel uses for anything, none under the
 * system or under what a run needs. The kernel's own answer is open(2) with O_EXCL; the rest of
 * this file finds the words for it, and the devices below paths.
 */
#include "target/target.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LET_GO_NS (10 * NSEC_PER_SEC)

#define DEPTH_MAX 8 /* of dm on md on loop on ... */

static bool path_lies_on(const char *path, dev_t rdev, int depth);

static int sys_dir(char *buf, size_t size, dev_t rdev, const char *what)
{
	return path_set(buf, size, "/sys/dev/block/%u:%u/%s", major(rdev), minor(rdev), what);
}

static bool read_dev(const char *path, dev_t *ret)
{
	unsigned int ma, mi;
	char text[64];

	if (attr_read(path, text, sizeof(text)) < 0 || sscanf(text, "%u:%u", &ma, &mi) != 2)
		return false;
	*ret = makedev(ma, mi);
	return true;
}

/* Does @top use @rdev: is it, a partition of it, built on it, or a loop over a file on it? */
static bool device_uses(dev_t top, dev_t rdev, int depth)
{
	_cleanup_closedir_ DIR *slaves = NULL;
	char path[PATH_MAX], file[PATH_MAX];
	struct dirent *de;
	dev_t next;

	if (top == rdev)
		return true;
	if (depth > DEPTH_MAX)
		return true; /* cannot tell: the safe answer */
	if (sys_dir(path, sizeof(path), top, "partition") == 0 && access(path, F_OK) == 0 &&
	    sys_dir(path, sizeof(path), top, "../dev") == 0 && read_dev(path, &next) &&
	    device_uses(next, rdev, depth + 1))
		return true;
	if (sys_dir(path, sizeof(path), top, "loop/backing_file") == 0 &&
	    attr_read(path, file, sizeof(file)) == 0 && path_lies_on(file, rdev, depth + 1))
		return true;
	if (sys_dir(path, sizeof(path), top, "slaves") == 0)
		slaves = opendir(path);
	while (slaves && (de = readdir(slaves))) {
		if (de->d_name[0] == '.' ||
		    path_set(file, sizeof(file), "%.256s/%s/dev", path, de->d_name) < 0)
			continue;
		if (read_dev(file, &next) && device_uses(next, rdev, depth + 1))
			return true;
	}
	return false;
}

static bool path_lies_on(const char *path, dev_t rdev, int depth)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct mount_info m;
	struct stat st;

	if (fd < 0 || mount_of(fd, &m) < 0)
		return false;
	if (major(m.dev) && device_uses(m.dev, rdev, depth))
		return true;
	return m.source[0] == '/' && stat(m.source, &st) == 0 && S_ISBLK(st.st_mode) &&
	       device_uses(st.st_rdev, rdev, depth);
}

static bool is_swap(dev_t rdev)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/swaps", "re");
	char line[PATH_MAX], path[PATH_MAX];
	struct stat st;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%4095s", path) == 1 && stat(path, &st) == 0 &&
		    S_ISBLK(st.st_mode) && st.st_rdev == rdev)
			return true;
	return false;
}

/* The first entry of the device's holders/ (dm, md, bcache) goes to @name. */
static bool has_holder(dev_t rdev, char *name, size_t size)
{
	_cleanup_closedir_ DIR *d = NULL;
	char path[128];
	struct dirent *de;

	if (sys_dir(path, sizeof(path), rdev, "holders") == 0)
		d = opendir(path);
	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.')
			return path_set(name, size, "%s", de->d_name) == 0;
	return false;
}

/* Words for an EBUSY: what of the machine uses the device. */
static int say_busy(const char *device, dev_t rdev, struct err *e)
{
	struct mount_info m;
	char holder[256];

	if (mount_of_device(rdev, &m) == 0)
		return err_set(e, -EPERM, "%s is mounted on %s; unmount it first", device,
			       m.target);
	if (is_swap(rdev))
		return err_set(e, -EPERM, "%s is swap space; swapoff it first", device);
	if (has_holder(rdev, holder, sizeof(holder)))
		return err_set(e, -EPERM, "%s is part of %s; take that down first (dmsetup, mdadm)",
			       device, holder);
	return err_set(e, -EPERM,
		       "%s is in use: a partition of it, or a mount in another namespace; "
		       "see lsblk %s",
		       device, device);
}

static int check_paths(const char *device, dev_t rdev, const char *const protect[], struct err *e)
{
	if (path_lies_on("/", rdev, 0))
		return err_set(e, -EPERM, "%s holds the root filesystem; choose another device",
			       device);
	for (size_t i = 0; protect && protect[i]; i++)
		if (path_lies_on(protect[i], rdev, 0))
			return err_set(e, -EPERM,
				       "%s holds %s, which the run needs; choose another "
				       "device or another run directory",
				       device, protect[i]);
	return 0;
}

/* What a run that was killed held is let go by the kernel in its own time: a mount of its
 * namespace, a layer that goes with its last user. Mounts that can be seen are somebody's. */
static int open_alone(const char *device, dev_t rdev)
{
	const struct timespec pause = { .tv_nsec = 20 * (long)NSEC_PER_MSEC };
	u64 end_ns = now_ns() + LET_GO_NS;
	struct mount_info m;
	char holder[256];
	int fd;

	/* EBUSY: mounted anywhere, swap, held by dm or md, or a partition of it is. (open(2)) */
	for (;;) {
		fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
		if (fd >= 0 || errno != EBUSY)
			return fd;
		if (now_ns() > end_ns || mount_of_device(rdev, &m) == 0 || is_swap(rdev) ||
		    has_holder(rdev, holder, sizeof(holder)))
			break;
		nanosleep(&pause, NULL);
	}
	errno = EBUSY;
	return -1;
}

int target_refuse_device(const char *device, const char *const protect[], struct err *e)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int read_only, r;

	if (stat(device, &st) < 0)
		return err_set(e, -EINVAL, "%s: %s", device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return err_set(e, -EINVAL,
			       "%s is no block device; for a directory or a file use a "
			       "target of type directory or image",
			       device);
	r = check_paths(device, st.st_rdev, protect, e);
	if (r < 0)
		return r;
	fd = open_alone(device, st.st_rdev);
	if (fd < 0 && errno == EBUSY)
		return say_busy(device, st.st_rdev, e);
	if (fd < 0)
		return err_set(e, errno == EACCES ? -EACCES : -EINVAL, "%s: %s", device,
			       strerror(errno));
	if (ioctl(fd, BLKROGET, &read_only) == 0 && read_only)
		return err_set(e, -EPERM, "%s is read-only; blockdev --setrw %s", device, device);
	return 0;
}
