// SPDX-License-Identifier: GPL-2.0-or-later
/* Moments are sorted, and each stretch between two of them gets its share of the width. */
#include "report/axis.h"

#include <math.h>
#include <stdlib.h>

#define MARGIN	0.02 /* free on either side */
#define CUT	0.14 /* the largest share of a stretch in which nothing happens */
#define CUT_MIN 0.01 /* ... where there are many of them */
#define FOCUS	0.25 /* what the focus shall have */
#define CUTS	0.45 /* what all of them may take together */

void axis_add(struct axis *a, u64 ns)
{
	if (a->n < AXIS_MAX)
		a->at[a->n++] = ns;
}

static int ascending(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static void unique(struct axis *a)
{
	size_t n = 0;

	qsort(a->at, a->n, sizeof(a->at[0]), ascending);
	for (size_t i = 0; i < a->n; i++)
		if (!n || a->at[i] != a->at[n - 1])
			a->at[n++] = a->at[i];
	a->n = n;
}

static double most_of(const struct axis *a, size_t i)
{
	return a->at[i] >= a->focus_from && a->at[i + 1] <= a->focus_to ? a->most_focus : a->most;
}

static double width_of(const struct axis *a, size_t i, double per_ns)
{
	return fmin((double)(a->at[i + 1] - a->at[i]) * per_ns, most_of(a, i));
}

static double width_at(const struct axis *a, double per_ns)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < a->n; i++)
		sum += width_of(a, i, per_ns);
	return sum;
}

static double cut_width(const struct axis *a)
{
	double sum = 0;

	for (size_t i = 0; i + 1 < a->n; i++)
		sum += axis_is_cut(a, i) ? most_of(a, i) : 0;
	return sum;
}

/* The scale at which all stretches, cut at a->most, fill the width: at one width per nanosecond
 * each of them is cut, at none it is empty. */
static void choose_scale(struct axis *a)
{
	double lo = 0, hi = 1, fit;

	for (int i = 0; i < 100; i++) {
		double mid = (lo + hi) / 2;

		if (width_at(a, mid) > 1 - 2 * MARGIN)
			hi = mid;
		else
			lo = mid;
	}
	a->per_ns = lo;
	/* Cut all of them, and they may not fill it. */
	fit = (1 - 2 * MARGIN) / fmax(width_at(a, lo), 1e-9);
	a->per_ns *= fit;
	a->most *= fit;
	a->most_focus *= fit;
}

static void place_all(struct axis *a)
{
	double x = MARGIN;

	for (size_t i = 0; i < a->n; i++) {
		a->x[i] = a->n == 1 ? 0.5 : x;
		if (i + 1 < a->n)
			x += width_of(a, i, a->per_ns);
	}
}

void axis_lay(struct axis *a)
{
	/* Few stretches may be long ones; together they must be able to fill the width. */
	double floor;
	bool focus = a->focus_to > a->focus_from;

	unique(a);
	floor = 1.5 / (double)MAX(a->n, (size_t)2);
	for (double most = CUT; most >= CUT_MIN; most *= 0.8) {
		a->most = focus ? most : fmax(most, floor);
		a->most_focus = fmax(a->most, FOCUS);
		choose_scale(a);
		place_all(a);
		if (cut_width(a) <= CUTS &&
		    (!focus || axis_place(a, a->focus_to) - axis_place(a, a->focus_from) >= FOCUS))
			break;
	}
}

double axis_place(const struct axis *a, u64 ns)
{
	size_t i = 0;
	double part;

	if (!a->n || ns < a->at[0])
		return 0;
	if (ns > a->at[a->n - 1])
		return 1;
	while (i + 1 < a->n && a->at[i + 1] <= ns)
		i++;
	if (i + 1 == a->n)
		return a->x[i];
	part = (double)(ns - a->at[i]) / (double)(a->at[i + 1] - a->at[i]);
	return a->x[i] + part * (a->x[i + 1] - a->x[i]);
}

bool axis_is_cut(const struct axis *a, size_t i)
{
	return i + 1 < a->n && (double)(a->at[i + 1] - a->at[i]) * a->per_ns > most_of(a, i) * 1.01;
}

u64 axis_step(const struct axis *a, double gap)
{
	double want = a->per_ns > 0 ? gap / a->per_ns : 1, power = 1;

	while (power * 10 <= want)
		power *= 10;
	if (want <= power)
		return (u64)power;
	return (u64)(power * (want <= 2 * power ? 2 : want <= 5 * power ? 5 : 10));
}
