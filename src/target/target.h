/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Targets: where the files of a run live. One file per type ends in one designated-initialiser
 * struct; targets.def lists them. A target is probed before anything is changed, set up under
 * the undo journal, and torn down in reverse. Knows nothing of workers or shadows.
 */
#ifndef STRESSD_TARGET_H
#define STRESSD_TARGET_H

#include "base/base.h"
#include "base/option.h"
#include "scenario.h"
#include "target/layers.h"
#include "target/loop.h"
#include "undo/undo.h"

#include <sys/types.h>

/* A target that is set up. Paths are absolute. */
struct target {
	const struct target_type *type;
	const void *options;
	const struct scenario *sc;
	char run_dir[512]; /* of the run; images are made here unless the scenario says otherwise */
	char root[600];	   /* directory that the files are made in */
	char device[64];   /* block device under it, "" where there is none */
	char base[64];	   /* the same below the layers, and without any; "" likewise */
	char own[32];	 /* device of a driver that was made for the run: null_blk's name for it */
	char image[600]; /* file behind the loop device, "" where there is none */
	char fs[16];	 /* "xfs", "ext4", "btrfs", or what the mount table says */
	u64 block_bytes; /* filesystem block size */
	bool mounted;	 /* the mount is ours: remount and fsck are possible */
	bool prefilled;
	bool destroy_ok; /* the command line named this device with --destroy */
	struct target_layer layers[DM_LAYERS]; /* those that are there have an undo entry */
	struct undo *undo;
	int undo_mount, undo_image, undo_dir, undo_log, undo_own; /* journal entries, -1 */
	struct target_loop loop;				  /* of the image */
	char log[600];		     /* file that layer "log" writes to, "" where there is none */
	struct target_loop log_loop; /* over that */
};

struct target_type {
	const char *name, *help;
	const struct opt_def *options;
	size_t options_size;
	const char *kconfig; /* that its kernel must have, as in vm/needs.h; NULL: nothing more */
	/* Words of its kernel's command line, and the number that ends them: a guest is given the
	 * largest of its scenarios. NULL: none. */
	const char *boot_words;
	u64 (*boot_number)(const void *options);
	/* What the option table cannot say: 0, or -EINVAL with "what is wrong; expected what" in @e
	 * and the name of the option. NULL: nothing. */
	int (*check)(const void *options, const char **ret_key, struct err *e);
	/* Can it be had here? 0, or -errno with what is missing and what would bring it in @e.
	 * -EINVAL/-EPERM marks a refusal (exit 2), anything else a lack (exit 4, skipped). */
	int (*probe)(const struct target *t, struct err *e);
	/* On failure what was made so far stays in the journal: call teardown. -ENOPKG: what this
	 * machine lacks is only seen now. */
	int (*setup)(struct target *t, struct err *e);
	/* Take up again, as it is, the target of a run that died: image, device or root say where
	 * it was. Nothing is made; the filesystem recovers its log. Journal and teardown as for
	 * setup. -ENOENT: it is gone; -EBUSY: somebody uses it. */
	int (*attach)(struct target *t, struct err *e);
	/* Unmount and mount again, the same device and options. No file may be open. NULL where
	 * the mount is not ours. -EBUSY names who holds it. */
	int (*remount_cycle)(struct target *t, struct err *e);
	/* Unmount, keep the device: for fsck. NULL where the mount is not ours. */
	int (*unmount)(struct target *t, struct err *e);
	/* Everything back, from any state that setup left; @keep leaves the image file, or the
	 * files of a directory target. */
	int (*teardown)(struct target *t, bool keep, struct err *e);
};

extern const struct target_type *const target_types[]; /* NULL-terminated */
const struct target_type *target_type_by_name(const char *name);

/* Prepare @t from a scenario: nothing is changed yet. @run_dir is made absolute. */
void target_init(struct target *t, const struct scenario *sc, const char *run_dir,
		 struct undo *undo, bool destroy_ok);
/* Run the filesystem's own checker, read-only, on the unmounted device. 0 clean, 1 complaints
 * (output in *ret_text, owned by the caller), -errno when it could not run. */
int target_fsck(const struct target *t, char **ret_text, struct err *e);
/* Does the unmounted device have a superblock of its filesystem? Also when it cannot be read. */
bool target_has_fs(const struct target *t);
/*
 * Read @len bytes (a multiple of 512) that FIEMAP says lie behind @offset of the file @fd,
 * from the block device, bypassing every cache. Returns the bytes read, fewer than @len where
 * the mapping ends. -ENODATA: a hole, unwritten (reads as zeros) or not allocated there yet;
 * -EOPNOTSUPP: these extents do not name addresses of this device (btrfs, inline, compressed,
 * realtime), or no device.
 * The file is not synced first: that would change what is being looked at; the caller decides.
 * (Documentation/filesystems/fiemap.rst)
 */
ssize_t target_read_device(const struct target *t, int fd, u64 offset, void *buf, size_t len);

/* Where on the block device the byte at @offset of the file @fd is. 0, or -ENODATA and -EOPNOTSUPP
 * as for target_read_device(). */
int target_map(const struct target *t, int fd, u64 offset, u64 *ret_address);

/* The log of layer "log" was read, or never will be: its file goes, unless it is to stay. 0 or
 * -errno. */
int target_drop_log(struct target *t, bool keep);

/* Open the directory @path for a run's files. -EINVAL or -EPERM with one line and the cure for
 * "/", system directories, a symbolic link in any component, what is no directory, and pseudo
 * or read-only filesystems. *ret_fd (O_PATH) is the caller's. (openat2(2)) */
int target_open_path(const char *path, int *ret_fd, struct err *e);
/* The same, without opening. */
int target_refuse_path(const char *path, struct err *e);
/* Refuse what is no block device, in use in any way (mounted, swap, under dm or md, a partition
 * of it), or lies under "/" or any of @protect (paths, NULL-terminated; NULL for none). */
int target_refuse_device(const char *device, const char *const protect[], struct err *e);

/* The filesystem that the scenario's target will be made with; NULL where it is there already. */
const char *target_fs_to_make(const struct scenario *sc);
/* The mount option by which its filesystem takes the machine down when it meets an error, or NULL.
 * Refused but in a guest. */
const char *target_panics(const struct scenario *sc);
/* The directory that the scenario names for the files of @t, known before setup; NULL where the
 * filesystem is made for the run. */
const char *target_given_dir(const struct target *t);
/* Refuse a fault on the filesystem of @root when "/" or @other (NULL: none) lie on the same one.
 * 0 or -EPERM with text in @e. */
int target_refuse_shared(const char *root, const char *other, struct err *e);

/* Make the private mount namespace that the run's mounts live in: when its last process is gone
 * the kernel drops them. -EPERM without root. For a process with one thread. */
int target_private_mounts(struct err *e);

#endif
