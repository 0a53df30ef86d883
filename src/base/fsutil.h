/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small files and directories: read whole, written so that a crash leaves old or new, sysfs
 * attributes, mkdir -p, and removal that never follows a link nor crosses a mount. Knows no
 * target, journal or scenario.
 */
#ifndef STRESSD_FSUTIL_H
#define STRESSD_FSUTIL_H

#include "base/base.h"

#include <sys/types.h>

#define FSUTIL_PATH_MAX 4096

/* Format a path into @buf. 0 or -ENAMETOOLONG; @buf then holds "". */
int path_set(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Read a whole file, at most @max_bytes (-EFBIG beyond). *ret is NUL-terminated and owned by the
 * caller; @ret_len (may be NULL) has its length without the NUL. Works on /proc and /sys, whose
 * files say size 0. Returns 0 or -errno. */
int read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_len);
int read_fd(int fd, size_t max_bytes, char **ret, size_t *ret_len);

/* Write all of @buf, whatever write(2) takes at a time. 0 or -errno; -EIO when it takes nothing. */
int write_all(int fd, const void *buf, size_t len);
int pwrite_all(int fd, const void *buf, size_t len, u64 offset);

/* Make the file @path, which must not be there, @len bytes long with all its space allocated: a
 * store into a mapping finds a full disk by SIGBUS. 0 with *ret_fd (O_RDWR), owned by the caller,
 * or -errno; no file is left then. (posix_fallocate(3)) */
int create_allocated(const char *path, u64 len, int *ret_fd);

/* Replace @path by a file with these bytes: temporary beside it, fsync, rename, fsync of the
 * directory. A crash leaves the old file or the new one. 0 or -errno. */
int write_file_atomic(const char *path, const void *data, size_t len, mode_t mode);

/* One value of /proc/sys, /sys, cgroupfs: without its trailing newline. 0, -errno, or -EFBIG. */
int attr_read(const char *path, char *buf, size_t size);
/* In one write(2), as those files demand; never creates. 0 or -errno. */
int attr_write(const char *path, const char *value);

/* Make @path and its parents. An existing directory is success. 0 or -errno. */
int mkdir_p(const char *path, mode_t mode);
/* fsync the directory that holds @path, so that its name is on disk. (fsync(2)) */
int fsync_parent(const char *path);

/* Remove @name, a single component below @dirfd, and everything in it. Symbolic links are removed
 * and not followed; -EXDEV at a mount point, -ENOENT when there is no such name. */
int rm_rf_at(int dirfd, const char *name);
/* The same for an absolute path of at least two components; -EINVAL otherwise. */
int rm_rf(const char *path);

#endif
