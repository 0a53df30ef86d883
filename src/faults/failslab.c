// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failslab: allocations from slab caches fail in the workers and in nobody else. Allocations that
 * may wait are spared unless "wait" says otherwise; __GFP_NOFAIL always is.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include <errno.h>

#define DIR "failslab"

struct failslab {
	struct attr_options attr;
	bool wait;
};

static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct failslab, wait, OPT_BOOL, .def = "true",
	    .help = "fail those that may wait, too: nearly all of a filesystem's"),
	{ 0 },
};

static const struct attr_knob *knobs(const struct fault *f)
{
	static const struct attr_knob yes[] = { { "task-filter", "Y" },
						{ "ignore-gfp-wait", "N" },
						{ NULL, "" } };
	static const struct attr_knob no[] = { { "task-filter", "Y" },
					       { "ignore-gfp-wait", "Y" },
					       { NULL, "" } };
	FAULT_OPTIONS(failslab, f);

	return o->wait ? yes : no;
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	return attr_probe(DIR, "CONFIG_FAILSLAB", e);
}

static int save(struct fault *f, struct err *e)
{
	return attr_save(f, DIR, knobs(f), e);
}

static int arm(struct fault *f, struct err *e)
{
	int r = attr_mark_tasks(f, true, e);

	return r < 0 ? r : attr_arm(f, DIR, knobs(f), e);
}

static int disarm(struct fault *f, struct err *e)
{
	int r = attr_disarm(f, DIR, e);
	struct err ignored;

	attr_mark_tasks(f, false, &ignored);
	return r;
}

static bool is_armed(const struct fault *f)
{
	(void)f;
	return attr_is_armed(DIR);
}

static u64 injected(const struct fault *f)
{
	return attr_injected(f, DIR);
}

/* Filesystems hand ENOMEM on, or make EIO, ENOSPC, EAGAIN or ENOBUFS of it. */
static const int errnos[] = { ENOMEM, EIO, ENOSPC, EAGAIN, ENOBUFS, EFAULT, 0 };

static const char *const log_rules[] = {
	"alloc-failure",  "xfs-deadlock", "writeback-error", "xfs-discard",
	"ext4-data-loss", "ext4-error",	  "ext4-warning",    "jbd2-error",
	"btrfs-abort",	  "btrfs-fatal",  "btrfs-error",     NULL,
};

extern const struct fault_type fault_failslab;
const struct fault_type fault_failslab = {
	.name = "failslab",
	.help = "slab allocations of the workers fail: CONFIG_FAILSLAB",
	.options = options,
	.options_size = sizeof(struct failslab),
	.state_size = sizeof(struct attr_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAILSLAB",
	.flags = FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = log_rules,
	.log_after = fault_log_fs_ends,
	.check = attr_check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "failslab/times: the kernel counts it down once an error",
};
