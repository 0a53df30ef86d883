/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The histories of all writers of a run, looked at together: which operations touched a place
 * around a time. Reads the rings of living and dead runs alike.
 */
#ifndef STRESSD_HISTORY_H
#define STRESSD_HISTORY_H

#include "oplog.h"
#include "shadow/shadow.h"

struct history {
	struct oplog logs[SHADOW_WRITERS]; /* by writer id; unused ones have no header */
};

/* One operation and who did it. */
struct deed {
	u16 who;
	struct op_record op;
};

/* Open every ring of the run directory that is there. Damaged ones are left out. */
void history_open(struct history *h, const char *run_dir);
void history_close(struct history *h);

/* Does the operation concern bytes [from, to) of the file? Whole-file and filesystem-wide
 * operations do. */
bool op_touches(const struct op_record *r, u32 file, u64 from, u64 to);

/* Call @fn for every readable record of every writer, newest first per writer, until it returns
 * false for that writer. */
void history_each(const struct history *h, bool (*fn)(void *ctx, const struct deed *d), void *ctx);

#endif
