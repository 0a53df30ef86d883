/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host holds of a guest, so that it is there whatever becomes of the guest: the arena with
 * the mapped state of the run, and the disk that the image is on. Neither has a name before
 * it is worth keeping: who dies leaves nothing. Writes into run directories; trusts no guest.
 */
#ifndef STRESSD_VM_SALVAGE_H
#define STRESSD_VM_SALVAGE_H

#include "vm/vm.h"

struct salvage {
	const struct vm_options *o;
	int arena_fd, disk_fd; /* disk: -1 where no scenario has an image */
	struct arena *arena;
	u64 arena_bytes, disk_bytes;
	const char *release; /* of the guest's kernel, as far as it has said */
};

/* Memory and disk, for the largest of the scenarios. 0 or -errno with a line in @e. */
int salvage_open(struct salvage *s, const struct vm_options *o, struct err *e);
void salvage_close(struct salvage *s);
/* Scenario @i has ended with @exit and the guest goes on: bring its state and, where it is
 * evidence, its image to @dirfd, then make both new and let the guest go on. 0 or -errno of the
 * host's files; -EBADMSG: the guest says what cannot be. */
int salvage_ended(struct salvage *s, size_t i, int exit, int dirfd);
/* The guest died in scenario @i, and @end (a word) is how: bring all of it, and a note by which
 * `stressd verify` knows that a kernel died. */
int salvage_died(struct salvage *s, size_t i, const char *end, int dirfd);
/* Has the run of the scenario that is under way come to its start? */
bool salvage_going(const struct salvage *s);

#endif
