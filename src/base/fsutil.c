// SPDX-License-Identifier: GPL-2.0-or-later
/* Files and directories as the rest of stressd needs them. Everything here is plain system calls
 * with their partial results handled; no policy about which paths are good. */
#include "base/fsutil.h"
#include "base/cleanup.h"
#include "base/step.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define RM_DEPTH_MAX 128

int path_set(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		return 0;
	buf[0] = '\0';
	return -ENAMETOOLONG;
}

int read_fd(int fd, size_t max_bytes, char **ret, size_t *ret_len)
{
	_cleanup_free_ char *buf = NULL;
	size_t len = 0, size = 0;

	for (;;) {
		ssize_t n;

		/* One byte more than allowed is asked for, so that "too big" is seen. */
		if (len + 1 >= size) {
			char *bigger = realloc(buf, size = size ? size * 2 : 4096);

			if (!bigger)
				return -ENOMEM;
			buf = bigger;
		}
		n = read(fd, buf + len, size - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max_bytes)
			return -EFBIG;
	}
	buf[len] = '\0';
	if (ret_len)
		*ret_len = len;
	*ret = take_ptr(buf);
	return 0;
}

int read_file(const char *path, size_t max_bytes, char **ret, size_t *ret_len)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_fd(fd, max_bytes, ret, ret_len);
}

int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int pwrite_all(int fd, const void *buf, size_t len, u64 offset)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
		offset += (u64)n;
	}
	return 0;
}

int fsync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[FSUTIL_PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (!slash)
		r = path_set(dir, sizeof(dir), ".");
	else
		r = path_set(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path),
			     path);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: a filesystem without anything to sync for a directory. (fsync(2)) */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int fill_and_sync(const char *path, const void *data, size_t len, mode_t mode)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, data, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

int create_allocated(const char *path, u64 len, int *ret_fd)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = -posix_fallocate(fd, 0, (off_t)len);
	if (r < 0)
		unlink(path);
	else
		*ret_fd = take_fd(&fd);
	return r;
}

int write_file_atomic(const char *path, const void *data, size_t len, mode_t mode)
{
	char tmp[FSUTIL_PATH_MAX];
	int r = path_set(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid());

	if (r < 0)
		return r;
	r = fill_and_sync(tmp, data, len, mode);
	if (r == 0 && rename(tmp, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(tmp);
		return r;
	}
	return fsync_parent(path);
}

int attr_read(const char *path, char *buf, size_t size)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = read_file(path, size - 1, &text, &len);

	if (r < 0)
		return r;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	memcpy(buf, text, len + 1);
	return 0;
}

int attr_write(const char *path, const char *value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, value, len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	change("wrote", path);
	return (size_t)n == len ? 0 : -EIO;
}

static int mkdir_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int mkdir_p(const char *path, mode_t mode)
{
	char buf[FSUTIL_PATH_MAX];
	int r = path_set(buf, sizeof(buf), "%s", path);

	if (r < 0)
		return r;
	if (!*buf)
		return -ENOENT;
	for (char *p = strchr(buf + 1, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		*p = '\0';
		r = mkdir_one(buf, mode);
		*p = '/';
	}
	return r < 0 ? r : mkdir_one(buf, mode);
}

static int rm_tree_at(int dirfd, const char *name, int depth);

static int rm_children(int fd, int depth)
{
	_cleanup_closedir_ DIR *dir = fdopendir(fd);
	struct dirent *de;

	if (!dir) {
		close(fd);
		return -errno;
	}
	while (errno = 0, (de = readdir(dir))) {
		int r;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		r = rm_tree_at(dirfd(dir), de->d_name, depth + 1);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return -errno;
}

/* RESOLVE_NO_XDEV also stops at a bind mount of the same filesystem, which st_dev would not. */
static int rm_tree_at(int dirfd, const char *name, int depth)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	int fd, r;

	if (depth > RM_DEPTH_MAX)
		return -ELOOP;
	if (unlinkat(dirfd, name, 0) == 0)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	r = rm_children(fd, depth);
	if (r < 0)
		return r;
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int rm_rf_at(int dirfd, const char *name)
{
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	return rm_tree_at(dirfd, name, 0);
}

int rm_rf(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[FSUTIL_PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	/* Two components at least: a slip in a caller must not reach a child of "/". */
	if (path[0] != '/' || slash == path)
		return -EINVAL;
	r = path_set(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : rm_rf_at(fd, slash + 1);
}
