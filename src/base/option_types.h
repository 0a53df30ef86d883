/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the option types have in common, shared by the decoder and by what describes options
 * (lists, schema). For option*.c only.
 */
#ifndef STRESSD_OPTION_TYPES_H
#define STRESSD_OPTION_TYPES_H

#include "base/option.h"

struct opt_type_info {
	const char *name;		   /* in lists */
	const char *expects;		   /* in messages, before the bounds */
	int (*parse)(const char *, u64 *); /* of one number as text; NULL: not a number */
	bool range;			   /* the value is a struct range */
	bool integers;			   /* JSON integers are taken */
	const char *pattern;		   /* JSON strings are taken; their pattern in the schema */
	const char *min, *max;		   /* where the option has no bounds of its own */
};
extern const struct opt_type_info opt_types[OPT_TYPES];

static inline bool option_is_required(const struct opt_def *o)
{
	return o->required || (!o->def && o->type != OPT_STRING && o->type != OPT_JSON);
}

/* Bounds of the option or its type as numbers; false where there is none. */
bool option_min(const struct opt_def *o, u64 *ret);
bool option_max(const struct opt_def *o, u64 *ret);
/* The default as the JSON that a scenario would have. NULL: none, or out of memory, which
 * option_has_default() tells apart. New reference. */
json_t *option_default(const struct opt_def *o);
bool option_has_default(const struct opt_def *o);

#endif
