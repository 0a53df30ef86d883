// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xfs_delay: XFS waits with a mapping in its hand, between having looked a block up and using what
 * it found: in writeback, in buffered writes. Others truncate and punch meanwhile; XFS must notice.
 * Nothing may fail for it, so nothing is explained by it. (Linux 6.2 with CONFIG_XFS_DEBUG;
 * fs/xfs/xfs_error.h, XFS_ERRORTAG_DELAY)
 */
#include "faults/xfs_tags.h"

#include <stddef.h>

static const char *const where_names[] = { "writeback", "write", NULL };
static const char *const tags[] = { "wb_delay_ms", "write_delay_ms" };
_Static_assert(ARRAY_SIZE(where_names) == ARRAY_SIZE(tags) + 1, "a tag for every place");

struct xfs_delay {
	u64 where; /* bits of where_names */
	u64 delay;
};

static const struct opt_def options[] = {
	OPT(struct xfs_delay, where, OPT_ENUM_SET, .def = "writeback,write", .choices = where_names,
	    .help = "with the blocks of a page that goes out; of one that is written to"),
	OPT(struct xfs_delay, delay, OPT_TIME, .def = "1ms", .min = "1ms", .max = "100ms",
	    .help = "each time, on the CPU; in whole milliseconds"),
	{ 0 },
};

struct chosen {
	const char *tags[ARRAY_SIZE(tags) + 1];
};

static struct chosen chosen(const struct fault *f)
{
	FAULT_OPTIONS(xfs_delay, f);
	struct chosen c = { { NULL } };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (o->where >> i & 1)
			c.tags[n++] = tags[i];
	return c;
}

static int save(struct fault *f, struct err *e)
{
	int r = xfs_tags_find(f, e);

	return r < 0 ? r : xfs_tags_save(f, chosen(f).tags, "boot Linux 6.2 or later", e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(xfs_delay, f);

	return xfs_tags_set(f, chosen(f).tags, o->delay / NSEC_PER_MSEC, e);
}

static int disarm(struct fault *f, struct err *e)
{
	return xfs_tags_set(f, chosen(f).tags, 0, e);
}

static bool is_armed(const struct fault *f)
{
	return xfs_tags_any_set(f, chosen(f).tags);
}

extern const struct fault_type fault_xfs_delay;
const struct fault_type fault_xfs_delay = {
	.name = "xfs_delay",
	.help = "XFS waits between looking a block up and using it: CONFIG_XFS_DEBUG",
	.options = options,
	.options_size = sizeof(struct xfs_delay),
	.state_size = sizeof(struct xfs_tags_state),
	.kconfig = XFS_TAGS_KCONFIG,
	.flags = FAULT_NEEDS_MOUNT,
	.probe = xfs_tags_probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.counted_by_rule = "xfs-delay",
	.source = "lines of the kernel log, which limits them: at least so many",
};
