// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where in the file: the cell, the pages around it, and the ranges of the operations that met
 * there. Reads the timeline of a finding; its axis is bytes.
 */
#include "report/html.h"

#include <string.h>

#define PAGE	  4096ULL /* a name for people, as in bytes.c */
#define PAGES_MAX 8ULL	  /* on either side of the cell */
#define OTHERS	  4	  /* operations that no sentence names */
#define HEAD_H	  24.0
#define ROW_H	  40.0
#define BAR_H	  16.0
#define LABELS	  10 /* page numbers that fit */

struct map {
	const struct finding *f;
	FILE *out;
	u64 from, to; /* bytes of the file that are shown */
	const struct timeline_op *rows[TIMELINE_ROLES + OTHERS];
	size_t nrows;
};

static double place(const struct map *m, u64 offset)
{
	u64 at = MIN(MAX(offset, m->from), m->to);

	return (double)(at - m->from) / (double)(m->to - m->from);
}

static bool is_at_once(const struct timeline_op *a, const struct timeline_op *b)
{
	return (!a->end_ns || a->end_ns >= b->start_ns) && (!b->end_ns || b->end_ns >= a->start_ns);
}

/* Near enough that one picture holds it and the cell. */
static bool is_near(const struct map *m, const struct timeline_op *o)
{
	u64 cell = m->f->offset, reach = PAGES_MAX * PAGE;

	return o->in_file && o->len && o->offset < cell + reach &&
	       o->offset + o->len + reach > cell;
}

static void choose_rows(struct map *m)
{
	static const u8 order[] = { ROLE_FINDER, ROLE_SUSPECT, ROLE_WRITE };
	const struct timeline *t = m->f->timeline;
	size_t named;

	for (size_t r = 0; r < ARRAY_SIZE(order); r++)
		for (size_t i = 0; i < t->nops; i++)
			if (t->ops[i].role == order[r] && is_near(m, &t->ops[i]) &&
			    m->nrows < TIMELINE_ROLES)
				m->rows[m->nrows++] = &t->ops[i];
	named = m->nrows;
	for (size_t i = t->nops; named && i-- > 0 && m->nrows < named + OTHERS;) {
		const struct timeline_op *o = &t->ops[i];

		if (!o->role && o->on_page && o->effect != 'R' && is_at_once(o, m->rows[0]))
			m->rows[m->nrows++] = o;
	}
}

/* The cell, what the rows cover, and a page more on either side; not endlessly. */
static void choose_range(struct map *m)
{
	u64 cell = m->f->offset, end = cell + m->f->cell_bytes;
	u64 lo = ROUND_DOWN(cell, PAGE), hi = ROUND_UP(end, PAGE);
	u64 lo_min = lo - MIN(lo, PAGES_MAX * PAGE), hi_max = hi + PAGES_MAX * PAGE;

	m->from = lo;
	m->to = hi;
	for (size_t i = 0; i < m->nrows; i++) {
		u64 from = m->rows[i]->offset, to = from + m->rows[i]->len;

		m->from = MIN(m->from, ROUND_DOWN(MAX(from, lo_min), PAGE));
		m->to = MAX(m->to, ROUND_UP(MIN(to, hi_max), PAGE));
	}
	m->from = MIN(m->from, lo) - (m->from >= PAGE ? PAGE : 0);
	m->to = MAX(m->to, hi) + PAGE;
}

static void put_rect(struct map *m, const char *class, u64 from, u64 to, double y, double h)
{
	double x = place(m, from), w = place(m, to) - x;

	fprintf(m->out, "<rect class=\"%s\"", class);
	html_percent(m->out, "x", x);
	html_percent(m->out, "width", MAX(w, 0.004));
	fprintf(m->out, " y=\"%.0f\" height=\"%.0f\"/>", y, h);
}

static void put_pages(struct map *m, double height)
{
	u64 pages = (m->to - m->from) / PAGE, each = (pages + LABELS - 1) / LABELS;

	for (u64 p = 0; p < pages; p++) {
		double x = place(m, m->from + p * PAGE), next = place(m, m->from + (p + 1) * PAGE);

		if (p % 2 == 0)
			put_rect(m, "even", m->from + p * PAGE, m->from + (p + 1) * PAGE, 0,
				 height);
		if (p % each)
			continue;
		fprintf(m->out, "<text class=\"tick%s\"",
			pages > 5 && p % (2 * each) ? " odd" : "");
		html_percent(m->out, "x", (x + next) / 2);
		fprintf(m->out, " y=\"14\">page %llu</text>\n",
			(unsigned long long)(m->from / PAGE + p));
	}
}

static void put_row(struct map *m, const struct timeline_op *o, double y)
{
	const char *lane = m->f->timeline->lanes[o->lane];
	char class[48];

	snprintf(class, sizeof(class), "op page %c %s", o->effect, timeline_role_names[o->role]);
	fprintf(m->out, "<g class=\"%s\"><title>", class);
	html_text(m->out, lane);
	fputs(": ", m->out);
	html_text(m->out, o->text);
	fputs("</title>", m->out);
	put_rect(m, "range", o->offset, o->offset + o->len, y + 16, BAR_H);
	fputs("</g>", m->out);
	fprintf(m->out, "<text class=\"lane\" x=\"2\" y=\"%.0f\">", y + 12);
	html_text(m->out, lane);
	fputs(" <tspan class=\"mono soft\">", m->out);
	html_text(m->out, o->text);
	fputs("</tspan></text>\n", m->out);
}

void html_place(const struct finding *f, size_t i, FILE *out)
{
	struct map m = { .f = f, .out = out };
	double height;

	if (!f->has_cell || !f->cell_bytes || !f->timeline)
		return;
	choose_rows(&m);
	if (!m.nrows)
		return;
	choose_range(&m);
	height = HEAD_H + ROW_H * (double)m.nrows;
	fprintf(out,
		"<figure class=\"place\">\n<h3>Where</h3>\n<figcaption>The file around cell %llu "
		"(%llu "
		"bytes at offset %llu, marked), in pages of 4096 bytes, and what the operations "
		"covered.</figcaption>\n"
		"<svg class=\"map\" role=\"img\" aria-labelledby=\"map-%zu\" width=\"100%%\" "
		"height=\"%.0f\"><title id=\"map-%zu\">Ranges of the operations around cell "
		"%llu</title>\n",
		(unsigned long long)f->cell, (unsigned long long)f->cell_bytes,
		(unsigned long long)f->offset, i + 1, height, i + 1, (unsigned long long)f->cell);
	put_pages(&m, height);
	put_rect(&m, "cell", f->offset, f->offset + f->cell_bytes, HEAD_H - 4, height - HEAD_H + 4);
	for (size_t r = 0; r < m.nrows; r++)
		put_row(&m, m.rows[r], HEAD_H + ROW_H * (double)r);
	fputs("</svg>\n</figure>\n", out);
}
