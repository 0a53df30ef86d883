/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filesystems that stressd makes itself: how each is made and checked, one row each. Knows
 * programs, not targets.
 */
#ifndef STRESSD_FSTYPE_H
#define STRESSD_FSTYPE_H

#include "base/base.h"

#define FSTYPE_ARGS 6

enum fstype { FSTYPE_XFS, FSTYPE_EXT4, FSTYPE_BTRFS, FSTYPES };

extern const char *const fstype_names[];   /* in order, NULL-terminated: OPT_ENUM choices */
extern const char *const fstype_kconfig[]; /* likewise: what a kernel needs for each */

struct fstype_info {
	u64 size_min_bytes;
	const char *package; /* that brings mkfs and the checker */
	const char *mkfs[FSTYPE_ARGS], *fsck[FSTYPE_ARGS];
	int fsck_failed; /* exit bits: the checker could not do its work */
};
extern const struct fstype_info fstype_infos[FSTYPES];

int fstype_by_name(const char *name);
/* The kernel has filesystem @name, or a module for it. 0 or -ENODEV with text. */
int fstype_in_kernel(const char *name, struct err *e);
/* Kernel and programs for @fs are here. 0 or -ENODEV/-ENOENT with the cure. */
int fstype_probe(int fs, struct err *e);
/* Make @fs on the block device @dev; @extra are the user's arguments (NULL for none). Blocks are
 * never discarded: a prefill stays, and space that an image was given is not given back. */
int fstype_make(int fs, const char *dev, char *const extra[], struct err *e);
/* Check @fs on @dev without writing. 0 clean, 1 complaints, -errno; *ret_text is what it said. */
int fstype_check(int fs, const char *dev, char **ret_text, struct err *e);

#endif
