/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log of writes as dm-log-writes keeps it: every write and discard of a device in the order in
 * which they became durable, each flush and FUA write, and marks of our own. Read front to back,
 * and applied to another file. Knows no device-mapper, filesystem or shadow; nothing in the log is
 * believed before it was checked.
 * (Documentation/admin-guide/device-mapper/log-writes.rst, drivers/md/dm-log-writes.c)
 */
#ifndef STRESSD_WRITELOG_H
#define STRESSD_WRITELOG_H

#include "base/base.h"

#define WRITELOG_MARK_MAX 64 /* of the marks that are ours; longer ones are cut */

enum writelog_flags {
	WRITELOG_FLUSH = 1 << 0,
	WRITELOG_FUA = 1 << 1,
	WRITELOG_DISCARD = 1 << 2,
	WRITELOG_MARK = 1 << 3,
	WRITELOG_METADATA = 1 << 4,
};
/* All that was written before one of these is on stable storage. */
#define WRITELOG_DURABLE (WRITELOG_FLUSH | WRITELOG_FUA)

struct writelog {
	int fd;		  /* the caller's */
	u64 len;	  /* of the log, in bytes */
	u64 device_bytes; /* of the device that was logged */
	u32 sector_bytes;
	u64 nentries; /* that the superblock counts */
	/* The next entry. */
	u64 next, at;
};

struct writelog_entry {
	u64 number;	 /* from 0 */
	u64 flags;	 /* enum writelog_flags */
	u64 offset, len; /* bytes of the device that were written or discarded */
	u64 data;	 /* where in the log the bytes are */
	char mark[WRITELOG_MARK_MAX];
};

/* Do bytes follow it? */
static inline bool writelog_has_data(const struct writelog_entry *entry)
{
	return entry->len && !(entry->flags & (WRITELOG_DISCARD | WRITELOG_MARK));
}

/* The log in @fd (a file or a device that is @len bytes long), of a device of @device_bytes. 0, or
 * -EBADMSG: there is none, or it is damaged. */
int writelog_open(int fd, u64 len, u64 device_bytes, struct writelog *ret, struct err *e);
/* Back to the first entry. */
void writelog_rewind(struct writelog *w);
/* The next entry in *ret. 1, 0 at the end; -ENODATA: the log ends within it; -EBADMSG: it cannot be
 * one; or another -errno. After an error nothing more can be read. */
int writelog_next(struct writelog *w, struct writelog_entry *ret, struct err *e);
/* Do to @to, a file, what the entry did to the device: what was discarded reads as zeros. */
int writelog_apply(const struct writelog *w, const struct writelog_entry *entry, int to,
		   struct err *e);

#endif
