/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preimages: what 64-byte lines of a file held before they were changed, for the lies that
 * bring old data back. Lines, because a page that is written back carries its neighbours' cells
 * unchanged, and those have no new version. Knows descriptors and offsets only.
 */
#ifndef LIARFS_PREIMAGE_H
#define LIARFS_PREIMAGE_H

#include "base/base.h"

struct preimage {
	int fd;	   /* memfd with the saved lines at their own offsets, -1 before the first */
	u64 *bits; /* one per line that is saved */
	size_t nwords;
};

enum preimage_keep {
	PREIMAGE_LAST,	/* the version before the last change */
	PREIMAGE_FIRST, /* the version before the first change since the last reset */
};

void preimage_init(struct preimage *p);
void preimage_free(struct preimage *p);
/* Forget every line. */
void preimage_reset(struct preimage *p);
/* Forget the lines that touch [@offset, @end): they were truncated or punched. */
void preimage_forget(struct preimage *p, u64 offset, u64 end);
/* Is a line of [@offset, @end) saved? */
bool preimage_any(const struct preimage *p, u64 offset, u64 end);
/* @buf is about to be written at @offset of @stored: save the lines that it changes. -errno. */
int preimage_save(struct preimage *p, int stored, const void *buf, size_t len, u64 offset,
		  enum preimage_keep keep);
/* Lay the saved lines over @buf, which holds [@offset, @offset + @len) of the file. -errno. */
int preimage_apply(const struct preimage *p, void *buf, size_t len, u64 offset);

#endif
