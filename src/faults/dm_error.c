// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_error: every request to a part of the device ends in EIO, as from a disk with a broken
 * surface, or one that is gone. (Documentation/admin-guide/device-mapper/)
 */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>

struct dm_error {
	u64 from, to;
};

static const struct opt_def options[] = {
	OPT(struct dm_error, from, OPT_PERCENT, .def = "0", .max = "99",
	    .help = "of the device, where the errors begin"),
	OPT(struct dm_error, to, OPT_PERCENT, .def = "100", .min = "1",
	    .help = "of the device, where they end"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct dm_error *o = block;

	if (o->from >= o->to)
		return err_set(e, -EINVAL, "from %llu to %llu is nothing; expected from < to",
			       (unsigned long long)o->from, (unsigned long long)o->to);
	return layer_check(block, sc, f, e);
}

/* Up to three targets, in whole pages: passed, failed, passed. */
static void table(struct fault *f, const struct target_layer *l, char text[DMDEV_TABLE_MAX])
{
	FAULT_OPTIONS(dm_error, f);
	u64 from = ROUND_DOWN(l->sectors / 100 * o->from, 8);
	u64 to = o->to == 100 ? l->sectors : ROUND_DOWN(l->sectors / 100 * o->to, 8);
	size_t n = 0;

	if (from)
		n = (size_t)snprintf(text, DMDEV_TABLE_MAX, "0 %llu linear %s 0\n",
				     (unsigned long long)from, l->below);
	n += (size_t)snprintf(text + n, DMDEV_TABLE_MAX - n, "%llu %llu error ",
			      (unsigned long long)from, (unsigned long long)(to - from));
	if (to < l->sectors)
		snprintf(text + n, DMDEV_TABLE_MAX - n, "\n%llu %llu linear %s %llu",
			 (unsigned long long)to, (unsigned long long)(l->sectors - to), l->below,
			 (unsigned long long)to);
}

static const struct layer_kind kind = { .layer = DM_LAYER_ERROR, .table = table };

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_dm_error;
const struct fault_type fault_dm_error = {
	.name = "dm_error",
	.help = "requests to a part of the device end in EIO: layer error",
	.options = options,
	.options_size = sizeof(struct dm_error),
	.kconfig = "BLK_DEV_DM",
	.errnos = errnos,
	LAYER_FAILS,
	LAYER_FUNCTIONS(&kind),
	.check = check,
	.save = layer_save,
};
