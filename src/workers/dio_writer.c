// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dio_writer: writes past the page cache, many at once, in zones that no cached writer dirties
 * and in whole pages and blocks; never past the end of the file.
 */
#include "ops/engine.h"
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct dio_writer {
	int engine;
	u64 depth, pause;
	struct range length;
};

static const struct opt_def options[] = {
	OPT(struct dio_writer, engine, OPT_ENUM, .def = "psync", .choices = engine_names,
	    .kconfig = engine_kconfig,
	    .help = "how the writes are issued; psync has one in flight whatever depth says"),
	OPT(struct dio_writer, depth, OPT_COUNT, .def = "1", .min = "1", .max = "64",
	    .help = "writes in flight"),
	OPT(struct dio_writer, length, OPT_SIZE_RANGE, .def = "4K", .min = "512", .max = "1M",
	    .help = "bytes a write, rounded up to whole pages and blocks"),
	OPT(struct dio_writer, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two writes"),
	{ 0 },
};

struct request {
	struct engine_io io; /* first: the engine hands it back */
	struct direct_write write;
	bool held; /* a page of its buffer is away */
};

struct state {
	struct engine *engine;
	struct request *requests;
	struct request **idle;
	u64 nidle, buf_bytes;
};

/* Whole units in one zone for direct writers; 0 cells when there is no such place now. */
static u64 pick(struct worker *w, u64 bytes, u64 *first)
{
	struct afile *f = w->file;
	u64 unit = cells_in(f, direct_write_unit(&w->actor, f));
	u64 zone = cells_in(f, f->sf->zone_bytes);
	u64 limit = ROUND_DOWN(cells_in(f, size_now(f->sf)), unit), n;

	if (!limit)
		return 0;
	*first = ROUND_DOWN(rng_below(&w->actor.rng, limit), unit);
	if (zone && *first / zone % 2 == 0)
		*first += zone;
	if (*first >= limit)
		return 0;
	n = MIN(ROUND_UP(cells_in(f, bytes), unit), limit - *first);
	return ROUND_DOWN(clip_zone(f, *first, n, true), unit);
}

static int submit(struct worker *w, struct state *s, u64 first, u64 n)
{
	OPTIONS(dio_writer, w);
	struct request *q = s->idle[s->nidle - 1];
	int r;

	q->write.f = w->file;
	q->write.first = first;
	q->write.n = n;
	q->write.op = engine_op((enum engine_kind)o->engine, true);
	if (!direct_write_begin(&w->actor, &q->write))
		return -EBUSY;
	s->nidle--;
	q->io = (struct engine_io){ .fd = w->file->dfd,
				    .write = true,
				    .buf = q->write.buf,
				    .len = n << w->file->sf->cell_shift,
				    .offset = first << w->file->sf->cell_shift };
	q->held = hold_arm_direct(w->actor.hold, HOLD_SOURCE_FAULT, q->write.buf, q->io.len);
	r = engine_submit(s->engine, &q->io);
	if (r < 0)
		return err_set(&w->err, r, "%s cannot submit: %s", engine_names[o->engine],
			       strerror(-r));
	return 0;
}

static int reap(struct worker *w, struct state *s)
{
	OPTIONS(dio_writer, w);
	struct engine_io *io;
	int r = engine_reap(s->engine, &io);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_set(&w->err, r, "%s cannot reap: %s", engine_names[o->engine],
			       strerror(-r));

	struct request *q = (struct request *)io;

	if (q->held)
		hold_disarm(w->actor.hold);
	direct_write_end(&w->actor, &q->write, io->result);
	s->idle[s->nidle++] = q;
	return 0;
}

static int step(struct worker *w)
{
	OPTIONS(dio_writer, w);
	struct state *s = w->state;
	int r = 0;

	if (o->pause)
		worker_sleep(w, o->pause);
	while (r == 0 && s->nidle) {
		u64 bytes = MIN(rng_in(&w->actor.rng, o->length), s->buf_bytes), first;
		u64 n = pick(w, MAX(bytes, (u64)w->file->sf->cell_bytes), &first);

		r = n ? submit(w, s, first, n) : -EBUSY;
	}
	/* Busy, or no place: what is in flight may be in the way. */
	do
		r = r == 0 || r == -EBUSY ? reap(w, s) : r;
	while (r == 0 && w->race); /* what is in flight at the end of an attempt would be of none */
	actor_beat(&w->actor);
	return r == -ENOENT ? 0 : r;
}

static void release(struct worker *w)
{
	while (reap(w, w->state) == 0)
		;
}

static void stop(struct worker *w)
{
	struct state *s = w->state;

	release(w);
	engine_close(s->engine);
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(dio_writer, w);
	u64 depth = o->engine == ENGINE_PSYNC ? 1 : o->depth;
	struct state *s = calloc(1, sizeof(*s));

	w->state = s;
	if (w->file->dfd < 0)
		return err_set(e, -EOPNOTSUPP,
			       "%s: this filesystem has no O_DIRECT; use \"buffered_writer\"",
			       w->file->path);
	if (!s || !(s->requests = calloc(depth, sizeof(*s->requests))) ||
	    !(s->idle = calloc(depth, sizeof(struct request *))))
		return err_set(e, -ENOMEM, "no memory");
	s->buf_bytes = ROUND_UP(o->length.hi, direct_write_unit(&w->actor, w->file));
	for (u64 i = 0; i < depth; i++) {
		struct request *q = s->idle[s->nidle++] = &s->requests[i];

		q->write.buf = mmap(NULL, s->buf_bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (q->write.buf == MAP_FAILED)
			return err_set(e, -ENOMEM, "no memory for %llu writes in flight",
				       (unsigned long long)depth);
	}
	return engine_open((enum engine_kind)o->engine, (unsigned int)depth, &s->engine, e);
}

const struct worker_type worker_dio_writer = {
	.name = "dio_writer",
	.help = "writes past the page cache: psync, libaio, io_uring",
	.options = options,
	.options_size = sizeof(struct dio_writer),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_DIRECT_WRITES | WORKER_COPIES_IN,
	.start = start,
	.step = step,
	.release = release,
	.stop = stop,
};
