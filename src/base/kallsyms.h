/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel's functions are, as /proc/kallsyms says. Knows no fault and no probe. */
#ifndef STRESSD_KALLSYMS_H
#define STRESSD_KALLSYMS_H

#include "base/base.h"

/* The addresses [*ret_start, *ret_end) of function @name, up to the next symbol. 0 or -errno:
 * -ENOENT: there is no such function (yet: its module may not be loaded); -EACCES: addresses are
 * hidden from this process (kernel.kptr_restrict, CAP_SYSLOG). */
int kallsyms_range(const char *name, u64 *ret_start, u64 *ret_end);
/* The same of a file in that form. */
int kallsyms_range_in(const char *path, const char *name, u64 *ret_start, u64 *ret_end);

#endif
