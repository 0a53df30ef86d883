// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dropcache: takes clean pages out of the page cache, as reclaim does at times of its own. None
 * of it may change a byte.
 */
#include "ops/reclaim.h"
#include "workers/place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct dropcache {
	int scope;
	struct range mode;
	struct range length;
	u64 interval;
};

enum { SCOPE_GLOBAL, SCOPE_FILE, SCOPE_RANGE, SCOPE_PAGEOUT, SCOPE_MEMCG };
static const char *const scopes[] = { "global", "file", "range", "pageout", "memcg", NULL };
static const char *const scope_kconfig[ARRAY_SIZE(scopes)] = {
	[SCOPE_GLOBAL] = "PROC_SYSCTL", [SCOPE_MEMCG] = "MEMCG"
};

static const struct opt_def options[] = {
	OPT(struct dropcache, scope, OPT_ENUM, .def = "file", .choices = scopes,
	    .kconfig = scope_kconfig,
	    .help = "global: /proc/sys/vm/drop_caches; file and range: POSIX_FADV_DONTNEED; "
		    "pageout: MADV_PAGEOUT; memcg: memory.reclaim of the worker's cgroup"),
	OPT(struct dropcache, mode, OPT_COUNT_RANGE, .def = "1", .min = "1", .max = "3",
	    .help = "global: 1 page cache, 2 dentries and inodes, 3 both"),
	OPT(struct dropcache, length, OPT_SIZE_RANGE, .def = "64K", .min = "4K", .max = "1G",
	    .help = "range, pageout and memcg: bytes at a time"),
	OPT(struct dropcache, interval, OPT_TIME, .def = "0", .max = "1m",
	    .help = "time between two drops; 0: one after the other"),
	{ 0 },
};

static int drop_global(struct worker *w, const struct dropcache *o)
{
	int r = op_drop_caches(&w->actor, (int)rng_in(&w->actor.rng, o->mode));

	if (r < 0 && r != -EINTR)
		return err_set(&w->err, r, "/proc/sys/vm/drop_caches cannot be written: %s",
			       strerror(-r));
	return 0;
}

static int drop_file(struct worker *w, const struct dropcache *o)
{
	(void)o;
	op_cache(&w->actor, worker_file(w), OP_FADVISE_DONTNEED, 0, 0);
	return 0;
}

static int drop_part(struct worker *w, const struct dropcache *o, enum op_kind op)
{
	struct afile *f = worker_file(w);
	struct place anywhere = { 0 };
	u64 offset, len;

	place_next(&anywhere, w, f, PATTERN_RANDOM, 0, w->actor.page,
		   rng_in(&w->actor.rng, o->length), &offset, &len);
	if (len)
		op_cache(&w->actor, f, op, offset, len);
	return 0;
}

static int drop_range(struct worker *w, const struct dropcache *o)
{
	return drop_part(w, o, OP_FADVISE_DONTNEED);
}

static int drop_pageout(struct worker *w, const struct dropcache *o)
{
	return drop_part(w, o, OP_MADVISE_PAGEOUT);
}

static int drop_memcg(struct worker *w, const struct dropcache *o)
{
	int r = op_reclaim(&w->actor, rng_in(&w->actor.rng, o->length));

	if (r < 0)
		return err_set(&w->err, r, "memory.reclaim cannot be written: %s", strerror(-r));
	return 0;
}

static int (*const drops[])(struct worker *, const struct dropcache *) = {
	[SCOPE_GLOBAL] = drop_global,	[SCOPE_FILE] = drop_file,   [SCOPE_RANGE] = drop_range,
	[SCOPE_PAGEOUT] = drop_pageout, [SCOPE_MEMCG] = drop_memcg,
};

static int step(struct worker *w)
{
	OPTIONS(dropcache, w);

	if (o->interval)
		worker_sleep(w, o->interval);
	return drops[o->scope](w, o);
}

static int probe(const void *options_block, struct err *e)
{
	const struct dropcache *o = options_block;
	char path[RECLAIM_PATH_MAX];

	if (o->scope == SCOPE_MEMCG)
		return reclaim_find(path, sizeof(path), e);
	if (o->scope == SCOPE_GLOBAL && access("/proc/sys/vm/drop_caches", W_OK) < 0)
		return err_set(e, -errno,
			       "/proc/sys/vm/drop_caches cannot be written (%s): run as root, or "
			       "set \"scope\" to \"file\"",
			       strerror(errno));
	return 0;
}

const struct worker_type worker_dropcache = {
	.name = "dropcache",
	.help = "drops clean pages: globally, of a file, of a range, by MADV_PAGEOUT or cgroup",
	.options = options,
	.options_size = sizeof(struct dropcache),
	.flags = WORKER_WHOLE_FS,
	.probe = probe,
	.step = step,
};
