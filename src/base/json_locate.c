// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One scanner over the tokens of a JSON text that keeps the path to where it is; both questions
 * are asked of it. The stack is an array of fixed size: nesting cannot overflow anything.
 */
#include "base/json_locate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum want { WANT_VALUE, WANT_KEY, WANT_COLON, WANT_COMMA };

/* One open container and the member or element of it that the scanner is at, if any. */
struct frame {
	bool object, at_child;
	enum want want;
	size_t index;	 /* array: of the element */
	const char *key; /* object: raw text between the quotes */
	size_t key_len;
};

struct scan {
	const char *text;
	size_t len, pos;
	size_t start; /* of the last token */
	size_t depth; /* containers open, of which the first JSON_LOCATE_DEPTH have a frame */
	struct frame frames[JSON_LOCATE_DEPTH];
};

/* A raw key as the bytes of a pointer token: JSON escapes undone, then '~' and '/' escaped. */
struct key_bytes {
	const char *p, *end;
	unsigned char pending[8];
	size_t n, at;
};

static u32 hex4(const char *p, const char *end)
{
	char digits[5] = "";

	memcpy(digits, p, MIN((size_t)(end - p), (size_t)4));
	return (u32)strtoul(digits, NULL, 16);
}

static size_t utf8_encode(u32 c, unsigned char *out)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (unsigned char)(0x80 | (c & 0x3f));
	out[0] = (unsigned char)(lead[n] | c);
	return n;
}

/* The character of the escape at @k->p, behind the backslash. */
static u32 unescape(struct key_bytes *k)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *hit;
	u32 c = (unsigned char)*k->p++;

	if (c != 'u') {
		hit = strchr(from, (int)c);
		return hit && c ? (u32)to[hit - from] : c;
	}
	c = hex4(k->p, k->end);
	k->p += MIN((size_t)(k->end - k->p), (size_t)4);
	if (c >= 0xd800 && c < 0xdc00 && k->end - k->p >= 6 && k->p[0] == '\\') {
		c = 0x10000 + ((c - 0xd800) << 10) + ((hex4(k->p + 2, k->end) - 0xdc00) & 0x3ff);
		k->p += 6;
	}
	return c;
}

/* Next byte, or -1 at the end. */
static int key_next(struct key_bytes *k)
{
	if (k->at < k->n)
		return k->pending[k->at++];
	if (k->p >= k->end)
		return -1;
	k->at = 0;
	if (*k->p == '\\' && k->p + 1 < k->end) {
		k->p++;
		k->n = utf8_encode(unescape(k), k->pending);
	} else {
		k->pending[0] = (unsigned char)*k->p++;
		k->n = 1;
	}
	if (k->n == 1 && (k->pending[0] == '~' || k->pending[0] == '/')) {
		k->pending[1] = k->pending[0] == '~' ? '0' : '1';
		k->pending[0] = '~';
		k->n = 2;
	}
	return k->pending[k->at++];
}

static struct frame *top(struct scan *s)
{
	return s->depth && s->depth <= JSON_LOCATE_DEPTH ? &s->frames[s->depth - 1] : NULL;
}

/* A value begins here: name it, if the container was waiting for one. */
static void value_begins(struct frame *f)
{
	if (f->want == WANT_VALUE && !f->object) {
		f->index += f->at_child;
		f->at_child = true;
	} else if (f->want != WANT_VALUE) {
		f->at_child = false;
	}
	f->want = WANT_COMMA;
}

static void scan_open(struct scan *s, bool object)
{
	struct frame *f = top(s);

	if (f)
		value_begins(f);
	s->depth++;
	f = top(s);
	if (f)
		*f = (struct frame){ .object = object, .want = object ? WANT_KEY : WANT_VALUE };
}

/* @s->pos is behind the opening quote; moves it behind the closing one. */
static void scan_string(struct scan *s)
{
	struct frame *f = top(s);
	const char *key = s->text + s->pos;
	bool closed;

	while (s->pos < s->len && s->text[s->pos] != '"')
		s->pos += s->text[s->pos] == '\\' ? 2 : 1;
	closed = s->pos < s->len;
	s->pos = closed ? s->pos + 1 : s->len;
	if (!f)
		return;
	if (f->want != WANT_KEY) {
		value_begins(f);
	} else if (closed) {
		f->key = key;
		f->key_len = (size_t)(s->text + s->pos - 1 - key);
		f->at_child = true;
		f->want = WANT_COLON;
	}
}

/* A brace where a member's value should stand belongs to that member: nothing is closed. */
static void scan_close(struct scan *s)
{
	const struct frame *f = top(s);

	if (s->depth && !(f && f->object && f->want == WANT_VALUE))
		s->depth--;
}

static void scan_comma(struct frame *f)
{
	f->want = f->object ? WANT_KEY : WANT_VALUE;
	/* An array keeps its child for the count; json_pointer_at() asks want as well. */
	f->at_child = f->at_child && !f->object;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '+' || c == '-' || c == '.';
}

static void scan_scalar(struct scan *s)
{
	struct frame *f = top(s);

	/* A stray character is a token of its own: only what numbers and words are made of goes
	 * on. */
	while (s->pos < s->len && is_word(s->text[s->pos - 1]) && is_word(s->text[s->pos]))
		s->pos++;
	if (f)
		value_begins(f);
}

/* Take one token; false at the end of the text. */
static bool scan_next(struct scan *s)
{
	struct frame *f = top(s);
	char c;

	while (s->pos < s->len && strchr(" \t\r\n", s->text[s->pos]) && s->text[s->pos])
		s->pos++;
	if (s->pos >= s->len)
		return false;
	s->start = s->pos;
	c = s->text[s->pos++];
	if (c == '{' || c == '[')
		scan_open(s, c == '{');
	else if (c == '}' || c == ']')
		scan_close(s);
	else if (c == '"')
		scan_string(s);
	else if (c == ',' && f)
		scan_comma(f);
	else if (c == ':' && f)
		f->want = WANT_VALUE;
	else if (c != ',' && c != ':')
		scan_scalar(s);
	return true;
}

size_t json_line_at(const char *text, size_t len, size_t pos)
{
	size_t line = 1;

	for (size_t i = 0; i < MIN(pos, len); i++)
		line += text[i] == '\n';
	return line;
}

/* The pointer behind its first token if that is the child which @f is at, else NULL. */
static const char *match_child(const struct frame *f, const char *pointer)
{
	struct key_bytes k = { .p = f->key, .end = f->key + f->key_len };
	char index[24];
	size_t n;
	int c;

	if (*pointer++ != '/')
		return NULL;
	if (f->object) {
		while ((c = key_next(&k)) >= 0)
			if (!*pointer || (unsigned char)*pointer++ != c)
				return NULL;
	} else {
		n = (size_t)snprintf(index, sizeof(index), "%zu", f->index);
		if (strncmp(pointer, index, n))
			return NULL;
		pointer += n;
	}
	return *pointer == '\0' || *pointer == '/' ? pointer : NULL;
}

size_t json_line_of(const char *text, size_t len, const char *pointer)
{
	struct scan s = { .text = text, .len = len };
	const char *rest[JSON_LOCATE_DEPTH + 1] = { pointer };
	size_t matched =
		0; /* leading tokens that the path agrees with; the rest is rest[matched] */

	if (*pointer == '\0')
		return scan_next(&s) ? json_line_at(text, len, s.start) : 1;
	while (scan_next(&s)) {
		/* A container has been entered by now, but it is its parent's child that began. */
		size_t d = s.depth - (strchr("{[", text[s.start]) != NULL);
		const struct frame *f = d && d <= JSON_LOCATE_DEPTH ? &s.frames[d - 1] : NULL;

		if (!f || strchr(",:}]", text[s.start]) || matched + 1 < d ||
		    f->want != (f->object ? WANT_COLON : WANT_COMMA))
			continue;
		matched = d - 1;
		rest[d] = match_child(f, rest[d - 1]);
		if (!rest[d])
			continue;
		if (*rest[d] == '\0')
			return json_line_at(text, len, s.start);
		matched = d;
	}
	return 0;
}

const char *json_pointer_at(const char *text, size_t len, size_t pos, char *buf, size_t size)
{
	struct scan s = { .text = text, .len = MIN(len, pos) };
	size_t used = 0;

	assert(size > 0);
	while (scan_next(&s))
		;
	for (size_t d = 0; d < MIN(s.depth, (size_t)JSON_LOCATE_DEPTH); d++) {
		const struct frame *f = &s.frames[d];
		struct key_bytes k = { .p = f->key, .end = f->key + f->key_len };
		char index[24];

		if (!f->at_child || (!f->object && f->want == WANT_VALUE))
			break;
		if (!f->object) {
			snprintf(index, sizeof(index), "%zu", f->index);
			k = (struct key_bytes){ .p = index, .end = index + strlen(index) };
		}
		for (int c = '/'; c >= 0 && used + 1 < size; c = key_next(&k))
			buf[used++] = (char)c;
	}
	buf[used] = '\0';
	return buf;
}
