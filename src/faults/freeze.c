// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * freeze: the target's filesystem takes no writes for a while, as under a snapshot. Writers wait in
 * the kernel and cannot be killed meanwhile: who dies with it frozen relies on the janitor, which
 * thaws before anything else. Nothing of stressd's own lies on a target. (ioctl_fifreeze(2))
 */
#include "faults/fault.h"

#include "base/freeze.h"
#include "base/units.h"

#include <errno.h>
#include <string.h>

#define LONGEST_NS (30 * NSEC_PER_SEC)

struct freeze_state {
	bool frozen;
};

static const struct opt_def options[] = {
	{ 0 },
};

/* Frozen workers give no sign of life: that must not look like a hang. */
static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	u64 most = MIN(LONGEST_NS, sc->watchdog_ns / 2);
	char buf[UNITS_MAX];

	(void)block;
	if (f->for_ns <= most)
		return 0;
	return err_set(e, -EINVAL,
		       "writers wait that long; expected a \"for\" of at most %s, half of the "
		       "watchdog",
		       format_time(buf, most));
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	(void)e;
	return 0; /* CAP_SYS_ADMIN and the ioctl: a target that is mounted has both */
}

static int save(struct fault *f, struct err *e)
{
	const struct target *t = f->target;

	bool on_loop = t->image[0] && !strcmp(t->base, t->device);

	return fault_save(f, UNDO_FREEZE, t->root, on_loop ? t->image : t->device, t->fs, e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_STATE(freeze_state, f);
	int r = fs_freeze(f->target->root);

	if (r < 0)
		return err_set(e, r, "%s cannot be frozen: %s", f->target->root, strerror(-r));
	st->frozen = true;
	return 0;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_STATE(freeze_state, f);
	int r = fs_thaw(f->target->root);

	if (r < 0)
		return err_set(e, r, "%s cannot be thawed: %s", f->target->root, strerror(-r));
	st->frozen = false;
	return 0;
}

/* The kernel does not say; freezing once more to see would be a change. */
static bool is_armed(const struct fault *f)
{
	FAULT_STATE(freeze_state, f);

	return st->frozen;
}

extern const struct fault_type fault_freeze;
const struct fault_type fault_freeze = {
	.name = "freeze",
	.help = "the target's filesystem is frozen, writers wait",
	.options = options,
	.options_size = sizeof(struct freeze_state),
	.state_size = sizeof(struct freeze_state),
	.flags = FAULT_NEEDS_MOUNT | FAULT_FREEZES | FAULT_NEEDS_FOR | FAULT_KEEPS_MOUNTED,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "freezes that the kernel took",
};
