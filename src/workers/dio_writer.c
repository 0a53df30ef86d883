// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dio_writer: writes past the page cache, many at once, in zones that no cached writer dirties
 * and in whole pages and blocks; never past the end of the file.
 */
#include "workers/dio_pool.h"
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

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
	struct dio_request dio;
	struct direct_write write;
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

static void end(struct worker *w, struct dio_request *q, s64 result)
{
	direct_write_end(&w->actor, &((struct request *)q)->write, result);
}

static int submit(struct worker *w, struct dio_pool *p, u64 first, u64 n)
{
	struct request *q = (struct request *)dio_pool_idle(p);

	q->write.f = w->file;
	q->write.first = first;
	q->write.n = n;
	q->write.op = engine_op(p->kind, true);
	q->write.buf = q->dio.io.buf;
	if (!direct_write_begin(&w->actor, &q->write))
		return -EBUSY;
	q->dio.io = (struct engine_io){ .fd = w->file->dfd,
					.write = true,
					.buf = q->write.buf,
					.len = n << w->file->sf->cell_shift,
					.offset = first << w->file->sf->cell_shift };
	return dio_pool_submit(w, p, &q->dio);
}

static int step(struct worker *w)
{
	OPTIONS(dio_writer, w);
	struct dio_pool *p = w->state;
	int r = 0;

	if (o->pause)
		worker_sleep(w, o->pause);
	while (r == 0 && p->nidle) {
		u64 bytes = MIN(rng_in(&w->actor.rng, o->length), p->buf_bytes), first;
		u64 n = pick(w, MAX(bytes, (u64)w->file->sf->cell_bytes), &first);

		r = n ? submit(w, p, first, n) : -EBUSY;
	}
	/* Busy, or no place: what is in flight may be in the way. */
	do
		r = r == 0 || r == -EBUSY ? dio_pool_reap(w, p) : r;
	while (r == 0 && w->race); /* what is in flight at the end of an attempt would be of none */
	actor_beat(&w->actor);
	return r == -ENOENT ? 0 : r;
}

static void release(struct worker *w)
{
	dio_pool_drain(w, w->state);
}

static void stop(struct worker *w)
{
	dio_pool_close(w, w->state);
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(dio_writer, w);
	struct dio_pool *p = calloc(1, sizeof(*p));

	w->state = p;
	if (!p)
		return err_set(e, -ENOMEM, "no memory");
	if (w->file->dfd < 0)
		return err_set(e, -EOPNOTSUPP,
			       "%s: this filesystem has no O_DIRECT; use \"buffered_writer\"",
			       w->file->path);
	p->end = end;
	return dio_pool_open(p, (enum engine_kind)o->engine, o->depth, sizeof(struct request),
			     ROUND_UP(o->length.hi, direct_write_unit(&w->actor, w->file)), e);
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
