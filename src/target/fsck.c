// SPDX-License-Identifier: GPL-2.0-or-later
/* What is on an unmounted target: its superblock, and the filesystem's own checker over it. Which
 * program and what its exit codes mean is in fstype.c. */
#include "target/target.h"
#include "target/fstype.h"

#include "base/cleanup.h"

#include <blkid.h>
#include <errno.h>
#include <string.h>

int target_fsck(const struct target *t, char **ret_text, struct err *e)
{
	int fs = fstype_by_name(t->fs);

	*ret_text = NULL;
	if (fs < 0 || !t->device[0] || !t->type->unmount)
		return err_set(e, -EOPNOTSUPP, "a %s target on %s has no checker that we may run",
			       t->type->name, t->fs);
	/* A checker on a mounted filesystem reports what is not there yet. */
	if (t->mounted)
		return err_set(e, -EBUSY, "%s is mounted; unmount it before it is checked",
			       t->device);
	return fstype_check(fs, t->device, ret_text, e);
}

static void free_probe(blkid_probe *p)
{
	blkid_free_probe(*p);
}

bool target_has_fs(const struct target *t)
{
	_cleanup_(free_probe) blkid_probe p = blkid_new_probe_from_filename(t->device);
	const char *type = NULL;
	int r;

	if (!p)
		return true;
	blkid_probe_enable_superblocks(p, 1);
	blkid_probe_set_superblocks_flags(p, BLKID_SUBLKS_TYPE);
	r = blkid_do_fullprobe(p);
	if (r == 0)
		blkid_probe_lookup_value(p, "TYPE", &type, NULL);
	return r < 0 || (type && !strcmp(type, t->fs));
}
