/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naming what is wrong: which finding bytes are that nothing allows, and which words of a cell
 * which generations explain. Serves verify.c only.
 */
#ifndef STRESSD_VERDICT_H
#define STRESSD_VERDICT_H

#include "verify.h"

/* Which 8-byte words of a range some candidate accounts for. */
struct explained {
	const u8 *bytes;
	u32 from, to;
	u64 words[CELL_MAX / 8 / 64];
};

void explain_by(struct explained *x, const u8 *want);
void explain_by_cut(struct explained *x, const u8 *want);
void explain_by_zeros(struct explained *x);
void explain_by_generation(struct explained *x, const struct shadow *sh,
			   const struct shadow_file *f, u64 cell, u32 gen);
bool explained_all(const struct explained *x);

struct bounds {
	struct cell_view s, e;
	u32 first, last;
};

/* Fill *ret for bytes that were judged wrong. */
void verdict_name(const struct shadow *sh, const struct shadow_file *f, u64 cell, const u8 *bytes,
		  u32 from, u32 to, const struct bounds *b, struct verdict *ret);

#endif
