/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's first files: a cpio archive in the "newc" format that the kernel unpacks, with this
 * very program as /init. Knows the format and the own process; nothing of QEMU.
 * (Documentation/driver-api/early-userspace/buffer-format.rst)
 */
#ifndef STRESSD_VM_INITRAMFS_H
#define STRESSD_VM_INITRAMFS_H

#include "base/base.h"

#include <sys/types.h>

struct cpio {
	int fd; /* not owned */
	u32 ino;
	u64 at;	   /* bytes written */
	int error; /* the first -errno: later calls do nothing */
};

/* Each adds one entry; @path is absolute. Parents that are not there yet are the caller's. */
void cpio_dir(struct cpio *c, const char *path);
void cpio_data(struct cpio *c, const char *path, mode_t mode, const void *data, size_t len);
void cpio_node(struct cpio *c, const char *path, mode_t mode, u32 major, u32 minor);
/* The bytes of file @source, and the directories that lead to @path. */
void cpio_copy(struct cpio *c, const char *path, mode_t mode, const char *source);
/* End of archive. 0, or the first error of any call. */
int cpio_end(struct cpio *c);

/* Directories of a new root, /dev/console, this program as /init, and every shared object that it
 * is linked to where its loader looks for it. (dl_iterate_phdr(3)) */
void cpio_self(struct cpio *c);

#endif
