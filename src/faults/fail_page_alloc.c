// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_page_alloc: page allocations fail in the workers and in nobody else. Allocations that
 * may wait are spared unless "wait" says otherwise; __GFP_NOFAIL always is.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include <stdio.h>

struct fail_page_alloc {
	struct attr_options attr;
	bool wait, highmem;
	u64 min_order;
};

/* "highmem" is how the kernel calls what may lie anywhere, on machines without high memory as
 * well: page cache and user pages. */
static const struct opt_def options[] = {
	ATTR_OPTIONS,
	OPT(struct fail_page_alloc, wait, OPT_BOOL, .def = "true",
	    .help = "fail those that may wait, too: nearly all of a filesystem's"),
	OPT(struct fail_page_alloc, highmem, OPT_BOOL, .def = "true",
	    .help = "fail page cache and user pages, too"),
	OPT(struct fail_page_alloc, min_order, OPT_COUNT, .def = "0", .max = "10",
	    .help = "only allocations of 2^this pages and more"),
	{ 0 },
};

static void knobs(const void *block, struct attr_knob k[ATTR_KNOBS])
{
	const struct fail_page_alloc *o = block;

	k[0] = attr_switch("task-filter", true);
	k[1] = attr_switch("ignore-gfp-wait", !o->wait);
	k[2] = attr_switch("ignore-gfp-highmem", !o->highmem);
	k[3].name = "min-order";
	snprintf(k[3].value, sizeof(k[3].value), "%llu", (unsigned long long)o->min_order);
}

static const struct attr_kind kind = {
	.dir = "fail_page_alloc",
	.config = "CONFIG_FAIL_PAGE_ALLOC",
	.knobs = knobs,
};

extern const struct fault_type fault_fail_page_alloc;
const struct fault_type fault_fail_page_alloc = {
	.name = "fail_page_alloc",
	.help = "page allocations of the workers fail: CONFIG_FAIL_PAGE_ALLOC",
	.options = options,
	.options_size = sizeof(struct fail_page_alloc),
	.state_size = sizeof(struct attr_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_PAGE_ALLOC",
	.flags = FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = attr_alloc_errnos,
	.log = attr_alloc_log,
	.log_after = fault_log_data_failed,
	.check = attr_check,
	.save = attr_kind_save,
	.arm = attr_kind_arm,
	ATTR_FUNCTIONS(&kind, "fail_page_alloc"),
};
