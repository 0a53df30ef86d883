/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from outside, made fit for one line of a terminal or a log: control characters, line
 * separators, direction marks and bytes that are no UTF-8 become escapes; what is too long is cut.
 */
#ifndef STRESSD_ESCAPE_H
#define STRESSD_ESCAPE_H

#include "base/base.h"

/* Write @len bytes of @src to @dst, escaped, NUL-terminated, at most @size bytes with the NUL
 * (@size >= 16); ends in "..." where it was cut. Escaping twice changes nothing. Returns @dst. */
const char *text_escape(char *dst, size_t size, const char *src, size_t len);

/* Decode the character at @s, of which @len bytes are there. Its length in bytes, or 0 where that
 * is no valid UTF-8. */
size_t utf8_decode(const unsigned char *s, size_t len, u32 *ret);
/* Does it move the cursor, end the line or turn the writing direction? */
bool utf8_unprintable(u32 c);

#endif
