// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A null_blk device that keeps its data in memory: a driver that can be told to fail. What was on
 * it goes with it, so that there is nothing that `verify` could look at when a run has died.
 * (Documentation/block/null_blk.rst)
 */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/nullblk.h"
#include "base/units.h"

#include <string.h>
#include <sys/random.h>

/* irqmode: a request ends at once, or takes completion_nsec */
#define IRQ_SOFTIRQ 1
#define IRQ_TIMER   2

struct null_blk_options {
	struct disk_options disk;
	u64 size, block, cache, latency, zone;
};
_Static_assert(offsetof(struct null_blk_options, disk) == 0, "DISK_OPTIONS count from the start");

static const struct opt_def options[] = {
	DISK_OPTIONS,
	OPT(struct null_blk_options, size, OPT_SIZE, .def = "512M", .min = "16M",
	    .help = "of the device; what is used of it is memory"),
	OPT(struct null_blk_options, block, OPT_SIZE, .def = "512", .min = "512", .max = "4K",
	    .help = "logical block, a power of two"),
	OPT(struct null_blk_options, cache, OPT_SIZE, .def = "0", .max = "1G",
	    .help = "volatile cache, which a flush writes out; in MiB"),
	OPT(struct null_blk_options, latency, OPT_TIME, .def = "0ms", .max = "1s",
	    .help = "of each request"),
	OPT(struct null_blk_options, zone, OPT_SIZE, .def = "0", .max = "1G",
	    .help = "zones of this size, a power of two from 4M, which are written in order: for "
		    "btrfs; 0: none"),
	{ 0 },
};

/* As btrfs has it: less than five are not enough for its superblocks and its groups.
 * (mkfs.btrfs(8), ZONED MODE) */
#define ZONE_MIN  (4 * MIB)
#define ZONES_MIN 8

static int check_zones(const struct null_blk_options *o, const char **ret_key, struct err *e)
{
	*ret_key = "zone";
	if (o->zone && o->disk.fs != FSTYPE_BTRFS)
		return err_set(e, -EINVAL,
			       "%s writes in place, and zones are written in order; expected "
			       "/target/fs btrfs, or no zones",
			       fstype_names[o->disk.fs]);
	if (o->zone && (o->zone < ZONE_MIN || o->zone & (o->zone - 1)))
		return err_set(e, -EINVAL,
			       "no power of two, or too small; expected one from 4M to 1G");
	if (o->zone && o->size / o->zone < ZONES_MIN)
		return err_set(e, -EINVAL,
			       "that is %llu zones in all; expected a size that has %d of them",
			       (unsigned long long)(o->size / o->zone), ZONES_MIN);
	*ret_key = "layers";
	if (o->zone && o->disk.layers)
		return err_set(e, -EINVAL, "layers have no zones; expected none of them");
	*ret_key = "prefill";
	if (o->zone && o->disk.prefill)
		return err_set(e, -EINVAL, "zones are written in order; expected false");
	return 0;
}

static int check(const void *block, const char **ret_key, struct err *e)
{
	const struct null_blk_options *o = block;
	int r = disk_check_size(&o->disk, o->size, MIB, e);

	*ret_key = "size";
	if (r < 0)
		return r;
	*ret_key = "cache";
	if (o->cache % MIB)
		return err_set(e, -EINVAL, "not in whole MiB; expected a multiple of 1M");
	*ret_key = "block";
	if (o->block & (o->block - 1))
		return err_set(e, -EINVAL, "no power of two; expected 512, 1K, 2K or 4K");
	return check_zones(o, ret_key, e);
}

static int probe(const struct target *t, struct err *e)
{
	int r = disk_probe(t, e);

	if (r < 0)
		return r;
	r = nullblk_have();
	if (r == -EACCES)
		return err_set(e, r, "a target of type null_blk needs root, for configfs");
	return r < 0 ? err_set(e, -EOPNOTSUPP,
			       "there is no null_blk in configfs: boot a kernel with "
			       "CONFIG_BLK_DEV_NULL_BLK and CONFIG_CONFIGFS_FS, or load the "
			       "module (modprobe null_blk nr_devices=0)")
		     : 0;
}

static int make_device(struct target *t, struct err *e)
{
	const struct null_blk_options *o = t->options;
	const struct nullblk_attr attrs[] = {
		{ "size", o->size / MIB },
		{ "blocksize", o->block },
		{ "memory_backed", 1 },
		{ "discard", !o->zone },
		{ "cache_size", o->cache / MIB },
		{ "completion_nsec", o->latency },
		{ "irqmode", o->latency ? IRQ_TIMER : IRQ_SOFTIRQ },
		{ o->zone ? "zoned" : NULL, 1 },
		{ "zone_size", o->zone / MIB },
		{ NULL, 0 },
	};
	u64 unique = 0;
	int r;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		unique = now_ns();
	snprintf(t->own, sizeof(t->own), "stressd-%08llx",
		 (unsigned long long)(unique & 0xffffffff));
	t->undo_own = undo_record(t->undo, UNDO_NULL_BLK, t->own, NULL, NULL);
	if (t->undo_own < 0)
		return err_set(e, t->undo_own, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_own));
	r = nullblk_create(t->own, attrs, t->device, sizeof(t->device));
	/* The driver takes all of it, and says so when it is switched on. */
	if (r == -EINVAL && o->zone)
		return err_set(e, -ENOPKG,
			       "this kernel's null_blk makes no zones: boot one with "
			       "CONFIG_BLK_DEV_ZONED");
	return r < 0 ? err_set(e, r, "cannot make a null_blk device: %s", strerror(-r)) : 0;
}

static int setup(struct target *t, struct err *e)
{
	const struct null_blk_options *o = t->options;
	int r = make_device(t, e);

	if (r == 0 && o->disk.prefill)
		r = disk_prefill_device(t, e);
	return r < 0 ? r : disk_setup(t, e);
}

static int attach(struct target *t, struct err *e)
{
	(void)t;
	return err_set(e, -ENOENT, "the files were on a null_blk device, which went with the run");
}

static int teardown(struct target *t, bool keep, struct err *e)
{
	int r = disk_teardown(t, e);

	(void)keep;
	if (r < 0 || t->undo_own < 0)
		return r;
	r = nullblk_remove(t->own);
	if (r == 0)
		r = undo_forget(t->undo, t->undo_own);
	if (r < 0)
		return err_set(e, r, "%s: cannot remove it: %s; run `stressd recover`", t->own,
			       strerror(-r));
	t->device[0] = '\0';
	return 0;
}

extern const struct target_type target_null_blk;
const struct target_type target_null_blk = {
	.name = "null_blk",
	.help = "a filesystem on a null_blk device, in memory, for faults of a driver; needs root",
	.options = options,
	.options_size = sizeof(struct null_blk_options),
	.kconfig = "BLK_DEV_NULL_BLK",
	.check = check,
	.probe = probe,
	.setup = setup,
	.attach = attach,
	.remount_cycle = disk_remount_cycle,
	.unmount = disk_unmount,
	.teardown = teardown,
};
