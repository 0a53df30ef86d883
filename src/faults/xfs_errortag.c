// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xfs_errortag: XFS's own points of failure, one in so many times that it passes one. Needs a
 * kernel with CONFIG_XFS_DEBUG; which tags there are is the kernel's to say.
 * (Documentation/admin-guide/xfs.rst; fs/xfs/libxfs/xfs_errortag.h)
 */
#include "faults/xfs_tags.h"

#include <errno.h>
#include <string.h>

#define TAGS_MAX 16

struct xfs_errortag {
	char **tags;
	u64 one_in;
};

static const struct opt_def options[] = {
	OPT(struct xfs_errortag, tags, OPT_STRINGS, .def = "diowrite", .min = "1", .max = "40",
	    .help = "names of /sys/fs/xfs/DEVICE/errortag"),
	OPT(struct xfs_errortag, one_in, OPT_COUNT, .def = "100", .min = "1", .max = "1000000",
	    .help = "fails once in so many times, by chance"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct xfs_errortag *o = block;
	size_t n = 0;

	(void)sc;
	(void)f;
	for (; o->tags[n]; n++) {
		if (strchr(o->tags[n], '/') || o->tags[n][0] == '.')
			return err_set(e, -EINVAL,
				       "\"%s\" is no name of a tag; expected one such "
				       "as \"diowrite\"",
				       o->tags[n]);
		/* Nothing fails for it, so nothing that goes wrong meanwhile may be explained. */
		if (xfs_tag_is_delay(o->tags[n]))
			return err_set(e, -EINVAL,
				       "\"%s\" is a time that XFS waits, and no error; expected "
				       "the fault xfs_delay for it",
				       o->tags[n]);
	}
	if (n == 0 || n > TAGS_MAX)
		return err_set(e, -EINVAL, "there are %zu tags; expected 1..%d", n, TAGS_MAX);
	return 0;
}

static const char *const *tags_of(const struct fault *f)
{
	FAULT_OPTIONS(xfs_errortag, f);

	return (const char *const *)o->tags;
}

static int save(struct fault *f, struct err *e)
{
	int r = xfs_tags_find(f, e);

	return r < 0 ? r : xfs_tags_save(f, tags_of(f), "CONFIG_XFS_DEBUG", e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(xfs_errortag, f);

	return xfs_tags_set(f, tags_of(f), o->one_in, e);
}

static int disarm(struct fault *f, struct err *e)
{
	return xfs_tags_set(f, tags_of(f), 0, e);
}

static bool is_armed(const struct fault *f)
{
	return xfs_tags_any_set(f, tags_of(f));
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
	.state_size = sizeof(struct xfs_tags_state),
	.kconfig = XFS_TAGS_KCONFIG,
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,
	.errnos = errnos,
	.log = log_rules,
	.log_after = fault_log_fs_ends,
	.check = check,
	.probe = xfs_tags_probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.counted_by_rule = "xfs-errortag",
	.source = "lines of the kernel log, which limits them: at least so many",
};
