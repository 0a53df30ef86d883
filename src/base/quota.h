/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of one id on the filesystem of a block device, of whichever kind of filesystem, from any
 * mount namespace. Sizes are bytes; the kernel keeps limits in KiB. (quotactl(2)) No journal here.
 */
#ifndef STRESSD_QUOTA_H
#define STRESSD_QUOTA_H

#include "base/base.h"

enum quota_kind { QUOTA_USER, QUOTA_GROUP, QUOTA_PROJECT, QUOTA_KINDS };

struct quota_limits {
	u64 hard_bytes, soft_bytes; /* 0: none */
	u64 used_bytes;		    /* not set */
};

/* Does this kernel have quotas at all? */
bool quota_in_kernel(void);
/* Are limits of this kind enforced on @device, and not only counted? (Q_XGETQSTAT) */
bool quota_enforced(const char *device, enum quota_kind kind);
/* 0 or -errno; -ESRCH: quotas of this kind are not on; -ENODEV: no filesystem on @device. */
int quota_get(const char *device, enum quota_kind kind, u32 id, struct quota_limits *ret);
int quota_set(const char *device, enum quota_kind kind, u32 id, const struct quota_limits *limits);
/* Seconds that a use above the soft limit is suffered, for all ids of the kind. 0 or -errno. */
int quota_get_grace(const char *device, enum quota_kind kind, u64 *ret_s);
int quota_set_grace(const char *device, enum quota_kind kind, u64 grace_s);

#endif
