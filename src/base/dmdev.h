/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device-mapper devices by libdevmapper, in the steps that a journal needs: named, (recorded,)
 * made, given another table while they are in use, removed if they are still the ones that were
 * made. A table is text as of dmsetup(8): "START LENGTH TYPE PARAMETERS" in sectors, a line a
 * target. udev is not waited for: the node is the kernel's own /dev/dm-N, which is there when the
 * device is. Knows no journal, target or fault. (Documentation/admin-guide/device-mapper/)
 */
#ifndef STRESSD_DMDEV_H
#define STRESSD_DMDEV_H

#include "base/base.h"

#define DMDEV_ID_MAX	96 /* a name or a UUID */
#define DMDEV_NODE_MAX	32
#define DMDEV_TABLE_MAX 512

/* Is there device-mapper, and its target type @type, maybe as a module that is loaded by this?
 * 0, -EACCES without rights, -ENODEV: no device-mapper, -EOPNOTSUPP: no such type. */
int dmdev_have(const char *type);
/* Make device @name with @uuid and @table; @node gets its /dev/dm-N. 0 or -errno; -EBUSY: the name
 * is taken. Killed half-way it may be there without a table. */
int dmdev_create(const char *name, const char *uuid, const char *table, char node[DMDEV_NODE_MAX]);
/* Is there a device @name with that @uuid? */
bool dmdev_is(const char *name, const char *uuid);
/* Give it another table of the same length. One ioctl suspends, swaps and resumes (the filesystem
 * on it is not frozen), so that a killed process never leaves it suspended. What is in flight ends
 * by the old table. 0 or -errno; it then has the table that it had. */
int dmdev_reload(const char *name, const char *table);
/* The live table in *ret, and what each target says of its state with @status: as of dmsetup(8).
 * 0 or -errno. */
int dmdev_table(const char *name, bool status, char *buf, size_t size);
/* Send @text to its target at sector 0. 0 or -errno. */
int dmdev_message(const char *name, const char *text);
/* Remove it if it has that @uuid, and wait at most @limit_ns until nobody holds it. 0, also when it
 * was not there; -EBUSY: it is held still, and the kernel removes it with its
 * last user. (dmsetup(8), --deferred) */
int dmdev_remove(const char *name, const char *uuid, u64 limit_ns);

#endif
