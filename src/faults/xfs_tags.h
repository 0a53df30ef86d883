/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers in /sys/fs/xfs/DEVICE/errortag: one for each point at which a debug XFS can be told
 * to do something else. What a number means is the fault's. (Documentation/admin-guide/xfs.rst)
 */
#ifndef STRESSD_FAULT_XFS_TAGS_H
#define STRESSD_FAULT_XFS_TAGS_H

#include "faults/fault.h"

#define XFS_TAGS_KCONFIG "XFS_DEBUG"

/* The state of such a fault, or its first member. */
struct xfs_tags_state {
	char dir[128];
};

/* fault_type.probe: is it XFS, and one with tags? Which ones, only a mounted one tells. */
int xfs_tags_probe(const struct fault *f, struct err *e);
/* First thing in fault_type.save. */
int xfs_tags_find(struct fault *f, struct err *e);
/* Of @tags, which end with NULL. Into the journal; -ENOENT with @needs in @e: this kernel lacks
 * one. */
int xfs_tags_save(struct fault *f, const char *const *tags, const char *needs, struct err *e);
/* All of them, also after one that would not; the first error. */
int xfs_tags_set(const struct fault *f, const char *const *tags, u64 value, struct err *e);
bool xfs_tags_any_set(const struct fault *f, const char *const *tags);
/* Is its number a time to wait, and no chance to fail? (fs/xfs/libxfs/xfs_errortag.h) */
bool xfs_tag_is_delay(const char *tag);

#endif
