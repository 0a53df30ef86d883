// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_flakey: the device fails, all of it or its writes, or what is read from it comes back with a
 * byte changed. A filesystem that has checksums must see that: btrfs of its data and metadata, XFS
 * and ext4 (metadata_csum) of their metadata; nobody else can, so that nothing else is asked for.
 * The target's own up and down intervals count in seconds and are not used: it is "down" for as
 * long as it is armed. (Documentation/admin-guide/device-mapper/dm-flakey.rst)
 */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Bit of REQ_META in a bio's flags: REQ_OP_BITS + 4. (include/linux/blk_types.h, since Linux 4.10,
 * with the 8 bits of an operation) */
#define REQ_META (1U << 12)

enum how { ERROR_ALL, ERROR_WRITES, CORRUPT_METADATA, CORRUPT_ALL };

static const char *const hows[] = { "error", "error_writes", "corrupt_metadata", "corrupt", NULL };

struct dm_flakey {
	int how;
	u64 byte, value;
};

static const struct opt_def options[] = {
	OPT(struct dm_flakey, how, OPT_ENUM, .def = "error", .choices = hows,
	    .help = "all requests fail, or writes; or reads are given a wrong byte"),
	OPT(struct dm_flakey, byte, OPT_COUNT, .def = "100", .min = "1", .max = "512",
	    .help = "of corrupt: which byte of each read, from 1"),
	OPT(struct dm_flakey, value, OPT_COUNT, .def = "165", .max = "255",
	    .help = "of corrupt: what it becomes"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct dm_flakey *o = block;
	const char *fs = target_fs_to_make(sc);
	int r = layer_check(block, sc, f, e);

	if (r == 0 && o->how == CORRUPT_ALL && strcmp(fs, "btrfs"))
		return err_set(e, -EINVAL,
			       "%s has no checksums of data and cannot tell; expected \"how\": "
			       "\"corrupt_metadata\", or /target/fs btrfs",
			       fs);
	return r;
}

static void table(struct fault *f, const struct target_layer *l, char text[DMDEV_TABLE_MAX])
{
	FAULT_OPTIONS(dm_flakey, f);
	char features[96] = "";

	if (o->how == ERROR_WRITES)
		strcpy(features, " 1 error_writes");
	else if (o->how != ERROR_ALL)
		snprintf(features, sizeof(features), " 5 corrupt_bio_byte %llu r %llu %u",
			 (unsigned long long)o->byte, (unsigned long long)o->value,
			 o->how == CORRUPT_METADATA ? REQ_META : 0);
	snprintf(text, DMDEV_TABLE_MAX, "0 %llu flakey %s 0 " FLAKEY_ALWAYS_DOWN "%s",
		 (unsigned long long)l->sectors, l->below, features);
}

static const struct layer_kind kind = { .layer = DM_LAYER_FLAKEY, .table = table };

/* EUCLEAN and EBADMSG: what XFS and ext4 call metadata that is wrong. */
static const int errnos[] = { EIO, EUCLEAN, EBADMSG, 0 };

extern const struct fault_type fault_dm_flakey;
const struct fault_type fault_dm_flakey = {
	.name = "dm_flakey",
	.help = "the device fails, or reads come back changed: layer flakey",
	.options = options,
	.options_size = sizeof(struct dm_flakey),
	.kconfig = "BLK_DEV_DM DM_FLAKEY",
	.errnos = errnos,
	LAYER_FAILS,
	LAYER_FUNCTIONS(&kind),
	.check = check,
	.save = layer_save,
};
