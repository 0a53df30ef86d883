// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * enospc: a ballast file takes the space of the target's filesystem but for "free" bytes. With
 * "breathe" what is left is drawn anew again and again, so that writers meet the end of the space
 * at all moments, and reserved blocks come and go. The ballast is allocated, not written.
 */
#include "faults/fault.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/step.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define BALLAST ".stressd-ballast"

struct enospc {
	struct range free;
	u64 breathe;
};

struct enospc_state {
	char path[700];
};

static const struct opt_def options[] = {
	OPT(struct enospc, free, OPT_SIZE_RANGE, .def = "0..1M", .max = "1T",
	    .help = "bytes that are left for everybody else; drawn at each arming and breath"),
	OPT(struct enospc, breathe, OPT_TIME, .def = "0", .max = "1h",
	    .help = "draw it anew so often while armed; 0: never"),
	{ 0 },
};

/* A filesystem that is made for the run is nobody else's; one that is there may be. */
static int probe(const struct fault *f, struct err *e)
{
	const char *dir = target_given_dir(f->target);
	int r = dir ? target_refuse_shared(dir, f->state_dir, e) : 0;

	return r < 0 || !dir ? r : target_refuse_shared(dir, f->target->run_dir, e);
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(enospc_state, f);
	int r;

	r = path_set(st->path, sizeof(st->path), "%s/" BALLAST, f->target->root);
	if (r < 0)
		return err_set(e, r, "%s: path too long", f->target->root);
	return fault_save(f, UNDO_FILE, st->path, NULL, NULL, e);
}

/* fallocate(2) of all that seems free may fail for want of metadata: smaller pieces then, down to
 * one block. */
static int grow(int fd, u64 from, u64 to, u64 block)
{
	u64 piece = to - from;

	while (from < to && piece >= block) {
		u64 len = MIN(piece, to - from);

		if (fallocate(fd, 0, (off_t)from, (off_t)len) == 0) {
			from += len;
			change("grew", BALLAST);
		} else if (errno == ENOSPC || errno == EDQUOT)
			piece /= 2;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Blocks that a filesystem keeps for root are there for the workers, too, if they are root. What
 * btrfs calls free is not what can be had of it. (btrfs(5)) */
static u64 free_now(const struct fault *f, const struct statvfs *v)
{
	bool all = geteuid() == 0 && strcmp(f->target->fs, "btrfs");

	return (u64)(all ? v->f_bfree : v->f_bavail) * v->f_frsize;
}

/* Take or give back until about @leave bytes are free. Others take space meanwhile: that is the
 * point, and no exact figure is promised. */
static int resize(const struct fault *f, u64 leave)
{
	FAULT_STATE(enospc_state, f);
	_cleanup_close_ int fd = -1;
	struct statvfs v;
	struct stat s;
	u64 free_bytes, size;

	fd = open(st->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &s) < 0 || fstatvfs(fd, &v) < 0)
		return -errno;
	change("opened", BALLAST);
	size = (u64)s.st_size;
	free_bytes = free_now(f, &v);
	if (free_bytes > leave)
		return grow(fd, size, size + ROUND_DOWN(free_bytes - leave, v.f_frsize),
			    v.f_frsize);
	return ftruncate(fd, (off_t)(size - MIN(size, leave - free_bytes))) < 0 ? -errno : 0;
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(enospc, f);
	FAULT_STATE(enospc_state, f);
	int r = resize(f, rng_in(&f->rng, o->free));

	return r < 0 ? err_set(e, r, "the ballast %s cannot be made: %s", st->path, strerror(-r))
		     : 0;
}

/* One that fails leaves the ballast as it was. */
static void breathe(struct fault *f)
{
	FAULT_OPTIONS(enospc, f);

	resize(f, rng_in(&f->rng, o->free));
}

static u64 breathe_ns(const struct fault *f)
{
	FAULT_OPTIONS(enospc, f);

	return o->breathe;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_STATE(enospc_state, f);

	if (!st->path[0] || unlink(st->path) == 0 || errno == ENOENT)
		return 0;
	return err_set(e, -errno, "the ballast %s cannot be removed: %s", st->path,
		       strerror(errno));
}

static bool is_armed(const struct fault *f)
{
	FAULT_STATE(enospc_state, f);

	return access(st->path, F_OK) == 0;
}

/* EDQUOT is of a quota, which may be beside it. */
static const int errnos[] = { ENOSPC, 0 };

extern const struct fault_type fault_enospc;
const struct fault_type fault_enospc = {
	.name = "enospc",
	.help = "a ballast file takes the space of the target's filesystem",
	.options = options,
	.options_size = sizeof(struct enospc),
	.state_size = sizeof(struct enospc_state),
	.flags = FAULT_KEEPS_MOUNTED,
	.errnos = errnos,
	.probe = probe,
	.save = save,
	.arm = arm,
	.step = breathe,
	.step_ns = breathe_ns,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "times that the ballast was made",
};
