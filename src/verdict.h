/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Naming what is wrong: which finding bytes are that nothing allows, and which parts of a
 * cell which generations explain. Serves verify.c only.
 */
#ifndef STRESSD_VERDICT_H
#define STRESSD_VERDICT_H

#include "verify.h"

/*
 * Which bytes, and which whole 8-byte words, of a range some candidate accounts for. Bytes decide
 * what is legal: stores of one byte, and copies that end at any, are promised no more. Words
 * decide what to call the rest: with many candidates single bytes match by chance.
 */
struct explained {
	const u8 *bytes;
	u32 from, to;
	u8 byte[CELL_MAX];
	u8 word[CELL_MAX / 8];
};

void explain_by(struct explained *x, const u8 *want);
void explain_by_zeros(struct explained *x);
void explain_by_generation(struct explained *x, const struct shadow *sh,
			   const struct shadow_file *f, u64 cell, u32 gen);
bool explained_bytes(const struct explained *x);
bool explained_words(const struct explained *x);

/* prefill_found() in bytes [from, to) of a cell: its lines lie on multiples of 64 of the cell. */
bool prefill_in(const u8 *bytes, u32 from, u32 to, u64 *ret_where);

struct bounds {
	struct cell_view s, e;
	u32 first, last;
};

/* Fill *ret for bytes that were judged wrong. */
void verdict_name(const struct shadow *sh, const struct shadow_file *f, u64 cell, const u8 *bytes,
		  u32 from, u32 to, const struct bounds *b, struct verdict *ret);

#endif
