/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loop devices of a target, in the journal before they are bound. */
#ifndef STRESSD_TARGET_LOOP_H
#define STRESSD_TARGET_LOOP_H

#include "base/loopdev.h"
#include "undo/undo.h"

struct target_loop {
	char device[LOOP_NAME_MAX]; /* "" : none */
	int undo, fd;		    /* journal entry; the open device, which keeps it bound; -1 */
};
#define TARGET_LOOP_NONE                                                                           \
	{                                                                                          \
		.undo = -1, .fd = -1                                                               \
	}

/* Bind the file @fd, whose path is @backing, to a free loop device; @len and @direct as for
 * loop_bind(). 0 or -errno. */
int target_loop_bind(struct undo *u, const char *backing, int fd, u64 len, bool direct,
		     struct target_loop *l, struct err *e);
/* Free it; one that is not bound is none. */
int target_loop_release(struct undo *u, const char *backing, struct target_loop *l, struct err *e);

#endif
