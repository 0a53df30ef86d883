/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Knobs of debugfs, wherever and whether it is mounted: each access brings up a mount of its own
 * that is attached nowhere (fsopen(2), fsmount(2)), so that a process in another mount namespace
 * finds the same knobs. Needs CAP_SYS_ADMIN; knows no fault.
 */
#ifndef STRESSD_DEBUGFS_H
#define STRESSD_DEBUGFS_H

#include "base/base.h"

/* A knob by its path below the root of debugfs, as attr_read() and attr_write(). 0 or -errno:
 * -ENODEV: this kernel has no debugfs; -ENOENT: no such knob; -EPERM: no rights, or the kernel is
 * locked down (kernel_lockdown(7)). */
int debugfs_read(const char *knob, char *buf, size_t size);
/* A list of more than a page, as read_file(): *ret is the caller's. */
int debugfs_read_all(const char *knob, size_t max_bytes, char **ret);
/* Could it be written? Nothing is. -EROFS, -EPERM, ... */
int debugfs_may_write(const char *knob);
int debugfs_write(const char *knob, const char *value);
/* The knobs of directory @dir are this run's, until claim_drop() (base/claim.h). 0 or -errno; -EBUSY:
 * another run of stressd has them. */
int debugfs_claim(const char *dir);

#endif
