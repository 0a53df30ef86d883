// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_io_timeout: the driver's answer to a request is lost. The request ends when the block
 * layer's patience does, which is made short, by what the driver does then: an error, or another
 * try. Not every driver does anything: loop and virtio disks wait for ever, and are refused.
 * (Documentation/fault-injection/fault-injection.rst, /sys/block/DEV/io-timeout-fail)
 */
#include "faults/attr.h"

#include "base/fsutil.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct fail_io_timeout {
	struct attr_options attr;
	u64 patience;
};

struct fail_io_timeout_state {
	struct attr_state attr;
	char io_timeout[128];
};

static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct fail_io_timeout, patience, OPT_TIME, .def = "1s", .min = "10ms", .max = "60s",
	    .help = "after which a request has timed out; the kernel's own is 30s"),
	{ 0 },
};

/* Targets whose driver ends what timed out. */
static const char *const targets[] = { "null_blk", "scsi_debug", "device", NULL };
/* Disks that a target of type device may be. */
static const char *const disks[] = { "sd", "nvme", "nullb", "mmcblk", NULL };

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct fail_io_timeout *o = block;

	if (option_choice(targets, sc->target.type->name) < 0)
		return err_set(e, -EINVAL,
			       "the loop device of an image never ends a request that timed out; "
			       "expected /target/type null_blk or scsi_debug, or device with a "
			       "disk");
	if (o->attr.workers && o->attr.workers[0])
		return err_set(e, -EINVAL,
			       "options.workers: it is a driver whose answers are lost, and no "
			       "worker's; expected none");
	return attr_check(block, sc, f, e);
}

/* It has no knob of its own, and looks at no task. */
static void knobs(const void *block, struct attr_knob k[ATTR_KNOBS])
{
	(void)block;
	k[0] = attr_switch("task-filter", false);
}

static bool marks(const void *block)
{
	(void)block;
	return false;
}

static const struct attr_kind kind = {
	.dir = "fail_io_timeout",
	.config = "CONFIG_FAIL_IO_TIMEOUT",
	.sw = "io-timeout-fail",
	.below_layers = true,
	.knobs = knobs,
	.marks = marks,
};

static bool ends_requests(const struct target *t, const char *name)
{
	bool known = t->own[0];

	for (const char *const *d = disks; *d && !known; d++)
		known = !strncmp(name, *d, strlen(*d));
	return known;
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(fail_io_timeout_state, f);
	const char *name = strrchr(f->target->base, '/');
	int r;

	if (!name || !ends_requests(f->target, name + 1))
		return err_set(e, -EOPNOTSUPP,
			       "%s is no disk whose driver is known to end a request that timed "
			       "out; use a target of type null_blk",
			       f->target->base);
	r = path_set(st->io_timeout, sizeof(st->io_timeout), "/sys/block%s/queue/io_timeout", name);
	if (r == 0)
		r = fault_save_attr(f, st->io_timeout, e);
	return r < 0 ? r : attr_kind_save(f, e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(fail_io_timeout, f);
	FAULT_STATE(fail_io_timeout_state, f);
	char ms[24];
	int r;

	snprintf(ms, sizeof(ms), "%llu", (unsigned long long)(o->patience / NSEC_PER_MSEC));
	r = attr_write(st->io_timeout, ms);
	return r < 0 ? err_set(e, r, "%s: %s", st->io_timeout, strerror(-r)) : attr_kind_arm(f, e);
}

static const int errnos[] = { EIO, ETIMEDOUT, 0 };

extern const struct fault_type fault_fail_io_timeout;
const struct fault_type fault_fail_io_timeout = {
	.name = "fail_io_timeout",
	.help = "answers of the device's driver are lost: CONFIG_FAIL_IO_TIMEOUT",
	.options = options,
	.options_size = sizeof(struct fail_io_timeout),
	.state_size = sizeof(struct fail_io_timeout_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_IO_TIMEOUT",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_device_failed,
	.check = check,
	ATTR_FUNCTIONS(&kind, "fail_io_timeout"),
	.save = save,
	.arm = arm,
};
