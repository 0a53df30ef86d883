// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults that are a fault_attr directory and nothing more, but for a switch of the device that they
 * hit: what is different is in their struct attr_kind. The switch is the last thing that is set and
 * the first that goes: until then the knobs do nothing to the device.
 */
#include "faults/attr.h"

#include "base/fsutil.h"

#include <errno.h>
#include <string.h>

/* Filesystems hand ENOMEM on, or make EIO, ENOSPC, EAGAIN or ENOBUFS of it. */
const int attr_alloc_errnos[] = { ENOMEM, EIO, ENOSPC, EAGAIN, ENOBUFS, EFAULT, 0 };

const char *const attr_alloc_log[] = {
	"alloc-failure",  "xfs-deadlock", "writeback-error", "xfs-discard",
	"ext4-data-loss", "ext4-error",	  "ext4-warning",    "jbd2-error",
	"btrfs-abort",	  "btrfs-fatal",  "btrfs-error",     NULL,
};

static const struct attr_kind *kind_of(const struct fault *f)
{
	return f->type->kind;
}

int attr_kind_probe(const struct fault *f, struct err *e)
{
	int r = attr_probe(kind_of(f)->dir, kind_of(f)->config, e);

	return r < 0 ? r : attr_probe_callers(f, kind_of(f)->dir, e);
}

static bool marks(const struct fault *f)
{
	const struct attr_kind *k = kind_of(f);

	return !k->marks || k->marks(f->options);
}

/* Of a partition the partition's own: the disk's would hit its neighbours. */
static int find_switch(struct fault *f, struct err *e)
{
	FAULT_STATE(attr_state, f);
	const struct target *t = f->target;
	const char *name = strrchr(kind_of(f)->below_layers ? t->base : t->device, '/');

	if (!name)
		return err_set(e, -ENODEV, "there is no block device under this target");
	return path_set(st->sw, sizeof(st->sw), "/sys/class/block%s/%s", name, kind_of(f)->sw);
}

int attr_kind_save(struct fault *f, struct err *e)
{
	struct attr_knob k[ATTR_KNOBS] = { { NULL, "" } };
	FAULT_STATE(attr_state, f);
	int r = kind_of(f)->sw ? find_switch(f, e) : 0;

	kind_of(f)->knobs(f->options, k);
	if (r == 0)
		r = attr_save(f, kind_of(f)->dir, k, e);
	return r < 0 || !st->sw[0] ? r : fault_save_attr(f, st->sw, e);
}

static int turn(const struct fault *f, bool on, struct err *e)
{
	FAULT_STATE(attr_state, f);
	int r = st->sw[0] ? attr_write(st->sw, on ? "1" : "0") : 0;

	return r < 0 ? err_set(e, r, "%s: %s", st->sw, strerror(-r)) : 0;
}

int attr_kind_arm(struct fault *f, struct err *e)
{
	struct attr_knob k[ATTR_KNOBS] = { { NULL, "" } };
	int r = marks(f) ? attr_mark_tasks(f, true, e) : 0;

	kind_of(f)->knobs(f->options, k);
	if (r == 0)
		r = attr_arm(f, kind_of(f)->dir, k, e);
	return r < 0 ? r : turn(f, true, e);
}

int attr_kind_disarm(struct fault *f, struct err *e)
{
	struct err ignored;
	int r = turn(f, false, e), knobs;

	knobs = attr_disarm(f, kind_of(f)->dir, r < 0 ? &ignored : e);
	if (marks(f))
		attr_mark_tasks(f, false, &ignored);
	return r < 0 ? r : knobs;
}

bool attr_kind_is_armed(const struct fault *f)
{
	FAULT_STATE(attr_state, f);
	char on[16] = "1";

	if (!attr_is_armed(kind_of(f)->dir))
		return false;
	return !st->sw[0] || (attr_read(st->sw, on, sizeof(on)) == 0 && strcmp(on, "0") != 0);
}

u64 attr_kind_injected(const struct fault *f)
{
	return attr_injected(f, kind_of(f)->dir);
}
