// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * steps: a sequence of operations on given ranges, as a report tells it: "write 4M",
 * "sync_file_range write", "truncate 2M". One table of verbs, each an operation of ops/. Offsets
 * count from the window of the race's attempt, or from the start of the file.
 */
#include "workers/steps.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct steps {
	char **before, **steps, **after;
	u64 rounds, pause;
};

static const struct opt_def options[] = {
	OPT(struct steps, before, OPT_STRINGS, .def = "", .min = "1", .max = "200",
	    .help = "steps ahead of the barrier of a race: what the file must be like"),
	OPT(struct steps, steps, OPT_STRINGS, .min = "1", .max = "200", .required = true,
	    .expects = "an array of steps, see `stressd list steps`",
	    .help = "the sequence: \"VERB [LENGTH] [at OFFSET|random|hot] [from OFFSET] [readable "
		    "SIZE] [width N] [times N] [stride SIZE]\""),
	OPT(struct steps, after, OPT_STRINGS, .def = "", .min = "1", .max = "200",
	    .help = "steps once all actors of a race have done theirs: what must be true now"),
	OPT(struct steps, rounds, OPT_COUNT, .def = "1", .min = "1", .max = "1000",
	    .help = "how often the sequence is repeated in one attempt"),
	OPT(struct steps, pause, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two sequences"),
	{ 0 },
};

#define STEPS_MAX  32
#define LIST_COUNT 3

struct list {
	struct step step[STEPS_MAX];
	size_t n;
};

struct state {
	struct list lists[LIST_COUNT]; /* before, steps, after */
	u8 *source; /* ACTOR_BUF bytes that can be read, and as many that cannot */
};

/* A step at work: bytes [offset, offset + len) of the file. */
struct job {
	struct worker *w;
	const struct step *s;
	struct afile *f;
	u64 offset, len;
	u64 from; /* of a range as long */
};

/* Each transfer is at most a buffer long: go on behind what was done, until nothing more is. */
static void in_parts(struct job *j, u64 most, s64 (*part)(struct job *, u64 offset, u64 len))
{
	for (u64 done = 0; done < j->len;) {
		s64 n = part(j, j->offset + done, MIN(j->len - done, most));

		if (n <= 0)
			return;
		done += (u64)n;
	}
}

static s64 write_part(struct job *j, u64 offset, u64 len)
{
	struct write_op op = { .op = OP_PWRITE,
			       .first = cells_in(j->f, offset),
			       .n = cells_in(j->f, len) };

	return op.n ? op_write(&j->w->actor, j->f, &op) : 0;
}

static void do_write(struct job *j)
{
	in_parts(j, ACTOR_BUF, write_part);
}

/* One call: the source can be read for so many bytes, and the page behind them cannot. */
static void do_short_write(struct job *j)
{
	static const int legal[] = { EFAULT, 0 };
	struct state *s = j->w->state;
	u64 n = cells_in(j->f, MIN(j->s->readable, j->len));
	struct write_op op = { .op = OP_PWRITE,
			       .first = cells_in(j->f, j->offset),
			       .n = n,
			       .attempt = MIN(j->len, ACTOR_BUF),
			       .source = s->source + ACTOR_BUF - (n << j->f->sf->cell_shift),
			       .legal = legal };

	if (n)
		op_write(&j->w->actor, j->f, &op);
}

static s64 store_part(struct job *j, u64 offset, u64 len)
{
	u64 n = cells_in(j->f, len);

	return n ? op_store(&j->w->actor, j->f, cells_in(j->f, offset), n, j->s->width) : 0;
}

static void do_store(struct job *j)
{
	atomic_store_explicit(&j->f->sf->hot, j->offset, memory_order_relaxed);
	in_parts(j, ACTOR_BUF, store_part);
}

static s64 read_part(struct job *j, u64 offset, u64 len)
{
	return op_read(&j->w->actor, j->f, offset, len, (enum read_how)j->s->verb->arg);
}

static void do_read(struct job *j)
{
	if (j->s->verb->arg == READ_DIRECT && j->f->dfd < 0)
		return;
	in_parts(j, ACTOR_BUF / 2, read_part);
}

static void do_sync(struct job *j)
{
	op_sync(&j->w->actor, j->f, (enum op_kind)j->s->verb->arg);
}

static void do_sync_range(struct job *j)
{
	op_sync_range(&j->w->actor, j->f, j->offset, j->len,
		      j->s->flags ? j->s->flags : SYNC_FILE_RANGE_WRITE);
}

/* The length is the new size, from the window's start. */
static void do_truncate(struct job *j)
{
	op_truncate(&j->w->actor, j->f, MIN(j->offset + j->len, j->f->sf->max_bytes));
}

static void do_zero(struct job *j)
{
	u64 end = j->offset + j->len, at = j->offset, done;

	/* Around cells that are somebody else's. */
	while (at < end && !worker_stopping(j->w)) {
		int r = op_zero(&j->w->actor, j->f, (enum op_kind)j->s->verb->arg, at, end - at,
				true, &done);

		if (r < 0 && r != -EBUSY)
			return;
		at = MAX(done, at + j->f->sf->cell_bytes);
		if (done == end || at >= size_now(j->f->sf))
			return;
	}
}

static void do_allocate(struct job *j)
{
	op_allocate(&j->w->actor, j->f, (enum op_kind)j->s->verb->arg, j->offset, j->len, true);
}

static void do_move(struct job *j)
{
	op_move(&j->w->actor, j->f, j->offset, j->f, j->from, j->len,
		(enum op_kind)j->s->verb->arg);
}

static void do_cache(struct job *j)
{
	op_cache(&j->w->actor, j->f, (enum op_kind)j->s->verb->arg, j->offset, j->len);
}

const struct step_verb step_verbs[] = {
	{ "write", "pwrite", do_write, 0, STEP_IN | STEP_CELLS },
	{ "short-write", "one pwrite whose source can be read for \"readable\" bytes only",
	  do_short_write, 0, STEP_IN | STEP_CELLS | STEP_ONE },
	{ "store", "stores through mmap, \"width\" bytes each", do_store, 0, STEP_CELLS },
	{ "read", "pread, and judge what it gives", do_read, READ_PREAD, STEP_OUT },
	{ "load", "read through mmap, and judge", do_read, READ_LOAD, 0 },
	{ "direct-read", "pread with O_DIRECT, and judge", do_read, READ_DIRECT, STEP_OUT },
	{ "fsync", "of the file", do_sync, OP_FSYNC, STEP_WHOLE },
	{ "fdatasync", "of the file", do_sync, OP_FDATASYNC, STEP_WHOLE },
	{ "msync", "of the whole mapping, MS_SYNC", do_sync, OP_MSYNC, STEP_WHOLE },
	{ "sync_file_range", "of a range; flags: write (default), before, after", do_sync_range, 0,
	  STEP_FLAGS },
	{ "truncate", "to a size, given as the length", do_truncate, 0, 0 },
	{ "punch", "fallocate: punch a hole", do_zero, OP_PUNCH, 0 },
	{ "zero", "fallocate: zero a range", do_zero, OP_ZERO, 0 },
	{ "allocate", "fallocate: allocate, keep the size", do_allocate, OP_ALLOCATE, 0 },
	{ "unshare", "fallocate: unshare a range, keep the size", do_allocate, OP_UNSHARE, 0 },
	{ "clone", "FICLONERANGE: of the blocks at \"from\" in the same file", do_move, OP_CLONE,
	  STEP_CELLS | STEP_FROM },
	{ "drop", "posix_fadvise: POSIX_FADV_DONTNEED", do_cache, OP_FADVISE_DONTNEED, 0 },
	{ "pageout", "madvise: MADV_PAGEOUT of the mapping, which reclaims what is mapped once",
	  do_cache, OP_MADVISE_PAGEOUT, 0 },
	{ "random-access",
	  "posix_fadvise: POSIX_FADV_RANDOM, reads of the file bring no further pages", do_cache,
	  OP_FADVISE_RANDOM, STEP_WHOLE },
	{ "dontneed", "madvise: MADV_DONTNEED of the mapping", do_cache, OP_MADVISE_DONTNEED, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char *list_names[LIST_COUNT] = { "before", "steps", "after" };

static char **list_texts(const struct steps *o, size_t i)
{
	return i == 0 ? o->before : i == 1 ? o->steps : o->after;
}

static int check(const void *options_block, const struct sc_file *file, struct err *e)
{
	struct step s;

	for (size_t i = 0; i < LIST_COUNT; i++) {
		char **text = list_texts(options_block, i);
		size_t n = 0;

		for (; text && text[n]; n++)
			if (step_parse(text[n], file, &s, e) < 0)
				return -EINVAL;
		if (n > STEPS_MAX)
			return err_set(e, -EINVAL, "%zu in \"%s\"; expected at most %d steps", n,
				       list_names[i], STEPS_MAX);
		if (i == 1 && !n)
			return err_set(e, -EINVAL, "\"steps\" is empty; expected steps");
	}
	return 0;
}

static unsigned int copies(const void *options_block)
{
	const struct steps *o = options_block;
	unsigned int found = 0;
	struct err e;
	struct step s;

	for (char **text = o->steps; text && *text; text++)
		if (step_parse(*text, NULL, &s, &e) == 0)
			found |= (s.verb->flags & STEP_IN ? WORKER_COPIES_IN : 0) |
				 (s.verb->flags & STEP_OUT ? WORKER_COPIES_OUT : 0);
	return found;
}

/* The page of the latest mmap store of anybody, or one of the next two: where it goes. */
static u64 near_hot(const struct job *j, u64 base)
{
	u64 hot = atomic_load_explicit(&j->f->sf->hot, memory_order_relaxed);
	u64 page = j->w->actor.page;

	return MAX(base, ROUND_DOWN(hot, page) + rng_below(&j->w->actor.rng, 3) * page);
}

/* The range of a step now, the @k th of its times: in the attempt's window. */
static void place(struct job *j, u64 k)
{
	u64 max = j->f->sf->max_bytes, base = 0, window = max, unit = j->f->sf->cell_bytes;
	const struct step *s = j->s;

	if (j->w->race && j->w->race->window) {
		base = race_place(j->w->race, j->w->attempt, max);
		window = MIN(j->w->race->window, max - base);
	}
	j->len = s->has_len ? s->len : window - MIN(window, s->at);
	j->offset = base + s->at + (window ? k * s->stride % window : 0);
	if (s->random && window > j->len)
		j->offset = base + rng_below(&j->w->actor.rng, (window - j->len) / unit + 1) * unit;
	if (s->hot)
		j->offset = near_hot(j, base);
	j->from = base + s->from;
	j->len = MIN(j->len, max - MIN(max, j->offset));
	if (s->has_from)
		j->len = MIN(j->len, max - MIN(max, j->from));
}

static void run_list(struct worker *w, size_t which)
{
	struct state *state = w->state;
	const struct list *l = &state->lists[which];

	for (size_t i = 0; i < l->n && !worker_stopping(w); i++) {
		struct job j = { .w = w, .s = &l->step[i], .f = w->file };

		for (u64 k = 0; k < j.s->times && !worker_stopping(w); k++) {
			place(&j, k);
			if (j.len || j.s->verb->flags & STEP_WHOLE || j.s->verb->run == do_truncate)
				j.s->verb->run(&j);
		}
	}
	actor_beat(&w->actor);
}

static void prepare(struct worker *w)
{
	run_list(w, 0);
}

static void conclude(struct worker *w)
{
	run_list(w, 2);
}

static int step(struct worker *w)
{
	OPTIONS(steps, w);

	if (o->pause)
		worker_sleep(w, o->pause);
	if (!w->race)
		run_list(w, 0);
	for (u64 i = 0; i < o->rounds && !worker_stopping(w); i++)
		run_list(w, 1);
	if (!w->race)
		run_list(w, 2);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(steps, w);
	struct state *s = calloc(1, sizeof(*s));

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	for (size_t i = 0; i < LIST_COUNT; i++)
		for (char **text = list_texts(o, i); text && *text; text++)
			if (step_parse(*text, NULL, &s->lists[i].step[s->lists[i].n++], e) < 0)
				return -EINVAL;
	s->source = mmap(NULL, 2 * ACTOR_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (s->source == MAP_FAILED || mprotect(s->source + ACTOR_BUF, ACTOR_BUF, PROT_NONE) < 0)
		return err_set(e, -ENOMEM, "no memory for a source buffer");
	return 0;
}

const struct worker_type worker_steps = {
	.name = "steps",
	.help = "a sequence of operations on given ranges, as a report tells it",
	.options = options,
	.options_size = sizeof(struct steps),
	.flags = WORKER_NEEDS_FILE | WORKER_STAMPS | WORKER_DIRTIES | WORKER_MAPS |
		 WORKER_RESHAPES | WORKER_READS_INLINE,
	.check = check,
	.copies = copies,
	.start = start,
	.prepare = prepare,
	.step = step,
	.conclude = conclude,
};
