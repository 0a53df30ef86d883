// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bad_blocks: reads and writes of single blocks of a null_blk device end in EIO for as long as it
 * is armed, whatever is written meanwhile: a disk without spare sectors. They are drawn anew each
 * time. (drivers/block/null_blk, badblocks)
 */
#include "faults/blocks.h"

#include "base/nullblk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECTORS (FAULT_BLOCK / 512) /* of a block */
#define LAST	"9223372036854775806"

struct bad_blocks {
	u64 blocks;
	int where;
};

static const struct opt_def options[] = {
	OPT(struct bad_blocks, blocks, OPT_COUNT, .def = "16", .min = "1", .max = "200",
	    .help = "bad blocks of 4 KiB"),
	OPT(struct bad_blocks, where, OPT_ENUM, .def = "files", .choices = block_wheres,
	    .help = BLOCK_WHERE_HELP),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct bad_blocks *o = block;

	(void)f;
	if (strcmp(sc->target.type->name, "null_blk"))
		return err_set(e, -EINVAL,
			       "bad_blocks are told to a null_blk device; expected /target/type "
			       "null_blk (or fault dm_dust)");
	return block_check(sc, o->where, e);
}

/* The target's probe has asked for all that it takes. */
static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	(void)e;
	return 0;
}

static int save(struct fault *f, struct err *e)
{
	return fault_save(f, UNDO_BAD_BLOCKS, f->target->own, LAST, NULL, e);
}

static int tell(const struct fault *f, const char *range, struct err *e)
{
	int r = nullblk_write(f->target->own, "badblocks", range);

	return r < 0 ? err_set(e, r, "%s: bad blocks %s: %s", f->target->own, range, strerror(-r))
		     : 0;
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(bad_blocks, f);
	int r = 0;

	for (u64 i = 0; i < o->blocks && r == 0; i++) {
		u64 sector = draw_block(f, o->where) * SECTORS;
		char range[64];

		snprintf(range, sizeof(range), "+%llu-%llu", (unsigned long long)sector,
			 (unsigned long long)sector + SECTORS - 1);
		r = tell(f, range, e);
	}
	return r;
}

static int disarm(struct fault *f, struct err *e)
{
	return tell(f, "-0-" LAST, e);
}

static bool is_armed(const struct fault *f)
{
	char now[256];

	return nullblk_read(f->target->own, "badblocks", now, sizeof(now)) == 0 && now[0];
}

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_bad_blocks;
const struct fault_type fault_bad_blocks = {
	.name = "bad_blocks",
	.help = "blocks of a null_blk device are bad, for reads and for writes",
	.options = options,
	.options_size = sizeof(struct bad_blocks),
	.kconfig = "BLK_DEV_NULL_BLK",
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
	.source = "times that it was armed; null_blk does not count",
};
