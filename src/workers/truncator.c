// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * truncator: changes the size of a file and the holes in it. What the filesystem does not have is
 * learned from EOPNOTSUPP and then left alone.
 */
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

struct truncator {
	u64 weights[7];
	u64 unaligned, interval;
	struct range length;
};

static const char *const kinds[] = { "truncate_down", "truncate_up", "punch",  "zero",
				     "allocate",      "collapse",    "insert", NULL };

static const struct opt_def options[] = {
	OPT(struct truncator, weights, OPT_WEIGHTS, .def = "1", .max = "1000000", .choices = kinds,
	    .help = "how often each operation is chosen"),
	OPT(struct truncator, unaligned, OPT_PERCENT, .def = "25",
	    .help = "percent of ranges and sizes that start and end at any byte"),
	OPT(struct truncator, length, OPT_SIZE_RANGE, .def = "4K..256K", .min = "1", .max = "1G",
	    .help = "bytes of a range, or by which the size changes"),
	OPT(struct truncator, interval, OPT_TIME, .def = "1ms", .max = "1m",
	    .help = "time between two operations; 0: one after the other"),
	{ 0 },
};

/* A range, or a size, that an operation works on. */
struct extent {
	u64 offset, len; /* bytes */
	u64 size;	 /* of the file when it was drawn */
	u64 unit;	 /* that everything is a multiple of: a byte or a cell */
};

static int truncate_down(struct worker *w, const struct extent *x)
{
	u64 to = x->size - MIN(x->len, x->size);

	return op_truncate(&w->actor, w->file, ROUND_DOWN(to, x->unit));
}

static int truncate_up(struct worker *w, const struct extent *x)
{
	u64 to = ROUND_UP(x->size + x->len, x->unit);

	return op_truncate(&w->actor, w->file, MIN(to, w->file->sf->max_bytes));
}

static int punch(struct worker *w, const struct extent *x)
{
	return op_zero(&w->actor, w->file, OP_PUNCH, x->offset, x->len, true, NULL);
}

static int zero(struct worker *w, const struct extent *x)
{
	return op_zero(&w->actor, w->file, OP_ZERO, x->offset, x->len, true, NULL);
}

static int allocate(struct worker *w, const struct extent *x)
{
	return op_allocate(&w->actor, w->file, OP_ALLOCATE, x->offset, x->len,
			   rng_next(&w->actor.rng) & 1);
}

/* Content moves by whole cells, so the size must be a multiple of one first. */
static int shift(struct worker *w, const struct extent *x, enum op_kind op)
{
	u64 cell = w->file->sf->cell_bytes;

	if (x->size % cell)
		op_truncate(&w->actor, w->file, ROUND_DOWN(x->size, cell));
	return op_shift(&w->actor, w->file, op, x->offset, x->len);
}

static int collapse(struct worker *w, const struct extent *x)
{
	return shift(w, x, OP_COLLAPSE);
}

static int insert(struct worker *w, const struct extent *x)
{
	return shift(w, x, OP_INSERT);
}

static int (*const functions[])(struct worker *, const struct extent *) = {
	truncate_down, truncate_up, punch, zero, allocate, collapse, insert,
};
_Static_assert(ARRAY_SIZE(functions) == ARRAY_SIZE(kinds) - 1, "a function for each kind");

static void draw(struct worker *w, const struct truncator *o, struct extent *x)
{
	u64 unit = chance(w, o->unaligned) ? 1 : w->file->sf->cell_bytes;
	u64 max = w->file->sf->max_bytes;

	x->unit = unit;
	x->size = size_now(w->file->sf);
	x->len = ROUND_UP(rng_in(&w->actor.rng, o->length), unit);
	x->offset = ROUND_DOWN(rng_below(&w->actor.rng, MAX(x->size, 1ULL)), unit);
	x->len = MIN(x->len, max - x->offset);
}

static int step(struct worker *w)
{
	OPTIONS(truncator, w);
	struct menu *menu = w->state;
	size_t i = menu_draw(menu, w);
	struct extent x;
	int r;

	worker_sleep(w, o->interval);
	if (i == menu->n) {
		worker_sleep(w, NSEC_PER_SEC); /* nothing that this filesystem has is wanted */
		return 0;
	}
	draw(w, o, &x);
	r = x.len ? functions[i](w, &x) : 0;
	menu_note(menu, i, r);
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(truncator, w);
	struct menu *menu = calloc(1, sizeof(*menu));

	w->state = menu;
	if (!menu)
		return err_set(e, -ENOMEM, "no memory");
	menu_init(menu, o->weights, ARRAY_SIZE(o->weights));
	return 0;
}

const struct worker_type worker_truncator = {
	.name = "truncator",
	.help = "truncate, punch, zero, fallocate, collapse and insert ranges",
	.options = options,
	.options_size = sizeof(struct truncator),
	.flags = WORKER_NEEDS_FILE | WORKER_RESHAPES,
	.start = start,
	.step = step,
};
