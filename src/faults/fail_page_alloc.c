// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fail_page_alloc: page allocations fail in the workers and in nobody else. Allocations that
 * may wait are spared unless "wait" says otherwise; __GFP_NOFAIL always is.
 * (Documentation/fault-injection/fault-injection.rst)
 */
#include "faults/attr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DIR "fail_page_alloc"

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

#define KNOBS 4

static const char *const knob_names[KNOBS] = { "task-filter", "ignore-gfp-wait",
					       "ignore-gfp-highmem", "min-order" };

/* As the options have them; @k ends in one without a name. */
static void fill_knobs(const struct fault *f, struct attr_knob k[KNOBS + 1])
{
	FAULT_OPTIONS(fail_page_alloc, f);

	memset(k, 0, (KNOBS + 1) * sizeof(*k));
	for (size_t i = 0; i < KNOBS; i++)
		k[i].name = knob_names[i];
	strcpy(k[0].value, "Y");
	strcpy(k[1].value, o->wait ? "N" : "Y");
	strcpy(k[2].value, o->highmem ? "N" : "Y");
	snprintf(k[3].value, sizeof(k[3].value), "%llu", (unsigned long long)o->min_order);
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	return attr_probe(DIR, "CONFIG_FAIL_PAGE_ALLOC", e);
}

static int save(struct fault *f, struct err *e)
{
	struct attr_knob k[KNOBS + 1];

	fill_knobs(f, k);
	return attr_save(f, DIR, k, e);
}

static int arm(struct fault *f, struct err *e)
{
	struct attr_knob k[KNOBS + 1];
	int r = attr_mark_tasks(f, true, e);

	fill_knobs(f, k);
	return r < 0 ? r : attr_arm(f, DIR, k, e);
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

extern const struct fault_type fault_fail_page_alloc;
const struct fault_type fault_fail_page_alloc = {
	.name = "fail_page_alloc",
	.help = "page allocations of the workers fail: CONFIG_FAIL_PAGE_ALLOC",
	.options = options,
	.options_size = sizeof(struct fail_page_alloc),
	.state_size = sizeof(struct attr_state),
	.kconfig = "FAULT_INJECTION FAULT_INJECTION_DEBUG_FS FAIL_PAGE_ALLOC",
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
	.source = "fail_page_alloc/times: the kernel counts it down once an error",
};
