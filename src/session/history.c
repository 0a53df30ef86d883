// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening the rings of a run and walking them. */
#include "session/history.h"

#include <stdio.h>

void history_open(struct history *h, const char *run_dir)
{
	struct err ignored;
	char path[600];

	*h = (struct history){ 0 };
	for (u16 id = 1; id < SHADOW_WRITERS; id++) {
		snprintf(path, sizeof(path), "%s/ops.%u.log", run_dir, id);
		oplog_open(path, &h->logs[id], &ignored);
	}
}

void history_close(struct history *h)
{
	for (u16 id = 1; id < SHADOW_WRITERS; id++)
		oplog_close(&h->logs[id]);
}

bool op_touches(const struct op_record *r, u32 file, u64 from, u64 to)
{
	switch (r->op) {
	case OP_SYNCFS:
	case OP_DROP_CACHES:
	case OP_RECLAIM:
	case OP_REMOUNT:
	case OP_MOUNT_CYCLE:
		return true;
	case OP_TRUNCATE:
		return r->file == file && r->offset < to;
	case OP_COLLAPSE:
	case OP_INSERT:
		return r->file == file && r->offset < to;
	case OP_FSYNC:
	case OP_FDATASYNC:
	case OP_MSYNC:
	case OP_REMAP:
	case OP_UNSHARE: /* a file that shares nothing any more is treated as a whole */
		return r->file == file;
	case OP_EXCHANGE:
		if (r->how == file && r->arg < to && r->arg + r->len > from)
			return true;
		break;
	case OP_STAT:
		return false;
	default:
		break;
	}
	return r->file == file && r->offset < to && r->offset + r->len > from;
}

void history_each(const struct history *h, bool (*fn)(void *ctx, const struct deed *d), void *ctx)
{
	for (u16 id = 1; id < SHADOW_WRITERS; id++) {
		const struct oplog *log = &h->logs[id];
		struct deed d = { .who = id };

		if (!log->h)
			continue;
		for (u64 i = oplog_count(log); i-- > oplog_oldest(log);)
			if (oplog_read(log, i, &d.op) >= 0 && !fn(ctx, &d))
				break;
	}
}
