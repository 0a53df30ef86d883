/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What targets on a block device share: the options, and the life from a device to a mounted
 * filesystem and back. For image.c and device.c only.
 */
#ifndef STRESSD_DISK_H
#define STRESSD_DISK_H

#include "target/fstype.h"
#include "target/target.h"

/* First member of the option struct of such a target. */
struct disk_options {
	int fs; /* enum fstype */
	char **mkfs, **mount;
	bool prefill;
	u64 layers; /* bits of enum layer */
	u64 log_size, log_points;
};

#define DISK_OPTIONS                                                                               \
	OPT(struct disk_options, fs, OPT_ENUM, .def = "xfs", .choices = fstype_names,              \
	    .kconfig = fstype_kconfig, .help = "filesystem to make"),                              \
		OPT(struct disk_options, mkfs, OPT_STRINGS, .def = "",                             \
		    .help = "further arguments of mkfs"),                                          \
		OPT(struct disk_options, mount, OPT_STRINGS, .def = "", .help = "mount options"),  \
		OPT(struct disk_options, prefill, OPT_BOOL, .def = "false",                        \
		    .help = "fill the device with a known pattern before mkfs"),                   \
		OPT(struct disk_options, layers, OPT_ENUM_SET, .def = "", .choices = layer_names,  \
		    .kconfig = layer_kconfig,                                                      \
		    .help = "device-mapper layers under the filesystem, for faults"),              \
		OPT(struct disk_options, log_size, OPT_SIZE, .def = "256M", .min = "1M",           \
		    .help = "of the device that layer log writes to; once it is full, writes are " \
			    "logged no more"),                                                     \
		OPT(struct disk_options, log_points, OPT_COUNT, .def = "16", .min = "1",           \
		    .max = "1000",                                                                 \
		    .help = "of layer log: flushes as of which the filesystem is recovered and "   \
			    "checked, evenly spread, the last among them")

/* Part of target_type.check: can its filesystem live in @size bytes, and are they whole @units? */
int disk_check_size(const struct disk_options *o, u64 size, u64 unit, struct err *e);
/* Rights, kernel, programs and mount options. As target_type.probe. */
int disk_probe(const struct target *t, struct err *e);
/* t->device is there: layers on it, mkfs, mount on <run_dir>/mnt, fill in t->root, fs, block_bytes.
 */
int disk_setup(struct target *t, struct err *e);
/* The same for a filesystem that is there: mount only, without layers. */
int disk_attach(struct target *t, struct err *e);
int disk_remount_cycle(struct target *t, struct err *e);
int disk_unmount(struct target *t, struct err *e);
/* Unmount, remove the mount point and the layers; the device is as it was before disk_setup(). */
int disk_teardown(struct target *t, struct err *e);

/* Fill @fd, @len bytes of a file or a block device, with the prefill pattern; synced. */
int disk_prefill(int fd, u64 len, struct err *e);
/* The same for all of t->device, which nothing else in the kernel may use. */
int disk_prefill_device(struct target *t, struct err *e);

/* logdev.c: the device that layer "log" writes to, made before the layer and freed after it. */
int logdev_make(struct target *t, u64 bytes, struct err *e);
int logdev_release(struct target *t, struct err *e);

/* Who keeps @mountpoint busy: "fio (pid 71, fd 5 /mnt/data), ..." or "nobody that /proc shows". */
void disk_holders(const char *mountpoint, char *buf, size_t size);

#endif
