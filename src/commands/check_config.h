/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stressd vm --check-config: for vm.c only, whose options these are. */
#ifndef STRESSD_CHECK_CONFIG_H
#define STRESSD_CHECK_CONFIG_H

#include "vm/vm.h"

struct check_config {
	const char *path; /* configuration or kernel; NULL: not asked for */
	bool fragment, json;
};

/* Print what the guest of @o and its scenarios need of the kernel in @c and whether it is there.
 * Returns the exit status. */
int check_config(const struct check_config *c, const struct vm_options *o);

#endif
