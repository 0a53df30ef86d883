/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezing a filesystem and thawing it again, also from outside of the mount namespace that it is
 * mounted in: a frozen filesystem outlives its last mount. (ioctl_fifreeze(2)) No journal here.
 */
#ifndef STRESSD_FREEZE_H
#define STRESSD_FREEZE_H

#include "base/base.h"

/* Freeze what is mounted at @root: waits for writers, syncs. 0 or -errno; -EBUSY: frozen already.
 */
int fs_freeze(const char *root);
/* Thaw what is mounted at @root. 0 too when it was not frozen. */
int fs_thaw(const char *root);
/* Thaw the filesystem of type @fstype on block device @device, mounted anywhere or nowhere by now:
 * a second mount of the same device is the same filesystem. 0 too when nothing holds the device. */
int fs_thaw_device(const char *device, const char *fstype);

#endif
