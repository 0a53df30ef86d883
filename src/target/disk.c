// SPDX-License-Identifier: GPL-2.0-or-later
/* From a block device to a mounted filesystem and back, for all targets that own a device. Each
 * step is in the journal before it is made. */
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"
#include "base/state.h"
#include "base/step.h"
#include "base/units.h"

#include <libmount.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define UMOUNT_NS (1 * NSEC_PER_SEC)

/* Options that would mount something else than the device we made, or outside of our journal. */
static const char *const refused_options[] = {
	"loop",	 "loop=", "offset=", "sizelimit=", "bind",
	"rbind", "move",  "remount", "ro",	   "X-mount."
};

/* Options by which a filesystem with an error takes the machine down, and what stands for them
 * where that is not a guest's: in `stressd verify`, which mounts what a guest left. (ext4(5),
 * btrfs(5)) */
static const struct {
	const char *option, *tame;
} panics[] = {
	{ "errors=panic", "errors=remount-ro" },
	{ "fatal_errors=panic", "fatal_errors=bug" },
};

static const char *tame(const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(panics); i++)
		if (!strcmp(option, panics[i].option))
			return panics[i].tame;
	return NULL;
}

const char *target_panics(const struct scenario *sc)
{
	const struct disk_options *o = sc->target.options;

	for (size_t i = 0; sc->target.type->unmount && o->mount && o->mount[i]; i++)
		if (tame(o->mount[i]))
			return o->mount[i];
	return NULL;
}

static void free_context(struct libmnt_context **c)
{
	mnt_free_context(*c);
}

static int check_mount_options(char *const options[], struct err *e)
{
	for (size_t i = 0; options && options[i]; i++) {
		if (strchr(options[i], ','))
			return err_set(e, -EINVAL, "target.mount: '%s': one option a string",
				       options[i]);
		for (size_t k = 0; k < ARRAY_SIZE(refused_options); k++) {
			const char *bad = refused_options[k];
			size_t len = strlen(bad);

			if (strncmp(options[i], bad, len) != 0 ||
			    (options[i][len] && !strchr("=.", bad[len - 1])))
				continue;
			return err_set(e, -EINVAL, "target.mount: '%s' cannot be used for a target",
				       options[i]);
		}
	}
	return 0;
}

int disk_check_size(const struct disk_options *o, u64 size, u64 unit, struct err *e)
{
	u64 least = fstype_infos[o->fs].size_min_bytes;
	char want[UNITS_MAX];

	if (size < least)
		return err_set(e, -EINVAL, "too small for %s; expected at least %s",
			       fstype_names[o->fs], format_size(want, least));
	if (size % unit)
		return err_set(e, -EINVAL, "not in whole units; expected a multiple of %s",
			       format_size(want, unit));
	return 0;
}

int disk_probe(const struct target *t, struct err *e)
{
	const struct disk_options *o = t->options;
	cap_flag_value_t v = CAP_CLEAR;
	cap_t caps = cap_get_proc();
	int r = check_mount_options(o->mount, e);

	if (caps)
		cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &v);
	cap_free(caps);
	if (r == 0 && target_panics(t->sc) && !state_in_arena())
		r = err_set(
			e, -EINVAL,
			"target.mount: '%s' takes down the machine that it runs on; run it in a "
			"guest (stressd vm)",
			target_panics(t->sc));
	if (r < 0)
		return r;
	/* EACCES: a lack, where EPERM would be a refusal. */
	if (v != CAP_SET)
		return err_set(e, -EACCES,
			       "target %s needs root (CAP_SYS_ADMIN) to mount; run as "
			       "root, or use a target of type directory",
			       t->type->name);
	if (!t->run_dir[0])
		return err_set(e, -ENOENT, "the run directory is missing or its path is too long");
	r = layers_probe(o->layers, e);
	return r < 0 ? r : fstype_probe(o->fs, e);
}

const char *target_fs_to_make(const struct scenario *sc)
{
	const struct disk_options *o = sc->target.options;

	return sc->target.type->unmount ? fstype_names[o->fs] : NULL;
}

static int set_options(struct libmnt_context *c, char *const options[])
{
	int r = 0;

	for (size_t i = 0; options && options[i] && r == 0; i++) {
		const char *instead = state_in_arena() ? NULL : tame(options[i]);

		r = mnt_context_append_options(c, instead ? instead : options[i]);
	}
	return r;
}

/* Mounted where nothing of its own can run or be a device: a test target needs neither. */
static int mount_device(const struct target *t, struct err *e)
{
	const struct disk_options *o = t->options;
	_cleanup_(free_context) struct libmnt_context *c = mnt_new_context();
	char why[256] = "";
	int r;

	if (!c || mnt_context_set_source(c, t->device) < 0 ||
	    mnt_context_set_target(c, t->root) < 0 || mnt_context_set_fstype(c, t->fs) < 0 ||
	    mnt_context_set_options(c, "nosuid,nodev") < 0 || set_options(c, o->mount) < 0)
		return err_set(e, -ENOMEM, "mount: out of memory");
	/* No record below /run: our mounts are nobody else's business. */
	mnt_context_disable_mtab(c, true);
	r = mnt_context_mount(c);
	change("mounted", t->device);
	if (r == 0 && mnt_context_get_status(c) == 1)
		return 0;
	mnt_context_get_excode(c, r, why, sizeof(why));
	r = mnt_context_syscall_called(c) ? mnt_context_get_syscall_errno(c) : 0;
	return err_set(e, r > 0 ? -r : -EINVAL,
		       "cannot mount %s (%s) on %s: %s; see the kernel log", t->device, t->fs,
		       t->root, why);
}

/* Record before doing; *n is the entry. */
static int record(struct target *t, int *n, enum undo_kind kind, const char *a, const char *b,
		  struct err *e)
{
	int r = undo_record(t->undo, kind, a, b, NULL);

	if (r < 0)
		return err_set(e, r, "%s: cannot write the undo journal: %s; nothing was changed",
			       undo_path(t->undo), strerror(-r));
	*n = r;
	return 0;
}

static int make_mountpoint(struct target *t, struct err *e)
{
	int r = path_set(t->root, sizeof(t->root), "%s/mnt", t->run_dir);

	if (r == 0)
		r = record(t, &t->undo_dir, UNDO_DIR, t->root, NULL, e);
	else
		return err_set(e, r, "%s: path too long", t->run_dir);
	if (r == 0 && mkdir(t->root, 0700) < 0)
		r = err_set(e, -errno, "%s: %s", t->root, strerror(errno));
	return r;
}

static int mount_first(struct target *t, struct err *e)
{
	const struct disk_options *o = t->options;
	struct statvfs v;
	int r;

	path_set(t->fs, sizeof(t->fs), "%s", fstype_names[o->fs]);
	r = make_mountpoint(t, e);
	if (r == 0)
		r = record(t, &t->undo_mount, UNDO_MOUNT, t->root, t->device, e);
	if (r == 0)
		r = mount_device(t, e);
	if (r < 0)
		return r;
	t->mounted = true;
	/* Workers may run as another user. */
	if (statvfs(t->root, &v) < 0 || chmod(t->root, 0755) < 0)
		return err_set(e, -errno, "%s: %s", t->root, strerror(errno));
	t->block_bytes = v.f_bsize;
	return 0;
}

int disk_setup(struct target *t, struct err *e)
{
	const struct disk_options *o = t->options;
	int r = layers_make(t, o->layers, e);

	if (r == 0)
		r = fstype_make(o->fs, t->device, o->mkfs, e);
	return r < 0 ? r : mount_first(t, e);
}

int disk_attach(struct target *t, struct err *e)
{
	int r = layers_make(t, 0, e);

	return r < 0 ? r : mount_first(t, e);
}

int disk_unmount(struct target *t, struct err *e)
{
	char who[700];
	int r;

	if (!t->mounted)
		return 0;
	r = umount_wait(t->root, UMOUNT_NS);
	if (r == -EBUSY) {
		disk_holders(t->root, who, sizeof(who));
		return err_set(e, r, "cannot unmount %s: held by %s", t->root, who);
	}
	if (r < 0)
		return err_set(e, r, "cannot unmount %s: %s", t->root, strerror(-r));
	t->mounted = false;
	return 0;
}

int disk_remount_cycle(struct target *t, struct err *e)
{
	int r = disk_unmount(t, e);

	if (r == 0)
		r = mount_device(t, e);
	t->mounted |= r == 0;
	return r;
}

int disk_teardown(struct target *t, struct err *e)
{
	int r = disk_unmount(t, e);

	if (r == 0 && t->undo_mount >= 0)
		r = undo_forget(t->undo, t->undo_mount);
	if (r == 0 && t->undo_dir >= 0) {
		if (rmdir(t->root) < 0 && errno != ENOENT)
			return err_set(e, -errno, "%s: %s", t->root, strerror(errno));
		r = undo_forget(t->undo, t->undo_dir);
	}
	if (r == 0)
		r = layers_remove(t, e);
	if (r < 0 && !e->text[0])
		err_set(e, r, "%s: %s", undo_path(t->undo), strerror(-r));
	return r;
}
