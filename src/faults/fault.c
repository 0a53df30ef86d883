// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of faults, from faults.def. */
#include "faults/fault.h"

#include <string.h>

#define X(name) extern const struct fault_type fault_##name;
#include "faults/faults.def"
#undef X

const struct fault_type *const fault_types[] = {
#define X(name) &fault_##name,
#include "faults/faults.def"
#undef X
	NULL,
};

const struct fault_type *fault_type_by_name(const char *name)
{
	for (const struct fault_type *const *t = fault_types; *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}
