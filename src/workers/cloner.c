// SPDX-License-Identifier: GPL-2.0-or-later
/* cloner: moves content between ranges: clone, dedupe, copy, exchange; in a file or between two.
 * What then shares blocks can be unshared again. */
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

struct cloner {
	u64 weights[5];
	u64 across, interval;
	struct range length;
};

static const char *const kinds[] = { "clone", "dedupe", "copy", "exchange", "unshare", NULL };
static const enum op_kind op_kinds[] = { OP_CLONE, OP_DEDUPE, OP_COPY, OP_EXCHANGE, OP_UNSHARE };

static const struct opt_def options[] = {
	OPT(struct cloner, weights, OPT_WEIGHTS, .def = UNSHARE_UNASKED, .max = "1000000",
	    .choices = kinds,
	    .help = "how often FICLONERANGE, FIDEDUPERANGE, copy_file_range, "
		    "XFS_IOC_EXCHANGE_RANGE and FALLOC_FL_UNSHARE_RANGE are chosen"),
	OPT(struct cloner, across, OPT_PERCENT, .def = "50",
	    .help = "percent of moves that come from another file, where there is one with cells "
		    "of the same size"),
	OPT(struct cloner, length, OPT_SIZE_RANGE, .def = "4K..256K", .min = "64", .max = "64M",
	    .help = "bytes of a range, rounded to whole blocks"),
	OPT(struct cloner, interval, OPT_TIME, .def = "1ms", .max = "1m",
	    .help = "time between two moves; 0: one after the other"),
	{ 0 },
};

#define DEDUPE_AFTER 25 /* percent of copies whose two ranges, equal now, are then deduped */

static bool suits(const struct afile *dst, const struct afile *src)
{
	return !src->sf->conflict && src->sf->cell_bytes == dst->sf->cell_bytes;
}

static struct afile *pick_source(struct worker *w, const struct cloner *o, struct afile *dst)
{
	struct afile *src = dst;

	if (chance(w, o->across))
		src = &w->actor.files[rng_below(&w->actor.rng, w->actor.nfiles)];
	return suits(dst, src) ? src : dst;
}

static u64 pick_offset(struct worker *w, const struct afile *f, u64 unit)
{
	return ROUND_DOWN(rng_below(&w->actor.rng, MAX(size_now(f->sf), 1ULL)), unit);
}

/* What both ranges lie within: their files' sizes, and for a copy, which goes through the page
 * cache, a zone of cached writers. */
static u64 clip(const struct afile *dst, u64 to, const struct afile *src, u64 from, u64 len,
		u64 unit, enum op_kind op)
{
	u64 dst_left = size_now(dst->sf), src_left = size_now(src->sf);

	dst_left -= MIN(to, dst_left);
	src_left -= MIN(from, src_left);
	len = MIN(len, MIN(dst_left, src_left));
	if (op == OP_COPY)
		len = clip_zone(dst, cells_in(dst, to), cells_in(dst, len), false)
		      << dst->sf->cell_shift;
	return ROUND_DOWN(len, unit);
}

static int step(struct worker *w)
{
	OPTIONS(cloner, w);
	struct menu *menu = w->state;
	struct afile *dst = w->file, *src = pick_source(w, o, dst);
	u64 unit = MAX(MAX(dst->block, src->block), dst->sf->cell_bytes);
	u64 to = pick_offset(w, dst, unit), from = pick_offset(w, src, unit), len;
	size_t i = menu_draw(menu, w);
	int r;

	worker_sleep(w, o->interval);
	if (i == menu->n) {
		worker_sleep(w, NSEC_PER_SEC); /* nothing that this filesystem has is wanted */
		return 0;
	}
	if (op_kinds[i] == OP_UNSHARE) {
		src = dst;
		from = to;
	}
	len = ROUND_UP(rng_in(&w->actor.rng, o->length), unit);
	len = clip(dst, to, src, from, len, unit, op_kinds[i]);
	if (!len)
		r = -EBUSY;
	else if (op_kinds[i] == OP_UNSHARE)
		r = op_allocate(&w->actor, dst, OP_UNSHARE, to, len, true);
	else
		r = op_move(&w->actor, dst, to, src, from, len, op_kinds[i]);
	menu_note(menu, i, r);
	if (r == 0 && (op_kinds[i] == OP_CLONE || op_kinds[i] == OP_COPY) && menu->weights[1] &&
	    chance(w, DEDUPE_AFTER))
		op_move(&w->actor, dst, to, src, from, len, OP_DEDUPE);
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(cloner, w);
	struct menu *menu = calloc(1, sizeof(*menu));

	w->state = menu;
	if (!menu)
		return err_set(e, -ENOMEM, "no memory");
	menu_init(menu, o->weights, ARRAY_SIZE(o->weights));
	/* An exchange changes the other file as well; said before any worker starts. */
	for (u32 i = 0; o->across && i < w->actor.nfiles; i++)
		if (suits(w->file, &w->actor.files[i]))
			w->actor.files[i].sf->reshaped = 1;
	return 0;
}

const struct worker_type worker_cloner = {
	.name = "cloner",
	.help = "clone, dedupe, copy_file_range and exchange, within a file and between files; "
		"unshare",
	.options = options,
	.options_size = sizeof(struct cloner),
	.flags = WORKER_NEEDS_FILE | WORKER_RESHAPES | WORKER_ACROSS,
	.start = start,
	.step = step,
};
