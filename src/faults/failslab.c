// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failslab: allocations from slab caches fail in the workers and in nobody else. Allocations that
 * may wait are spared unless "wait" says otherwise; __GFP_NOFAIL always is.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

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

static void knobs(const void *block, struct attr_knob k[ATTR_KNOBS])
{
	const struct failslab *o = block;

	k[0] = attr_switch("task-filter", true);
	k[1] = attr_switch("ignore-gfp-wait", !o->wait);
}

static const struct attr_kind kind = {
	.dir = "failslab",
	.config = "CONFIG_FAILSLAB",
	.knobs = knobs,
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
	.errnos = attr_alloc_errnos,
	.log = attr_alloc_log,
	.log_after = fault_log_data_failed,
	.check = attr_check,
	.save = attr_kind_save,
	.arm = attr_kind_arm,
	ATTR_FUNCTIONS(&kind, "failslab"),
};
