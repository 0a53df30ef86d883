// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * remount: mount(MS_REMOUNT) under the open files of all, and whole cycles of unmount and mount
 * with every worker paused. What was written must be there afterwards.
 */
#include "target/target.h"
#include "workers/place.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

struct remount {
	int mode;
	u64 interval;
};

enum { MODE_REMOUNT, MODE_CYCLE };
static const char *const modes[] = { "remount", "cycle", NULL };

static const struct opt_def options[] = {
	OPT(struct remount, mode, OPT_ENUM, .def = "cycle", .choices = modes,
	    .help = "remount: MS_REMOUNT with the flags it has, files stay open; cycle: all "
		    "workers pause, unmount, mount"),
	OPT(struct remount, interval, OPT_TIME, .def = "1s", .min = "1ms", .max = "10m",
	    .help = "time between two of them"),
	{ 0 },
};

#define PAUSE_LIMIT_NS (60 * NSEC_PER_SEC)
#define UMOUNT_TRIES   100 /* 20 ms apart: the last reference of a closed file may drop late */

/* Flags of a mount as statvfs(3) tells them, as mount(2) takes them. */
static unsigned long mount_flags(const char *root)
{
	static const struct {
		unsigned long st, ms;
	} map[] = {
		{ ST_RDONLY, MS_RDONLY },
		{ ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC },
		{ ST_SYNCHRONOUS, MS_SYNCHRONOUS },
		{ ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	unsigned long flags = 0;
	struct statvfs v;

	if (statvfs(root, &v) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (v.f_flag & map[i].st)
			flags |= map[i].ms;
	return flags;
}

static struct op_record *begin(struct worker *w, enum op_kind op)
{
	atomic_store_explicit(&w->actor.slot->quiet, 1, memory_order_relaxed);
	return oplog_begin(w->actor.log, &(struct op_record){ .op = (u8)op });
}

static void end(struct worker *w, struct op_record *rec, int r)
{
	struct slot *slot = w->actor.slot;

	oplog_end(rec, r);
	atomic_store_explicit(&slot->quiet, 0, memory_order_relaxed);
	actor_beat(&w->actor);
	atomic_fetch_add_explicit(&slot->ops, 1, memory_order_relaxed);
	if (r < 0)
		atomic_fetch_add_explicit(&slot->failed, 1, memory_order_relaxed);
}

static int remount(struct worker *w)
{
	const char *root = w->target->root;
	struct op_record *rec = begin(w, OP_REMOUNT);
	int r = mount(NULL, root, NULL, MS_REMOUNT | mount_flags(root), NULL) < 0 ? -errno : 0;

	end(w, rec, r);
	if (r == 0 || r == -EINTR || r == -EBUSY || r == -ENOMEM)
		return 0;
	return err_set(&w->err, r, "%s: cannot be remounted: %s", root, strerror(-r));
}

static int cycle_paused(struct worker *w)
{
	struct op_record *rec;
	int r = -EBUSY;

	actor_close(&w->actor);
	rec = begin(w, OP_MOUNT_CYCLE);
	for (int i = 0; r == -EBUSY && i < UMOUNT_TRIES; i++) {
		if (i)
			nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
		r = w->target->type->remount_cycle(w->target, &w->err);
	}
	end(w, rec, r);
	return r < 0 ? r : actor_open(&w->actor, false, &w->err);
}

static int cycle(struct worker *w)
{
	int r = run_pause(w->actor.run, w->actor.id, PAUSE_LIMIT_NS, &w->err);

	/* Somebody else pauses, or the run ends: neither is an error of this worker. */
	if (r == -EBUSY || (r < 0 && worker_stopping(w)))
		return 0;
	if (r < 0)
		return r;
	r = cycle_paused(w);
	/* After a failure the others cannot open their files: they say so, and the run ends. */
	run_resume(w->actor.run);
	return r;
}

static int step(struct worker *w)
{
	OPTIONS(remount, w);
	u32 pause = atomic_load(&w->actor.run->pause);

	worker_sleep(w, o->interval);
	if (worker_stopping(w) || atomic_load(&w->actor.run->pause) != pause)
		return 0;
	return o->mode == MODE_CYCLE ? cycle(w) : remount(w);
}

static int start(struct worker *w, struct err *e)
{
	if (!w->target || !w->target->mounted)
		return err_set(e, -EINVAL,
			       "the target is not mounted by stressd: use an image or a device");
	return 0;
}

const struct worker_type worker_remount = {
	.name = "remount",
	.help = "remounts the target, or unmounts and mounts it with the workers paused",
	.options = options,
	.options_size = sizeof(struct remount),
	.flags = WORKER_NEEDS_MOUNT | WORKER_UNMOUNTS,
	.caps = { CAP_SYS_ADMIN },
	.ncaps = 1,
	.start = start,
	.step = step,
};
