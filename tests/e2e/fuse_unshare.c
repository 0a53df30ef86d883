// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unsharing for a filesystem in user space. FUSE passes FALLOC_FL_UNSHARE_RANGE to no server: the
 * kernel says EOPNOTSUPP by itself. What is left of it where nothing is shared is an allocation,
 * which it does pass on. Linked into a stressd of its own, in place of the library's function.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return (int)syscall(SYS_fallocate, fd, mode & ~FALLOC_FL_UNSHARE_RANGE, offset, len);
}
