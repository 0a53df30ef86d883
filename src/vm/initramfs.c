// SPDX-License-Identifier: GPL-2.0-or-later
/* The archive: a header of hexadecimal numbers, a name and the bytes, each padded to 4. */
#include "vm/initramfs.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COPY_MAX (1 * GIB)

static void put(struct cpio *c, const void *data, size_t len)
{
	static const char zeros[4];
	size_t pad;

	if (c->error)
		return;
	c->error = write_all(c->fd, data, len);
	c->at += len;
	pad = ROUND_UP(c->at, 4) - c->at;
	if (c->error == 0 && pad)
		c->error = write_all(c->fd, zeros, pad);
	c->at += pad;
}

/* Name and header are padded as one, so they are put as one. Names have no leading slash. */
static void entry(struct cpio *c, const char *path, mode_t mode, size_t len, u32 major, u32 minor)
{
	const char *name = path + (path[0] == '/');
	char head[110 + FSUTIL_PATH_MAX];
	int n = snprintf(head, sizeof(head),
			 "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X%s", ++c->ino,
			 (u32)mode, 0, 0, S_ISDIR(mode) ? 2 : 1, 0, len, 0, 0, major, minor,
			 strlen(name) + 1, 0, name);

	if (n < 0 || (size_t)n >= sizeof(head))
		c->error = c->error ? c->error : -ENAMETOOLONG;
	else
		put(c, head, (size_t)n + 1);
}

void cpio_dir(struct cpio *c, const char *path)
{
	entry(c, path, S_IFDIR | 0755, 0, 0, 0);
}

void cpio_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len)
{
	entry(c, path, S_IFREG | mode, len, 0, 0);
	put(c, data, len);
}

void cpio_node(struct cpio *c, const char *path, mode_t mode, u32 major, u32 minor)
{
	entry(c, path, mode, 0, major, minor);
}

void cpio_copy(struct cpio *c, const char *path, mode_t mode, const char *source)
{
	_cleanup_free_ char *data = NULL;
	char dir[FSUTIL_PATH_MAX];
	size_t len = 0;
	int r = path_set(dir, sizeof(dir), "%s", path);

	if (r == 0)
		r = read_file(source, COPY_MAX, &data, &len);
	if (r < 0) {
		c->error = c->error ? c->error : r;
		return;
	}
	/* That one was there already is no error to the kernel. */
	for (char *p = dir; (p = strchr(p + 1, '/'));) {
		*p = '\0';
		cpio_dir(c, dir);
		*p = '/';
	}
	cpio_data(c, path, mode, data, len);
}

int cpio_end(struct cpio *c)
{
	entry(c, "TRAILER!!!", 0, 0, 0, 0);
	return c->error;
}

/* The program itself has no name here, and the vdso no path. */
static int add_object(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	if (info->dlpi_name && info->dlpi_name[0] == '/')
		cpio_copy(ctx, info->dlpi_name, 0755, info->dlpi_name);
	return 0;
}

void cpio_self(struct cpio *c)
{
	static const char *const dirs[] = { "/dev",	"/proc", "/sys",    "/host",
					    "/scratch", "/root", "/modules" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		cpio_dir(c, dirs[i]);
	/* The kernel opens it for PID 1 before devtmpfs is mounted. */
	cpio_node(c, "/dev/console", S_IFCHR | 0600, 5, 1);
	cpio_copy(c, "/init", 0755, "/proc/self/exe");
	dl_iterate_phdr(add_object, c);
}
