/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices of null_blk by configfs, in the steps that a journal needs: named, (recorded,)
 * made, changed while they are in use, removed. configfs need not be mounted anywhere.
 * (Documentation/block/null_blk.rst)
 */
#ifndef STRESSD_NULLBLK_H
#define STRESSD_NULLBLK_H

#include "base/base.h"

#define NULLBLK_NAME_MAX 32 /* of a disk: DISK_NAME_LEN */

struct nullblk_attr {
	const char *name;
	u64 value;
};

/* Is the driver here, with configfs, and may we use it? 0; -EACCES; -ENODEV. */
int nullblk_have(void);
/* Make device @name with @attrs (ended by one without a name) and power it on; @node gets its node.
 * 0 or -errno; what was made on failure is for nullblk_remove(). */
int nullblk_create(const char *name, const struct nullblk_attr *attrs, char *node, size_t size);
/* Write @text to its attribute @attr. 0 or -errno. */
int nullblk_write(const char *name, const char *attr, const char *text);
int nullblk_read(const char *name, const char *attr, char *buf, size_t size);
/* With all that it holds. 0, also when there is none. */
int nullblk_remove(const char *name);

#endif
