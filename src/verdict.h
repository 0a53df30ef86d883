/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naming what is wrong: which finding bytes are that nothing allows, and which words of a cell
 * which generations explain. Serves verify.c only.
 */
#ifndef STRESSD_VERDICT_H
#define STRESSD_VERDICT_H

#include "verify.h"

/*
 * How far some candidate accounts for each 8-byte word of a range. A copy that is interrupted
 * leaves a word as it was, as it becomes, or (copies at odd offsets, rep movsb) its front of one
 * and its back of another: so the longest front and back are kept.
 */
struct explained {
	const u8 *bytes;
	u32 from, to;
	bool cut; /* a candidate may show with some of its bytes zeroed: an odd punch in flight */
	u8 front[CELL_MAX / 8], back[CELL_MAX / 8];
};

void explain_by(struct explained *x, const u8 *want);
void explain_by_zeros(struct explained *x);
void explain_by_generation(struct explained *x, const struct shadow *sh,
			   const struct shadow_file *f, u64 cell, u32 gen);
/* Every word is one candidate's, or with @split the front of one and the back of another. */
bool explained_all(const struct explained *x, bool split);

struct bounds {
	struct cell_view s, e;
	u32 first, last;
};

/* Fill *ret for bytes that were judged wrong. */
void verdict_name(const struct shadow *sh, const struct shadow_file *f, u64 cell, const u8 *bytes,
		  u32 from, u32 to, const struct bounds *b, struct verdict *ret);

#endif
