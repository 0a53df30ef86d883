// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_dust: single blocks of the device are bad: reading one fails until it is written, as a disk
 * with spare sectors has it, and writing one may fail a few times first. They are drawn anew each
 * time it is armed. (Documentation/admin-guide/device-mapper/dm-dust.rst)
 */
#include "faults/blocks.h"
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct dm_dust {
	u64 blocks, write_fails;
	int where;
};

static const struct opt_def options[] = {
	OPT(struct dm_dust, blocks, OPT_COUNT, .def = "64", .min = "1", .max = "10000",
	    .help = "bad blocks of 4 KiB"),
	OPT(struct dm_dust, write_fails, OPT_COUNT, .def = "0", .max = "255",
	    .help = "writes of a bad block that fail before one repairs it"),
	OPT(struct dm_dust, where, OPT_ENUM, .def = "files", .choices = block_wheres,
	    .help = BLOCK_WHERE_HELP),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct dm_dust *o = block;
	int r = block_check(sc, o->where, e);

	if (r < 0)
		return r;
	return layer_check(block, sc, f, e);
}

static int tell(const struct target_layer *l, const char *text, struct err *e)
{
	int r = dmdev_message(l->name, text);

	return r < 0 ? err_set(e, r, "%s: message \"%s\": %s", l->name, text, strerror(-r)) : 0;
}

/* A fresh table has no bad blocks, and lets all of them be read until it is told. */
static void table(struct fault *f, const struct target_layer *l, char text[DMDEV_TABLE_MAX])
{
	(void)f;
	snprintf(text, DMDEV_TABLE_MAX, "0 %llu dust %s 0 %d", (unsigned long long)l->sectors,
		 l->below, FAULT_BLOCK);
}

/* Quietly, or each of them would be a line of the kernel log. */
static int add_blocks(struct fault *f, const struct target_layer *l, struct err *e)
{
	FAULT_OPTIONS(dm_dust, f);
	char text[64];
	int r = tell(l, "quiet", e);

	for (u64 i = 0; i < o->blocks && r == 0; i++) {
		snprintf(text, sizeof(text), "addbadblock %llu %llu",
			 (unsigned long long)draw_block(f, o->where),
			 (unsigned long long)o->write_fails);
		r = tell(l, text, e);
		/* One that is there already. */
		if (r == -EEXIST || r == -EINVAL)
			r = 0;
	}
	return r < 0 ? r : tell(l, "enable", e);
}

static const struct layer_kind kind = {
	.layer = DM_LAYER_DUST,
	.table = table,
	.tell = add_blocks,
};

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_dm_dust;
const struct fault_type fault_dm_dust = {
	.name = "dm_dust",
	.help = "blocks of the device are bad until they are written: layer dust",
	.options = options,
	.options_size = sizeof(struct dm_dust),
	.kconfig = "BLK_DEV_DM DM_DUST",
	.errnos = errnos,
	LAYER_FAILS,
	LAYER_FUNCTIONS(&kind),
	.check = check,
	.save = layer_save,
};
