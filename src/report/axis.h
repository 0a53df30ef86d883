/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A time axis for moments that lie nanoseconds and seconds apart: linear, but for stretches in
 * which nothing begins or ends, which are cut short and marked. Order and overlap stay exact.
 * Knows numbers only.
 */
#ifndef STRESSD_REPORT_AXIS_H
#define STRESSD_REPORT_AXIS_H

#include "base/base.h"

#define AXIS_MAX 512

struct axis {
	u64 at[AXIS_MAX];   /* moments, ascending */
	double x[AXIS_MAX]; /* where they are, 0 to 1 */
	size_t n;
	u64 focus_from, focus_to; /* what it is about: wide enough to be seen; the same: nothing */
	double per_ns;		  /* where it is not cut */
	double most, most_focus;  /* the largest share of a stretch, and of one in the focus */
};

/* Note a moment; those beyond AXIS_MAX are left out. */
void axis_add(struct axis *a, u64 ns);
/* All are noted: lay them out. */
void axis_lay(struct axis *a);
/* Where @ns is; 0 or 1 for what lies outside. */
double axis_place(const struct axis *a, u64 ns);
/* Is the stretch from moment @i to the next one cut short? */
bool axis_is_cut(const struct axis *a, size_t i);
/* A round step for labels that want @gap of the width between them. At least 1. */
u64 axis_step(const struct axis *a, double gap);

#endif
