// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of target types, the empty target, and the mount namespace of a run. What a type
 * does is in its own file. */
#include "target/target.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define X(name) extern const struct target_type target_##name;
#include "target/targets.def"
#undef X

const struct target_type *const target_types[] = {
#define X(name) &target_##name,
#include "target/targets.def"
#undef X
	NULL,
};

const struct target_type *target_type_by_name(const char *name)
{
	for (size_t i = 0; target_types[i]; i++)
		if (!strcmp(target_types[i]->name, name))
			return target_types[i];
	return NULL;
}

void target_init(struct target *t, const struct scenario *sc, const char *run_dir,
		 struct undo *undo, bool destroy_ok)
{
	char full[PATH_MAX];

	*t = (struct target){
		.type = sc->target.type,
		.options = sc->target.options,
		.sc = sc,
		.undo = undo,
		.destroy_ok = destroy_ok,
		.undo_mount = -1,
		.undo_image = -1,
		.undo_dir = -1,
		.undo_log = -1,
		.undo_own = -1,
		.loop = TARGET_LOOP_NONE,
		.log_loop = TARGET_LOOP_NONE,
	};
	for (int i = 0; i < DM_LAYERS; i++)
		t->layers[i].undo = -1;
	/* What does not fit stays empty, and is refused where the path is used. */
	if (!realpath(run_dir, full) || strlen(full) >= sizeof(t->run_dir))
		full[0] = '\0';
	strcpy(t->run_dir, full);
}

int target_private_mounts(struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0)
		return err_set(e, -errno, "cannot make a private mount namespace: %s; run as root",
			       strerror(errno));
	/* Slave: mounts and unmounts of the machine still come in, ours do not go out. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_set(e, -errno, "cannot make mounts private: %s", strerror(errno));
	return 0;
}
