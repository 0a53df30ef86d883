// SPDX-License-Identifier: GPL-2.0-or-later
/* A whole block device, whose contents are lost: only with --destroy on the command line, and
 * never one that anything uses. */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <blkid.h>
#include <fcntl.h>
#include <string.h>

struct device_options {
	struct disk_options disk;
	char *path;
};
_Static_assert(offsetof(struct device_options, disk) == 0, "DISK_OPTIONS count from the start");

static const struct opt_def options[] = {
	DISK_OPTIONS,
	OPT(struct device_options, path, OPT_STRING, .required = true,
	    .help = "block device; everything on it is lost"),
	{ 0 },
};

static void free_probe(blkid_probe *p)
{
	blkid_free_probe(*p);
}

/* What is on the device, for the person who is to decide: "an ext4 filesystem 'data'". */
static void describe(const char *dev, char *buf, size_t size)
{
	_cleanup_(free_probe) blkid_probe p = blkid_new_probe_from_filename(dev);
	const char *type = NULL, *label = NULL, *table = NULL;

	snprintf(buf, size, "nothing that libblkid knows");
	if (!p)
		return;
	blkid_probe_enable_superblocks(p, 1);
	blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	blkid_probe_enable_partitions(p, 1);
	if (blkid_do_fullprobe(p) != 0)
		return;
	blkid_probe_lookup_value(p, "TYPE", &type, NULL);
	blkid_probe_lookup_value(p, "LABEL", &label, NULL);
	blkid_probe_lookup_value(p, "PTTYPE", &table, NULL);
	if (type)
		snprintf(buf, size, "%s%s%s", type, label ? " labelled " : "", label ? label : "");
	else if (table)
		snprintf(buf, size, "a %s partition table", table);
}

static int probe(const struct target *t, struct err *e)
{
	const struct device_options *o = t->options;
	const char *const protect[] = { t->run_dir, t->undo ? undo_path(t->undo) : NULL, NULL };
	char what[128];
	int r = target_refuse_device(o->path, protect, e);

	if (r == 0)
		r = disk_probe(t, e);
	if (r < 0 || t->destroy_ok)
		return r;
	describe(o->path, what, sizeof(what));
	return err_set(e, -EPERM,
		       "%s would be overwritten; it holds %s; add --destroy %s to lose it", o->path,
		       what, o->path);
}

static int setup(struct target *t, struct err *e)
{
	const struct device_options *o = t->options;
	_cleanup_free_ char *real = NULL;
	/* Once more: it may be in use since the probe. */
	int r = probe(t, e);

	if (r < 0)
		return r;
	real = realpath(o->path, NULL);
	if (!real || path_set(t->device, sizeof(t->device), "%s", real) < 0)
		return err_set(e, -ENAMETOOLONG, "%s: name too long", o->path);
	if (o->disk.prefill)
		r = disk_prefill_device(t, e);
	return r < 0 ? r : disk_setup(t, e);
}

/* No --destroy for this: nothing is made. But it must still be nobody else's. */
static int attach(struct target *t, struct err *e)
{
	const char *const protect[] = { t->run_dir, undo_path(t->undo), NULL };
	int r = target_refuse_device(t->device, protect, e);

	return r < 0 ? r : disk_attach(t, e);
}

static int teardown(struct target *t, bool keep, struct err *e)
{
	/* The filesystem stays on the device either way: it is the evidence. */
	(void)keep;
	return disk_teardown(t, e);
}

extern const struct target_type target_device;
const struct target_type target_device = {
	.name = "device",
	.help = "a block device, destroyed: refused without --destroy; needs root",
	.options = options,
	.options_size = sizeof(struct device_options),
	.kconfig = "?VIRTIO_BLK", /* as `stressd vm --disk` makes them */
	.probe = probe,
	.setup = setup,
	.attach = attach,
	.remount_cycle = disk_remount_cycle,
	.unmount = disk_unmount,
	.teardown = teardown,
};
