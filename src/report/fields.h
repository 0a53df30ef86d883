/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON that stressd wrote, read back by tables: a row says which key goes where, and every failure
 * is one line that says where in the file. For restore.h alone; knows no run and no finding.
 */
#ifndef STRESSD_REPORT_FIELDS_H
#define STRESSD_REPORT_FIELDS_H

#include "base/json_at.h"

#include <stddef.h>

enum field_type {
	FIELD_TEXT, /* char[]: cut to fit at a whole character; null: "" */
	FIELD_NAME, /* const char *, the document's own */
	FIELD_BOOL,
	FIELD_INT, /* int, from 0 */
	FIELD_U32,
	FIELD_U64,
	FIELD_REAL, /* double of seconds */
	FIELD_MS,   /* u64 of nanoseconds, in the file a number of milliseconds */
	FIELD_TYPES
};

struct field {
	const char *key;
	int type; /* enum field_type */
	size_t offset, size;
	bool nullable; /* null leaves what is there */
};

#define FIELD(kind, st, name, in_file)                                                             \
	{                                                                                          \
		.key = (in_file), .type = FIELD_##kind, .offset = offsetof(st, name),              \
		.size = sizeof(((st *)0)->name)                                                    \
	}
#define FIELD_OR_NULL(kind, st, name, in_file)                                                     \
	{                                                                                          \
		.key = (in_file), .type = FIELD_##kind, .offset = offsetof(st, name),              \
		.size = sizeof(((st *)0)->name), .nullable = true                                  \
	}

/* Read the keys of @rows, which end with an empty one, of object @o into @into; others are nobody's
 * business. 0, or -EINVAL with the document's err filled. */
int fields_read(const struct json_at *at, const json_t *o, const struct field *rows, void *into);

/* Index of the string @key of @o among @names, or -EINVAL. */
int fields_name(const struct json_at *at, const json_t *o, const char *key,
		const char *const *names, size_t n);

/* The text of @s in @buf as FIELD_TEXT has it. */
void fields_text(char *buf, size_t size, const char *s);

/* Reads element @v into @into, which is zeroed. 0 or -errno, as above. */
typedef int fields_element_fn(const struct json_at *at, const json_t *v, void *into);

/* Read array @key of @o, at most @max elements of @size bytes each. *into: room for them, or NULL:
 * it is made, and is the caller's, filled or not. *ret_n: how many were read, the one that failed,
 * too. */
int fields_list(const struct json_at *up, const json_t *o, const char *key, void **into,
		size_t size, size_t max, fields_element_fn *fn, size_t *ret_n);

#endif
