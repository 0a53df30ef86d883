/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk of the driver scsi_debug, in the steps that a journal needs: the driver loaded where it
 * is a module, (recorded,) its disk made, and both taken away. The driver's settings are one set
 * for all of its disks, and their contents one memory: so it is used alone or not at all. Its size
 * is decided when it is loaded, or by the kernel's command line. (drivers/scsi/scsi_debug.c)
 */
#ifndef STRESSD_SCSIDEBUG_H
#define STRESSD_SCSIDEBUG_H

#include "base/base.h"

#define SCSIDEBUG_DRIVER     "/sys/bus/pseudo/drivers/scsi_debug"
#define SCSIDEBUG_PARAMETERS "/sys/module/scsi_debug/parameters"
/* For a kernel's command line, with a number of MiB behind it: no disk at first, and commands that
 * take ten microseconds where they take a jiffy each, and a flush fifty milliseconds. */
#define SCSIDEBUG_BOOT "scsi_debug.add_host=0 scsi_debug.ndelay=10000 scsi_debug.dev_size_mb="

enum scsidebug_state {
	SCSIDEBUG_ABSENT,
	SCSIDEBUG_LOADABLE, /* as a module, which is not loaded */
	SCSIDEBUG_FAILED,   /* built in, and did not come up: it takes all of its memory at once */
	SCSIDEBUG_THERE,
};

enum scsidebug_state scsidebug_state(void);
/* Hosts that it has, each with a disk; or -errno. */
int scsidebug_hosts(void);
/* Bytes of its disks. 0 when it cannot be asked. */
u64 scsidebug_size(void);
/* Load it for disks of so many MiB, with no disk yet. 0, or -errno with the reason in @e. */
int scsidebug_load(u64 size_mib, struct err *e);
/* Unload it. 0, also when it is not there; -EBUSY while it is used. */
int scsidebug_unload(void);
/* Make a disk, the only one; @node gets its /dev/sdX. 0 or -errno; -EBUSY: there is one already.
 * What was made on failure is for scsidebug_remove(). */
int scsidebug_add(char *node, size_t size);
/* Take its only disk away. 0, also when there is none; -EBUSY: it is in use, or there are others,
 * which nobody but their makers can tell from ours. */
int scsidebug_remove(void);
/* "H:C:T:L" of the disk /dev/sdX. 0 or -errno. */
int scsidebug_address(const char *node, char *buf, size_t size);

#endif
