// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dio_reader: reads past the page cache, many at once, and checks what it reads. Every request
 * has a buffer and a look at the shadow of its own; all are reaped before files are closed.
 */
#include "ops/engine.h"
#include "workers/place.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

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
	struct engine_io io; /* first: the engine hands it back */
	struct read_op read;
	bool held; /* a page of its buffer is away */
};

struct state {
	struct engine *engine;
	struct place place;
	struct request *requests;
	struct request **idle;
	u64 nidle;
	u64 buf_bytes; /* of each request */
};

static int submit(struct worker *w, struct state *s, struct afile *f, u64 offset, u64 len)
{
	OPTIONS(dio_reader, w);
	struct request *q = s->idle[--s->nidle];
	int r;

	q->read.f = f;
	q->read.offset = offset;
	q->read.len = len;
	q->read.op = engine_op((enum engine_kind)o->engine, false);
	read_begin(&w->actor, &q->read);
	q->io = (struct engine_io){
		.fd = f->dfd, .buf = q->read.buf, .len = len, .offset = offset
	};
	q->held = hold_arm_direct(w->actor.hold, HOLD_DEST_FAULT, q->read.buf, len);
	r = engine_submit(s->engine, &q->io);
	if (r < 0)
		return err_set(&w->err, r, "%s cannot submit: %s", engine_names[o->engine],
			       strerror(-r));
	return 0;
}

static int reap(struct worker *w, struct state *s)
{
	OPTIONS(dio_reader, w);
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
	read_end(&w->actor, &q->read, io->result);
	s->idle[s->nidle++] = q;
	return 0;
}

static int step(struct worker *w)
{
	OPTIONS(dio_reader, w);
	struct state *s = w->state;
	int r = 0;

	if (o->pause)
		worker_sleep(w, o->pause);
	while (r == 0 && s->nidle) {
		struct afile *f = worker_file(w);
		u64 len = MIN(rng_in(&w->actor.rng, o->length), s->buf_bytes), offset;

		place_next(&s->place, w, f, (enum pattern)o->pattern, o->near,
			   direct_read_unit(&w->actor, f), len, &offset, &len);
		if (!len)
			break; /* the file is empty now */
		r = submit(w, s, f, offset, MIN(len, s->buf_bytes));
	}
	/* What is in flight at the end of an attempt would be of none. */
	do
		r = r == 0 ? reap(w, s) : r;
	while (r == 0 && w->race);
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

static int request_init(struct worker *w, struct request *q, u64 bytes, struct err *e)
{
	u64 views = bytes / CELL_MIN + 2;

	q->read.buf = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	q->read.views = calloc(views, sizeof(*q->read.views));
	(void)w;
	if (q->read.buf == MAP_FAILED || !q->read.views)
		return err_set(e, -ENOMEM, "no memory for a request of %llu bytes",
			       (unsigned long long)bytes);
	return 0;
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

static int start(struct worker *w, struct err *e)
{
	OPTIONS(dio_reader, w);
	struct state *s = calloc(1, sizeof(*s));
	u64 depth = o->engine == ENGINE_PSYNC ? 1 : o->depth;
	int r = check_direct(w, e);

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	if (r < 0)
		return r;
	s->buf_bytes = ROUND_UP(o->length.hi, 64 * KIB);
	s->requests = calloc(depth, sizeof(*s->requests));
	s->idle = calloc(depth, sizeof(struct request *));
	if (!s->requests || !s->idle)
		return err_set(e, -ENOMEM, "no memory");
	for (u64 i = 0; r == 0 && i < depth; i++) {
		r = request_init(w, &s->requests[i], s->buf_bytes, e);
		s->idle[s->nidle++] = &s->requests[i];
	}
	if (w->file)
		place_start(&s->place, w, w->file);
	return r < 0 ? r
		     : engine_open((enum engine_kind)o->engine, (unsigned int)depth, &s->engine, e);
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
