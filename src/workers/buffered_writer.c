// SPDX-License-Identifier: GPL-2.0-or-later
/* buffered_writer: writes through the page cache, in every way that the kernel offers. */
#include "workers/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

struct buffered_writer {
	int how, pattern;
	struct range length;
	u64 rwf, pause;
	bool grow;
};

enum { HOW_PWRITE, HOW_PWRITEV2, HOW_URING, HOW_APPEND, HOW_MIXED };
enum { PATTERN_RANDOM, PATTERN_SEQUENTIAL };

static const char *const hows[] = { "pwrite", "pwritev2", "io_uring", "append", "mixed", NULL };
static const char *const patterns[] = { "random", "sequential", NULL };
static const char *const rwfs[] = { "nowait", "dsync", "sync", NULL };
static const int rwf_bits[] = { RWF_NOWAIT, RWF_DSYNC, RWF_SYNC };

static const struct opt_def options[] = {
	OPT(struct buffered_writer, how, OPT_ENUM, .def = "pwrite", .choices = hows,
	    .help = "the call: one of them, or mixed for a random one each time"),
	OPT(struct buffered_writer, pattern, OPT_ENUM, .def = "random", .choices = patterns,
	    .help = "where the next write goes"),
	OPT(struct buffered_writer, length, OPT_SIZE_RANGE, .def = "4K", .min = "64", .max = "2M",
	    .help = "bytes a write, rounded up to whole cells"),
	OPT(struct buffered_writer, rwf, OPT_ENUM_SET, .def = "", .choices = rwfs,
	    .help = "RWF_ flags for pwritev2, io_uring and append; each is used in half of the "
		    "writes"),
	OPT(struct buffered_writer, grow, OPT_BOOL, .def = "false",
	    .help = "write up to the file's maximum, past its end too"),
	OPT(struct buffered_writer, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two writes"),
	{ 0 },
};

struct state {
	u64 next; /* cell of the next sequential write */
};

static int pick_rwf(struct worker *w, const struct buffered_writer *o, enum op_kind op)
{
	int flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rwf_bits); i++)
		if (o->rwf >> i & 1 && rng_next(&w->actor.rng) & 1)
			flags |= rwf_bits[i];
	return op == OP_PWRITE ? 0 : flags;
}

static u64 pick_place(struct worker *w, const struct buffered_writer *o, u64 n, u64 *first)
{
	struct state *s = w->state;
	u64 limit = cells_in(w->file, o->grow ? w->file->sf->max_bytes : size_now(w->file->sf));

	if (o->pattern == PATTERN_RANDOM)
		return pick_cells(&w->actor, w->file, n, o->grow, first);
	if (s->next >= limit)
		s->next = 0;
	*first = s->next;
	n = MIN(n, limit - s->next);
	s->next += n;
	return clip_zone(w->file, *first, n, false);
}

static int step(struct worker *w)
{
	static const enum op_kind ops[] = { OP_PWRITE, OP_PWRITEV2, OP_URING_WRITE, OP_APPEND };
	OPTIONS(buffered_writer, w);
	u64 how = o->how == HOW_MIXED ? rng_below(&w->actor.rng, ARRAY_SIZE(ops)) : (u64)o->how;
	u64 cell = w->file->sf->cell_bytes;
	u64 n = ROUND_UP(rng_in(&w->actor.rng, o->length), cell) / cell;
	struct write_op op = { .op = ops[how], .rwf = pick_rwf(w, o, ops[how]) };

	if (o->pause)
		worker_sleep(w, o->pause);
	if (op.op == OP_APPEND) {
		op_append(&w->actor, w->file, n, op.rwf);
		return 0;
	}
	op.n = pick_place(w, o, n, &op.first);
	if (op.n)
		op_write(&w->actor, w->file, &op);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	/* sequential writers start evenly spread over the file */
	s->next = cells_in(w->file, size_now(w->file->sf)) * w->instance / w->count;
	return 0;
}

const struct worker_type worker_buffered_writer = {
	.name = "buffered_writer",
	.help = "writes through the page cache: pwrite, pwritev2, io_uring, append, O_DSYNC",
	.options = options,
	.options_size = sizeof(struct buffered_writer),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_DIRTIES | WORKER_COPIES_IN,
	.start = start,
	.step = step,
};
