/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run directory of the guest, kept the same on the host while it changes. The guest's half
 * looks for chunks whose bytes changed and sends them: shadow, control and histories are mapped
 * files, of which nobody tells that they were written. The host's half writes what comes, and
 * trusts no name. Regular files of the top level; images stay where they are.
 */
#ifndef STRESSD_VM_MIRROR_H
#define STRESSD_VM_MIRROR_H

#include "vm/stream.h"

#define MIRROR_FILES 512
#define MIRROR_NAME  256

struct mirror_file {
	char name[MIRROR_NAME]; /* "": this place is free */
	u64 ino, size, chunks;
	u64 *sums; /* of each chunk as it was sent; owned */
	u64 seen;  /* number of the scan that saw it last */
};

struct mirror {
	struct mirror_file files[MIRROR_FILES];
	u32 base; /* added to the numbers of files: a run's are its own */
	u64 scans;
};

/* Send by @send what changed below @dirfd since the last scan. 0, or the first error of @send or
 * of reading. Files that cannot be kept any more (there are too many) are -ENOSPC. */
int mirror_scan(struct mirror *m, int dirfd, int (*send)(void *ctx, const struct frame *f),
		void *ctx);
void mirror_free(struct mirror *m);

struct arrival {
	int dirfd; /* not owned */
	struct {
		u32 id; /* + 1; 0: free */
		int fd;
		char name[MIRROR_NAME];
	} files[MIRROR_FILES];
};

/* Do what a FILE, DATA or GONE frame says. 0; -EBADMSG: the guest says what cannot be; -errno of
 * the host's own files, such as -ENOSPC. */
int arrival_take(struct arrival *a, const struct frame *f);
void arrival_close(struct arrival *a);

#endif
