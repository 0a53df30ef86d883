// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Escaping of foreign text. Knows UTF-8 (RFC 3629) and nothing of where the text came from.
 */
#include "base/escape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ESCAPED_MAX 8 /* bytes of the longest piece: "\u202e", or four bytes as they are */

size_t utf8_decode(const unsigned char *s, size_t len, u32 *ret)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	u32 c;

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* Overlong forms and surrogates are how invalid text slips past comparisons. */
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

bool utf8_unprintable(u32 c)
{
	static const struct {
		u32 first, last;
	} spans[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x61c, 0x61c },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		if (c >= spans[i].first && c <= spans[i].last)
			return true;
	return false;
}

/* Write the first character of @src as it is to be shown; returns how many bytes were used. */
static size_t escape_one(char piece[ESCAPED_MAX], const char *src, size_t len)
{
	u32 c = 0;
	size_t n = utf8_decode((const unsigned char *)src, len, &c);

	if (n == 0)
		snprintf(piece, ESCAPED_MAX, "\\x%02x", (unsigned char)*src);
	else if (utf8_unprintable(c))
		snprintf(piece, ESCAPED_MAX, "\\u%04x", c & 0xffff);
	else
		snprintf(piece, ESCAPED_MAX, "%.*s", (int)n, src);
	return n ? n : 1;
}

const char *text_escape(char *dst, size_t size, const char *src, size_t len)
{
	static const char cut[] = "...";
	size_t used = 0, keep = 0;

	assert(size >= 16);
	for (size_t i = 0; i < len;) {
		char piece[ESCAPED_MAX];
		size_t n;

		i += escape_one(piece, src + i, len - i);
		n = strlen(piece);
		/* @keep is where the mark still fits, should the rest turn out not to. */
		if (used + sizeof(cut) <= size)
			keep = used;
		if (used + n + 1 > size) {
			memcpy(dst + keep, cut, sizeof(cut));
			return dst;
		}
		memcpy(dst + used, piece, n);
		used += n;
	}
	dst[used] = '\0';
	return dst;
}
