// SPDX-License-Identifier: GPL-2.0-or-later
/* The stack of device-mapper devices of a target, in the journal one by one before each is made.
 * The names begin with stressd- and the run, for people and their `dmsetup ls`; what is removed is
 * told by a UUID that nobody else has. */
#include "target/layers.h"
#include "target/disk.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#define REMOVE_NS    (2 * NSEC_PER_SEC)
#define SECTOR	     512
#define RUN_NAME_MAX 40

const char *const layer_names[] = {
#define X(id, name, harm, kconfig) name,
#include "target/layers.def"
#undef X
	NULL,
};

const char *const layer_kconfig[] = {
#define X(id, name, harm, kconfig) kconfig,
#include "target/layers.def"
#undef X
};

static const char *const harms[DM_LAYERS] = {
#define X(id, name, harm, kconfig) harm,
#include "target/layers.def"
#undef X
	[DM_LAYER_GATE] = "linear",
};

static const char *name_of(int i)
{
	return i == DM_LAYER_GATE ? "gate" : layer_names[i];
}

bool layers_wanted(const struct scenario *sc, enum layer layer)
{
	const struct disk_options *o = sc->target.options;

	return sc->target.type->unmount && o->layers >> layer & 1;
}

/* The options of a row of .kconfig as people know them: "CONFIG_BLK_DEV_DM and CONFIG_DM_DUST". */
static const char *config_names(const char *kconfig, char *buf, size_t size)
{
	const char *second = strchr(kconfig, ' ');

	if (second)
		snprintf(buf, size, "CONFIG_%.*s and CONFIG_%s", (int)(second - kconfig), kconfig,
			 second + 1);
	else
		snprintf(buf, size, "CONFIG_%s", kconfig);
	return buf;
}

int layers_probe(u64 layers, struct err *e)
{
	for (int i = 0; i < DM_LAYER_GATE; i++) {
		char names[96];
		int r = layers >> i & 1 ? dmdev_have(harms[i]) : 0;

		if (r == -EACCES)
			return err_set(e, r, "target.layers need root, for device-mapper");
		if (r < 0)
			return err_set(e, -EOPNOTSUPP,
				       "this kernel has no %s for target.layers \"%s\"; boot one "
				       "with %s",
				       r == -ENODEV ? "device-mapper" : "such device-mapper target",
				       layer_names[i],
				       config_names(layer_kconfig[i], names, sizeof(names)));
	}
	return 0;
}

/* stressd-RUN-LAYER, of characters that device-mapper takes as they are. */
static void name_layer(const struct target *t, int i, struct target_layer *l)
{
	const char *run = strrchr(t->run_dir, '/');
	char part[RUN_NAME_MAX + 1];
	u64 unique = 0;

	snprintf(part, sizeof(part), "%s", run ? run + 1 : "run");
	for (char *p = part; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    *p))
			*p = '_';
	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		unique = now_ns();
	/* Runs of one name in several directories may live at once. */
	snprintf(l->name, sizeof(l->name), "stressd-%s-%06llx-%s", part,
		 (unsigned long long)(unique & 0xffffff), name_of(i));
	snprintf(l->uuid, sizeof(l->uuid), "stressd-%016llx-%s", (unsigned long long)unique,
		 name_of(i));
}

static int count_sectors(const char *device, u64 *ret)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_CLOEXEC);
	u64 bytes;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return -errno;
	*ret = bytes / SECTOR;
	return 0;
}

/* Everything passes. A log is one from the first write on, and nobody gives it another table. */
static void pass_table(const struct target *t, int i, struct target_layer *l)
{
	unsigned long long sectors = l->sectors;

	if (i == DM_LAYER_LOG)
		snprintf(l->table, sizeof(l->table), "0 %llu log-writes %s %s", sectors, l->below,
			 t->log_loop.device);
	else
		snprintf(l->table, sizeof(l->table), "0 %llu linear %s 0", sectors, l->below);
}

static int make_one(struct target *t, int i, struct err *e)
{
	struct target_layer *l = &t->layers[i];
	char below[sizeof(l->below)];
	int r = count_sectors(t->device, &l->sectors);

	if (r < 0)
		return err_set(e, r, "%s: %s", t->device, strerror(-r));
	name_layer(t, i, l);
	path_set(below, sizeof(below), "%s", t->device);
	path_set(l->below, sizeof(l->below), "%s", below);
	pass_table(t, i, l);
	r = undo_record(t->undo, UNDO_DM, l->name, l->uuid, NULL);
	if (r < 0)
		return err_set(e, r, "%s: cannot write the undo journal: %s; nothing was changed",
			       undo_path(t->undo), strerror(-r));
	l->undo = r;
	r = dmdev_create(l->name, l->uuid, l->table, l->device);
	if (r < 0)
		return err_set(e, r, "cannot make device-mapper device %s (%s): %s", l->name,
			       l->table, strerror(-r));
	path_set(t->device, sizeof(t->device), "%s", l->device);
	return 0;
}

int layers_make(struct target *t, u64 layers, struct err *e)
{
	const struct disk_options *o = t->options;
	int r = layers >> DM_LAYER_LOG & 1 ? logdev_make(t, o->log_size, e) : 0;

	if (layers >> DM_LAYER_LOG & 1)
		layers |= 1ULL << DM_LAYER_GATE;
	path_set(t->base, sizeof(t->base), "%s", t->device);
	for (int i = 0; i < DM_LAYERS && r == 0; i++)
		if (layers >> i & 1)
			r = make_one(t, i, e);
	return r;
}

/* Who swaps the table of a device waits for what is in flight in it. (dm_suspend()) */
int layers_drain(const struct target *t)
{
	const struct target_layer *gate = &t->layers[DM_LAYER_GATE];

	return dmdev_reload(gate->name, gate->table);
}

int layers_remove(struct target *t, struct err *e)
{
	for (int i = DM_LAYERS; i-- > 0;) {
		struct target_layer *l = &t->layers[i];
		int r = l->undo < 0 ? 0 : dmdev_remove(l->name, l->uuid, REMOVE_NS);

		if (r == 0 && l->undo >= 0)
			r = undo_forget(t->undo, l->undo);
		if (r < 0)
			return err_set(e, r,
				       "cannot remove device-mapper device %s: %s; see `dmsetup "
				       "info %s`, then run `stressd recover`",
				       l->name, strerror(-r), l->name);
		l->undo = -1;
	}
	if (t->base[0])
		path_set(t->device, sizeof(t->device), "%s", t->base);
	return logdev_release(t, e);
}
