// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_dust: single blocks of the device are bad: reading one fails until it is written, as a disk
 * with spare sectors has it, and writing one may fail a few times first. They are drawn anew each
 * time it is armed. (Documentation/admin-guide/device-mapper/dm-dust.rst)
 */
#include "faults/layer.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK	      4096
#define BLOCK_SECTORS (BLOCK / 512)

enum where { IN_FILES, ON_DEVICE };

static const char *const wheres[] = { "files", "device", NULL };

struct dm_dust {
	u64 blocks, write_fails;
	int where;
};

static const struct opt_def options[] = {
	OPT(struct dm_dust, blocks, OPT_COUNT, .def = "64", .min = "1", .max = "10000",
	    .help = "bad blocks of 4 KiB"),
	OPT(struct dm_dust, write_fails, OPT_COUNT, .def = "0", .max = "255",
	    .help = "writes of a bad block that fail before one repairs it"),
	OPT(struct dm_dust, where, OPT_ENUM, .def = "files", .choices = wheres,
	    .help = "below the run's files (not on btrfs, which does not say where they are), or "
		    "anywhere"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct dm_dust *o = block;
	const char *fs = target_fs_to_make(sc);

	if (fs && !strcmp(fs, "btrfs") && o->where == IN_FILES)
		return err_set(e, -EINVAL,
			       "btrfs does not say where its files are; expected "
			       "\"where\": \"device\"");
	return layer_check(block, sc, f, e);
}

/* A block of a file of the run, if it has one where we look. */
static int draw_in_files(struct fault *f, u64 *ret_block)
{
	const struct scenario *sc = f->target->sc;
	u64 which = rng_in(&f->rng, (struct range){ 0, sc->nfiles - 1 });
	const struct sc_file *file = &sc->files[which];
	u64 offset = rng_in(&f->rng, (struct range){ 0, file->max_bytes });
	_cleanup_close_ int fd = -1;
	char path[1200];
	u64 address = 0;
	int r;

	path_set(path, sizeof(path), "%s/%s", f->target->root, file->name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = target_map(f->target, fd, ROUND_DOWN(offset, BLOCK), &address);
	*ret_block = address / BLOCK;
	return r;
}

static u64 draw(struct fault *f)
{
	FAULT_OPTIONS(dm_dust, f);
	u64 blocks = layer_of(f)->sectors / BLOCK_SECTORS, block = 0;

	if (o->where == IN_FILES && draw_in_files(f, &block) == 0 && block < blocks)
		return block;
	return rng_in(&f->rng, (struct range){ 0, blocks - 1 });
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
		 l->below, BLOCK);
}

/* Quietly, or each of them would be a line of the kernel log. */
static int add_blocks(struct fault *f, const struct target_layer *l, struct err *e)
{
	FAULT_OPTIONS(dm_dust, f);
	char text[64];
	int r = tell(l, "quiet", e);

	for (u64 i = 0; i < o->blocks && r == 0; i++) {
		snprintf(text, sizeof(text), "addbadblock %llu %llu", (unsigned long long)draw(f),
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
