/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the machine one run at a time may have: knobs of the kernel that are one for all. It is
 * held by flock(2) on a directory of the kernel's, and so by whoever has that open file: by this
 * process, its children, and the janitor, who may still be putting back when the others are dead.
 */
#ifndef STRESSD_CLAIM_H
#define STRESSD_CLAIM_H

#include "base/base.h"

#define CLAIMS_MAX 8

/* Hold what @dir_fd is, which is this room's from now on: alone, or beside others that do not want
 * it alone. 0 or -errno; -EBUSY: somebody else holds it. */
int claim_take(int dir_fd, bool alone);
/* The descriptors that keep it, for who closes all others. At most CLAIMS_MAX. */
size_t claim_fds(const int **ret);
/* This process lets go of all. */
void claim_drop(void);

#endif
