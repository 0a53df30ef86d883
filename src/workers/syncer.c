// SPDX-License-Identifier: GPL-2.0-or-later
/* syncer: writes dirty pages back, in every way that the kernel offers. */
#include "workers/place.h"

#include <errno.h>
#include <fcntl.h>

struct syncer {
	u64 ops, modes;
	struct range length;
	u64 interval;
};

enum { SYNC_FSYNC, SYNC_FDATASYNC, SYNC_RANGE, SYNC_MSYNC, SYNC_FS };
static const char *const ops[] = {
	"fsync", "fdatasync", "sync_file_range", "msync", "syncfs", NULL
};
static const enum op_kind op_kinds[] = {
	[SYNC_FSYNC] = OP_FSYNC, [SYNC_FDATASYNC] = OP_FDATASYNC, [SYNC_RANGE] = OP_SYNC_RANGE,
	[SYNC_MSYNC] = OP_MSYNC, [SYNC_FS] = OP_SYNCFS,
};
static const char *const modes[] = { "write", "wait-before", "all", NULL };
static const unsigned int mode_flags[] = {
	SYNC_FILE_RANGE_WRITE,
	SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE,
	SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER,
};

static const struct opt_def options[] = {
	OPT(struct syncer, ops, OPT_ENUM_SET, .def = "fsync", .choices = ops,
	    .help = "the calls; one of them each time"),
	OPT(struct syncer, modes, OPT_ENUM_SET, .def = "write", .choices = modes,
	    .help = "sync_file_range: start writeback; wait for older writeback before; wait "
		    "before and after"),
	OPT(struct syncer, length, OPT_SIZE_RANGE, .def = "1M", .min = "4K", .max = "1G",
	    .help = "bytes of a sync_file_range"),
	OPT(struct syncer, interval, OPT_TIME, .def = "10ms", .max = "1m",
	    .help = "time between two calls; 0: one after the other"),
	{ 0 },
};

/* The index of one of the bits of @set, drawn; there is one. */
static u64 draw_bit(struct worker *w, u64 set)
{
	u64 skip = rng_below(&w->actor.rng, (u64)__builtin_popcountll(set));

	while (skip--)
		set &= set - 1;
	return (u64)__builtin_ctzll(set);
}

static void sync_range(struct worker *w, const struct syncer *o, struct afile *f)
{
	unsigned int flags = mode_flags[draw_bit(w, o->modes)];
	struct place anywhere = { 0 };
	u64 offset, len;

	place_next(&anywhere, w, f, PATTERN_RANDOM, 0, f->sf->cell_bytes,
		   rng_in(&w->actor.rng, o->length), &offset, &len);
	if (len)
		op_sync_range(&w->actor, f, offset, len, flags);
}

static int step(struct worker *w)
{
	OPTIONS(syncer, w);
	struct afile *f = worker_file(w);
	u64 op = draw_bit(w, o->ops);

	if (o->interval)
		worker_sleep(w, o->interval);
	if (op == SYNC_RANGE)
		sync_range(w, o, f);
	else
		op_sync(&w->actor, f, op_kinds[op]);
	actor_beat(&w->actor);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	OPTIONS(syncer, w);

	if (!o->ops)
		return err_set(e, -EINVAL, "\"ops\" is empty: name at least one call");
	if (o->ops >> SYNC_RANGE & 1 && !o->modes)
		return err_set(e, -EINVAL, "\"modes\" is empty: name one for sync_file_range");
	return 0;
}

const struct worker_type worker_syncer = {
	.name = "syncer",
	.help = "fsync, fdatasync, sync_file_range, msync, syncfs",
	.options = options,
	.options_size = sizeof(struct syncer),
	.flags = WORKER_WHOLE_FS,
	.start = start,
	.step = step,
};
