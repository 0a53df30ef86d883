// SPDX-License-Identifier: GPL-2.0-or-later
/* The axis of a timeline: labels where there is room for them, the moment of the finding first,
 * then how long the stretches are that are cut, then round times. */
#include "report/html.h"
#include "report/people.h"

#include <math.h>

#define ROOM	   0.08 /* of the width: what a label takes on a wide screen */
#define ROOM_SMALL 0.17 /* ... and on a narrow one */
#define TICK_GAP   0.11
#define LABELS_MAX 64

struct labels {
	const struct axis *a;
	FILE *out;
	u64 zero;
	double top, height;
	struct {
		double x;
		bool odd;
	} taken[LABELS_MAX];
	size_t n;
};

/* Is there room for a label at @x? *ret_odd: not on a narrow screen. */
static bool claim(struct labels *l, double x, bool *ret_odd)
{
	bool odd = false;

	if (l->n == LABELS_MAX || x < 0.03 || x > 0.97)
		return false;
	for (size_t i = 0; i < l->n; i++) {
		double away = fabs(l->taken[i].x - x);

		if (away < ROOM)
			return false;
		odd |= away < ROOM_SMALL && !l->taken[i].odd;
	}
	l->taken[l->n].x = x;
	l->taken[l->n++].odd = *ret_odd = odd;
	return true;
}

static void put_line(struct labels *l, const char *class, double x)
{
	fprintf(l->out, "<line class=\"%s\"", class);
	html_percent(l->out, "x1", x);
	html_percent(l->out, "x2", x);
	fprintf(l->out, " y1=\"%.0f\" y2=\"%.0f\"/>\n", l->top - 4, l->height);
}

static void put_label(struct labels *l, const char *class, bool odd, double x, const char *text)
{
	fprintf(l->out, "<text class=\"tick %s%s\"", class, odd ? " odd" : "");
	html_percent(l->out, "x", x);
	fprintf(l->out, " y=\"%.0f\">%s</text>\n", l->top - 9, text);
}

static void put_zero(struct labels *l)
{
	double x = axis_place(l->a, l->zero), at = fmin(x, 0.97);
	bool odd = false;

	put_line(l, "seen", x);
	if (claim(l, at, &odd))
		put_label(l, "seen", false, at, "found");
}

static void put_cuts(struct labels *l)
{
	for (size_t i = 0; i < l->a->n; i++) {
		double x = l->a->x[i], next;
		char text[PEOPLE_MAX];
		bool odd;

		if (!axis_is_cut(l->a, i))
			continue;
		next = l->a->x[i + 1];
		fputs("<rect class=\"cut\"", l->out);
		html_percent(l->out, "x", x);
		html_percent(l->out, "width", next - x);
		fprintf(l->out, " y=\"%.0f\" height=\"%.0f\"/>\n", l->top - 4,
			l->height - l->top + 4);
		if (claim(l, (x + next) / 2, &odd))
			put_label(l, "cut", odd, (x + next) / 2,
				  people_time(text, l->a->at[i + 1] - l->a->at[i]));
	}
}

/* At round times before and after the finding, not where the axis is cut. */
static void put_ticks(struct labels *l)
{
	u64 step = axis_step(l->a, TICK_GAP);

	for (size_t i = 0; i + 1 < l->a->n; i++) {
		u64 from = l->a->at[i], to = l->a->at[i + 1];
		u64 ns = from + ((l->zero % step) + step - from % step) % step;

		for (; !axis_is_cut(l->a, i) && ns < to; ns += step) {
			double x = axis_place(l->a, ns);
			char text[PEOPLE_MAX];
			bool odd;

			if (ns == l->zero || !claim(l, x, &odd))
				continue;
			put_line(l, odd ? "grid odd" : "grid", x);
			put_label(l, "", odd, x, people_against(text, ns, l->zero));
		}
	}
}

void html_axis(const struct axis *a, u64 zero_ns, double top, double height, FILE *out)
{
	struct labels l = { .a = a, .out = out, .zero = zero_ns, .top = top, .height = height };

	put_zero(&l);
	put_cuts(&l);
	put_ticks(&l);
}
