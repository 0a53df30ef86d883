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

	(void)f;
	if (o->from >= o->to)
		return err_set(e, -EINVAL, "from %llu to %llu is nothing; expected from < to",
			       (unsigned long long)o->from, (unsigned long long)o->to);
	return layer_check(sc, DM_LAYER_ERROR, e);
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	return layer_probe(DM_LAYER_ERROR, e);
}

static int save(struct fault *f, struct err *e)
{
	return layer_save(f, DM_LAYER_ERROR, e);
}

/* Up to three targets, in whole pages: passed, failed, passed. */
static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(dm_error, f);
	const struct target_layer *l = layer_of(f, DM_LAYER_ERROR);
	u64 from = ROUND_DOWN(l->sectors / 100 * o->from, 8);
	u64 to = o->to == 100 ? l->sectors : ROUND_DOWN(l->sectors / 100 * o->to, 8);
	char table[DMDEV_TABLE_MAX];
	size_t n = 0;

	if (from)
		n = (size_t)snprintf(table, sizeof(table), "0 %llu linear %s 0\n",
				     (unsigned long long)from, l->below);
	n += (size_t)snprintf(table + n, sizeof(table) - n, "%llu %llu error ",
			      (unsigned long long)from, (unsigned long long)(to - from));
	if (to < l->sectors)
		snprintf(table + n, sizeof(table) - n, "\n%llu %llu linear %s %llu",
			 (unsigned long long)to, (unsigned long long)(l->sectors - to), l->below,
			 (unsigned long long)to);
	return layer_arm(f, DM_LAYER_ERROR, table, e);
}

static int disarm(struct fault *f, struct err *e)
{
	return layer_disarm(f, DM_LAYER_ERROR, e);
}

static bool is_armed(const struct fault *f)
{
	return layer_is_armed(f, DM_LAYER_ERROR);
}

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_dm_error;
const struct fault_type fault_dm_error = {
	.name = "dm_error",
	.help = "requests to a part of the device end in EIO: layer error",
	.options = options,
	.options_size = sizeof(struct dm_error),
	.kconfig = "BLK_DEV_DM",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_device_failed,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "times that it was armed; device-mapper does not count",
};
