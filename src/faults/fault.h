/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: errors that the kernel is made to return. A fault is one file: an option struct and its
 * table, what it needs, how it is armed and disarmed, which errors and log lines it explains, and
 * one designated-initialiser struct at the end; faults.def gets one line. When to arm is the
 * coordinator's (session/faults.c); nothing of it, of workers or of the kernel log comes in.
 *
 *	probe -> save (journal, synced) -> arm -> [step ...] -> disarm -> ... -> put back
 */
#ifndef STRESSD_FAULT_H
#define STRESSD_FAULT_H

#include "base/base.h"
#include "base/option.h"
#include "scenario.h"
#include "target/target.h"
#include "undo/undo.h"

#include <sys/types.h>

#define FAULT_ENTRIES 24 /* journal entries of one fault */

enum fault_flags {
	FAULT_NEEDS_MOUNT = 1 << 0,   /* of a filesystem that stressd mounted: device and all */
	FAULT_LOSES_WRITES = 1 << 1,  /* dirty data may not reach the device; umount(2) would tell
					 nobody: not beside workers that unmount either */
	FAULT_ENDS_FS = 1 << 2,	      /* a filesystem that goes read-only or down is expected */
	FAULT_FREEZES = 1 << 3,	      /* nobody may touch the filesystem while it is armed */
	FAULT_NEEDS_FOR = 1 << 4,     /* ends by schedule only: "for" is required */
	FAULT_KEEPS_MOUNTED = 1 << 5, /* not beside workers that unmount */
	FAULT_CUTS = 1 << 6, /* writes and syncs succeed and are dropped: the run ends, and it is
				disarmed only when the filesystem is unmounted */
};

struct fault;

struct fault_type {
	const char *name, *help;
	const struct opt_def *options;
	size_t options_size, state_size; /* state is zeroed before save */
	const char *kconfig; /* that its kernel must have, as in vm/needs.h; NULL: nothing more */
	unsigned int flags;
	/* Errors that operations may end with, 0-terminated: while it is armed and shortly after;
	 * of operations that wait for writeback, at any time after it was armed first: an error of
	 * the page cache waits until somebody asks. (fsync(2), EIO) */
	const int *errnos;
	/* Rules of the kernel log by name, NULL-terminated: what they match is allowed while it is
	 * armed and shortly after / from the first arming to the end of the run. */
	const char *const *log, *const *log_after;
	/* What the option table cannot say. 0, or -EINVAL with "what is wrong; expected what".
	 * Optional. */
	int (*check)(const void *options, const struct scenario *sc, const struct sc_fault *f,
		     struct err *e);
	/* Before anything is changed and before the target is there: what of this machine is
	 * missing, by its CONFIG option or mount option. 0; -EINVAL or -EPERM: refused;
	 * another -errno: a lack. */
	int (*probe)(const struct fault *f, struct err *e);
	/* Once, before the first arming: what is to be put back goes to the journal. -ENOENT and
	 * the like: it cannot be armed here. */
	int (*save)(struct fault *f, struct err *e);
	int (*arm)(struct fault *f, struct err *e);
	/* While it is armed, every step_ns(); NULL: never. */
	void (*step)(struct fault *f);
	u64 (*step_ns)(const struct fault *f);
	/* Works from any state that arm left, armed or not. */
	int (*disarm)(struct fault *f, struct err *e);
	/* Asked of the machine, not of memory. */
	bool (*is_armed)(const struct fault *f);
	/* Errors that were injected so far, counted at the source. NULL: the source does not count;
	 * then each arming is one. */
	u64 (*injected)(const struct fault *f);
	/* A rule of the kernel log that has one line for each injected error, or NULL. */
	const char *counted_by_rule;
	const char *source; /* where the count is from, for people */
	/* What functions that several types share must know of this one: struct attr_kind of
	 * faults/attr.h, struct layer_kind of faults/layer.h. */
	const void *kind;
};

/* Rules that say that a filesystem went read-only or down: log_after of FAULT_ENDS_FS. The others:
 * with what lost data leaves behind, and a device that failed, such as btrfs's counters, shown at
 * each mount. */
extern const char *const fault_log_fs_ends[], *const fault_log_data_failed[];
extern const char *const fault_log_device_failed[];
/* What a filesystem and the block layer print of a device that fails requests. */
extern const char *const fault_log_device_errors[];

extern const struct fault_type *const fault_types[]; /* NULL-terminated */
const struct fault_type *fault_type_by_name(const char *name);

/* A worker, for faults that hit tasks. */
struct fault_task {
	const char *type; /* of the worker */
	pid_t pid;
};

/* A fault of a run. */
struct fault {
	const struct fault_type *type;
	const void *options; /* decoded by the type's table */
	void *state;	     /* the type's own */
	const struct target *target;
	const char *state_dir;
	struct undo *undo;
	const struct fault_task *tasks;
	size_t ntasks;
	struct rng rng;
	int entries[FAULT_ENTRIES];
	size_t nentries;
};

/* Into the journal, before it is changed: a knob of debugfs, an attribute of /sys, anything. 0 or
 * -errno with text in @e. */
int fault_save_knob(struct fault *f, const char *knob, struct err *e);
int fault_save_attr(struct fault *f, const char *path, struct err *e);
int fault_save(struct fault *f, enum undo_kind kind, const char *a, const char *b, const char *c,
	       struct err *e);
/* For good: everything that was saved as it was, in reverse, and out of the journal. 0, or -errno
 * of the first that would not; it stays in the journal. */
int fault_put_back(struct fault *f, struct err *e);

#define FAULT_OPTIONS(type, f) const struct type *o = (f)->options
#define FAULT_STATE(type, f)   struct type *st = (f)->state

#endif
