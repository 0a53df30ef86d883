// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One walk over the characters, a table of what XML forbids and one of what it writes otherwise.
 * Nothing here knows what the text says.
 */
#include "report/chars.h"

#include "base/cleanup.h"
#include "base/escape.h"

#include <string.h>

#define ON(m) (1U << MEDIUM_##m)

/* What XML forbids, though it be written as a reference. (XML 1.0, 2.2 "Characters") */
static const struct {
	u32 first, last;
} not_in_xml[] = {
	{ 0x00, 0x08 },
	{ 0x0b, 0x0c },
	{ 0x0e, 0x1f },
	{ 0xfffe, 0xffff },
};

static const struct {
	char c;
	unsigned int media;
	const char *text;
} entities[] = {
	{ '&', ON(XML) | ON(XML_ATTR) | ON(HTML), "&amp;" },
	{ '<', ON(XML) | ON(XML_ATTR) | ON(HTML), "&lt;" },
	{ '>', ON(XML) | ON(XML_ATTR) | ON(HTML), "&gt;" },
	{ '"', ON(XML_ATTR) | ON(HTML), "&quot;" },
	{ '\'', ON(HTML), "&#39;" },
	{ '\n', ON(HTML), "\n" }, /* as they are, though they would move a cursor */
	{ '\t', ON(HTML), "\t" },
	{ '\t', ON(XML_ATTR), "&#9;" },
	{ '\n', ON(XML_ATTR), "&#10;" },
	{ '\r', ON(XML) | ON(XML_ATTR), "&#13;" },
};

static bool is_forbidden(u32 c, enum medium m)
{
	if ((m == MEDIUM_TERMINAL || m == MEDIUM_HTML) && utf8_unprintable(c))
		return true;
	if (m == MEDIUM_TERMINAL)
		return false;
	for (size_t i = 0; m != MEDIUM_UTF8 && i < ARRAY_SIZE(not_in_xml); i++)
		if (c >= not_in_xml[i].first && c <= not_in_xml[i].last)
			return true;
	return false;
}

static const char *entity_of(u32 c, enum medium m)
{
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
		if (c == (u32)entities[i].c && entities[i].media >> m & 1)
			return entities[i].text;
	return NULL;
}

/* Write the first character of @s; returns how many bytes it took. */
static size_t put_one(FILE *out, const char *s, enum medium m)
{
	u32 c = 0;
	size_t n = utf8_decode((const unsigned char *)s, strnlen(s, 4), &c);
	const char *entity = n ? entity_of(c, m) : NULL;

	if (n == 0)
		fprintf(out, "\\x%02x", (unsigned char)*s);
	else if (entity)
		fputs(entity, out);
	else if (is_forbidden(c, m))
		fprintf(out, "\\u%04x", c);
	else
		fwrite(s, 1, n, out);
	return n ? n : 1;
}

void put_text(FILE *out, const char *s, enum medium m)
{
	while (*s)
		s += put_one(out, s, m);
}

char *text_for(const char *s, enum medium m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	bool bad;

	if (!out)
		return NULL;
	put_text(out, s, m);
	bad = ferror(out);
	if (fclose(out) == 0 && !bad)
		return text;
	free(text);
	return NULL;
}

/* Columns of @n bytes of valid UTF-8: continuation bytes take none. */
static int columns(const char *s, size_t n)
{
	int c = 0;

	for (size_t i = 0; i < n; i++)
		c += ((unsigned char)s[i] & 0xc0) != 0x80;
	return c;
}

void put_wrapped_to(FILE *out, int width, const char *first, int indent, const char *s)
{
	_cleanup_free_ char *text = text_for(s, MEDIUM_TERMINAL);
	int at = columns(first, strlen(first));
	bool fresh = true; /* nothing on this line yet but its indent */

	fputs(first, out);
	/* What fits stays as it is: under KASAN's bytes a caret stands behind many blanks. */
	if (text && at + columns(text, strlen(text)) <= width) {
		fprintf(out, "%s\n", text);
		return;
	}
	for (const char *w = text ? text : "(no memory)"; *w;) {
		size_t len = strcspn(w, " "), gap = strspn(w + len, " ");
		int wide = columns(w, len);

		if (!fresh && at + 1 + wide > width) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
			fresh = true;
		}
		at += wide + !fresh;
		fprintf(out, "%s%.*s", fresh ? "" : " ", (int)len, w);
		fresh = false;
		w += len + gap;
	}
	fputc('\n', out);
}

void put_wrapped(FILE *out, const char *first, int indent, const char *s)
{
	put_wrapped_to(out, REPORT_COLUMNS, first, indent, s);
}
