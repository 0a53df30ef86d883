/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting what cannot be on the board, with what each cheap layer says of it at once. */
#ifndef STRESSD_SIGHT_H
#define STRESSD_SIGHT_H

#include "ops/actor.h"

/* Cell @cell was wrong in bytes [from, to) (at @bytes[from]) in layer @layer. The sighting is the
 * caller's to post; NULL when the board is full. */
struct sighting *sight_cell(struct actor *a, struct afile *f, const struct op_record *rec, u64 cell,
			    const u8 *bytes, u32 from, u32 to, struct cell_view before,
			    const struct verdict *v, enum sc_layer layer);
/* The cells of one read that are wrong in the same way are one sighting: sight_more() starts it or
 * counts, sight_close() posts what is open. */
struct sight_run {
	struct sighting *open;
};
void sight_more(struct actor *a, struct sight_run *run, struct afile *f,
		const struct op_record *rec, u64 cell, const u8 *bytes, u32 from, u32 to,
		struct cell_view before, const struct verdict *v, enum sc_layer layer);
void sight_close(struct actor *a, struct sight_run *run);
void sight_errno(struct actor *a, struct afile *f, const struct op_record *rec, int err);
void sight_size(struct actor *a, struct afile *f, const struct op_record *rec, u64 got, u64 lo,
		u64 hi);
/* Anything else: a program that failed, ... @text is copied. */
void sight_text(struct actor *a, enum finding_kind kind, const char *text);

#endif
