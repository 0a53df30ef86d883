// SPDX-License-Identifier: GPL-2.0-or-later
/* 0 is a tag that does nothing. */
#include "faults/xfs_tags.h"

#include "base/fsutil.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DELAY_SUFFIX "_delay_ms"

/* The directory is there with the first XFS that is mounted. Without one only arming can tell. */
int xfs_tags_probe(const struct fault *f, struct err *e)
{
	const char *fs = f->target->fs[0] ? f->target->fs : "xfs";

	if (strcmp(fs, "xfs"))
		return err_set(e, -EINVAL, "%s needs a target with xfs, this is %s", f->type->name,
			       fs);
	if (access("/sys/fs/xfs/debug", F_OK) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this kernel's XFS has no error tags; boot a kernel with "
			       "CONFIG_XFS_DEBUG (and load the xfs module)");
	return 0;
}

int xfs_tags_find(struct fault *f, struct err *e)
{
	FAULT_STATE(xfs_tags_state, f);
	const char *name = strrchr(f->target->device, '/');

	if (!name || strcmp(f->target->fs, "xfs"))
		return err_set(e, -EINVAL, "%s needs a target with xfs, this is %s", f->type->name,
			       f->target->fs);
	return path_set(st->dir, sizeof(st->dir), "/sys/fs/xfs%s/errortag", name);
}

static int tag_path(const struct fault *f, const char *tag, char *buf, size_t size)
{
	FAULT_STATE(xfs_tags_state, f);

	return path_set(buf, size, "%s/%s", st->dir, tag);
}

static int save_one(struct fault *f, const char *tag, const char *needs, struct err *e)
{
	FAULT_STATE(xfs_tags_state, f);
	char path[200];
	int r = tag_path(f, tag, path, sizeof(path));

	if (r == 0 && access(path, F_OK) < 0)
		return err_set(e, -ENOENT, "%s: no such tag in this kernel; see ls %s, and %s",
			       path, st->dir, needs);
	return r < 0 ? r : fault_save_attr(f, path, e);
}

static int set_one(const struct fault *f, const char *tag, u64 value, struct err *e)
{
	char path[200], text[24];
	int r = tag_path(f, tag, path, sizeof(path));

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	if (r == 0)
		r = attr_write(path, text);
	return r < 0 ? err_set(e, r, "%s: cannot write %s: %s", path, text, strerror(-r)) : 0;
}

static bool is_set(const struct fault *f, const char *tag)
{
	char path[200], now[32];

	return tag_path(f, tag, path, sizeof(path)) == 0 &&
	       attr_read(path, now, sizeof(now)) == 0 && strcmp(now, "0");
}

int xfs_tags_save(struct fault *f, const char *const *tags, const char *needs, struct err *e)
{
	int r = 0;

	for (; *tags && r == 0; tags++)
		r = save_one(f, *tags, needs, e);
	return r;
}

int xfs_tags_set(const struct fault *f, const char *const *tags, u64 value, struct err *e)
{
	int first = 0;

	for (; *tags; tags++) {
		struct err mine;
		int r = set_one(f, *tags, value, &mine);

		if (r < 0 && first == 0)
			first = err_set(e, r, "%s", mine.text);
	}
	return first;
}

bool xfs_tags_any_set(const struct fault *f, const char *const *tags)
{
	for (; *tags; tags++)
		if (is_set(f, *tags))
			return true;
	return false;
}

bool xfs_tag_is_delay(const char *tag)
{
	size_t len = strlen(tag), suffix = strlen(DELAY_SUFFIX);

	return len > suffix && !strcmp(tag + len - suffix, DELAY_SUFFIX);
}
