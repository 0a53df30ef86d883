/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a worker's next operation goes: random, in sequence, or near the latest store of somebody
 * else. Serves workers whose ranges are bytes; those that own cells use pick_cells(). Changes
 * nothing but the caller's place and random state.
 */
#ifndef STRESSD_PLACE_H
#define STRESSD_PLACE_H

#include "workers/worker.h"

enum pattern { PATTERN_RANDOM, PATTERN_SEQUENTIAL };
extern const char *const pattern_names[]; /* NULL-terminated */

struct place {
	u64 next; /* byte offset of the next operation in sequence */
};

/* Spread "count" sequential workers evenly over the file. */
void place_start(struct place *p, const struct worker *w, const struct afile *f);

/*
 * A range of up to @len bytes that starts below the end of @f, at a multiple of @unit, and ends
 * within the cells that the file can have. With @near it starts at most so many pages from the
 * latest store. *ret_len is a multiple of @unit, 0 when the file has no place for one.
 */
void place_next(struct place *p, struct worker *w, const struct afile *f, enum pattern pattern,
		u64 near, u64 unit, u64 len, u64 *ret_offset, u64 *ret_len);

/* @range of bytes to whole cells of @f, at least one. */
u64 cells_drawn(struct worker *w, const struct afile *f, struct range range);
/* True in @percent of the calls. */
bool chance(struct worker *w, u64 percent);
/* Index drawn from @n weights; @n when all are 0. */
size_t weighted(struct worker *w, const u64 *weights, size_t n);

#endif
