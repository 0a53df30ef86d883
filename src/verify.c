// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle. Order of the questions: is it what was settled (nearly always), is it a generation,
 * zeros or a mixture that an overlapping operation makes legal, and only then: what is wrong.
 * What the bytes are called when nothing allows them is in verdict.c.
 */
#include "verify.h"

#include "verdict.h"

#include <string.h>

/* More generations than this between two views of one cell: too many to try for a mixture. */
#define MIX_MAX 16

const struct promise verify_promises[] = {
	{ "overlapping-read", "a read may return any generation whose write overlaps it",
	  "POSIX.1-2017 read(2); no atomicity across pages" },
	{ "mixed-in-flight",
	  "a cell may mix bytes of legal generations while a write to it is in flight",
	  "POSIX.1-2017 write(2), thread interactions; stores of 1, 2 or 4 bytes" },
	{ "maybe",
	  "after an interrupted or failed call that may have stored a part, old and new are legal",
	  "write(2), RETURN VALUE" },
	{ "told-loss",
	  "after a sync failed with EIO or ENOSPC, what was dirtied since the last good one is old "
	  "or new",
	  "fsync(2), EIO; Documentation/filesystems/vfs.rst, errseq" },
	{ "move-undone",
	  "after a crash that undid a collapse, an insertion or an exchange, what was written "
	  "after "
	  "it in place is found where that place was before",
	  "fsync(2); a move is metadata, in the journal, and the write is not: tried on XFS, "
	  "ext4" },
	{ "untold-yet",
	  "while faults make writeback fail, what is not synced may be old or new until somebody "
	  "asks",
	  "fsync(2), EIO; Documentation/filesystems/vfs.rst, errseq" },
	{ "direct-beside-cached", "direct writers share no zone with buffered or mmap dirtiers",
	  "open(2), NOTES on O_DIRECT" },
	{ "direct-read-delalloc",
	  "a direct read beside dirtiers may fail with EIO and a collision line in the log",
	  "fs/iomap/direct-io.c, iomap_dio_iter(), IOMAP_DELALLOC" },
	{ "direct-write-stale-cache",
	  "a sync after a direct write that left dirty pages in the cache may fail with EIO and a "
	  "line in the log",
	  "open(2), NOTES on O_DIRECT; mm/filemap.c, dio_warn_stale_pagecache()" },
	{ "store-past-end",
	  "bytes stored past the end of the file in its last page are not checked",
	  "mmap(2), NOTES" },
	{ "sigbus", "a store may end in SIGBUS when space runs out or the file was truncated",
	  "mmap(2), SIGBUS" },
	{ "moving-range",
	  "while a clone, insert or collapse moves a range, any intact cell or zeros may be read "
	  "there",
	  "ioctl_ficlonerange(2), fallocate(2)" },
	{ "no-space", "ENOSPC and EDQUOT are legal when the filesystem is nearly full",
	  "write(2); btrfs(5) on chunk allocation" },
	{ "crash",
	  "after the kernel died a cell may be any generation from the last that was durable to "
	  "the "
	  "last that was issued, zeros where one of these was, or a mixture of them",
	  "fsync(2), fdatasync(2), msync(2) MS_SYNC, syncfs(2), open(2) O_DSYNC" },
	{ "crash-size",
	  "after the kernel died a file may have any size between those it had since the last sync",
	  "fdatasync(2): a change of the size needs the metadata" },
	{ "crash-stale",
	  "with data=writeback, blocks of ext4 that were not synced may show what they held before",
	  "Documentation/admin-guide/ext4.rst, data=writeback" },
	{ "page-tail", "the size a concurrent truncate leaves is open while they overlap",
	  "ftruncate(2)" },
};
const size_t verify_npromises = ARRAY_SIZE(verify_promises);

static bool equal_stamp(const u8 *bytes, u32 from, u32 to, u32 len, const struct stamp *id)
{
	_Alignas(64) u8 want[CELL_MAX];

	if (from == 0 && to == len)
		return stamp_equal(bytes, len, id);
	stamp_fill(want, len, id);
	return !memcmp(bytes + from, want + from, to - from);
}

/* Who wrote a generation of a shared cell is not in the shadow: ask the header, and where that is
 * outside the range, try every writer. */
static bool equal_any_writer(const struct shadow *sh, const u8 *bytes, u32 from, u32 to, u32 len,
			     struct stamp id)
{
	struct stamp found;

	if (from == 0 && to >= sizeof(struct stamp_header)) {
		if (!stamp_header_intact(bytes, &found))
			return false;
		id.writer = found.writer;
		return equal_stamp(bytes, from, to, len, &id);
	}
	for (id.writer = 1; id.writer < SHADOW_WRITERS; id.writer++)
		if (strcmp(shadow_writer(sh, id.writer), "nobody") &&
		    equal_stamp(bytes, from, to, len, &id))
			return true;
	return false;
}

/* A moved cell carries the writer of its stamp in settled; origin has the rest. */
static struct stamp moved_stamp(const struct shadow *sh, struct cell_view v)
{
	return (struct stamp){ .run = sh->run,
			       .gen = ORIGIN_GEN(v.origin),
			       .file = ORIGIN_FILE(v.origin),
			       .writer = CELL_WHO(v.settled),
			       .cell = ORIGIN_CELL(v.origin) };
}

static bool equal_settled(const struct shadow *sh, const struct shadow_file *f, u64 cell,
			  const u8 *bytes, u32 from, u32 to, struct cell_view v)
{
	struct stamp id = { .run = sh->run,
			    .gen = CELL_GEN(v.settled),
			    .file = (u16)f->index,
			    .writer = CELL_WHO(v.settled),
			    .cell = cell };
	_Alignas(64) u8 want[CELL_MAX];

	switch (CELL_KIND(v.settled)) {
	case CELL_ZERO:
		return bytes_zero(bytes + from, to - from);
	case CELL_STAMP:
		if (f->conflict)
			return equal_any_writer(sh, bytes, from, to, f->cell_bytes, id);
		break;
	case CELL_MOVED:
		id = moved_stamp(sh, v);
		break;
	case CELL_CUT:
		return verify_expected(sh, f, cell, v, want) &&
		       !memcmp(bytes + from, want + from, to - from);
	}
	return equal_stamp(bytes, from, to, f->cell_bytes, &id);
}

bool verify_expected(const struct shadow *sh, const struct shadow_file *f, u64 cell,
		     struct cell_view v, u8 *bytes)
{
	struct stamp id = { .run = sh->run,
			    .gen = CELL_GEN(v.settled),
			    .file = (u16)f->index,
			    .writer = CELL_WHO(v.settled),
			    .cell = cell };

	switch (CELL_KIND(v.settled)) {
	case CELL_ZERO:
		memset(bytes, 0, f->cell_bytes);
		return true;
	case CELL_STAMP:
		if (f->conflict)
			return false;
		stamp_fill(bytes, f->cell_bytes, &id);
		return true;
	case CELL_CUT:
		id.gen = CUT_GEN(v.origin);
		stamp_fill(bytes, f->cell_bytes, &id);
		memset(bytes + CUT_FROM(v.origin), 0, CUT_TO(v.origin) - CUT_FROM(v.origin));
		return true;
	case CELL_MOVED:
		id = moved_stamp(sh, v);
		stamp_fill(bytes, f->cell_bytes, &id);
		return true;
	}
	return false;
}

/* What two views of a cell say together. */
struct window {
	const struct shadow *sh;
	const struct shadow_file *f;
	u64 cell;
	struct cell_view s, e;
	/* Legal are the settled generation, first, and those of [next, last]. Between first and
	 * next are writes that had failed for certain before the read began. After a loss those
	 * of [oldest, first] are legal as well; otherwise oldest is first. */
	u32 oldest, first, next, last;
	bool zero;   /* zeros are legal */
	bool cuts;   /* some stamp with a part of it zeroed may be there */
	bool moves;  /* any intact cell of this run is legal */
	bool mixed;  /* a mixture is legal */
	bool hidden; /* generations came and went between the views */
};

static bool pending_kind(u64 flight, enum cell_kind kind)
{
	return flight & CELL_PENDING && CELL_KIND(flight) == kind;
}

/* The first generation after the settled one that may be stored, as @s knows. */
static u32 next_possible(const struct shadow_file *f, struct cell_view s)
{
	u32 after = CELL_GEN(s.settled) + 1, flight = CELL_GEN(s.flight);

	if (f->conflict || s.flight & (CELL_MAYBE | CELL_UNKNOWN))
		return after;
	return MAX(after, s.flight & CELL_PENDING ? flight : flight + 1);
}

/* A move that is not durable may be undone by a crash, even where it moved but zeros: then here is
 * what was written since to the place where the bytes of here had gone. */
static bool moved_meanwhile(const struct window *w)
{
	u64 after = w->e.settled;

	return after != w->s.settled && (CELL_KIND(after) == CELL_MOVED ||
					 (w->sh->crashed && after & CELL_SINCE(CELL_MOVED)));
}

/* After a told writeback error the cell may be as it was at the last good sync, or anything since.
 * So it may after a crash: what was not written back is gone, and nobody says in what order it was.
 */
static void widen(struct window *w, const struct durable *d)
{
	if (d->exact)
		return;
	w->oldest = MIN(w->first, MAX(d->gen, 1U));
	w->mixed = true;
	w->moves |= (d->kinds & CELL_SINCE(CELL_MOVED)) != 0;
	w->cuts |= (d->kinds & CELL_SINCE(CELL_CUT)) != 0;
	w->zero |= w->moves || w->cuts || !d->gen || d->kinds & CELL_SINCE(CELL_ZERO);
}

static struct window window_make(const struct shadow *sh, const struct shadow_file *f, u64 cell,
				 struct cell_view s)
{
	struct window w = { .sh = sh, .f = f, .cell = cell, .s = s };
	u64 doubts;

	atomic_thread_fence(memory_order_seq_cst);
	w.e = shadow_view(shadow_cell(sh, f, cell));
	doubts = s.flight | w.e.flight;
	w.first = CELL_GEN(s.settled);
	w.oldest = w.first;
	w.next = next_possible(f, s);
	w.last = CELL_GEN(w.e.flight);
	w.hidden = w.last - CELL_GEN(s.flight) > 1 ||
		   (w.last != CELL_GEN(s.flight) && CELL_GEN(w.e.settled) != w.last &&
		    !(w.e.flight & CELL_PENDING));
	w.moves = doubts & (CELL_MOVING | CELL_UNKNOWN) || moved_meanwhile(&w) ||
		  (w.hidden && f->reshaped);
	w.zero = w.moves || CELL_KIND(s.settled) == CELL_ZERO ||
		 CELL_KIND(w.e.settled) == CELL_ZERO || pending_kind(s.flight, CELL_ZERO) ||
		 pending_kind(w.e.flight, CELL_ZERO) || doubts & CELL_MAYBE_ZERO;
	w.mixed = doubts & (CELL_PENDING | CELL_MIXED) || w.last != CELL_GEN(s.flight) ||
		  s.settled != w.e.settled;
	if (sh->crashed || shadow_may_be_lost(f, s)) {
		struct durable d = shadow_durable(f, s);

		widen(&w, &d);
	}
	return w;
}

/* Did the write of @g certainly store nothing, before the read began? */
static bool known_failed(const struct window *w, u32 g)
{
	return g > w->first && g < w->next;
}

static bool too_many(const struct window *w)
{
	u32 oldest = w->oldest < w->first ? w->oldest : w->next;

	return w->last >= oldest && w->last - oldest >= MIX_MAX;
}

static bool legal_stamp(const struct window *w, const struct stamp *id)
{
	if (id->run != w->sh->run)
		return false;
	if (w->moves)
		return true;
	if (id->file != w->f->index || id->cell != w->cell || id->gen == 0)
		return false;
	return (id->gen == w->first && CELL_KIND(w->s.settled) == CELL_STAMP) ||
	       (id->gen >= w->oldest && id->gen < w->first) ||
	       (id->gen >= w->next && id->gen <= w->last);
}

static bool may_be_cut(const struct window *w)
{
	return pending_kind(w->s.flight, CELL_CUT) || pending_kind(w->e.flight, CELL_CUT);
}

static bool legal_mixture(const struct window *w, const u8 *bytes, u32 from, u32 to)
{
	struct explained x = { .bytes = bytes, .from = from, .to = to };
	_Alignas(64) u8 want[CELL_MAX];

	if (!w->mixed || too_many(w))
		return false;
	if (verify_expected(w->sh, w->f, w->cell, w->s, want))
		explain_by(&x, want);
	if (verify_expected(w->sh, w->f, w->cell, w->e, want))
		explain_by(&x, want);
	if (w->zero || may_be_cut(w))
		explain_by_zeros(&x);
	if (w->f->conflict && w->first)
		explain_by_generation(&x, w->sh, w->f, w->cell, w->first);
	for (u32 g = w->oldest; g < w->first && !explained_bytes(&x); g++)
		explain_by_generation(&x, w->sh, w->f, w->cell, g);
	for (u32 g = w->next; g <= w->last && !explained_bytes(&x); g++)
		explain_by_generation(&x, w->sh, w->f, w->cell, g);
	return explained_bytes(&x);
}

static bool legal(const struct window *w, const u8 *bytes, u32 from, u32 to)
{
	struct stamp id;
	bool whole = from == 0 && to == w->f->cell_bytes;

	if (equal_settled(w->sh, w->f, w->cell, bytes, from, to, w->e))
		return true;
	if (w->zero && bytes_zero(bytes + from, to - from))
		return true;
	if (whole && stamp_intact(bytes, to, &id) && legal_stamp(w, &id))
		return true;
	return legal_mixture(w, bytes, from, to);
}

/* Bytes that nothing makes legal, however much went on meanwhile. */
static bool never_legal(const struct window *w, const u8 *bytes, u32 from, u32 to)
{
	struct stamp id;
	u64 at;

	if (prefill_in(bytes, from, to, &at))
		return true;
	return from == 0 && to == w->f->cell_bytes && stamp_intact(bytes, to, &id) &&
	       id.run != w->sh->run;
}

/* Could bytes that are not legal by themselves be a mixture that was not tried? An intact stamp
 * is none: no two generations share a word. Nor are zeros, where nothing was zeroed. */
static bool may_be_mixture(const struct window *w, const u8 *bytes, u32 from, u32 to)
{
	struct stamp id;

	if (!w->cuts && (!w->mixed || !too_many(w)))
		return false;
	if (from == 0 && to == w->f->cell_bytes && stamp_intact(bytes, to, &id))
		return false;
	return w->cuts || w->zero || may_be_cut(w) || CELL_KIND(w->s.settled) == CELL_CUT ||
	       !bytes_zero(bytes + from, to - from);
}

/* What was synced is not there. What is there instead is another finding only where it tells more:
 * bytes that must never show, or a cell of another place where none was ever moved. */
static int after_crash(const struct shadow_file *f, int kind, bool never)
{
	switch (kind) {
	case FINDING_STALE_EXPOSURE:
		return never ? kind : FINDING_NOT_DURABLE;
	case FINDING_MISPLACED:
	case FINDING_FOREIGN:
		return f->reshaped ? FINDING_NOT_DURABLE : kind;
	case FINDING_LOST_WRITE:
	case FINDING_ZEROED:
	case FINDING_RESURRECTED:
	case FINDING_TORN:
		return FINDING_NOT_DURABLE;
	default:
		return kind;
	}
}

enum judgement verify_cell(const struct shadow *sh, const struct shadow_file *f, u64 cell,
			   const u8 *bytes, u32 from, u32 to, struct cell_view s,
			   struct verdict *ret)
{
	struct window w;

	if (equal_settled(sh, f, cell, bytes, from, to, s))
		return JUDGED_LEGAL;
	w = window_make(sh, f, cell, s);
	if (!never_legal(&w, bytes, from, to)) {
		if (legal(&w, bytes, from, to))
			return JUDGED_LEGAL;
		if (w.moves || may_be_mixture(&w, bytes, from, to))
			return JUDGED_OPEN;
	}
	if (sh->crashed && sh->stale_ok && !shadow_durable(f, s).exact)
		return JUDGED_OPEN;
	*ret = (struct verdict){ .kind = -1 };
	verdict_name(sh, f, cell, bytes, from, to,
		     &(struct bounds){ .s = w.s, .e = w.e, .first = w.first, .last = w.last }, ret);
	if (ret->has_id && ret->id.run == sh->run && ret->id.file == f->index &&
	    ret->id.cell == cell && known_failed(&w, ret->id.gen))
		ret->kind = FINDING_PHANTOM;
	if (sh->crashed && shadow_durable(f, s).gen)
		ret->kind = after_crash(f, ret->kind, never_legal(&w, bytes, from, to));
	return JUDGED_WRONG;
}
