/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a JSON document a reader is, and errors that say so: every failure of a scenario
 * becomes the one line "FILE:LINE: POINTER: what is wrong; expected what". Knows no keys.
 */
#ifndef STRESSD_JSON_AT_H
#define STRESSD_JSON_AT_H

#include "base/base.h"
#include "base/cleanup.h"

#include <jansson.h>

struct json_doc {
	const char *path; /* for messages */
	const char *text;
	size_t len;
	struct err *e;
};

/* A place: lives on the stack of the function that reads there. The root has no @up. */
struct json_at {
	const struct json_doc *doc;
	const struct json_at *up;
	const char *key; /* of a member; NULL for an element */
	size_t index;
};

#define AT_KEY(parent, name)                                                                       \
	(struct json_at)                                                                           \
	{                                                                                          \
		.doc = (parent)->doc, .up = (parent), .key = (name)                                \
	}
#define AT_INDEX(parent, i)                                                                        \
	(struct json_at)                                                                           \
	{                                                                                          \
		.doc = (parent)->doc, .up = (parent), .index = (i)                                 \
	}

/* Fill the document's err; the text is "what is wrong; expected what". Returns -EINVAL. */
int json_fail(const struct json_at *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Out of memory, in the same shape. Returns -ENOMEM. */
int json_fail_memory(const struct json_at *at);
/* The document cannot be read at all: line 1, the root, and @ret (-errno) is returned. */
int json_fail_read(const struct json_doc *doc, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* What jansson said about the text. Returns -EINVAL, or -ENOMEM when that was it. */
int json_fail_syntax(const struct json_doc *doc, const json_error_t *error);

#define JSON_SHOW_MAX 80
/* A value for a message: scalars as written, shortened; "an object", "an array". Returns @buf. */
const char *json_show(char buf[JSON_SHOW_MAX], const json_t *v);

/* json_decrefp() is jansson's own. */
#define _cleanup_json_ _cleanup_(json_decrefp)

#endif
