// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XFS before Linux 6.12: FALLOC_FL_UNSHARE_RANGE on a file in which nothing is shared any more
 * takes the preallocated blocks of the copy-on-write fork away from under dirty pages. A write to a
 * hole that had been promised such blocks is dropped by writeback; fsync(2) returns 0, and the page
 * reads as zeros once it is out of the cache. One process, no timing. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: xfs-unshare-loses-write DIRECTORY
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK  4096L
#define BLOCKS 64L
#define HOLE   3L /* written last, and lost */

static char data[BLOCKS * BLOCK];

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

static int put(int fd, int letter, long from, long blocks)
{
	memset(data, letter, (size_t)(blocks * BLOCK));
	return pwrite(fd, data, (size_t)(blocks * BLOCK), from * BLOCK) == blocks * BLOCK ? 0 : -1;
}

int main(int argc, char **argv)
{
	int dir = argc >= 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, fd;
	struct file_clone_range range = { .src_offset = (unsigned long long)(51 * BLOCK),
					  .src_length = (unsigned long long)(7 * BLOCK),
					  .dest_offset = (unsigned long long)(15 * BLOCK) };
	char seen;

	if (dir < 0)
		return skip("usage: xfs-unshare-loses-write DIRECTORY");
	fd = openat(dir, "xfs-unshare-loses-write.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || unlinkat(dir, "xfs-unshare-loses-write.tmp", 0) < 0)
		return skip(argv[1]);
	if (put(fd, 'a', 0, BLOCKS) < 0 || fsync(fd) < 0)
		return skip("write");
	/* Blocks 15 to 21 share with 51 to 57. */
	range.src_fd = fd;
	if (ioctl(fd, FICLONERANGE, &range) < 0)
		return skip("FICLONERANGE");
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HOLE * BLOCK, 9 * BLOCK) < 0)
		return skip("FALLOC_FL_PUNCH_HOLE");
	/* This is copied on write, into blocks that are preallocated for 0 to 31, the hole too. */
	if (put(fd, 'c', 15, 4) < 0 || fsync(fd) < 0)
		return skip("write");
	if (put(fd, 'b', HOLE, 1) < 0)
		return skip("write");
	/* Now nothing is shared, and the unsharing finds that: it sends the preallocation back. */
	if (ftruncate(fd, 35 * BLOCK) < 0)
		return skip("ftruncate");
	if (fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 50 * BLOCK, 2 * BLOCK) < 0)
		return skip("FALLOC_FL_UNSHARE_RANGE");
	if (fsync(fd) < 0)
		return skip("fsync");
	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0 ||
	    pread(fd, &seen, 1, HOLE * BLOCK) != 1)
		return skip("pread");
	if (seen == 'b')
		return 0;
	printf("SHOWN: a block was written and fsync returned 0; out of the cache it reads as "
	       "0x%02x, not 'b'\n",
	       (unsigned int)(unsigned char)seen);
	return 1;
}
