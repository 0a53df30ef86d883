// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads /proc/self/mounts and /proc/self/cgroup. */
#include "base/cgroup.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <limits.h>
#include <mntent.h>
#include <string.h>

static inline void endmntentp(FILE **f)
{
	if (*f)
		endmntent(*f);
}

int cgroup_root(char *buf, size_t size)
{
	_cleanup_(endmntentp) FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			return path_set(buf, size, "%s", m->mnt_dir);
	return -ENOENT;
}

/* The unified hierarchy's line is "0::/path". */
int cgroup_own(char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX], root[1024];
	int r = cgroup_root(root, sizeof(root));

	while (r == 0 && f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::", 3))
			return path_set(buf, size, "%s%s", root, line + 3);
	}
	return r < 0 ? r : -ENOENT;
}
