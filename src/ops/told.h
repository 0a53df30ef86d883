/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Errors that the faults of the run explain, counted as they are told. */
#ifndef STRESSD_TOLD_H
#define STRESSD_TOLD_H

#include "ops/actor.h"

/* Between an error and its line in the kernel log, and between the clocks of the two. */
#define TOLD_SLACK_NS (500 * NSEC_PER_MSEC)

/* May a fault of the run have caused that @rec ended with @err? Then it is counted. */
bool told_explains(struct actor *a, const struct afile *f, const struct op_record *rec, int err);
/* Has a fault been armed by now that lets writes fail? Then an error of a write says no more for
 * certain that nothing was stored. */
/* May a sync that has just returned 0 be believed? Not once the device drops what it is given. */
bool told_durable(const struct actor *a);
bool told_doubts(const struct actor *a);
/* Does @err of a sync, or of a call that syncs, tell of data that did not get there? The mapping
 * keeps whatever error writeback had, not EIO and ENOSPC alone: ENOMEM, EDQUOT, EUCLEAN. Not one
 * that says that the call was wrong, or was not made. (include/linux/pagemap.h,
 * mapping_set_error()) */
bool told_loss(int err);
/* A sync of @f's descriptor was told of an error of writeback. */
void told_now(struct afile *f);
/* Is the descriptor owed one, so that its next sync must not return 0? Asked before the sync;
 * told_nothing() is for one that did: errors are told to every descriptor that was open, once
 * each. (Documentation/filesystems/vfs.rst, "Handling errors during writeback") */
u64 told_owed(const struct afile *f);
void told_nothing(struct actor *a, struct afile *f, const struct op_record *rec, u64 owed);
/* The number of errors that fault @fault explained. */
u64 told_count(const struct run_fault *fault);
/* Errors that a sync of any kind ended with: somebody who asked for durability was told. */
u64 told_by_sync(const struct run_fault *fault);

#endif
