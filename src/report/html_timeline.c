// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The timeline of a finding as SVG: a lane for each process, one axis for operations, faults and
 * the kernel log. Widths are per cent, so that it fits any screen and zooms without distortion.
 */
#include "report/axis.h"
#include "report/html.h"
#include "report/people.h"

#include <string.h>

#define AXIS_H	 26.0 /* of the labels on top */
#define HEAD_H	 18.0 /* a lane's name */
#define NAMED_H	 15.0 /* a line for each operation that matters */
#define BAR_H	 18.0
#define ROW_H	 21.0
#define LANE_GAP 8.0
#define ROWS_MAX 6    /* of one process: asynchronous I/O overlaps itself */
#define SMALL	 0.07 /* of the width: text in it is cut to nothing */

struct drawing {
	const struct finding *f;
	const struct timeline *t;
	struct axis axis;
	FILE *out;
	u64 from, to;
	double y;
	double body;		   /* where the lanes begin */
	int order[TIMELINE_LANES]; /* of lanes, those that matter first */
	u8 row[TIMELINE_OPS];
	u8 rows[TIMELINE_LANES], named[TIMELINE_LANES];
};

static const char *const role_texts[TIMELINE_ROLES] = {
	[ROLE_NONE] = "",
	[ROLE_FINDER] = "saw it",
	[ROLE_WRITE] = "wrote what should be there",
	[ROLE_SUSPECT] = "at the same time",
};

static const struct {
	char effect;
	const char *text;
} effects[] = {
	{ 'W', "writes" }, { 'Z', "makes zeros" }, { 'M', "moves content" },
	{ 'R', "reads" },  { 'S', "syncs" },	   { 'C', "drops or remaps" },
	{ 'A', "mounts" },
};

static const char *role_text(const struct timeline *t, const struct timeline_op *o)
{
	for (size_t i = 0; o->role == ROLE_SUSPECT && o->end_ns && i < t->nops; i++)
		if (t->ops[i].role == ROLE_FINDER && o->end_ns < t->ops[i].start_ns)
			return "came between";
	return role_texts[o->role];
}

static u64 end_of(const struct drawing *d, const struct timeline_op *o)
{
	return o->end_ns ? o->end_ns : d->to;
}

static void lay_axis(struct drawing *d)
{
	timeline_span(d->t, &d->from, &d->to);
	d->from = MIN(d->from, d->f->time_ns);
	d->to = MAX(d->to, d->f->time_ns);
	for (size_t i = 0; i < d->t->nops; i++) {
		axis_add(&d->axis, d->t->ops[i].start_ns);
		axis_add(&d->axis, end_of(d, &d->t->ops[i]));
		if (d->t->ops[i].role == ROLE_FINDER) {
			d->axis.focus_from = d->t->ops[i].start_ns;
			d->axis.focus_to = end_of(d, &d->t->ops[i]);
		}
	}
	axis_add(&d->axis, d->f->time_ns);
	for (size_t i = 0; i < d->t->nmarks; i++) {
		const struct timeline_mark *m = &d->t->marks[i];

		if (m->start_ns >= d->from && m->start_ns <= d->to)
			axis_add(&d->axis, m->start_ns);
		if (m->end_ns >= d->from && m->end_ns <= d->to)
			axis_add(&d->axis, m->end_ns);
	}
	axis_lay(&d->axis);
}

/* The first row of its lane that is free when it starts. */
static void lay_rows(struct drawing *d)
{
	u64 busy[TIMELINE_LANES][ROWS_MAX] = { { 0 } };

	for (size_t i = 0; i < d->t->nops; i++) {
		const struct timeline_op *o = &d->t->ops[i];
		u8 row = 0;

		while (row + 1 < ROWS_MAX && busy[o->lane][row] > o->start_ns)
			row++;
		busy[o->lane][row] = end_of(d, o);
		d->row[i] = row;
		d->rows[o->lane] = MAX(d->rows[o->lane], (u8)(row + 1));
		d->named[o->lane] += o->role != ROLE_NONE;
	}
}

static int weight(const struct drawing *d, size_t lane)
{
	static const int weights[TIMELINE_ROLES] = {
		[ROLE_FINDER] = 3, [ROLE_SUSPECT] = 2, [ROLE_WRITE] = 1
	};
	int best = 0;

	for (size_t i = 0; i < d->t->nops; i++)
		if (d->t->ops[i].lane == lane)
			best = MAX(best, weights[d->t->ops[i].role]);
	return best;
}

static void order_lanes(struct drawing *d)
{
	size_t n = 0;

	for (int w = 3; w >= 0; w--)
		for (size_t lane = 0; lane < d->t->nlanes; lane++)
			if (weight(d, lane) == w)
				d->order[n++] = (int)lane;
}

static double lane_height(const struct drawing *d, int lane)
{
	return HEAD_H + NAMED_H * d->named[lane] + ROW_H * d->rows[lane] + LANE_GAP;
}

static size_t marks_of(const struct timeline *t, enum timeline_mark_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nmarks; i++)
		n += t->marks[i].kind == kind;
	return n;
}

static double height_of(const struct drawing *d)
{
	double h = AXIS_H;

	for (int kind = 0; kind < TIMELINE_MARK_KINDS; kind++)
		if (marks_of(d->t, (enum timeline_mark_kind)kind))
			h += HEAD_H + ROW_H + LANE_GAP;
	for (size_t i = 0; i < d->t->nlanes; i++)
		h += lane_height(d, (int)i);
	return h;
}

static void put_time(struct drawing *d, u64 ns)
{
	char text[PEOPLE_MAX];

	html_text(d->out, people_against(text, ns, d->f->time_ns));
}

/* The time of the read that saw it, behind all lanes. */
static void put_band(struct drawing *d, double height)
{
	for (size_t i = 0; i < d->t->nops; i++) {
		const struct timeline_op *o = &d->t->ops[i];
		double x = axis_place(&d->axis, o->start_ns);

		if (o->role != ROLE_FINDER)
			continue;
		fputs("<rect class=\"band\"", d->out);
		html_percent(d->out, "x", x);
		html_percent(d->out, "width", axis_place(&d->axis, end_of(d, o)) - x);
		fprintf(d->out, " y=\"%.0f\" height=\"%.0f\"/>\n", AXIS_H - 4, height - AXIS_H + 4);
	}
}

static void put_bar(struct drawing *d, const char *class, u64 start, u64 end, double y,
		    const char *who, const char *text)
{
	double x = axis_place(&d->axis, start), w = axis_place(&d->axis, end) - x;
	char took[PEOPLE_MAX];

	fprintf(d->out, "<g class=\"%s%s\"><title>", class, w < SMALL ? " small" : "");
	html_text(d->out, who);
	fputs(": ", d->out);
	html_text(d->out, text);
	fputs(", ", d->out);
	put_time(d, start);
	fputs(" to ", d->out);
	put_time(d, end);
	fprintf(d->out, " (%s)</title><rect", people_time(took, end - start));
	html_percent(d->out, "x", x);
	html_percent(d->out, "width", MAX(w, 0.003));
	fprintf(d->out, " y=\"%.0f\" height=\"%.0f\" rx=\"2\"/><svg", y, BAR_H);
	html_percent(d->out, "x", x);
	html_percent(d->out, "width", MAX(w, 0.003));
	fprintf(d->out, " y=\"%.0f\" height=\"%.0f\"><text x=\"4\" y=\"13\">", y, BAR_H);
	html_text(d->out, text);
	fputs("</text></svg></g>\n", d->out);
}

static void put_lane_name(struct drawing *d, const char *name, const char *what)
{
	fprintf(d->out, "<line class=\"rule\" x1=\"0\" x2=\"100%%\" y1=\"%.0f\" y2=\"%.0f\"/>",
		d->y - LANE_GAP / 2, d->y - LANE_GAP / 2);
	fprintf(d->out, "<text class=\"lane\" x=\"2\" y=\"%.0f\">", d->y + 13);
	html_text(d->out, name);
	fprintf(d->out, "<tspan class=\"soft\">%s</tspan></text>\n", what);
	d->y += HEAD_H;
}

static void put_named(struct drawing *d, int lane)
{
	for (size_t i = 0; i < d->t->nops; i++) {
		const struct timeline_op *o = &d->t->ops[i];

		if (o->lane != lane || !o->role)
			continue;
		fprintf(d->out,
			"<text class=\"lane %s\" x=\"2\" y=\"%.0f\">%s: <tspan class=\"mono\">",
			timeline_role_names[o->role], d->y + 10, role_text(d->t, o));
		html_text(d->out, o->text);
		fputs("</tspan></text>\n", d->out);
		d->y += NAMED_H;
	}
}

static void put_lane(struct drawing *d, int lane)
{
	const char *name = d->t->lanes[lane];

	put_lane_name(d, name, "");
	put_named(d, lane);
	for (size_t i = 0; i < d->t->nops; i++) {
		const struct timeline_op *o = &d->t->ops[i];
		char class[64];

		if (o->lane != lane)
			continue;
		snprintf(class, sizeof(class), "op %c %s%s%s%s", o->effect,
			 timeline_role_names[o->role], o->on_page ? " page" : "",
			 o->failed ? " failed" : "", o->end_ns ? "" : " flight");
		put_bar(d, class, o->start_ns, end_of(d, o), d->y + ROW_H * d->row[i], name,
			o->text);
	}
	d->y += ROW_H * d->rows[lane] + LANE_GAP;
}

static void put_marks(struct drawing *d, enum timeline_mark_kind kind, const char *name,
		      const char *what)
{
	if (!marks_of(d->t, kind))
		return;
	put_lane_name(d, name, what);
	for (size_t i = 0; i < d->t->nmarks; i++) {
		const struct timeline_mark *m = &d->t->marks[i];
		u64 start = MAX(m->start_ns, d->from), end = m->end_ns ? m->end_ns : d->to;

		if (m->kind == kind)
			put_bar(d, kind == MARK_LOG ? "op log page" : "op fault page",
				MIN(start, d->to), MIN(MAX(end, start), d->to), d->y, name,
				m->text);
	}
	d->y += ROW_H + LANE_GAP;
}

static void put_svg(struct drawing *d, size_t number)
{
	double height = height_of(d);

	fprintf(d->out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"timeline\">\n"
		"<svg class=\"time\" role=\"img\" aria-labelledby=\"time-%zu\" width=\"100%%\""
		" height=\"%.0f\"><title id=\"time-%zu\">Operations around finding %zu, a lane for "
		"each process; the table below has the same in words</title>\n",
		number + 1, height, number + 1, number + 1);
	html_axis(&d->axis, d->f->time_ns, AXIS_H, height, d->out);
	put_band(d, height);
	d->y = AXIS_H + LANE_GAP / 2;
	put_marks(d, MARK_FAULT, "faults", ", armed");
	put_marks(d, MARK_LOG, "kernel log", ", to a millisecond");
	for (size_t i = 0; i < d->t->nlanes; i++)
		put_lane(d, d->order[i]);
	fputs("</svg></div>\n", d->out);
}

static bool has_finder(const struct timeline *t)
{
	for (size_t i = 0; i < t->nops; i++)
		if (t->ops[i].role == ROLE_FINDER)
			return true;
	return false;
}

static void put_legend(const struct drawing *d)
{
	fputs("<p class=\"legend\">", d->out);
	for (size_t e = 0; e < ARRAY_SIZE(effects); e++) {
		bool any = false;

		for (size_t i = 0; i < d->t->nops; i++)
			any |= d->t->ops[i].effect == effects[e].effect;
		if (any)
			fprintf(d->out, "<span><i class=\"%c\"></i>%s</span> ", effects[e].effect,
				effects[e].text);
	}
	if (has_finder(d->t))
		fputs("<span><i class=\"finder\"></i>the operation that saw it</span> ", d->out);
	if (d->f->has_cell)
		fputs("<span class=\"soft\">strong: on the same page; faint: elsewhere</span>",
		      d->out);
	fputs("</p>\n", d->out);
}

static bool any_cut(const struct axis *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (axis_is_cut(a, i))
			return true;
	return false;
}

static void put_table(const struct finding *f, FILE *out)
{
	fprintf(out,
		"<details class=\"ops\"><summary>The same as a table: %zu "
		"operation%s</summary><div class=\"scroll\"><table>\n<thead><tr><th>start</th>"
		"<th>end</th><th>process</th><th>operation</th><th></th></tr></thead><tbody>\n",
		f->timeline->nops, f->timeline->nops == 1 ? "" : "s");
	for (size_t i = 0; i < f->timeline->nops; i++) {
		const struct timeline_op *o = &f->timeline->ops[i];
		char start[PEOPLE_MAX], end[PEOPLE_MAX] = "in flight";

		people_against(start, o->start_ns, f->time_ns);
		if (o->end_ns)
			people_against(end, o->end_ns, f->time_ns);
		fprintf(out, "<tr class=\"%s\"><td>%s</td><td>%s</td><td>",
			timeline_role_names[o->role], start, end);
		html_text(out, f->timeline->lanes[o->lane]);
		fputs("</td><td class=\"mono\">", out);
		html_text(out, o->text);
		fprintf(out, "</td><td>%s</td></tr>\n", role_text(f->timeline, o));
	}
	fputs("</tbody></table></div></details>\n", out);
}

void html_timeline(const struct finding *f, size_t i, FILE *out)
{
	struct drawing d = { .f = f, .t = f->timeline, .out = out };

	if (!d.t || !d.t->nops)
		return;
	lay_axis(&d);
	lay_rows(&d);
	order_lanes(&d);
	fputs("<figure class=\"timeline\">\n<h3>When</h3>\n<figcaption>Time against the moment of "
	      "the finding.",
	      out);
	if (has_finder(d.t))
		fputs(" The shaded band is the operation that saw it: what overlaps it was going "
		      "on "
		      "at the same time.",
		      out);
	if (any_cut(&d.axis))
		fputs(" Hatched: nothing begins or ends, so it is cut short.", out);
	if (d.t->left_out)
		fprintf(out, " %llu further operation%s left out.",
			(unsigned long long)d.t->left_out, d.t->left_out == 1 ? " is" : "s are");
	fputs("</figcaption>\n", out);
	put_svg(&d, i);
	put_legend(&d);
	put_table(f, out);
	fputs("</figure>\n", out);
}
