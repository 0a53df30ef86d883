/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo journal: what must be put back, on disk and synced before it is changed. One journal
 * file per run under <state>/undo/. Entries are undone in reverse, each once; an entry whose
 * change never happened undoes to nothing. Used by targets, faults, the coordinator, the janitor
 * and `stressd recover`; which kinds exist is the table undo.def.
 *
 * Who may undo: the process that holds the journal's POSIX lock (fcntl(2)). It is not inherited
 * by fork, so no worker can keep a dead run looking alive. Hence undo_create() belongs in the
 * process that runs the scenario, and no one else may open and close the file in that process.
 */
#ifndef STRESSD_UNDO_H
#define STRESSD_UNDO_H

#include "base/base.h"

#include <stdio.h>

enum undo_kind {
#define X(id, name, fn, when, help) UNDO_##id,
#include "undo/undo.def"
#undef X
	UNDO_KINDS
};

#define UNDO_ARGS 3

/* Puts one entry back. 0 when it is as it was, whether or not anything had to be done; -errno
 * with text when not. A text with 0 is a note for `stressd recover` to show. Strings that were
 * recorded as NULL come as "". */
typedef int undo_fn(const char *const arg[UNDO_ARGS], struct err *e);

#define X(id, name, fn, when, help) undo_fn fn;
#include "undo/undo.def"
#undef X

struct undo;

/* Make the journal of run @run (one path component) under @state_dir (created, 0700), locked by
 * this process. -errno with text in @e; -EEXIST when that run has one. */
int undo_create(const char *state_dir, const char *run, struct undo **ret, struct err *e);
/* Write and fsync {kind, a, b, c}; strings may be NULL. Returns an entry number >= 0 or -errno:
 * then the change must not be made. */
int undo_record(struct undo *u, enum undo_kind kind, const char *a, const char *b, const char *c);
/* The change of entry @n was put back by its maker. 0 or -errno; -ENOENT for no such entry,
 * 0 too when it was forgotten before. */
int undo_forget(struct undo *u, int n);
/* Put entry @n back now, by its kind's function. 0 or -errno with text in @e; it then stays. */
int undo_put_back(struct undo *u, int n, struct err *e);
/* UNDO_PROCESS for the process group of @pid, which must be alive. As undo_record. */
int undo_record_process(struct undo *u, int pid);
/* UNDO_SYSCTL with the value that @path has now. As undo_record. */
int undo_record_sysctl(struct undo *u, const char *path);
/* Put everything back: processes first, then the rest in reverse. Returns the number of entries
 * that failed; @e has the first. What failed stays in the journal for the next attempt. */
int undo_all(struct undo *u, struct err *e);
/* The same, with one line per entry printed to @out. */
int undo_all_to(struct undo *u, FILE *out, struct err *e);
/* Entries that are not yet put back. */
size_t undo_pending(const struct undo *u);
/* Close without undoing; the file goes when nothing is left in it. */
void undo_close(struct undo *u);
const char *undo_path(const struct undo *u);
/* The journal's descriptor, owned by @u: for the janitor, which closes all others. */
int undo_fd(const struct undo *u);
/* Open an existing journal, locked. Torn last records are cut off. -EAGAIN: its run is alive. */
int undo_open(const char *path, struct undo **ret, struct err *e);
/* In a child of the journal's owner, after the owner died: take the lock and read what the owner
 * wrote since the fork. Waits for the lock at most @limit_ns; -EAGAIN then. */
int undo_take_over(struct undo *u, u64 limit_ns);
/* `stressd recover`: undo every journal below @state_dir whose run is dead. Prints one line per
 * entry to @out. Returns 0 or the number of entries that could not be undone. */
int undo_recover(const char *state_dir, FILE *out);

#endif
