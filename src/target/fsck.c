// SPDX-License-Identifier: GPL-2.0-or-later
/* The filesystem's own checker over an unmounted target. Which program and what its exit codes
 * mean is in fstype.c. */
#include "target/target.h"
#include "target/fstype.h"

#include <errno.h>

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
