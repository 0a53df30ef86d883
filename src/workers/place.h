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

/* Default weights of menus that can unshare: it loses data on XFS before Linux 6.12
 * (docs/FINDINGS.md, J), and a scenario that asks for nothing in particular must be silent there.
 */
#define UNSHARE_UNASKED "1,unshare=0"

/* Operations to choose from, by weight. What the filesystem refuses as not supported a few times
 * in a row is chosen no more. */
#define MENU_MAX 40
struct menu {
	u64 weights[MENU_MAX];
	u8 refused[MENU_MAX];
	size_t n;
};
void menu_init(struct menu *m, const u64 *weights, size_t n);
/* Index of the next one; m->n when there is none left. */
size_t menu_draw(const struct menu *m, struct worker *w);
/* The operation drawn as @i ended with @result. */
void menu_note(struct menu *m, size_t i, s64 result);

#endif
