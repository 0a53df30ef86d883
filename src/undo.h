/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo journal: what must be put back, on disk and synced before it is changed. One journal
 * file per run under <state>/undo/. Entries are undone in reverse, each once; an entry whose
 * change never happened undoes to nothing. Used by targets, the coordinator, the janitor and
 * `stressd recover`; which kinds exist is the table undo.def.
 */
#ifndef STRESSD_UNDO_H
#define STRESSD_UNDO_H

#include "base/base.h"

#include <stdio.h>

enum undo_kind {
#define X(id, name, fn, help) UNDO_##id,
#include "undo.def"
#undef X
	UNDO_KINDS
};

struct undo;

/* Make the journal of run @run under @state_dir (created, 0700). -errno with text in @e. */
int undo_create(const char *state_dir, const char *run, struct undo **ret, struct err *e);
/* Write and fsync {kind, a, b, c}; strings may be NULL. Returns an entry number >= 0 or -errno:
 * then the change must not be made. */
int undo_record(struct undo *u, enum undo_kind kind, const char *a, const char *b, const char *c);
/* The change of entry @n was put back by its maker. */
int undo_forget(struct undo *u, int n);
/* Put everything back, in reverse. Returns the number of entries that failed; @e has the first. */
int undo_all(struct undo *u, struct err *e);
/* Close without undoing; the file goes when nothing is left in it. */
void undo_close(struct undo *u);
const char *undo_path(const struct undo *u);
/* Open an existing journal (janitor, recover). Torn last records are ignored. */
int undo_open(const char *path, struct undo **ret, struct err *e);
/* `stressd recover`: undo every journal below @state_dir whose run is dead. Prints one line per
 * entry to @out. Returns 0 or the number of entries that could not be undone. */
int undo_recover(const char *state_dir, FILE *out);

#endif
