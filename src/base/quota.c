// SPDX-License-Identifier: GPL-2.0-or-later
/* quotactl(2) with the generic commands, which XFS takes as well as those with quota files. */
#include "base/quota.h"
#include "base/step.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <sys/quota.h>

static const int types[QUOTA_KINDS] = {
	[QUOTA_USER] = USRQUOTA,
	[QUOTA_GROUP] = GRPQUOTA,
	[QUOTA_PROJECT] = 2, /* PRJQUOTA: in <linux/quota.h>, which does not go with this header */
};

static int call(unsigned int cmd, enum quota_kind kind, const char *device, u32 id, void *data)
{
	return quotactl(QCMD(cmd, types[kind]), device, (int)id, data) < 0 ? -errno : 0;
}

bool quota_in_kernel(void)
{
	return call(Q_SYNC, QUOTA_USER, NULL, 0, NULL) != -ENOSYS;
}

bool quota_enforced(const char *device, enum quota_kind kind)
{
	static const unsigned int enforced[QUOTA_KINDS] = {
		[QUOTA_USER] = FS_QUOTA_UDQ_ENFD,
		[QUOTA_GROUP] = FS_QUOTA_GDQ_ENFD,
		[QUOTA_PROJECT] = FS_QUOTA_PDQ_ENFD,
	};
	struct fs_quota_stat st = { .qs_version = FS_QSTAT_VERSION };

	return call(Q_XGETQSTAT, kind, device, 0, &st) == 0 && st.qs_flags & enforced[kind];
}

int quota_get(const char *device, enum quota_kind kind, u32 id, struct quota_limits *ret)
{
	struct dqblk d = { 0 };
	int r = call(Q_GETQUOTA, kind, device, id, (void *)&d);

	/* An id that has no record yet has no limits. */
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		*ret = (struct quota_limits){ .hard_bytes = d.dqb_bhardlimit * KIB,
					      .soft_bytes = d.dqb_bsoftlimit * KIB,
					      .used_bytes = d.dqb_curspace };
	return r;
}

int quota_set(const char *device, enum quota_kind kind, u32 id, const struct quota_limits *limits)
{
	struct dqblk d = { .dqb_bhardlimit = limits->hard_bytes / KIB,
			   .dqb_bsoftlimit = limits->soft_bytes / KIB,
			   .dqb_valid = QIF_BLIMITS };

	int r = call(Q_SETQUOTA, kind, device, id, (void *)&d);

	change("set limits on", device);
	return r;
}

int quota_get_grace(const char *device, enum quota_kind kind, u64 *ret_s)
{
	struct dqinfo info = { 0 };
	int r = call(Q_GETINFO, kind, device, 0, (void *)&info);

	*ret_s = info.dqi_bgrace;
	return r;
}

int quota_set_grace(const char *device, enum quota_kind kind, u64 grace_s)
{
	struct dqinfo info = { .dqi_bgrace = grace_s, .dqi_valid = IIF_BGRACE };

	int r = call(Q_SETINFO, kind, device, 0, (void *)&info);

	change("set the grace time on", device);
	return r;
}
