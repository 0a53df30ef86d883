// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mixer: one process that does every operation on files that the other workers do, in random
 * order. An operation is drawn as a record of the history and then issued from it; so a run can
 * be repeated from its seed, and the records of any former run can be issued again. What acts on
 * the whole machine (drop_caches, remount) or runs programs is not among them.
 */
#include "workers/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

struct mixer {
	u64 weights[MENU_MAX];
	u64 operations, unaligned, across, pause;
	struct range length;
	char *replay;
};

struct state {
	struct menu menu;
	u64 done;
	u8 *source;	  /* ACTOR_BUF bytes that can be read, and as many that cannot */
	struct oplog log; /* of the run to repeat */
	u64 next;
};

/* What a draw knows beside the worker. */
struct draw {
	struct worker *w;
	const struct mixer *o;
	struct afile *f;
	u64 unit; /* a byte or a cell */
};

/* Each draw fills offset, len, how and arg; a length of 0 says that there is no place now. */

static void draw_cells(struct draw *d, struct op_record *r)
{
	bool grow = rng_next(&d->w->actor.rng) & 1;
	u64 first = 0,
	    n = pick_cells(&d->w->actor, d->f, cells_drawn(d->w, d->f, d->o->length), grow, &first);

	r->offset = first << d->f->sf->cell_shift;
	r->len = n << d->f->sf->cell_shift;
}

static void draw_pwritev2(struct draw *d, struct op_record *r)
{
	static const int flags[] = { 0, RWF_DSYNC, RWF_SYNC };

	draw_cells(d, r);
	r->how = (u16)flags[rng_below(&d->w->actor.rng, ARRAY_SIZE(flags))];
}

/* A write that comes up short is told by its result, drawn here and recorded by the operation. */
static void draw_short(struct draw *d, struct op_record *r)
{
	draw_cells(d, r);
	r->result = (s64)(rng_below(&d->w->actor.rng, MAX(cells_in(d->f, r->len), 1ULL))
			  << d->f->sf->cell_shift);
}

static void draw_store(struct draw *d, struct op_record *r)
{
	u64 first = 0, n = pick_cells(&d->w->actor, d->f, cells_drawn(d->w, d->f, d->o->length),
				      false, &first);

	r->offset = first << d->f->sf->cell_shift;
	r->len = n << d->f->sf->cell_shift;
	r->how = (u16)(1U << rng_below(&d->w->actor.rng, 4));
}

static void draw_aligned(struct draw *d, struct op_record *r, u64 unit)
{
	struct place anywhere = { 0 };

	place_next(&anywhere, d->w, d->f, PATTERN_RANDOM, 0, unit,
		   rng_in(&d->w->actor.rng, d->o->length), &r->offset, &r->len);
}

static void draw_bytes(struct draw *d, struct op_record *r)
{
	draw_aligned(d, r, d->unit);
}

static void draw_pages(struct draw *d, struct op_record *r)
{
	draw_aligned(d, r, d->w->actor.page);
}

static void draw_blocks(struct draw *d, struct op_record *r)
{
	draw_aligned(d, r, MAX(d->f->block, d->f->sf->cell_bytes));
}

static void draw_direct_read(struct draw *d, struct op_record *r)
{
	draw_aligned(d, r, direct_read_unit(&d->w->actor, d->f));
}

static void draw_direct_write(struct draw *d, struct op_record *r)
{
	u64 unit = direct_write_unit(&d->w->actor, d->f), size = size_now(d->f->sf);

	draw_aligned(d, r, unit);
	r->len = MIN(r->len, size - MIN(size, r->offset));
	r->len = clip_zone(d->f, cells_in(d->f, r->offset), cells_in(d->f, r->len), true)
		 << d->f->sf->cell_shift;
	r->len = ROUND_DOWN(r->len, unit);
}

/* A truncate's record has the new size as its offset and no length: 1 stands for "go". */
static void draw_truncate(struct draw *d, struct op_record *r)
{
	u64 size = size_now(d->f->sf), by = rng_in(&d->w->actor.rng, d->o->length);
	u64 to = rng_next(&d->w->actor.rng) & 1 ? size + by : size - MIN(by, size);

	r->offset = MIN(ROUND_UP(to, d->unit), d->f->sf->max_bytes);
	r->len = 1;
}

static void draw_allocate(struct draw *d, struct op_record *r)
{
	draw_bytes(d, r);
	r->how = rng_next(&d->w->actor.rng) & 1;
}

static void draw_sync_range(struct draw *d, struct op_record *r)
{
	static const unsigned int flags[] = { SYNC_FILE_RANGE_WRITE,
					      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE,
					      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						      SYNC_FILE_RANGE_WAIT_AFTER };

	draw_bytes(d, r);
	r->arg = flags[rng_below(&d->w->actor.rng, ARRAY_SIZE(flags))];
}

static void draw_move(struct draw *d, struct op_record *r)
{
	struct afile *src = d->f;
	u64 limit;

	if (chance(d->w, d->o->across))
		src = &d->w->actor.files[rng_below(&d->w->actor.rng, d->w->actor.nfiles)];
	if (src->sf->conflict || src->sf->cell_bytes != d->f->sf->cell_bytes)
		src = d->f;
	draw_blocks(d, r);
	r->how = (u16)src->sf->index;
	limit = size_now(src->sf);
	r->arg = ROUND_DOWN(rng_below(&d->w->actor.rng, MAX(limit, 1ULL)),
			    MAX(d->f->block, d->f->sf->cell_bytes));
	r->len = MIN(r->len, limit - MIN(limit, r->arg));
	limit = size_now(d->f->sf);
	r->len = MIN(r->len, limit - MIN(limit, r->offset));
	if (r->op == OP_COPY)
		r->len = clip_zone(d->f, cells_in(d->f, r->offset), cells_in(d->f, r->len), false)
			 << d->f->sf->cell_shift;
}

static void draw_nothing(struct draw *d, struct op_record *r)
{
	(void)d;
	r->len = 1;
}

/* Each issue does the operation that a record, drawn or of a former run, tells of. */

static bool whole_cells(const struct afile *f, const struct op_record *r)
{
	return r->offset % f->sf->cell_bytes == 0 && r->len % f->sf->cell_bytes == 0 &&
	       r->len <= ACTOR_BUF;
}

static s64 issue_write(struct worker *w, struct afile *f, const struct op_record *r)
{
	static const int legal[] = { EFAULT, 0 };
	struct state *s = w->state;
	struct write_op op = { .op = (enum op_kind)r->op,
			       .first = cells_in(f, r->offset),
			       .n = cells_in(f, r->len),
			       .rwf = r->how,
			       .legal = legal };

	if (!whole_cells(f, r))
		return -EINVAL;
	if (r->result > 0 && (u64)r->result < r->len && r->op == OP_PWRITE) {
		op.attempt = r->len;
		op.n = MAX(cells_in(f, (u64)r->result), 1ULL);
		op.source = s->source + ACTOR_BUF - (op.n << f->sf->cell_shift);
	}
	return op_write(&w->actor, f, &op);
}

static s64 issue_append(struct worker *w, struct afile *f, const struct op_record *r)
{
	return whole_cells(f, r) ? op_append(&w->actor, f, cells_in(f, r->len), r->how) : -EINVAL;
}

static s64 issue_store(struct worker *w, struct afile *f, const struct op_record *r)
{
	if (!whole_cells(f, r))
		return -EINVAL;
	return op_store(&w->actor, f, cells_in(f, r->offset), cells_in(f, r->len), r->how);
}

static s64 issue_direct_write(struct worker *w, struct afile *f, const struct op_record *r)
{
	u64 unit = direct_write_unit(&w->actor, f);

	if (f->dfd < 0)
		return -EOPNOTSUPP;
	if (!whole_cells(f, r) || r->offset % unit || r->len % unit)
		return -EINVAL;
	return op_direct_write(&w->actor, f, cells_in(f, r->offset), cells_in(f, r->len));
}

static s64 issue_read(struct worker *w, struct afile *f, const struct op_record *r)
{
	enum read_how how = r->op == OP_PREAD  ? READ_PREAD
			    : r->op == OP_LOAD ? READ_LOAD
					       : READ_DIRECT;

	if (how == READ_DIRECT && f->dfd < 0)
		return -EOPNOTSUPP;
	return op_read(&w->actor, f, r->offset, MIN(r->len, ACTOR_BUF - CELL_MAX), how);
}

static s64 issue_truncate(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_truncate(&w->actor, f, r->offset);
}

static s64 issue_zero(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_zero(&w->actor, f, (enum op_kind)r->op, r->offset, r->len, true, NULL);
}

static s64 issue_allocate(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_allocate(&w->actor, f, (enum op_kind)r->op, r->offset, r->len, r->how);
}

/* Content moves by whole cells, so the size must be a multiple of one first. */
static s64 issue_shift(struct worker *w, struct afile *f, const struct op_record *r)
{
	u64 size = size_now(f->sf);

	if (size % f->sf->cell_bytes)
		op_truncate(&w->actor, f, ROUND_DOWN(size, f->sf->cell_bytes));
	return op_shift(&w->actor, f, (enum op_kind)r->op, r->offset, r->len);
}

static s64 issue_move(struct worker *w, struct afile *f, const struct op_record *r)
{
	struct afile *src;

	if (r->how >= w->actor.nfiles)
		return -EINVAL;
	src = &w->actor.files[r->how];
	if (r->arg > src->sf->max_bytes || r->len > src->sf->max_bytes - r->arg)
		return -EINVAL;
	return op_move(&w->actor, f, r->offset, src, r->arg, r->len, (enum op_kind)r->op);
}

static s64 issue_sync(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_sync(&w->actor, f, (enum op_kind)r->op);
}

static s64 issue_sync_range(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_sync_range(&w->actor, f, r->offset, r->len, (unsigned int)r->arg);
}

static s64 issue_cache(struct worker *w, struct afile *f, const struct op_record *r)
{
	return op_cache(&w->actor, f, (enum op_kind)r->op, r->offset, r->len);
}

static s64 issue_stat(struct worker *w, struct afile *f, const struct op_record *r)
{
	(void)r;
	return op_stat(&w->actor, f);
}

/* The one table: name of the weight, operation, how it is drawn, how it is issued. */
#define MIXER_OPS(X)                                                                               \
	X(pwrite, PWRITE, draw_cells, issue_write)                                                 \
	X(short_write, PWRITE, draw_short, issue_write)                                            \
	X(pwritev2, PWRITEV2, draw_pwritev2, issue_write)                                          \
	X(io_uring, URING_WRITE, draw_pwritev2, issue_write)                                       \
	X(append, APPEND, draw_pwritev2, issue_append)                                             \
	X(store, STORE, draw_store, issue_store)                                                   \
	X(direct_write, DIRECT_PWRITE, draw_direct_write, issue_direct_write)                      \
	X(pread, PREAD, draw_bytes, issue_read)                                                    \
	X(load, LOAD, draw_bytes, issue_read)                                                      \
	X(direct_read, DIRECT_PREAD, draw_direct_read, issue_read)                                 \
	X(truncate, TRUNCATE, draw_truncate, issue_truncate)                                       \
	X(punch, PUNCH, draw_bytes, issue_zero)                                                    \
	X(zero, ZERO, draw_bytes, issue_zero)                                                      \
	X(allocate, ALLOCATE, draw_allocate, issue_allocate)                                       \
	X(unshare, UNSHARE, draw_allocate, issue_allocate)                                         \
	X(collapse, COLLAPSE, draw_blocks, issue_shift)                                            \
	X(insert, INSERT, draw_blocks, issue_shift)                                                \
	X(clone, CLONE, draw_move, issue_move)                                                     \
	X(dedupe, DEDUPE, draw_move, issue_move)                                                   \
	X(copy, COPY, draw_move, issue_move)                                                       \
	X(exchange, EXCHANGE, draw_move, issue_move)                                               \
	X(fsync, FSYNC, draw_nothing, issue_sync)                                                  \
	X(fdatasync, FDATASYNC, draw_nothing, issue_sync)                                          \
	X(sync_file_range, SYNC_RANGE, draw_sync_range, issue_sync_range)                          \
	X(msync, MSYNC, draw_nothing, issue_sync)                                                  \
	X(syncfs, SYNCFS, draw_nothing, issue_sync)                                                \
	X(fadvise, FADVISE_DONTNEED, draw_bytes, issue_cache)                                      \
	X(dontneed, MADVISE_DONTNEED, draw_pages, issue_cache)                                     \
	X(pageout, MADVISE_PAGEOUT, draw_pages, issue_cache)                                       \
	X(remap, REMAP, draw_pages, issue_cache)                                                   \
	X(stat, STAT, draw_nothing, issue_stat)

static const struct mixer_op {
	enum op_kind op;
	void (*draw)(struct draw *d, struct op_record *r);
	s64 (*issue)(struct worker *w, struct afile *f, const struct op_record *r);
} mixer_ops[] = {
#define X(name, id, draw_fn, issue_fn) { OP_##id, draw_fn, issue_fn },
	MIXER_OPS(X)
#undef X
};

static const char *const names[] = {
#define X(name, id, draw_fn, issue_fn) #name,
	MIXER_OPS(X)
#undef X
		NULL,
};
_Static_assert(ARRAY_SIZE(mixer_ops) <= MENU_MAX, "the menu holds every operation");

static const struct opt_def options[] = {
	OPT(struct mixer, weights, OPT_WEIGHTS, .def = UNSHARE_UNASKED, .max = "1000000",
	    .choices = names, .help = "how often each operation is chosen"),
	OPT(struct mixer, length, OPT_SIZE_RANGE, .def = "64..64K", .min = "1", .max = "1M",
	    .help = "bytes of an operation, rounded to what it must be aligned to"),
	OPT(struct mixer, unaligned, OPT_PERCENT, .def = "25",
	    .help = "percent of reads, holes and sizes that start and end at any byte"),
	OPT(struct mixer, across, OPT_PERCENT, .def = "25",
	    .help = "percent of moves that come from another file, where there is one with cells "
		    "of the same size"),
	OPT(struct mixer, operations, OPT_COUNT, .def = "0",
	    .help = "end after so many operations and wait for the others; 0: go on"),
	OPT(struct mixer, replay, OPT_STRING,
	    .help = "an ops.N.log of a former run with the same files: its operations in their "
		    "order, and no others"),
	OPT(struct mixer, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two operations"),
	{ 0 },
};

static void draw_one(struct worker *w)
{
	OPTIONS(mixer, w);
	struct state *s = w->state;
	size_t i = menu_draw(&s->menu, w);
	struct draw d = { .w = w, .o = o, .f = w->file };
	struct op_record r = { .file = (u8)w->file->sf->index };

	if (i == s->menu.n) {
		worker_sleep(w, NSEC_PER_SEC);
		return;
	}
	d.unit = chance(w, o->unaligned) ? 1 : w->file->sf->cell_bytes;
	r.op = (u8)mixer_ops[i].op;
	mixer_ops[i].draw(&d, &r);
	if (r.len)
		menu_note(&s->menu, i, mixer_ops[i].issue(w, w->file, &r));
}

static const struct mixer_op *op_of(const struct op_record *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(mixer_ops); i++)
		if (mixer_ops[i].op == r->op)
			return &mixer_ops[i];
	return NULL;
}

/* The next record of the former run that tells of a file operation; those that tell of something
 * outside this run's files are left out. */
static void replay_one(struct worker *w)
{
	struct state *s = w->state;
	const struct mixer_op *op;
	struct op_record r;
	struct afile *f;

	if (oplog_read(&s->log, s->next++, &r) < 0 || r.file >= w->actor.nfiles)
		return;
	op = op_of(&r);
	f = &w->actor.files[r.file];
	if (op && r.offset <= f->sf->max_bytes && r.len <= f->sf->max_bytes - r.offset)
		op->issue(w, f, &r);
}

static bool finished(const struct mixer *o, const struct state *s)
{
	return (o->operations && s->done >= o->operations) ||
	       (o->replay && s->next >= oplog_count(&s->log));
}

static int step(struct worker *w)
{
	OPTIONS(mixer, w);
	struct state *s = w->state;

	worker_sleep(w, o->pause);
	if (finished(o, s)) {
		worker_sleep(w, NSEC_PER_SEC);
		return 0;
	}
	s->done++;
	if (o->replay)
		replay_one(w);
	else
		draw_one(w);
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(mixer, w);
	struct state *s = calloc(1, sizeof(*s));
	int r = 0;

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	menu_init(&s->menu, o->weights, ARRAY_SIZE(mixer_ops));
	s->source = mmap(NULL, 2 * ACTOR_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (s->source == MAP_FAILED || mprotect(s->source + ACTOR_BUF, ACTOR_BUF, PROT_NONE) < 0)
		return err_set(e, -ENOMEM, "no memory for a source buffer");
	/* An exchange changes the other file as well; said before any worker starts. */
	for (u32 i = 0; i < w->actor.nfiles; i++)
		if (!w->actor.files[i].sf->conflict)
			w->actor.files[i].sf->reshaped = 1;
	if (o->replay)
		r = oplog_open(o->replay, &s->log, e);
	if (r == 0 && o->replay)
		s->next = oplog_oldest(&s->log);
	return r;
}

const struct worker_type worker_mixer = {
	.name = "mixer",
	.help = "every operation of the others in random order; repeatable from seed or history",
	.options = options,
	.options_size = sizeof(struct mixer),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_RESHAPES | WORKER_ACROSS |
		 WORKER_DIRECT_WRITES | WORKER_DIRTIES | WORKER_MAPS | WORKER_READS_INLINE,
	.start = start,
	.step = step,
};
