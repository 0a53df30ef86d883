/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine must have before a guest is worth starting: QEMU, new enough, and memory.
 */
#ifndef STRESSD_VM_HOST_H
#define STRESSD_VM_HOST_H

#include "base/base.h"

/* 0, or -EOPNOTSUPP with what is missing and what would bring it in @e. */
int host_check(u64 memory_bytes, struct err *e);

#endif
