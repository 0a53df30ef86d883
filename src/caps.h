/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine can do of what stressd can use: `stressd caps`. Only looks; changes nothing.
 */
#ifndef STRESSD_CAPS_H
#define STRESSD_CAPS_H

#include "base/base.h"

#include <stdio.h>

struct cap_row {
	const char *name, *purpose, *cure;
	/* 0 when it is there, -errno when not. */
	int (*probe)(const char *arg);
	const char *arg;
};
extern const struct cap_row cap_rows[];
extern const size_t ncap_rows;

/* Look at every row and print it: an aligned table with the cure of what is missing, or a JSON
 * array of {name, available, purpose, cure}. @state_dir is where direct I/O is tried. Returns the
 * number of rows that are missing, or -errno. */
int caps_report(FILE *out, const char *state_dir, bool json);

#endif
