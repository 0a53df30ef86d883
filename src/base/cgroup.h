/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the unified hierarchy of control groups is, and where this process is in it. (cgroups(7))
 */
#ifndef STRESSD_CGROUP_H
#define STRESSD_CGROUP_H

#include "base/base.h"

/* Where cgroup v2 is mounted. 0, -ENOENT or -ENAMETOOLONG. */
int cgroup_root(char *buf, size_t size);
/* The directory of the cgroup that this process is in. Likewise. */
int cgroup_own(char *buf, size_t size);

#endif
