// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A write that begins beyond the end of the file and fails makes the file longer. On XFS before
 * Linux 6.11 up to the end of its last block: xfs_file_write_checks() zeroes from the old end up to
 * the write, iomap_zero_iter() ends in iomap_write_end(), which moves i_size, and then the write
 * finds no space, no quota or, as here, no source. On ext4 and tmpfs of 6.18 up to where the write
 * began: a copy of nothing is ended like any other. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: failed-write-moves-eof DIRECTORY [ON TMPFS]
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SIZE 100       /* within the first block */
#define FAR  (1 << 20) /* where the write begins */

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

int main(int argc, char **argv)
{
	int dir = argc >= 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, fd;
	char data[SIZE] = "data";
	struct statfs fs;
	struct stat st;
	void *nothing;
	ssize_t n;

	if (dir < 0)
		return skip("usage: failed-write-moves-eof DIRECTORY");
	/* It does the like by itself: shmem_write_end() takes the begin of the write for the end.
	 */
	if (fstatfs(dir, &fs) == 0 && fs.f_type == TMPFS_MAGIC) {
		errno = EOPNOTSUPP;
		return skip("tmpfs");
	}
	fd = openat(dir, "failed-write-moves-eof.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || unlinkat(dir, "failed-write-moves-eof.tmp", 0) < 0)
		return skip(argv[1]);
	nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (nothing == MAP_FAILED || write(fd, data, SIZE) != SIZE)
		return skip("write");
	n = pwrite(fd, nothing, 4096, FAR);
	if (n >= 0 || errno != EFAULT)
		return skip("a write from memory that cannot be read");
	if (fstat(fd, &st) < 0)
		return skip("fstat");
	printf("%d bytes; pwrite at %d fails (%s); then %lld bytes\n", SIZE, FAR, strerror(EFAULT),
	       (long long)st.st_size);
	if (st.st_size == SIZE)
		return 0;
	printf("SHOWN: a write that failed made the file longer\n");
	return 1;
}
