/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option tables: what a worker, target or fault can be told, declared once. The scenario parser,
 * `stressd list`, the JSON schema, --help and the tests all read the same table; no room parses
 * its options by hand. A value is decoded into the owner's own struct at @offset.
 */
#ifndef STRESSD_OPTION_H
#define STRESSD_OPTION_H

#include "base/base.h"

enum opt_type {
	OPT_END,
	OPT_BOOL,	/* bool          JSON true/false */
	OPT_COUNT,	/* u64           JSON integer */
	OPT_SIZE,	/* u64, bytes    JSON integer or "64K" */
	OPT_TIME,	/* u64, ns       JSON string "5ms" */
	OPT_COUNT_RANGE,/* struct range  JSON integer or "a..b" */
	OPT_SIZE_RANGE, /* struct range */
	OPT_TIME_RANGE, /* struct range */
	OPT_PERCENT,	/* u64, 0..100   JSON integer */
	OPT_ENUM,	/* int, index into @choices; JSON string */
	OPT_ENUM_SET,	/* u64, bit i for choices[i]; JSON array of strings */
	OPT_STRING,	/* char *, owned by the option block; JSON string */
	OPT_STRINGS,	/* char **, NULL-terminated, owned by the option block; JSON array of strings */
	OPT_WEIGHTS,	/* u64[number of choices]; JSON object {choice: integer} */
};

/* All bounds and defaults are written as a scenario writes them: one notation to read. */
struct opt_def {
	const char *name;
	enum opt_type type;
	size_t offset;		    /* of the value in the owner's option struct */
	const char *def;	    /* default; NULL: required (OPT_STRING: NULL pointer if absent) */
	const char *min, *max;	    /* inclusive; NULL: no bound of its own */
	const char *const *choices; /* OPT_ENUM, OPT_ENUM_SET, OPT_WEIGHTS; NULL-terminated */
	bool required;
	const char *help; /* one line, lower case, no full stop */
};

/* OPT(struct, field, OPT_SIZE, .def = "64K", .min = "1", .max = "16M", .help = "...").
 * Default of OPT_BOOL: "true"/"false"; of OPT_ENUM: the choice; of OPT_ENUM_SET and OPT_STRINGS:
 * a comma list ("a,b", "" for none); of OPT_WEIGHTS: one number for every choice. */
#define OPT(st, field, ty, ...)                                                                    \
	{                                                                                          \
		.name = #field, .type = (ty), .offset = offsetof(st, field), __VA_ARGS__           \
	}

#define opt_foreach(o, table) for (const struct opt_def *o = (table); o && o->type != OPT_END; o++)

#endif
