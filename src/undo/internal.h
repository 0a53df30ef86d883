/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What undo.c, the journal as a file, and all.c, the order of putting back, share. Nobody else
 * includes it. */
#ifndef STRESSD_UNDO_INTERNAL_H
#define STRESSD_UNDO_INTERNAL_H

#include "undo/undo.h"
#include "undo/line.h"

#include <limits.h>

enum undo_when { FIRST, REVERSE, BOOT };

struct undo_kind_row {
	const char *name;
	undo_fn *fn;
	enum undo_when when;
};
extern const struct undo_kind_row undo_kinds[UNDO_KINDS];

struct undo_entry {
	struct undo_line line;
	int kind; /* enum undo_kind, or -1: written by a stressd that knows more kinds */
	bool done;
};

struct undo {
	struct undo *next; /* in open_journals */
	char path[PATH_MAX], run[256];
	int fd;
	pid_t owner; /* who holds the lock, if it is this process */
	off_t end;   /* of the last good line */
	bool rebooted;
	size_t damaged; /* lines between good ones that are not */
	struct undo_entry *entries;
	size_t n;
};

/* Put entry @i back and say so in the journal. 0, or -errno with text in @e. */
int undo_one(struct undo *u, size_t i, struct err *e);

#endif
