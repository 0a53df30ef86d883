/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of guests share: the kernel to boot, and looking at a `stressd vm` that runs. */
#ifndef STRESSD_VMTEST_H
#define STRESSD_VMTEST_H

#include "e2e.h"

#define LIMIT_S	    150.0
#define VM_ROWS_MAX 5

extern char vm_kernel[4096];

/* Skip without it: a kernel ($STRESSD_LAB_KERNEL, or a lab kernel beside the checkout), QEMU, root.
 * Sets vm_kernel. */
bool can_run_guests(void);
/* The same with $STRESSD_NEW_KERNEL, one that is newer than the lab's (docs/TESTING.md). */
bool can_run_new_kernel(void);
/* `stressd vm` with the scenarios of @rows, NULL-terminated, in a run directory "run" that is made
 * anew, to its end; skips where the kernel was not built for them. */
void vm_boot(struct e2e *r, const char *kernel, const char *append, const char *const rows[],
	     double limit_s);
/* The result of a row ("/1"; "" for the only one), which ended so. Owned. */
json_t *vm_assert_verdict(const struct e2e *r, const char *row, const char *verdict);
/* It passed, and its first fault injected something; @told: and somebody was told. */
void vm_assert_faulty(const struct e2e *r, const char *row, bool told);
/* The QEMU that @parent started; 0: not yet. */
pid_t child_of(pid_t parent);
/* Workers are at work in the guest: `stressd vm` said so. @ctx: struct e2e. */
bool operates(void *ctx);

#endif
