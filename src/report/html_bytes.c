// SPDX-License-Identifier: GPL-2.0-or-later
/* The bytes of a cell as a diff, expected against found, with the places where pages and sectors
 * begin. The rest of what differs is a click away. */
#include "report/bytes.h"
#include "report/html.h"

#include <string.h>

#define LINE   16
#define OPEN   6 /* differing lines that are shown at once */
#define SECTOR 512
#define PAGE   4096 /* a name for people: the page cache's own size may differ */

static void put_place(const struct finding *f, u64 at, FILE *out)
{
	u64 offset = f->offset + at;

	fprintf(out,
		"<span class=\"at\">offset %llu: page %llu +%llu, sector %llu of it%s</span>\n",
		(unsigned long long)offset, (unsigned long long)(offset / PAGE),
		(unsigned long long)(offset % PAGE), (unsigned long long)(offset % PAGE / SECTOR),
		offset % PAGE == 0     ? ", where the page begins"
		: offset % SECTOR == 0 ? ", where the sector begins"
				       : "");
}

static void put_line(FILE *out, const char *class, char sign, u64 at, const u8 *mine,
		     const u8 *other, u64 n)
{
	char text[LINE + 1];
	bool in = false;

	fprintf(out, "<span class=\"%s\">%c +%04llu ", class, sign, (unsigned long long)at);
	for (u64 i = 0; i < n; i++) {
		bool differs = mine[i] != other[i];

		fputs(i == LINE / 2 ? "  " : " ", out);
		if (differs != in)
			fputs(differs ? "<b>" : "</b>", out);
		in = differs;
		fprintf(out, "%02x", mine[i]);
		text[i] = mine[i] >= 0x20 && mine[i] < 0x7f ? (char)mine[i] : '.';
	}
	text[n] = '\0';
	fprintf(out, "%s<span class=\"ascii\">%*s  ", in ? "</b>" : "", (int)(LINE - n) * 3, "");
	html_text(out, text);
	fputs("</span></span>\n", out);
}

/* Differing lines from the @first on, at most @max; returns how many there are in all. */
static u64 put_lines(const struct finding *f, u64 first, u64 max, FILE *out)
{
	struct byte_diff d = byte_diff(f);
	u64 n = 0, next = ~0ULL;

	fputs("<pre class=\"hex\">", out);
	for (u64 at = 0; at < d.len; at += LINE) {
		u64 len = MIN((u64)LINE, d.len - at);

		if (!memcmp(f->found + at, f->expected + at, len) || n++ < first || n > first + max)
			continue;
		if (at != next || (f->offset + at) % SECTOR == 0)
			put_place(f, at, out);
		put_line(out, "minus", '-', at, f->expected + at, f->found + at, len);
		put_line(out, "plus", '+', at, f->found + at, f->expected + at, len);
		next = at + LINE;
	}
	fputs("</pre>\n", out);
	return n;
}

void html_bytes(const struct finding *f, FILE *out)
{
	char phrase[160];
	u64 n;

	if (!byte_diff(f).differing)
		return;
	byte_diff_phrase(f, phrase, sizeof(phrase));
	fprintf(out,
		"<section>\n<h3>Bytes</h3>\n<p class=\"soft\">%s. <span class=\"minus\">- "
		"expected</span>, <span class=\"plus\">+ found</span>; offsets within the "
		"cell.</p>\n",
		phrase);
	n = put_lines(f, 0, OPEN, out);
	if (n > OPEN) {
		fprintf(out, "<details><summary>%llu more lines differ</summary>\n",
			(unsigned long long)(n - OPEN));
		put_lines(f, OPEN, n, out);
		fputs("</details>\n", out);
	}
	fputs("</section>\n", out);
}
