/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle: bytes that were read against what the shadow allows. Pure judgement over a cell's
 * bytes and two looks at its shadow, one before the read and one after; knows no worker, no
 * file descriptor and no layer. The table of what the kernel does not promise is in verify.c.
 */
#ifndef STRESSD_VERIFY_H
#define STRESSD_VERIFY_H

#include "base/base.h"
#include "finding.h"
#include "shadow/shadow.h"

enum judgement {
	JUDGED_LEGAL,
	JUDGED_OPEN, /* overlapped more than can be known: read again, or count it */
	JUDGED_WRONG,
};

struct verdict {
	int kind;	 /* enum finding_kind, when JUDGED_WRONG */
	struct stamp id; /* the intact stamp that was found, if any */
	bool has_id;
	u64 where;     /* device offset that prefill named; first wrong byte otherwise */
	char what[96]; /* what the bytes are: "generation 31 by mmap_writer.0", "zeros", ... */
};

/*
 * Judge bytes [from, to) of cell @cell of @f, which are at @bytes[from]; @s was the cell's view
 * before the read began. The view after it is taken here, when it is needed: fast for a cell
 * that holds what was settled before the read.
 */
enum judgement verify_cell(const struct shadow *sh, const struct shadow_file *f, u64 cell,
			   const u8 *bytes, u32 from, u32 to, struct cell_view s,
			   struct verdict *ret);

/* Is it a whole cell that holds the stamp of its one owner that was settled before the read?
 * Nearly every cell is, and then nothing else matters: verify_cell() says legal. False says
 * nothing. Inline, with values in registers: the loops over good cells are made of this. */
static inline bool verify_plain(const struct shadow *sh, const struct shadow_file *f, u64 cell,
				const u8 *bytes, u32 from, u32 to, u64 settled)
{
	struct stamp id = { .run = sh->run,
			    .gen = CELL_GEN(settled),
			    .file = (u16)f->index,
			    .writer = CELL_WHO(settled),
			    .cell = cell };

	return CELL_KIND(settled) == CELL_STAMP && !f->conflict && from == 0 &&
	       to == f->cell_bytes && stamp_equal(bytes, to, &id);
}

/* What @bytes are, in words, whatever they should be. */
void verify_describe(const struct shadow *sh, const struct shadow_file *f, const u8 *bytes, u32 len,
		     char *buf, size_t buf_len);
/* The bytes that the settled state of @v asks for; false where there is no single answer. */
bool verify_expected(const struct shadow *sh, const struct shadow_file *f, u64 cell,
		     struct cell_view v, u8 *bytes);

/* What the kernel does not promise, each rule with its source: `stressd list rules` shows it. */
struct promise {
	const char *name, *rule, *source;
};
extern const struct promise verify_promises[];
extern const size_t verify_npromises;

#endif
