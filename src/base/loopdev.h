/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop devices by ioctl, in the steps that a journal needs: find a free one, (record it,) bind
 * it, and later unbind it if it still backs what it did. (loop(4)) Knows no journal and no target.
 */
#ifndef STRESSD_LOOPDEV_H
#define STRESSD_LOOPDEV_H

#include "base/base.h"

#define LOOP_NAME_MAX 32

/* Name of a loop device that is free now. Nothing is reserved: loop_bind() may find it taken.
 * 0 or -errno; -ENOENT without the loop driver, -EACCES/-EPERM without rights. */
int loop_find_free(char dev[LOOP_NAME_MAX]);
/*
 * Bind @backing_fd, its first @len bytes (0: all), to @dev: read-write, and cleared by the kernel
 * when its last opener closes it (LO_FLAGS_AUTOCLEAR). With @direct past the page cache of the
 * backing filesystem where that allows it; without, that cache is the device's, which a flush
 * writes out. 0 with the open device in *ret_fd, or -errno; -EBUSY: another program was faster,
 * find again.
 */
int loop_bind(const char *dev, int backing_fd, u64 len, bool direct, int *ret_fd);
/* The loop device that backs its blocks with the file @backing; -ENOENT when none does. */
int loop_find_backed(const char *backing, char dev[LOOP_NAME_MAX]);
/* Is @dev bound to the file @backing? False too when there is no such device. */
bool loop_backed_by(const char *dev, const char *backing);
/* Unbind @dev if @backing backs it, and wait at most @limit_ns until it is free: openers and
 * mounts hold it. 0 or -errno; -EBUSY when it did not become free. */
int loop_unbind(const char *dev, const char *backing, u64 limit_ns);

#endif
