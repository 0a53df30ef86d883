/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single blocks of the target's device, drawn for faults that make some of them bad. */
#ifndef STRESSD_FAULT_BLOCKS_H
#define STRESSD_FAULT_BLOCKS_H

#include "faults/fault.h"

#define FAULT_BLOCK 4096 /* bytes */

enum block_where { BLOCK_IN_FILES, BLOCK_ON_DEVICE };

/* Choices of an option "where", and what it means. */
extern const char *const block_wheres[];
#define BLOCK_WHERE_HELP                                                                           \
	"below the run's files (not on btrfs, which does not say where they are), or anywhere"

/* Part of fault_type.check. */
int block_check(const struct scenario *sc, int where, struct err *e);
/* The number of a block of FAULT_BLOCK bytes; of the files, one that has content, if there is. */
u64 draw_block(struct fault *f, int where);

#endif
