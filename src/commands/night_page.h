/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page of a night, from the store's comparison: where the store, which knows no report, and
 * the page, which knows no store, meet.
 */
#ifndef STRESSD_COMMANDS_NIGHT_PAGE_H
#define STRESSD_COMMANDS_NIGHT_PAGE_H

#include "store/compare.h"

struct night_join {
	const char *name, *against; /* NULL: it is the first */
	const struct night *night;  /* with its places; the second one of the comparison */
	const struct comparison *comparison;
	bool stored; /* the store said what was seen before */
	u64 left;    /* cells that are still to be run */
};

/* Write the page to the file @path, as a whole or not at all. 0, or -errno with a line in @e. */
int night_page_write(const struct night_join *j, const char *path, struct err *e);
/* The page of the night @name of the store, of which @left cells are still to be run, against the
 * last one before it that had a place of it.
 * 0, -ENOENT without a text when there is no such night, or -errno. */
int night_page_of(struct store *s, const char *name, u64 left, const char *path, struct err *e);
/* The same for the night in the directory @dir (absolute), beside its cells: @dir/night.html. */
int night_page_at(struct store *s, const char *dir, u64 left, struct err *e);

#endif
