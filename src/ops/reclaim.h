/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Proactive reclaim of the own cgroup's memory. (Documentation/admin-guide/cgroup-v2.rst,
 * memory.reclaim, since 5.19) Knows no worker. */
#ifndef STRESSD_RECLAIM_H
#define STRESSD_RECLAIM_H

#include "ops/actor.h"

#define RECLAIM_PATH_MAX 4096

/* The memory.reclaim file of this process's cgroup. 0, or -errno with what is missing and what
 * would bring it in @e. */
int reclaim_find(char *buf, size_t size, struct err *e);
/* Ask for @bytes. 0 or -errno; that less could be reclaimed (EAGAIN) is no error. */
int op_reclaim(struct actor *a, u64 bytes);

#endif
