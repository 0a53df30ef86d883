/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be there before a guest is worth starting: QEMU, new enough, and memory. */
#ifndef STRESSD_VM_HOST_H
#define STRESSD_VM_HOST_H

#include "vm/vm.h"

/* 0; -EOPNOTSUPP with what is missing and what would bring it in @e. */
int host_check(const struct vm_options *o, struct err *e);

#endif
