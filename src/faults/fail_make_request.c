// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_make_request: requests to the target's device end in EIO before the driver sees them. Reads,
 * writes and flushes alike: the kernel draws by bytes and by task, not by direction. "task_filter"
 * keeps to requests that a worker submits itself: direct I/O, reads, and the writeback that it
 * does within fsync or msync. What a kernel thread writes back or logs then passes, though the
 * data is the worker's. (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include <errno.h>

struct fail_make_request {
	struct attr_options attr;
	bool task_filter;
};

static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct fail_make_request, task_filter, OPT_BOOL, .def = "false",
	    .help = "only what workers submit themselves; writeback by kernel threads escapes"),
	{ 0 },
};

/* Without the filter the kernel asks nobody for a mark. */
static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct fail_make_request *o = block;

	if (o->attr.workers && o->attr.workers[0] && !o->task_filter)
		return err_set(e, -EINVAL,
			       "options.workers says whose requests fail, and options.task_filter "
			       "is off; expected \"task_filter\": true");
	return attr_check(block, sc, f, e);
}

static void knobs(const void *block, struct attr_knob k[ATTR_KNOBS])
{
	const struct fail_make_request *o = block;

	k[0] = attr_switch("task-filter", o->task_filter);
}

static bool marks(const void *block)
{
	return ((const struct fail_make_request *)block)->task_filter;
}

static const struct attr_kind kind = {
	.dir = "fail_make_request",
	.config = "CONFIG_FAIL_MAKE_REQUEST",
	.sw = "make-it-fail",
	.knobs = knobs,
	.marks = marks,
};

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_fail_make_request;
const struct fault_type fault_fail_make_request = {
	.name = "fail_make_request",
	.help = "requests to the target's device end in EIO: CONFIG_FAIL_MAKE_REQUEST",
	.options = options,
	.options_size = sizeof(struct fail_make_request),
	.state_size = sizeof(struct attr_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_MAKE_REQUEST",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_device_failed,
	.check = check,
	.save = attr_kind_save,
	.arm = attr_kind_arm,
	ATTR_FUNCTIONS(&kind, "fail_make_request"),
};
