// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to the mount table. One walk over it, three conditions. */
#include "base/mounts.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <fcntl.h>
#include <libmount.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define POLL_NS (20 * NSEC_PER_MSEC)

struct wanted {
	const char *mountpoint, *fstype;
	int id;
	dev_t rdev;
};

static void unref_table(struct libmnt_table **t)
{
	mnt_unref_table(*t);
}

static void free_iter(struct libmnt_iter **it)
{
	mnt_free_iter(*it);
}

static bool at_point(struct libmnt_fs *fs, const struct wanted *w)
{
	const char *target = mnt_fs_get_target(fs);

	return target && !strcmp(target, w->mountpoint);
}

static bool has_id(struct libmnt_fs *fs, const struct wanted *w)
{
	return mnt_fs_get_id(fs) == w->id;
}

static bool on_device(struct libmnt_fs *fs, const struct wanted *w)
{
	const char *source = mnt_fs_get_srcpath(fs);
	struct stat st;

	if (mnt_fs_get_devno(fs) == w->rdev)
		return true;
	/* btrfs shows an anonymous number; what it was mounted from is in the source. */
	return source && source[0] == '/' && stat(source, &st) == 0 && S_ISBLK(st.st_mode) &&
	       st.st_rdev == w->rdev;
}

/* All of it: a directory of it may be bound anywhere. */
static bool is_whole(struct libmnt_fs *fs, const struct wanted *w)
{
	const char *root = mnt_fs_get_root(fs), *fstype = mnt_fs_get_fstype(fs);

	return root && fstype && !strcmp(root, "/") && !strcmp(fstype, w->fstype);
}

static int find(bool (*match)(struct libmnt_fs *, const struct wanted *), const struct wanted *w,
		struct mount_info *ret)
{
	_cleanup_(unref_table) struct libmnt_table *table =
		mnt_new_table_from_file("/proc/self/mountinfo");
	/* Backward: what was mounted last over a place is what one sees there. */
	_cleanup_(free_iter) struct libmnt_iter *it = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *fs;

	if (!table || !it)
		return errno ? -errno : -EIO;
	while (mnt_table_next_fs(table, it, &fs) == 0) {
		const char *source = mnt_fs_get_source(fs), *fstype = mnt_fs_get_fstype(fs);

		if (!match(fs, w))
			continue;
		ret->dev = mnt_fs_get_devno(fs);
		if (path_set(ret->target, sizeof(ret->target), "%s", mnt_fs_get_target(fs)) < 0 ||
		    path_set(ret->source, sizeof(ret->source), "%s", source ? source : "") < 0 ||
		    path_set(ret->fstype, sizeof(ret->fstype), "%s", fstype ? fstype : "") < 0)
			return -ENAMETOOLONG;
		return 0;
	}
	return -ENOENT;
}

int mount_at(const char *mountpoint, struct mount_info *ret)
{
	return find(at_point, &(struct wanted){ .mountpoint = mountpoint }, ret);
}

int mount_of(int fd, struct mount_info *ret)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
		return -errno;
	if (!(stx.stx_mask & STATX_MNT_ID))
		return -EOPNOTSUPP;
	return find(has_id, &(struct wanted){ .id = (int)stx.stx_mnt_id }, ret);
}

int mount_of_device(dev_t rdev, struct mount_info *ret)
{
	return find(on_device, &(struct wanted){ .rdev = rdev }, ret);
}

bool mounted_with(const char *path, const char *option)
{
	_cleanup_(unref_table) struct libmnt_table *table =
		mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_fs *fs =
		table ? mnt_table_find_mountpoint(table, path, MNT_ITER_BACKWARD) : NULL;

	char *value;
	size_t len;

	return fs && mnt_fs_get_option(fs, option, &value, &len) == 0;
}

void mount_options(const char *mountpoint, char *buf, size_t size)
{
	_cleanup_(unref_table) struct libmnt_table *table =
		mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_fs *fs =
		table ? mnt_table_find_mountpoint(table, mountpoint, MNT_ITER_BACKWARD) : NULL;
	const char *options = fs ? mnt_fs_get_options(fs) : NULL;

	snprintf(buf, size, "%s", options ? options : "");
}

int mount_detached(const char *fstype)
{
	_cleanup_close_ int context = fsopen(fstype, FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? -errno : fd;
}

/* What is mounted at @place, if that is it and not something over it. */
static int clone_at(const char *place, long magic)
{
	_cleanup_close_ int fd = open_tree(AT_FDCWD, place, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	struct statfs st;

	if (fd < 0 || fstatfs(fd, &st) < 0)
		return -errno;
	if (st.f_type != magic)
		return -ENOENT;
	/* Not before Linux 5.12: it is then as writable as the one that it is a clone of. */
	mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	return take_fd(&fd);
}

int mount_clone(const char *fstype, long magic, const char *usual_place)
{
	struct mount_info m;
	int r, fd = clone_at(usual_place, magic);

	if (fd >= 0)
		return fd;
	r = find(is_whole, &(struct wanted){ .fstype = fstype }, &m);
	return r < 0 ? r : clone_at(m.target, magic);
}

int umount_wait(const char *mountpoint, u64 limit_ns)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	u64 end_ns = now_ns() + limit_ns;

	while (umount2(mountpoint, UMOUNT_NOFOLLOW) < 0) {
		if (errno != EBUSY || now_ns() >= end_ns)
			return -errno;
		nanosleep(&pause, NULL);
	}
	change("unmounted", mountpoint);
	return 0;
}
