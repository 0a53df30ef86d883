/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option tables: what a worker, target or fault can be told, declared once. The scenario parser,
 * `stressd list`, the JSON schema, --help and the tests all read the same table; no room parses
 * its options by hand. A value is decoded into the owner's own struct at @offset.
 */
#ifndef STRESSD_OPTION_H
#define STRESSD_OPTION_H

#include "base/base.h"
#include "base/json_at.h"

#include <stdio.h>

enum opt_type {
	OPT_END,
	OPT_BOOL,	 /* bool          JSON true/false */
	OPT_COUNT,	 /* u64           JSON integer */
	OPT_SIZE,	 /* u64, bytes    JSON integer or "64K" */
	OPT_TIME,	 /* u64, ns       JSON string "5ms" */
	OPT_COUNT_RANGE, /* struct range  JSON integer or "a..b" */
	OPT_SIZE_RANGE,	 /* struct range */
	OPT_TIME_RANGE,	 /* struct range */
	OPT_PERCENT,	 /* u64, 0..100   JSON integer */
	OPT_ENUM,	 /* int, index into @choices; JSON string */
	OPT_ENUM_SET,	 /* u64, bit i for choices[i]; JSON array of strings */
	OPT_STRING,	 /* char *, owned by the option block; JSON string */
	OPT_STRINGS,	 /* char **, NULL-terminated, owned likewise; JSON array of strings */
	OPT_WEIGHTS,	 /* u64[number of choices]; JSON object {choice: integer}, others are 0 */
	OPT_JSON,	 /* stored nowhere: its owner reads it from the object; @def is JSON */
	OPT_TYPES
};

/* All bounds and defaults are written as a scenario writes them: one notation to read. Bounds of
 * OPT_STRING and OPT_STRINGS are of the length in bytes, of OPT_WEIGHTS of each weight. */
struct opt_def {
	const char *name;
	enum opt_type type;
	size_t offset; /* of the value in the owner's option struct */
	/* Default; NULL: required (OPT_STRING, OPT_JSON: absent, unless @required). "" for a
	 * number: left at 0, and its owner fills in what it means. */
	const char *def;
	const char *min, *max;	    /* inclusive; NULL: no bound of its own */
	const char *const *choices; /* OPT_ENUM, _ENUM_SET, _WEIGHTS, _STRING; NULL-terminated */
	/* What a kernel must be built with for each of the choices; NULL: nothing. vm/needs.h has
	 * the notation. */
	const char *const *kconfig;
	bool required;
	const char *pattern; /* OPT_STRING: extended regular expression, as regex(7) and ECMA-262 */
	const char *expects; /* in words, where type, bounds and choices do not say it */
	const char *help;    /* one line, lower case, no full stop */
};

/* OPT(struct, field, OPT_SIZE, .def = "64K", .min = "1", .max = "16M", .help = "...").
 * Default of OPT_BOOL: "true"/"false"; of OPT_ENUM: the choice; of OPT_ENUM_SET and OPT_STRINGS:
 * a comma list ("a,b", "" for none); of OPT_WEIGHTS: one number for every choice, but those that
 * are named behind it ("1,rare=0"). */
#define OPT(st, field, ty, ...) OPT_AS(#field, st, field, ty, __VA_ARGS__)
/* The same for a field whose name is not the key: OPT_AS("for", struct sc_fault, for_ns, ...). */
#define OPT_AS(key, st, field, ty, ...)                                                            \
	{                                                                                          \
		.name = (key), .type = (ty), .offset = offsetof(st, field), __VA_ARGS__            \
	}
#define OPT_RAW(key, ...)                                                                          \
	{                                                                                          \
		.name = (key), .type = OPT_JSON, __VA_ARGS__                                       \
	}

#define opt_foreach(o, table) for (const struct opt_def *o = (table); o && o->type != OPT_END; o++)

/*
 * Decode the keys of @object into @block, which is zeroed before; absent ones get their default.
 * @extra is a key that the caller reads itself, or NULL. *ret_resolved gets a new object with
 * every key, defaults as well, in the table's order; it may be NULL. Returns 0, -EINVAL with the
 * line for a person in the document's err, or -ENOMEM. After success and after failure, what
 * @block owns goes through option_free().
 */
int option_decode(const struct opt_def *table, const char *extra, const json_t *object, void *block,
		  const struct json_at *at, json_t **ret_resolved);
void option_free(const struct opt_def *table, void *block);

/* Index of @name in the NULL-terminated @names, or -1. */
int option_choice(const char *const *names, const char *name);
/* The name nearest to @name, a likely misspelling of it, or NULL. */
const char *option_nearest(const char *const *names, const char *name);

/* What the option takes, in words: "an integer in 1..256". Returns @buf. */
const char *option_expected(const struct opt_def *o, char *buf, size_t size);
/* One line per option: name, type, what it takes, default, help; each behind @indent. */
void option_describe(const struct opt_def *table, const char *indent, FILE *out);
/* The same as an array of objects {name, type, expects, default, required, help}. New reference. */
json_t *option_describe_json(const struct opt_def *table);
/* JSON Schema (draft 2020-12) of an object with these keys and no others. New reference. */
json_t *option_schema(const struct opt_def *table);

#endif
