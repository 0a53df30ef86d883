// SPDX-License-Identifier: GPL-2.0-or-later
/* memory.reclaim: where it is, and writing to it. See reclaim.h. */
#include "ops/reclaim.h"

#include "base/cgroup.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <string.h>

int reclaim_find(char *buf, size_t size, struct err *e)
{
	char group[RECLAIM_PATH_MAX];

	if (cgroup_own(group, sizeof(group)) < 0)
		return err_set(e, -ENOENT,
			       "no cgroup v2 here: boot with systemd.unified_cgroup_hierarchy=1");
	if (path_set(buf, size, "%s/memory.reclaim", group) < 0)
		return err_set(e, -ENAMETOOLONG, "%s: too long a path", group);
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
	actor_quiet(a, true);
	if (r == 0 && (fd < 0 || write(fd, text, strlen(text)) < 0))
		r = -errno;
	actor_quiet(a, false);
	oplog_end(rec, r);
	atomic_fetch_add_explicit(&a->slot->ops, 1, memory_order_relaxed);
	return r == -EAGAIN || r == -EINTR ? 0 : r;
}
