// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mmap_writer: stores through a shared mapping. Stores take no inode lock: they meet every
 * operation of the page cache in the middle. Each store's place is published for readers that
 * look near it.
 */
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

struct mmap_writer {
	u64 store, stride, pause;
	u64 msync, fsync, dontneed, remap;
	int pattern, restart;
};

enum { RESTART_NONE, RESTART_PUNCH, RESTART_TRUNCATE };
static const char *const restarts[] = { "none", "punch", "truncate", NULL };

static const struct opt_def options[] = {
	OPT(struct mmap_writer, store, OPT_SIZE, .def = "8", .min = "1", .max = "2M",
	    .help = "below a cell: its width (1, 2, 4 or 8, rounded down) with which one cell is "
		    "stored; from a cell up: bytes a step, in stores of 8"),
	OPT(struct mmap_writer, pattern, OPT_ENUM, .def = "random", .choices = pattern_names,
	    .help = "where the next store goes; sequential: one every stride bytes"),
	OPT(struct mmap_writer, stride, OPT_SIZE, .def = "4K", .min = "64", .max = "1G",
	    .help = "bytes between two sequential stores"),
	OPT(struct mmap_writer, restart, OPT_ENUM, .def = "none", .choices = restarts,
	    .help = "what empties the file at the end of a sequential pass"),
	OPT(struct mmap_writer, msync, OPT_PERCENT, .def = "0",
	    .help = "percent of steps that end with msync(MS_SYNC)"),
	OPT(struct mmap_writer, fsync, OPT_PERCENT, .def = "0",
	    .help = "percent of steps that end with fsync"),
	OPT(struct mmap_writer, dontneed, OPT_PERCENT, .def = "0",
	    .help = "percent of steps that end with madvise(MADV_DONTNEED) of the whole mapping"),
	OPT(struct mmap_writer, remap, OPT_PERCENT, .def = "0",
	    .help = "percent of steps that end with munmap and mmap"),
	OPT(struct mmap_writer, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two stores"),
	{ 0 },
};

#define RESTART_TRIES 3 /* on a cell that stays busy, before the pass goes on without it */

/* Punch the whole file out, around cells that stay busy. */
static void punch_out(struct worker *w)
{
	u64 size = size_now(w->file->sf), at = 0, end;
	int tries = RESTART_TRIES;

	while (at < size && !worker_stopping(w)) {
		int r = op_zero(&w->actor, w->file, OP_PUNCH, at, size - at, true, &end);

		if (r < 0 && r != -EBUSY)
			return;
		if (end == at && tries-- > 0)
			continue;
		at = end == at ? at + w->file->sf->cell_bytes : end;
		tries = RESTART_TRIES;
	}
}

static void restart(struct worker *w, const struct mmap_writer *o)
{
	u64 size = size_now(w->file->sf);

	if (o->restart == RESTART_PUNCH)
		punch_out(w);
	/* Only the one that empties it may fill it: others would find it empty for good. */
	if (o->restart == RESTART_TRUNCATE && op_truncate(&w->actor, w->file, 0) == 0)
		while (op_truncate(&w->actor, w->file, size) == -EBUSY && !worker_stopping(w))
			if (size_now(w->file->sf) >= size)
				break;
}

static u64 pick(struct worker *w, const struct mmap_writer *o, u64 *first)
{
	struct place *p = w->state;
	struct afile *f = w->file;
	u64 n = MAX(cells_in(f, MIN(o->store, ACTOR_BUF)), 1ULL);

	if (o->pattern == PATTERN_RANDOM)
		return pick_cells(&w->actor, f, n, false, first);
	if (p->next >= size_now(f->sf)) {
		p->next = 0;
		restart(w, o);
	}
	*first = cells_in(f, p->next);
	p->next += MAX(o->stride, n << f->sf->cell_shift);
	if (*first >= cells_in(f, size_now(f->sf)))
		return 0;
	return clip_zone(f, *first, MIN(n, cells_in(f, size_now(f->sf)) - *first), false);
}

static int step(struct worker *w)
{
	OPTIONS(mmap_writer, w);
	struct afile *f = w->file;
	u64 first, n = pick(w, o, &first);
	u64 width = o->store >= 8 ? 8 : o->store >= 4 ? 4 : o->store >= 2 ? 2 : 1;

	if (o->pause)
		worker_sleep(w, o->pause);
	if (n) {
		atomic_store_explicit(&f->sf->hot, first << f->sf->cell_shift,
				      memory_order_relaxed);
		op_store(&w->actor, f, first, n, width);
	}
	if (chance(w, o->msync))
		op_sync(&w->actor, f, OP_MSYNC);
	if (chance(w, o->fsync))
		op_sync(&w->actor, f, OP_FSYNC);
	if (chance(w, o->dontneed))
		op_cache(&w->actor, f, OP_MADVISE_DONTNEED, 0, f->map_len);
	if (chance(w, o->remap) && op_cache(&w->actor, f, OP_REMAP, 0, f->map_len) < 0)
		return err_set(&w->err, -ENOMEM, "%s: cannot be mapped again", f->path);
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(mmap_writer, w);
	struct place *p = calloc(1, sizeof(*p));

	w->state = p;
	if (!p)
		return err_set(e, -ENOMEM, "no memory");
	place_start(p, w, w->file);
	if (o->restart == RESTART_NONE)
		return 0;
	if (w->file->sf->conflict)
		return err_set(e, -EINVAL,
			       "%s: writers share its cells, so it cannot be emptied; set "
			       "\"restart\" to \"none\" or \"conflict\" to false",
			       w->file->sf->name);
	/* Before the start of all workers: the judge then expects zeros that came and went. */
	w->file->sf->reshaped = 1;
	return 0;
}

const struct worker_type worker_mmap_writer = {
	.name = "mmap_writer",
	.help = "stores through a shared mapping, with msync, MADV_DONTNEED and remap beside them",
	.options = options,
	.options_size = sizeof(struct mmap_writer),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_DIRTIES | WORKER_MAPS,
	.start = start,
	.step = step,
};
