// SPDX-License-Identifier: GPL-2.0-or-later
/* reader: reads through the page cache, by pread and by loads, and checks what it reads. */
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

struct reader {
	int how, pattern;
	struct range length;
	u64 near, unaligned, stat, pause;
};

enum { HOW_PREAD, HOW_LOAD, HOW_MIXED };
static const char *const hows[] = { "pread", "load", "mixed", NULL };

static const struct opt_def options[] = {
	OPT(struct reader, how, OPT_ENUM, .def = "pread", .choices = hows,
	    .help = "pread, loads from a shared mapping, or one of both each time"),
	OPT(struct reader, pattern, OPT_ENUM, .def = "random", .choices = pattern_names,
	    .help = "where the next read goes"),
	OPT(struct reader, length, OPT_SIZE_RANGE, .def = "4K", .min = "1", .max = "1M",
	    .help = "bytes a read; whole cells where it is not unaligned"),
	OPT(struct reader, near, OPT_COUNT, .def = "0", .max = "1000000",
	    .help = "read within so many pages of the latest mmap store; 0: anywhere"),
	OPT(struct reader, unaligned, OPT_PERCENT, .def = "0",
	    .help = "percent of reads that start and end at any byte"),
	OPT(struct reader, stat, OPT_PERCENT, .def = "0",
	    .help = "percent of steps that check the file size too"),
	OPT(struct reader, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two reads"),
	{ 0 },
};

static int step(struct worker *w)
{
	OPTIONS(reader, w);
	struct afile *f = worker_file(w);
	u64 unit = chance(w, o->unaligned) ? 1 : f->sf->cell_bytes;
	u64 how = o->how == HOW_MIXED ? rng_below(&w->actor.rng, 2) : (u64)o->how;
	u64 offset, len;

	if (o->pause)
		worker_sleep(w, o->pause);
	place_next(w->state, w, f, (enum pattern)o->pattern, o->near, unit,
		   rng_in(&w->actor.rng, o->length), &offset, &len);
	if (len)
		op_read(&w->actor, f, offset, len, how == HOW_LOAD ? READ_LOAD : READ_PREAD);
	else
		actor_beat(&w->actor); /* nothing to read is no hang */
	if (chance(w, o->stat))
		op_stat(&w->actor, f);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	struct place *p = calloc(1, sizeof(*p));

	w->state = p;
	if (!p)
		return err_set(e, -ENOMEM, "no memory");
	if (w->file)
		place_start(p, w, w->file);
	return 0;
}

const struct worker_type worker_reader = {
	.name = "reader",
	.help = "reads through the page cache (pread, mmap) and checks every byte",
	.options = options,
	.options_size = sizeof(struct reader),
	.flags = WORKER_READS_INLINE | WORKER_WHOLE_FS | WORKER_COPIES_OUT,
	.start = start,
	.step = step,
};
