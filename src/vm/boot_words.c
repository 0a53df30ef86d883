// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that is built in is told at boot what a module is told when it is loaded. */
#include "vm/boot_words.h"

#include "base/fsutil.h"
#include "target/target.h"

#include <string.h>

static u64 largest(const struct vm_options *o, const struct target_type *type)
{
	u64 number = 0;

	for (size_t i = 0; i < o->nscenarios; i++)
		if (o->scenarios[i]->target.type == type)
			number = MAX(number, type->boot_number(o->scenarios[i]->target.options));
	return number;
}

int boot_words(const struct vm_options *o, char *buf, size_t size)
{
	int r = 0;

	buf[0] = '\0';
	for (const struct target_type *const *t = target_types; *t && r == 0; t++) {
		u64 number = (*t)->boot_words ? largest(o, *t) : 0;
		size_t at = strlen(buf);

		if (number)
			r = path_set(buf + at, size - at, " %s%llu", (*t)->boot_words,
				     (unsigned long long)number);
	}
	return r;
}
