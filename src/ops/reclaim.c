// SPDX-License-Identifier: GPL-2.0-or-later
/* memory.reclaim: where it is, and writing to it. See reclaim.h. */
#include "ops/reclaim.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <mntent.h>
#include <string.h>

static inline void endmntentp(FILE **f)
{
	if (*f)
		endmntent(*f);
}

static bool cgroup2_mount(char *buf, size_t size)
{
	_cleanup_(endmntentp) FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m;

	while (mounts && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2"))
			return snprintf(buf, size, "%s", m->mnt_dir) < (int)size;
	return false;
}

/* The unified hierarchy's line is "0::/path". (cgroups(7)) */
static bool own_cgroup(char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
	char line[RECLAIM_PATH_MAX];

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::", 3))
			return snprintf(buf, size, "%s", line + 3) < (int)size;
	}
	return false;
}

int reclaim_find(char *buf, size_t size, struct err *e)
{
	char mount[1024], group[RECLAIM_PATH_MAX];

	if (!cgroup2_mount(mount, sizeof(mount)) || !own_cgroup(group, sizeof(group)))
		return err_set(e, -ENOENT,
			       "no cgroup v2 here: boot with systemd.unified_cgroup_hierarchy=1");
	if (snprintf(buf, size, "%s%s/memory.reclaim", mount, group) >= (int)size)
		return err_set(e, -ENAMETOOLONG, "%s%s: too long a path", mount, group);
	if (access(buf, W_OK) < 0)
		return err_set(e, -errno,
			       "%s cannot be written (%s): start stressd in a cgroup v2 of its own "
			       "with the memory controller, on Linux 5.19 or later",
			       buf, strerror(errno));
	return 0;
}

int op_reclaim(struct actor *a, u64 bytes)
{
	struct op_record *rec =
		oplog_begin(a->log, &(struct op_record){ .op = OP_RECLAIM, .len = bytes });
	char path[RECLAIM_PATH_MAX], text[24];
	struct err e;
	int r = reclaim_find(path, sizeof(path), &e);
	_cleanup_close_ int fd = r < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	atomic_store_explicit(&a->slot->quiet, 1, memory_order_relaxed);
	if (r == 0 && (fd < 0 || write(fd, text, strlen(text)) < 0))
		r = -errno;
	atomic_store_explicit(&a->slot->quiet, 0, memory_order_relaxed);
	oplog_end(rec, r);
	actor_beat(a);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	return r == -EAGAIN || r == -EINTR ? 0 : r;
}
