/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of guests share: the kernel to boot, and looking at a `stressd vm` that runs. */
#ifndef STRESSD_VMTEST_H
#define STRESSD_VMTEST_H

#include "e2e.h"

#define LIMIT_S 150.0

extern char vm_kernel[4096];

/* Skip without it: a kernel ($STRESSD_LAB_KERNEL, or a lab kernel beside the checkout), QEMU, root.
 * Sets vm_kernel. */
bool can_run_guests(void);
/* The QEMU that @parent started; 0: not yet. */
pid_t child_of(pid_t parent);
/* Workers are at work in the guest: `stressd vm` said so. @ctx: struct e2e. */
bool operates(void *ctx);

#endif
