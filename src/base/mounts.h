/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is mounted where, as this process sees it, and unmounting with patience. Reads
 * /proc/self/mountinfo through libmount. Knows no journal and no target.
 */
#ifndef STRESSD_MOUNTS_H
#define STRESSD_MOUNTS_H

#include "base/base.h"

#include <sys/types.h>

struct mount_info {
	char target[4096], source[4096], fstype[32];
	dev_t dev; /* of the superblock; anonymous for btrfs and the like */
};

/* The topmost mount at exactly @mountpoint; -ENOENT when there is none. */
int mount_at(const char *mountpoint, struct mount_info *ret);
/* The mount that the open file @fd lives on. (statx(2), STATX_MNT_ID) */
int mount_of(int fd, struct mount_info *ret);
/* A mount of block device @rdev (by superblock, or by the device that its source names). */
int mount_of_device(dev_t rdev, struct mount_info *ret);

/* Is the filesystem that holds @path mounted with option @option (like "nodelalloc")? */
bool mounted_with(const char *path, const char *option);

/* Its options, those of the mount and those of the filesystem, with commas; "" when there is no
 * mount at @mountpoint. Cut where @size ends. */
void mount_options(const char *mountpoint, char *buf, size_t size);

/* A filesystem of the kernel's, like debugfs, that is mounted nowhere: an open directory, or
 * -errno. It goes with its last open file. (fsopen(2), fsmount(2)) */
int mount_detached(const char *fstype);

/* The same of one that is mounted somewhere, without touching its superblock: a new mount of a
 * filesystem that is there once for all, as debugfs is, may give the superblock new flags, and so
 * make a read-only one writable for everybody. Looked for at @usual_place first; @magic is of
 * <linux/magic.h>. Writable as far as the superblock is. -ENOENT: mounted nowhere that we see.
 * (open_tree(2), mount_setattr(2)) */
int mount_clone(const char *fstype, long magic, const char *usual_place);

/* Unmount @mountpoint; -EBUSY is tried again until @limit_ns is over. A symbolic link at the end
 * is not followed. 0 or -errno. (umount(2)) */
int umount_wait(const char *mountpoint, u64 limit_ns);

#endif
