// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of faults, from faults.def, and how they write to the journal. */
#include "faults/fault.h"

#include "base/debugfs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define X(name) extern const struct fault_type fault_##name;
#include "faults/faults.def"
#undef X

const struct fault_type *const fault_types[] = {
#define X(name) &fault_##name,
#include "faults/faults.def"
#undef X
	NULL,
};

#define FS_ENDS                                                                                    \
	"xfs-shutdown", "xfs-down", "ext4-readonly", "jbd2-abort", "btrfs-readonly",               \
		"btrfs-fatal", "btrfs-abort"

const char *const fault_log_fs_ends[] = { FS_ENDS, NULL };
/* jbd2 asks of each file that has new blocks in a transaction whether its data got there, and what
 * failed is said at every commit until somebody syncs the file: minutes later where nobody does.
 * (fs/jbd2/commit.c; filemap_fdatawait_range_keep_errors()) */
const char *const fault_log_data_failed[] = { FS_ENDS, "jbd2-data", "ext4-recorded", NULL };
const char *const fault_log_device_failed[] = { FS_ENDS, "jbd2-data", "ext4-recorded",
						"btrfs-device", NULL };

const char *const fault_log_device_errors[] = {
	"buffer-io",
	"block-io",
	"writeback-error",
	"xfs-metadata-io",
	"xfs-async-write",
	"xfs-corruption",
	"xfs-internal",
	"xfs-discard",
	"ext4-warning",
	"ext4-error",
	"ext4-data-loss",
	"jbd2-error",
	"btrfs-device",
	"btrfs-error",
	"btrfs-warning",
	"btrfs-csum",
	"btrfs-abort",
	"btrfs-fatal",
	NULL,
};

const struct fault_type *fault_type_by_name(const char *name)
{
	for (const struct fault_type *const *t = fault_types; *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}

static int keep_entry(struct fault *f, int n, const char *what, struct err *e)
{
	if (n < 0)
		return err_set(e, n, "%s: %s: cannot write the undo journal: %s; nothing was armed",
			       f->type->name, what, strerror(-n));
	f->entries[f->nentries++] = n;
	return 0;
}

static int check_room(struct fault *f, struct err *e)
{
	if (f->nentries < FAULT_ENTRIES)
		return 0;
	return err_set(e, -E2BIG, "%s: more than %d things to put back", f->type->name,
		       FAULT_ENTRIES);
}

int fault_save_knob(struct fault *f, const char *knob, struct err *e)
{
	char value[256];
	int r = check_room(f, e);

	if (r < 0)
		return r;
	r = debugfs_read(knob, value, sizeof(value));
	if (r < 0)
		return err_set(e, r, "%s: %s in debugfs cannot be read: %s", f->type->name, knob,
			       strerror(-r));
	r = debugfs_may_write(knob);
	if (r < 0)
		return err_set(e, r,
			       "%s: %s in debugfs cannot be written: %s; is debugfs mounted "
			       "read-only, or the kernel locked down (kernel_lockdown(7))? "
			       "Nothing was armed",
			       f->type->name, knob, strerror(-r));
	return keep_entry(f, undo_record(f->undo, UNDO_KNOB, knob, value, NULL), knob, e);
}

int fault_save_attr(struct fault *f, const char *path, struct err *e)
{
	int r = check_room(f, e);

	if (r < 0)
		return r;
	if (access(path, F_OK) < 0)
		return err_set(e, -errno,
			       "%s: %s: %s; its device has vanished, or the kernel lacks one of: "
			       "%s; nothing was armed",
			       f->type->name, path, strerror(errno),
			       f->type->kconfig ? f->type->kconfig : "nothing more");
	if (access(path, W_OK) < 0)
		return err_set(e, -errno, "%s: %s cannot be written: %s; nothing was armed",
			       f->type->name, path, strerror(errno));
	return keep_entry(f, undo_record_sysctl(f->undo, path), path, e);
}

int fault_save(struct fault *f, enum undo_kind kind, const char *a, const char *b, const char *c,
	       struct err *e)
{
	int r = check_room(f, e);

	return r < 0 ? r : keep_entry(f, undo_record(f->undo, kind, a, b, c), a, e);
}

int fault_put_back(struct fault *f, struct err *e)
{
	int first = 0;

	for (; f->nentries; f->nentries--) {
		struct err one = { "" };
		int r = undo_put_back(f->undo, f->entries[f->nentries - 1], &one);

		if (r < 0 && first == 0) {
			first = r;
			*e = one;
		}
	}
	return first;
}
