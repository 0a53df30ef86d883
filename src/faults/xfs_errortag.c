// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xfs_errortag: XFS's own points of failure, one in so many times that it passes one, and points
 * where it can be made to wait (Linux 6.2 and later: wb_delay_ms, write_delay_ms). Needs a kernel
 * with CONFIG_XFS_DEBUG; which tags there are is the kernel's to say.
 * (Documentation/admin-guide/xfs.rst; fs/xfs/libxfs/xfs_errortag.h)
 */
#include "faults/fault.h"

#include "base/fsutil.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TAGS_MAX 16

struct xfs_errortag {
	char **tags;
	u64 one_in, delay;
};

struct xfs_errortag_state {
	char dir[128];
};

static const struct opt_def options[] = {
	OPT(struct xfs_errortag, tags, OPT_STRINGS, .def = "diowrite", .min = "1", .max = "40",
	    .help = "names of /sys/fs/xfs/DEVICE/errortag"),
	OPT(struct xfs_errortag, one_in, OPT_COUNT, .def = "100", .min = "1", .max = "1000000",
	    .help = "fails once in so many times, by chance"),
	OPT(struct xfs_errortag, delay, OPT_TIME, .def = "10ms", .min = "1ms", .max = "5s",
	    .help = "of tags that end in _delay_ms: how long XFS waits there, each time, with its "
		    "CPU busy; in whole milliseconds"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct xfs_errortag *o = block;
	size_t n = 0;

	(void)sc;
	(void)f;
	for (; o->tags[n]; n++)
		if (strchr(o->tags[n], '/') || o->tags[n][0] == '.')
			return err_set(e, -EINVAL,
				       "\"%s\" is no name of a tag; expected one such "
				       "as \"diowrite\"",
				       o->tags[n]);
	if (n == 0 || n > TAGS_MAX)
		return err_set(e, -EINVAL, "there are %zu tags; expected 1..%d", n, TAGS_MAX);
	return 0;
}

/* The directory is there with the first XFS that is mounted. Without one only arming can tell. */
static int probe(const struct fault *f, struct err *e)
{
	char fs[16] = "xfs";

	if (f->target->fs[0])
		path_set(fs, sizeof(fs), "%s", f->target->fs);
	if (strcmp(fs, "xfs"))
		return err_set(e, -EINVAL, "xfs_errortag needs a target with xfs, this is %s", fs);
	if (access("/sys/fs/xfs/debug", F_OK) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this kernel's XFS has no error tags; boot a kernel with "
			       "CONFIG_XFS_DEBUG (and load the xfs module)");
	return 0;
}

static int tag_path(const struct fault *f, const char *tag, char *buf, size_t size)
{
	FAULT_STATE(xfs_errortag_state, f);

	return path_set(buf, size, "%s/%s", st->dir, tag);
}

static int save(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(xfs_errortag, f);
	FAULT_STATE(xfs_errortag_state, f);
	const char *name = strrchr(f->target->device, '/');
	int r;

	if (!name || strcmp(f->target->fs, "xfs"))
		return err_set(e, -EINVAL, "xfs_errortag needs a target with xfs, this is %s",
			       f->target->fs);
	r = path_set(st->dir, sizeof(st->dir), "/sys/fs/xfs%s/errortag", name);
	for (size_t i = 0; o->tags[i] && r == 0; i++) {
		char path[200];

		r = tag_path(f, o->tags[i], path, sizeof(path));
		if (r == 0 && access(path, F_OK) < 0)
			return err_set(e, -ENOENT,
				       "%s: no such tag in this kernel; see ls %s, and "
				       "CONFIG_XFS_DEBUG",
				       path, st->dir);
		if (r == 0)
			r = fault_save_attr(f, path, e);
	}
	return r;
}

static bool is_delay(const char *tag)
{
	static const char end[] = "_delay_ms";
	size_t len = strlen(tag);

	return len >= sizeof(end) - 1 && !strcmp(tag + len - (sizeof(end) - 1), end);
}

static u64 value_of(const struct xfs_errortag *o, const char *tag)
{
	return is_delay(tag) ? o->delay / NSEC_PER_MSEC : o->one_in;
}

static int write_all_tags(const struct fault *f, bool on, struct err *e)
{
	FAULT_OPTIONS(xfs_errortag, f);
	int first = 0;

	for (size_t i = 0; o->tags[i]; i++) {
		u64 value = on ? value_of(o, o->tags[i]) : 0;
		char path[200], text[24];
		int r = tag_path(f, o->tags[i], path, sizeof(path));

		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
		if (r == 0)
			r = attr_write(path, text);
		if (r < 0 && first == 0)
			first = err_set(e, r, "%s: cannot write %s: %s", path, text, strerror(-r));
	}
	return first;
}

static int arm(struct fault *f, struct err *e)
{
	return write_all_tags(f, true, e);
}

static int disarm(struct fault *f, struct err *e)
{
	return write_all_tags(f, false, e);
}

static bool is_armed(const struct fault *f)
{
	FAULT_OPTIONS(xfs_errortag, f);

	for (size_t i = 0; o->tags[i]; i++) {
		char path[200], now[32];

		if (tag_path(f, o->tags[i], path, sizeof(path)) == 0 &&
		    attr_read(path, now, sizeof(now)) == 0 && strcmp(now, "0"))
			return true;
	}
	return false;
}

/* EUCLEAN is XFS's EFSCORRUPTED, EBADMSG its EFSBADCRC. */
static const int errnos[] = { EIO, EUCLEAN, EBADMSG, ENOSPC, ENOMEM, EAGAIN, 0 };

static const char *const log_rules[] = {
	"xfs-corruption", "xfs-internal",    "xfs-metadata-io", "xfs-async-write",
	"xfs-discard",	  "writeback-error", "buffer-io",	NULL,
};

extern const struct fault_type fault_xfs_errortag;
const struct fault_type fault_xfs_errortag = {
	.name = "xfs_errortag",
	.help = "XFS fails at its own points of failure: CONFIG_XFS_DEBUG",
	.options = options,
	.options_size = sizeof(struct xfs_errortag),
	.state_size = sizeof(struct xfs_errortag_state),
	.kconfig = "XFS_DEBUG",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = log_rules,
	.log_after = fault_log_fs_ends,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.counted_by_rule = "xfs-errortag",
	.source = "lines of the kernel log, which limits them: at least so many",
};
