// SPDX-License-Identifier: GPL-2.0-or-later
/* Which filesystems may be disturbed: none that the system, the state or the results lie on. */
#include "target/target.h"

#include "base/cleanup.h"
#include "base/mounts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* One filesystem? Subvolumes have device numbers of their own: the mount's source tells then. */
static bool same_fs(const char *a, const char *b)
{
	_cleanup_close_ int x = open(a, O_PATH | O_CLOEXEC), y = open(b, O_PATH | O_CLOEXEC);
	struct mount_info m, n;
	struct stat s, t;

	/* What is not there yet disturbs nobody. */
	if (x < 0 || y < 0 || fstat(x, &s) < 0 || fstat(y, &t) < 0)
		return false;
	if (s.st_dev == t.st_dev)
		return true;
	return mount_of(x, &m) == 0 && mount_of(y, &n) == 0 &&
	       (m.dev == n.dev || (m.source[0] == '/' && !strcmp(m.source, n.source)));
}

int target_refuse_shared(const char *root, const char *other, struct err *e)
{
	const char *const paths[] = { "/", other };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (paths[i] && same_fs(root, paths[i]))
			return err_set(e, -EPERM,
				       "%s is on the same filesystem as %s, which a fault must not "
				       "touch; use a target of type image",
				       root, paths[i]);
	return 0;
}
