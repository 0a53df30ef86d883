/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults: errors that the kernel is made to return. One file per type, listed in faults.def. */
#ifndef STRESSD_FAULT_H
#define STRESSD_FAULT_H

#include "base/base.h"
#include "base/option.h"

struct fault_type {
	const char *name, *help;
	const struct opt_def *options;
	size_t options_size;
	const char *kconfig; /* that its kernel must have, as in vm/needs.h; NULL: nothing more */
};

extern const struct fault_type *const fault_types[]; /* NULL-terminated */
const struct fault_type *fault_type_by_name(const char *name);

#endif
