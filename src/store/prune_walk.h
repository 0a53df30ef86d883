/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of prune: run directories as they were found. For these files only. */
#ifndef STRESSD_STORE_PRUNE_WALK_H
#define STRESSD_STORE_PRUNE_WALK_H

#include "store/content.h"
#include "store/internal.h"
#include "store/prune.h"

#include <sys/types.h>

#define PRUNE_RESULT   "result.json"
#define PRUNE_NIGHT    "night.json"
#define PRUNE_KEEP     "keep"
#define PRUNE_LEFTOVER ".stressd-pruned-" /* begins the name of what a killed prune left */

struct prune_item {
	char *path; /* absolute, without links */
	size_t top; /* length of the part of it that was asked for */
	bool night; /* not a run, but what holds a night's */
	bool leftover, has_result, has_keep, has_mount;
	dev_t dev;
	ino_t ino;
	u64 bytes;			 /* allocated, of all that is in it */
	char content[STORE_CONTENT_MAX]; /* "": no result that could be read */
	s64 ended_s;			 /* of the store, or when the result was written */
	/* Of the store. */
	s64 id;
	bool marked; /* as gone */
	char verdict[16];
	enum prune_end end;
};

struct prune_list {
	struct prune_item *items;
	size_t n;
};

/* Add the run directories below @top, absolute and without links, or @top itself. 0 or -errno. */
int prune_walk(const char *top, struct prune_list *list, struct err *e);
void prune_list_free(struct prune_list *list);

/* Open the directory @name below @dirfd: no link, no mount point. Or -errno. */
int prune_open(int dirfd, const char *name);
/* The name that the store has for what is in the run directory @dirfd. 0 or -errno. */
int prune_content(int dirfd, char buf[STORE_CONTENT_MAX]);

/* Is there nothing left to be kept of the night @night? 1, 0 or -errno. */
int prune_night_is_over(struct store *s, int night, struct err *e);

/* Remove the directory of @item if it still is what it was, once its row says so. 0; -EBUSY: it is
 * in use; -ESTALE: it is no longer what it was; or -errno. With @dry_run as far as that is seen. */
int prune_remove(struct store *s, const struct prune_item *item, bool dry_run, struct err *e);

#endif
