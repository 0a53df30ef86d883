/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel image as the boot protocol describes it, looked at before anything is started: is it
 * one, is it whole, which release. (Documentation/arch/x86/boot.rst)
 */
#ifndef STRESSD_VM_KERNEL_H
#define STRESSD_VM_KERNEL_H

#include "base/base.h"

struct kernel_image {
	char release[96]; /* "6.1.192-lab", as modules are filed under; "" where it does not say */
	u64 payload_at, payload_bytes; /* the compressed kernel proper; 0: does not say */
};

/* 0, or -errno with one line in @e: -ENOENT and the like; -ENOEXEC: no kernel, or a part of one. */
int kernel_look(const char *path, struct kernel_image *ret, struct err *e);

#endif
