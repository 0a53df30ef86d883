/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in a JSON text, which jansson forgets: from a JSON pointer (RFC 6901) to a line, and
 * from a byte to the pointer of the value that it belongs to. Iterative, no allocation, linear in
 * the text. Parses nothing: broken text is followed as far as it makes sense.
 */
#ifndef STRESSD_JSON_LOCATE_H
#define STRESSD_JSON_LOCATE_H

#include "base/base.h"

/* Values nested deeper than this are reported as their ancestor at this depth. */
#define JSON_LOCATE_DEPTH 64

/* Line (from 1) of byte @pos. */
size_t json_line_at(const char *text, size_t len, size_t pos);
/* Line of the value that @pointer names ("" is the whole document), for a member the line of its
 * key; 0 when there is no such value. @text is valid JSON. */
size_t json_line_of(const char *text, size_t len, const char *pointer);
/* Pointer of the innermost value that the token before byte @pos belongs to, for a member once
 * its key is complete. @buf is cut at @size bytes and returned; "" is the document. */
const char *json_pointer_at(const char *text, size_t len, size_t pos, char *buf, size_t size);

#endif
