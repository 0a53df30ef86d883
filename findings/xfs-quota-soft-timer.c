// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS with CONFIG_XFS_DEBUG: quotactl(Q_GETQUOTA) trips ASSERT(dst->d_spc_timer != 0) in
 * xfs_qm_scall_getquota_fill_qc() while a user has delayed allocations beyond the soft limit. What
 * is compared with the limit there is q_blk.reserved, which counts them; the timer is started by
 * xfs_qm_adjust_res_timer() from q_blk.count, which does not until writeback. Without the option no
 * harm is done. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: xfs-quota-soft-timer DIRECTORY     on XFS that is mounted with usrquota
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ID   54321
#define SOFT 64 /* KiB */
#define SIZE (1 << 20)

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

static int quota(int fd, unsigned int cmd, struct dqblk *d)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD(cmd, USRQUOTA), ID, d);
}

int main(int argc, char **argv)
{
	struct dqblk d = { .dqb_bsoftlimit = SOFT, .dqb_bhardlimit = 0, .dqb_valid = QIF_BLIMITS };
	static char data[SIZE];
	int dir = argc >= 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, fd;

	if (dir < 0)
		return skip("usage: xfs-quota-soft-timer DIRECTORY");
	fd = openat(dir, "xfs-quota-soft-timer.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || unlinkat(dir, "xfs-quota-soft-timer.tmp", 0) < 0 || fchown(fd, ID, -1) < 0)
		return skip(argv[1]);
	if (quota(dir, Q_SETQUOTA, &d) < 0)
		return skip("Q_SETQUOTA (is it mounted with usrquota?)");
	/* Into the page cache: reserved and not allocated yet. */
	if (write(fd, data, SIZE) != SIZE)
		return skip("write");
	if (quota(dir, Q_GETQUOTA, &d) < 0)
		return skip("Q_GETQUOTA");
	printf("used %llu KiB, soft limit %d KiB, timer %llu\n",
	       (unsigned long long)d.dqb_curspace / 1024, SOFT, (unsigned long long)d.dqb_btime);
	if (d.dqb_curspace <= SOFT * 1024 || d.dqb_btime)
		return 0;
	printf("SHOWN: above the soft limit and no timer; with CONFIG_XFS_DEBUG the kernel log has "
	       "\"Assertion failed: dst->d_spc_timer != 0\"\n");
	/* Written back it is counted, and the timer runs. */
	if (fsync(fd) == 0 && quota(dir, Q_GETQUOTA, &d) == 0)
		printf("after fsync: used %llu KiB, timer %llu\n",
		       (unsigned long long)d.dqb_curspace / 1024, (unsigned long long)d.dqb_btime);
	return 1;
}
