// SPDX-License-Identifier: GPL-2.0-or-later
/* A list of descriptors, each with a lock on it. */
#include "base/claim.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

static int claims[CLAIMS_MAX];
static size_t nclaims;

static int lock(int fd, bool alone)
{
	if (nclaims == CLAIMS_MAX)
		return -EMFILE;
	if (flock(fd, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

int claim_take(int dir_fd, bool alone)
{
	int r = lock(dir_fd, alone);

	if (r < 0)
		close(dir_fd);
	else
		claims[nclaims++] = dir_fd;
	return r;
}

size_t claim_fds(const int **ret)
{
	*ret = claims;
	return nclaims;
}

void claim_drop(void)
{
	while (nclaims)
		close(claims[--nclaims]);
}
