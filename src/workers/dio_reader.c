// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dio_reader: reads past the page cache, many at once, and checks what it reads. Every request
 * has a buffer and a look at the shadow of its own; all are reaped before files are closed.
 */
#include "workers/dio_pool.h"
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>

struct dio_reader {
	int engine, pattern;
	u64 depth, near, pause;
	struct range length;
};

static const struct opt_def options[] = {
	OPT(struct dio_reader, engine, OPT_ENUM, .def = "psync", .choices = engine_names,
	    .kconfig = engine_kconfig,
	    .help = "how the reads are issued; psync has one in flight whatever depth says"),
	OPT(struct dio_reader, depth, OPT_COUNT, .def = "1", .min = "1", .max = "64",
	    .help = "reads in flight"),
	OPT(struct dio_reader, pattern, OPT_ENUM, .def = "random", .choices = pattern_names,
	    .help = "where the next read goes"),
	OPT(struct dio_reader, length, OPT_SIZE_RANGE, .def = "4K", .min = "512", .max = "1M",
	    .help = "bytes a read, rounded up to what direct I/O must be aligned to"),
	OPT(struct dio_reader, near, OPT_COUNT, .def = "0", .max = "1000000",
	    .help = "read within so many pages of the latest mmap store; 0: anywhere"),
	OPT(struct dio_reader, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two reads"),
	{ 0 },
};

struct request {
	struct dio_request dio;
	struct read_op read;
};

struct state {
	struct dio_pool pool;
	struct place place;
};

static void end(struct worker *w, struct dio_request *q, s64 result)
{
	read_end(&w->actor, &((struct request *)q)->read, result);
}

static int submit(struct worker *w, struct state *s, struct afile *f, u64 offset, u64 len)
{
	struct request *q = (struct request *)dio_pool_idle(&s->pool);

	q->read.f = f;
	q->read.offset = offset;
	q->read.len = len;
	q->read.op = engine_op(s->pool.kind, false);
	q->read.buf = q->dio.io.buf;
	read_begin(&w->actor, &q->read);
	q->dio.io = (struct engine_io){
		.fd = f->dfd, .buf = q->read.buf, .len = len, .offset = offset
	};
	return dio_pool_submit(w, &s->pool, &q->dio);
}

static int step(struct worker *w)
{
	OPTIONS(dio_reader, w);
	struct state *s = w->state;
	int r = 0;

	if (o->pause)
		worker_sleep(w, o->pause);
	while (r == 0 && s->pool.nidle) {
		struct afile *f = worker_file(w);
		u64 len = MIN(rng_in(&w->actor.rng, o->length), s->pool.buf_bytes), offset;

		place_next(&s->place, w, f, (enum pattern)o->pattern, o->near,
			   direct_read_unit(&w->actor, f), len, &offset, &len);
		if (!len)
			break; /* the file is empty now */
		r = submit(w, s, f, offset, MIN(len, s->pool.buf_bytes));
	}
	/* What is in flight at the end of an attempt would be of none. */
	do
		r = r == 0 ? dio_pool_reap(w, &s->pool) : r;
	while (r == 0 && w->race);
	actor_beat(&w->actor);
	return r == -ENOENT ? 0 : r;
}

static void release(struct worker *w)
{
	struct state *s = w->state;

	dio_pool_drain(w, &s->pool);
}

static void stop(struct worker *w)
{
	struct state *s = w->state;

	dio_pool_close(w, &s->pool);
}

static int check_direct(struct worker *w, struct err *e)
{
	for (u32 i = 0; i < w->actor.nfiles; i++) {
		struct afile *f = &w->actor.files[i];

		if (f->dfd < 0 && (!w->file || w->file == f))
			return err_set(e, -EOPNOTSUPP,
				       "%s: this filesystem has no O_DIRECT; use \"reader\"",
				       f->path);
	}
	return 0;
}

/* A look at the shadow for each request. */
static int start_views(struct state *s, struct err *e)
{
	for (u64 i = 0; i < s->pool.nidle; i++) {
		struct request *q = (struct request *)s->pool.idle[i];

		q->read.views = calloc(s->pool.buf_bytes / CELL_MIN + 2, sizeof(*q->read.views));
		if (!q->read.views)
			return err_set(e, -ENOMEM, "no memory");
	}
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(dio_reader, w);
	struct state *s = calloc(1, sizeof(*s));
	int r = check_direct(w, e);

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	if (r < 0)
		return r;
	if (w->file)
		place_start(&s->place, w, w->file);
	s->pool.end = end;
	r = dio_pool_open(&s->pool, (enum engine_kind)o->engine, o->depth, sizeof(struct request),
			  ROUND_UP(o->length.hi, 64 * KIB), e);
	return r < 0 ? r : start_views(s, e);
}

const struct worker_type worker_dio_reader = {
	.name = "dio_reader",
	.help = "reads past the page cache (psync, libaio, io_uring) and checks every byte",
	.options = options,
	.options_size = sizeof(struct dio_reader),
	.flags = WORKER_READS_INLINE | WORKER_WHOLE_FS | WORKER_COPIES_OUT,
	.start = start,
	.step = step,
	.release = release,
	.stop = stop,
};
