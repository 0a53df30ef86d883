// SPDX-License-Identifier: GPL-2.0-or-later
/* Comparison of a cell with what it should hold. Reads a struct finding and writes text. */
#include "report/bytes.h"

#include <string.h>

#define LINE   16   /* bytes a line */
#define LINES  6    /* differing lines that are shown */
#define SECTOR 512  /* what a device can tear at */
#define PAGE   4096 /* a name for people: the page cache's own size may differ */

struct byte_diff byte_diff(const struct finding *f)
{
	struct byte_diff d = { .len = f->has_cell ? MIN(f->cell_bytes, (u64)FINDING_BYTES) : 0 };

	for (u64 i = 0; i < d.len; i++) {
		if (f->found[i] == f->expected[i])
			continue;
		if (!d.differing++)
			d.first = i;
		d.last = i;
	}
	return d;
}

static bool all_zero(const u8 *p, u64 len)
{
	for (u64 i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

void byte_diff_phrase(const struct finding *f, char *buf, size_t size)
{
	struct byte_diff d = byte_diff(f);

	if (!d.len)
		snprintf(buf, size, "no bytes to compare");
	else if (!d.differing)
		snprintf(buf, size, "no byte of %llu differs", (unsigned long long)d.len);
	else
		snprintf(buf, size, "%llu of %llu bytes differ, +%llu to +%llu%s",
			 (unsigned long long)d.differing, (unsigned long long)d.len,
			 (unsigned long long)d.first, (unsigned long long)d.last,
			 all_zero(f->found, d.len)	? "; found: all zeros"
			 : all_zero(f->expected, d.len) ? "; expected: all zeros"
							: "");
}

/* One line of one side; the bytes that differ stand out in @mark. */
static void put_line(FILE *out, const char *label, const u8 *mine, const u8 *other, u64 n,
		     const char *mark, const struct style *st)
{
	fprintf(out, "     %-8s ", label);
	for (u64 i = 0; i < n; i++)
		fprintf(out, "%s%s%02x%s", i == LINE / 2 ? "  " : " ",
			mine[i] != other[i] ? mark : "", mine[i],
			mine[i] != other[i] ? st->off : "");
	fprintf(out, "%*s  |", (int)(LINE - n) * 3, "");
	for (u64 i = 0; i < n; i++)
		fputc(mine[i] >= 0x20 && mine[i] < 0x7f ? mine[i] : '.', out);
	fputs("|\n", out);
}

/* Where the line lies: its offset in file and cell, and what begins there. */
static void put_place(const struct finding *f, u64 at, FILE *out, const struct style *st)
{
	u64 offset = f->offset + at;

	fprintf(out, "   %soffset %llu = cell +%llu", st->faint, (unsigned long long)offset,
		(unsigned long long)at);
	fprintf(out, ", page %llu +%llu, sector %llu of it%s%s\n",
		(unsigned long long)(offset / PAGE), (unsigned long long)(offset % PAGE),
		(unsigned long long)(offset % PAGE / SECTOR),
		offset % PAGE == 0     ? " [page begins]"
		: offset % SECTOR == 0 ? " [sector begins]"
				       : "",
		st->off);
}

void byte_diff_dump(const struct finding *f, FILE *out, const struct style *st)
{
	struct byte_diff d = byte_diff(f);
	u64 shown = 0, more = 0, next = ~0ULL;

	for (u64 at = 0; d.differing && at < d.len; at += LINE) {
		u64 n = MIN((u64)LINE, d.len - at);

		if (!memcmp(f->found + at, f->expected + at, n))
			continue;
		if (shown == LINES) {
			more++;
			continue;
		}
		/* A place for each run of lines, and wherever a boundary is crossed. */
		if (at != next || (f->offset + at) % SECTOR == 0)
			put_place(f, at, out, st);
		put_line(out, "expected", f->expected + at, f->found + at, n, st->good, st);
		put_line(out, "found", f->found + at, f->expected + at, n, st->bad, st);
		shown++;
		next = at + LINE;
	}
	if (more)
		fprintf(out, "     ... and %llu more lines of %d bytes differ, to cell +%llu\n",
			(unsigned long long)more, LINE, (unsigned long long)d.last);
}
