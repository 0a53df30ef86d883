// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disk of the driver scsi_debug, in memory: a SCSI disk that fails as disks do, in kernels as
 * distributions build them. It is loaded for the run where it is a module; where it is built in,
 * the kernel's command line says how large it is, as `stressd vm` does by itself. What was on it
 * goes with it, or stays in memory where nobody finds it.
 */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/scsidebug.h"
#include "base/units.h"

#include <fcntl.h>
#include <string.h>

struct scsi_debug_options {
	struct disk_options disk;
	u64 size;
};
_Static_assert(offsetof(struct scsi_debug_options, disk) == 0, "DISK_OPTIONS count from the start");

static const struct opt_def options[] = {
	DISK_OPTIONS,
	OPT(struct scsi_debug_options, size, OPT_SIZE, .def = "320M", .min = "16M", .max = "16G",
	    .help = "of the disk, all of which is memory; it is larger where the driver is there "
		    "already with larger ones"),
	{ 0 },
};

static int check(const void *block, const char **ret_key, struct err *e)
{
	const struct scsi_debug_options *o = block;

	*ret_key = "size";
	return disk_check_size(&o->disk, o->size, MIB, e);
}

/* Its disks share settings and contents: nobody else's may be there. */
static int check_driver(const struct scsi_debug_options *o, struct err *e)
{
	char have[UNITS_MAX];
	int n = scsidebug_hosts();

	if (n < 0)
		return err_set(e, n, "scsi_debug cannot be asked for its disks: %s", strerror(-n));
	if (n)
		return err_set(e, -EBUSY,
			       "scsi_debug has %d disks already, and all would fail alike: unload "
			       "it (modprobe -r scsi_debug), or boot with scsi_debug.add_host=0",
			       n);
	if (scsidebug_size() < o->size)
		return err_set(e, -ENOSPC,
			       "scsi_debug is there for disks of %s: unload it, or boot with "
			       "scsi_debug.add_host=0 scsi_debug.dev_size_mb=%llu",
			       format_size(have, scsidebug_size()),
			       (unsigned long long)(o->size / MIB));
	return 0;
}

static int probe(const struct target *t, struct err *e)
{
	const struct scsi_debug_options *o = t->options;
	int r = disk_probe(t, e);

	if (r < 0)
		return r;
	switch (scsidebug_state()) {
	case SCSIDEBUG_THERE:
		return check_driver(o, e);
	case SCSIDEBUG_LOADABLE:
		return 0;
	case SCSIDEBUG_FAILED:
		return err_set(e, -ENOMEM,
			       "scsi_debug is in this kernel and did not come up: all of its "
			       "memory is taken at boot; give the machine more, or take a smaller "
			       "scsi_debug.dev_size_mb");
	default:
		return err_set(e, -EOPNOTSUPP,
			       "there is no scsi_debug: boot a kernel with CONFIG_SCSI_DEBUG and "
			       "CONFIG_BLK_DEV_SD, built in or as modules that modprobe finds");
	}
}

/* One entry for both: the disk goes first. What somebody else made meanwhile is not ours to take
 * away. */
static int make_disk(struct target *t, struct err *e)
{
	const struct scsi_debug_options *o = t->options;
	bool loads = scsidebug_state() == SCSIDEBUG_LOADABLE;
	int r = loads ? 0 : check_driver(o, e);

	if (r < 0)
		return r;
	t->undo_own = undo_record(t->undo, UNDO_SCSI_DEBUG, loads ? "module" : "", NULL, NULL);
	if (t->undo_own < 0)
		return err_set(e, t->undo_own, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_own));
	r = loads ? scsidebug_load(o->size / MIB, e) : 0;
	if (r < 0)
		return -ENOPKG;
	r = scsidebug_add(t->device, sizeof(t->device));
	if (r == -EBUSY)
		undo_forget(t->undo, t->undo_own);
	if (r == -ENOENT)
		return err_set(e, -ENOPKG,
			       "the disk of scsi_debug has no driver: CONFIG_BLK_DEV_SD");
	return r < 0 ? err_set(e, r, "scsi_debug makes no disk: %s; see the kernel log",
			       strerror(-r))
		     : 0;
}

static int setup(struct target *t, struct err *e)
{
	const struct scsi_debug_options *o = t->options;
	int r = make_disk(t, e);

	if (r == 0 && o->disk.prefill)
		r = disk_prefill_device(t, e);
	return r < 0 ? r : disk_setup(t, e);
}

static int attach(struct target *t, struct err *e)
{
	(void)t;
	return err_set(e, -ENOENT, "the files were on a scsi_debug disk, which went with the run");
}

static int teardown(struct target *t, bool keep, struct err *e)
{
	int r = disk_teardown(t, e);

	(void)keep;
	if (r < 0 || t->undo_own < 0)
		return r;
	r = undo_put_back(t->undo, t->undo_own, e);
	if (r == 0)
		t->device[0] = '\0';
	return r;
}

static u64 boot_number(const void *block)
{
	return ((const struct scsi_debug_options *)block)->size / MIB;
}

extern const struct target_type target_scsi_debug;
const struct target_type target_scsi_debug = {
	.name = "scsi_debug",
	.help = "a filesystem on a SCSI disk of the driver scsi_debug, in memory; needs root",
	.options = options,
	.options_size = sizeof(struct scsi_debug_options),
	.kconfig = "SCSI_DEBUG BLK_DEV_SD",
	.boot_words = SCSIDEBUG_BOOT,
	.boot_number = boot_number,
	.check = check,
	.probe = probe,
	.setup = setup,
	.attach = attach,
	.remount_cycle = disk_remount_cycle,
	.unmount = disk_unmount,
	.teardown = teardown,
};
