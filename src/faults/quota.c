// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * quota: the files of the run belong to an id that may not use much more space. A write that would
 * fails with EDQUOT (XFS says ENOSPC for projects), a store into a mapping with SIGBUS; what had
 * been reserved must get to the disk. Who writes does not matter, whose file it is does.
 * (quotactl(2); xfs(5) and ext4(5) for the mount options)
 */
#include "faults/fault.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = { "user", "group", "project", NULL };
static const char *const mount_options[] = { "usrquota", "grpquota", "prjquota" };

struct quota {
	int kind;
	u64 id;
	struct range free;
	u64 soft, grace, breathe;
};

static const struct opt_def options[] = {
	OPT(struct quota, kind, OPT_ENUM, .def = "user", .choices = kinds,
	    .help = "whose quota it is"),
	OPT(struct quota, id, OPT_COUNT, .def = "54321", .min = "1", .max = "2000000000",
	    .help = "number of the user, group or project"),
	OPT(struct quota, free, OPT_SIZE_RANGE, .def = "0..1M", .max = "1G",
	    .help = "bytes up to the hard limit, drawn anew each time"),
	OPT(struct quota, soft, OPT_SIZE, .def = "0", .max = "1G",
	    .help = "bytes between soft and hard limit; 0: no soft limit"),
	OPT(struct quota, grace, OPT_TIME, .def = "1s", .min = "1s", .max = "1h",
	    .help = "how long a use above the soft limit is suffered, in whole seconds"),
	OPT(struct quota, breathe, OPT_TIME, .def = "0ms", .max = "1h",
	    .help = "how often the limits are drawn anew; 0ms: never"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct quota *o = block;

	(void)sc;
	(void)f;
	if (o->grace % NSEC_PER_SEC)
		return err_set(e, -EINVAL,
			       "options.grace is counted in seconds; expected whole ones");
	if (!o->soft && o->grace != NSEC_PER_SEC)
		return err_set(e, -EINVAL,
			       "options.grace is of a soft limit, and there is none; expected "
			       "options.soft, such as \"1M\"");
	return 0;
}

static int probe(const struct fault *f, struct err *e)
{
	const char *fs = target_fs_to_make(f->target->sc);

	if (!strcmp(fs, "btrfs"))
		return err_set(e, -EOPNOTSUPP,
			       "btrfs has no quotas of users, groups or projects (its qgroups are "
			       "of subvolumes), and no mount option usrquota, grpquota or "
			       "prjquota; use /target/fs xfs or ext4");
	if (!quota_in_kernel())
		return err_set(e, -EOPNOTSUPP,
			       "this kernel has no quotas; boot a kernel with CONFIG_QUOTA and "
			       "CONFIG_QFMT_V2 (ext4) or CONFIG_XFS_QUOTA");
	if (strcmp(fs, "xfs") && access("/proc/sys/fs/quota", F_OK) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this kernel has no quotas for %s; boot a kernel with CONFIG_QUOTA "
			       "and CONFIG_QFMT_V2",
			       fs);
	/* Its directory is there with the module. */
	if (!strcmp(fs, "xfs") && access("/proc/fs/xfs", F_OK) == 0 &&
	    access("/proc/fs/xfs/xqm", F_OK) < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this kernel's XFS has no quotas; boot a kernel with "
			       "CONFIG_XFS_QUOTA");
	return 0;
}

static int to_project(int fd, u32 id, bool directory)
{
	struct fsxattr x;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
		return -errno;
	x.fsx_projid = id;
	if (directory)
		x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x) < 0 ? -errno : 0;
}

/* The filesystem is the run's own and goes with it: whose its files are is not put back. Workers
 * may have no right to override what a mode says. */
static int give_file(const struct fault *f, const char *path)
{
	FAULT_OPTIONS(quota, f);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (o->kind == QUOTA_PROJECT)
		r = to_project(fd, (u32)o->id, S_ISDIR(st.st_mode));
	else if (fchown(fd, o->kind == QUOTA_USER ? (uid_t)o->id : (uid_t)-1,
			o->kind == QUOTA_GROUP ? (gid_t)o->id : (gid_t)-1) < 0)
		r = -errno;
	if (r == 0 && fchmod(fd, S_ISDIR(st.st_mode) ? 02777 : 0666) < 0)
		r = -errno;
	return r;
}

static int give_files(const struct fault *f, struct err *e)
{
	const struct scenario *sc = f->target->sc;
	char path[1200];
	int r = give_file(f, f->target->root);

	path_set(path, sizeof(path), "%s", f->target->root);
	for (size_t i = 0; i < sc->nfiles && r == 0; i++) {
		path_set(path, sizeof(path), "%s/%s", f->target->root, sc->files[i].name);
		r = give_file(f, path);
	}
	return r < 0 ? err_set(e, r, "%s cannot be given to %s: %s", path,
			       kinds[((const struct quota *)f->options)->kind], strerror(-r))
		     : 0;
}

/* What is to be put back is the limits: hard, soft, grace. */
static int save(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(quota, f);
	char whose[32], limits[80];
	struct quota_limits old;
	u64 grace_s;
	int r = quota_get(f->target->device, o->kind, (u32)o->id, &old);

	if (r == 0)
		r = quota_get_grace(f->target->device, o->kind, &grace_s);
	/* ext4 that was made with quotas counts always, and limits only if mounted so. */
	if (r == 0 && !quota_enforced(f->target->device, o->kind))
		r = -ESRCH;
	if (r == -ESRCH || r == -ENOSYS || r == -EINVAL)
		return err_set(e, -EOPNOTSUPP,
			       "%s quotas are not on: the filesystem is mounted without %s; add "
			       "\"mount\": [\"%s\"] to the target%s",
			       kinds[o->kind], mount_options[o->kind], mount_options[o->kind],
			       strcmp(f->target->fs, "ext4") ? ""
			       : o->kind == QUOTA_PROJECT
				       ? " and \"mkfs\": [\"-O\", \"quota,project\", \"-E\", "
					 "\"quotatype=prjquota\"]"
				       : " and \"mkfs\": [\"-O\", \"quota\"]");
	if (r < 0)
		return err_set(e, r, "the quotas of %s cannot be read: %s", f->target->device,
			       strerror(-r));
	snprintf(whose, sizeof(whose), "%d %llu", o->kind, (unsigned long long)o->id);
	snprintf(limits, sizeof(limits), "%llu %llu %llu", (unsigned long long)old.hard_bytes,
		 (unsigned long long)old.soft_bytes, (unsigned long long)grace_s);
	r = fault_save(f, UNDO_QUOTA, f->target->device, whose, limits, e);
	return r < 0 ? r : give_files(f, e);
}

static int draw(struct fault *f)
{
	FAULT_OPTIONS(quota, f);
	struct quota_limits l;
	int r = quota_get(f->target->device, o->kind, (u32)o->id, &l);

	if (r < 0)
		return r;
	l.hard_bytes = ROUND_DOWN(l.used_bytes + rng_in(&f->rng, o->free), KIB);
	/* 0 would be no limit. */
	l.hard_bytes = MAX(l.hard_bytes, (u64)KIB);
	l.soft_bytes = o->soft ? MAX(l.hard_bytes - MIN(o->soft, l.hard_bytes), (u64)KIB) : 0;
	return quota_set(f->target->device, o->kind, (u32)o->id, &l);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(quota, f);
	int r = o->soft ? quota_set_grace(f->target->device, o->kind, o->grace / NSEC_PER_SEC) : 0;

	if (r == 0)
		r = draw(f);
	return r < 0 ? err_set(e, r, "the limits cannot be set: %s", strerror(-r)) : 0;
}

static void breathe(struct fault *f)
{
	draw(f);
}

static u64 breathe_ns(const struct fault *f)
{
	FAULT_OPTIONS(quota, f);

	return o->breathe;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(quota, f);
	int r = quota_set(f->target->device, o->kind, (u32)o->id, &(struct quota_limits){ 0 });

	return r < 0 ? err_set(e, r, "the limits cannot be lifted: %s", strerror(-r)) : 0;
}

static bool is_armed(const struct fault *f)
{
	FAULT_OPTIONS(quota, f);
	struct quota_limits l;

	return quota_get(f->target->device, o->kind, (u32)o->id, &l) == 0 &&
	       (l.hard_bytes || l.soft_bytes);
}

static const int errnos[] = { EDQUOT, ENOSPC, 0 };

extern const struct fault_type fault_quota;
const struct fault_type fault_quota = {
	.name = "quota",
	.help = "the files' user, group or project is near its limit: quotas of xfs and ext4",
	.options = options,
	.options_size = sizeof(struct quota),
	.kconfig = "QUOTA|XFS_QUOTA ?QFMT_V2",
	.flags = FAULT_NEEDS_MOUNT | FAULT_KEEPS_MOUNTED,
	.errnos = errnos,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.step = breathe,
	.step_ns = breathe_ns,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "times that limits were set",
};
