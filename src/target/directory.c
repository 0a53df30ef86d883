// SPDX-License-Identifier: GPL-2.0-or-later
/* A fresh subdirectory of a directory that is there: nothing is made or mounted, nothing else is
 * touched, and no rights are needed but to write there. */
#include "target/target.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

struct directory_options {
	char *path;
};

static const struct opt_def options[] = {
	OPT(struct directory_options, path, OPT_STRING, .required = true,
	    .help = "existing directory; files are made in a new one below it"),
	{ 0 },
};

static int probe(const struct target *t, struct err *e)
{
	const struct directory_options *o = t->options;

	return target_refuse_path(o->path, e);
}

/* The block device behind superblock @dev, for target_read_device(). None is no error. */
static void find_device(struct target *t, dev_t dev, const char *source)
{
	char path[128], name[PATH_MAX];
	struct stat st;

	if (major(dev) != 0 &&
	    path_set(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev)) == 0 &&
	    realpath(path, name))
		path_set(t->device, sizeof(t->device), "/dev/%s", strrchr(name, '/') + 1);
	else if (stat(source, &st) == 0 && S_ISBLK(st.st_mode))
		path_set(t->device, sizeof(t->device), "%s", source);
}

static void describe(struct target *t, int fd)
{
	struct mount_info m;
	struct statvfs v;

	t->block_bytes = fstatvfs(fd, &v) == 0 ? v.f_bsize : 4096;
	if (mount_of(fd, &m) < 0) {
		path_set(t->fs, sizeof(t->fs), "unknown");
		return;
	}
	/* Names of filesystems are short; a FUSE one may have a long subtype. */
	snprintf(t->fs, sizeof(t->fs), "%.*s", (int)sizeof(t->fs) - 1, m.fstype);
	find_device(t, m.dev, m.source);
}

static int setup(struct target *t, struct err *e)
{
	const struct directory_options *o = t->options;
	_cleanup_close_ int fd = -1;
	char link[64], base[PATH_MAX];
	u64 random = now_ns();
	ssize_t n;
	int r = target_open_path(o->path, &fd, e);

	if (r < 0)
		return r;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, base, sizeof(base) - 1);
	if (n < 0)
		return err_set(e, -errno, "%s: %s", o->path, strerror(errno));
	base[n] = '\0';
	/* A name of our own making and not mkdtemp(3)'s: it is recorded before it exists. */
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = mix64(now_ns());
	r = path_set(t->root, sizeof(t->root), "%s/stressd-%016llx", base,
		     (unsigned long long)random);
	if (r < 0)
		return err_set(e, r, "%s: path too long", base);
	t->undo_dir = undo_record(t->undo, UNDO_DIR, t->root, NULL, NULL);
	if (t->undo_dir < 0)
		return err_set(e, t->undo_dir, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_dir));
	if (mkdirat(fd, strrchr(t->root, '/') + 1, 0755) < 0) {
		r = err_set(e, -errno, "%s: %s", t->root, strerror(errno));
		undo_forget(t->undo, t->undo_dir);
		t->root[0] = '\0';
		return r;
	}
	describe(t, fd);
	return 0;
}

static int attach(struct target *t, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int r = target_open_path(t->root, &fd, e);

	if (r < 0)
		return r;
	t->undo_dir = undo_record(t->undo, UNDO_DIR, t->root, NULL, NULL);
	if (t->undo_dir < 0)
		return err_set(e, t->undo_dir, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_dir));
	describe(t, fd);
	return 0;
}

static int teardown(struct target *t, bool keep, struct err *e)
{
	int r = 0;

	if (!t->root[0])
		return 0;
	if (!keep)
		r = rm_rf(t->root);
	if (r < 0 && r != -ENOENT)
		return err_set(e, r, "%s: cannot remove it: %s", t->root, strerror(-r));
	r = t->undo_dir < 0 ? 0 : undo_forget(t->undo, t->undo_dir);
	return r < 0 ? err_set(e, r, "%s: %s", undo_path(t->undo), strerror(-r)) : 0;
}

extern const struct target_type target_directory;
const struct target_type target_directory = {
	.name = "directory",
	.help = "a new directory below an existing one; nothing is mounted, works without root",
	.options = options,
	.options_size = sizeof(struct directory_options),
	.probe = probe,
	.setup = setup,
	.attach = attach,
	.teardown = teardown,
};

const char *target_given_dir(const struct target *t)
{
	const struct directory_options *o = t->options;

	return t->type == &target_directory ? o->path : NULL;
}
