// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A direct write to btrfs that finds no memory gives back a reservation that it no longer has, and
 * so another's. Fails the first, second, third ... allocation of direct writes
 * (/proc/self/fail-nth) and compares the filesystem's own count of reserved bytes before and after,
 * while a megabyte of another file is dirty. Needs root, a kernel with CONFIG_FAILSLAB, and debugfs
 * mounted on /sys/kernel/debug. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: btrfs-dio-reservation-twice DIRECTORY [IGNORED]
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIRTY	 (1 << 20) /* of another file */
#define SIZE	 (64 << 10)
#define NTH_MAX	 300
#define SPARED	 "/sys/kernel/debug/failslab/ignore-gfp-wait"
#define FAIL_NTH "/proc/self/fail-nth"

static char count_path[200];
static int nth_fd;

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Bytes of data that are reserved and have no place on the device yet. */
static long reserved(void)
{
	FILE *f = fopen(count_path, "re");
	long n = -1;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static int find_count(int dir)
{
	struct btrfs_ioctl_fs_info_args info = { 0 };
	const unsigned char *id = info.fsid;
	char uuid[40], *p = uuid;

	if (ioctl(dir, BTRFS_IOC_FS_INFO, &info) < 0)
		return -1;
	for (int i = 0; i < 16; i++)
		p += sprintf(p, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
	snprintf(count_path, sizeof(count_path), "/sys/fs/btrfs/%s/allocation/data/bytes_may_use",
		 uuid);
	return reserved() < 0 ? -1 : 0;
}

static int file(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | flags, 0600);

	if (fd >= 0)
		unlinkat(dir, name, 0);
	return fd;
}

/* How many allocations there were to come before the one that was to fail; 0: it failed. */
static int write_failing(int fd, const void *data, int nth, int *ret_error)
{
	char text[16] = "";

	snprintf(text, sizeof(text), "%d", nth);
	if (pwrite(nth_fd, text, strlen(text), 0) < 0)
		return -1;
	*ret_error = pwrite(fd, data, SIZE, 0) < 0 ? errno : 0;
	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0 || pwrite(nth_fd, "0", 1, 0) < 0)
		return -1;
	return atoi(text);
}

static int look(int direct, int dirty, const void *data)
{
	long before, after;
	int left, error;

	for (int nth = 1; nth < NTH_MAX; nth++) {
		/* Written back in the meantime it would hold no reservation. */
		if (pwrite(dirty, data, DIRTY, 0) != DIRTY)
			return skip("write");
		before = reserved();
		left = write_failing(direct, data, nth, &error);
		after = reserved();
		if (left < 0)
			return skip(FAIL_NTH);
		if (left > 0) {
			printf("a direct write makes %d allocations; whichever fails, as much is "
			       "reserved as before\n",
			       nth - 1);
			return 0;
		}
		if (!error || before - after != SIZE)
			continue;
		printf("%ld bytes are reserved for dirty pages; the direct write of %d bytes fails "
		       "(allocation %d: %s); %ld are reserved\n",
		       before, SIZE, nth, strerror(error), after);
		printf("SHOWN: a direct write that failed took another file's reservation\n");
		return 1;
	}
	errno = E2BIG;
	return skip("allocations of a direct write");
}

int main(int argc, char **argv)
{
	int dir = argc >= 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, direct, dirty, r;
	struct statfs fs;
	void *data;

	if (dir < 0 || fstatfs(dir, &fs) < 0)
		return skip("usage: btrfs-dio-reservation-twice DIRECTORY");
	errno = EOPNOTSUPP;
	if (fs.f_type != BTRFS_SUPER_MAGIC || find_count(dir) < 0)
		return skip("a directory of btrfs");
	nth_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (nth_fd < 0 || access(SPARED, W_OK) < 0)
		return skip("CONFIG_FAILSLAB, root, and debugfs");
	dirty = file(dir, "btrfs-dio-reservation-twice.1", 0);
	direct = file(dir, "btrfs-dio-reservation-twice.2", O_DIRECT);
	data = aligned_alloc(4096, DIRTY);
	if (dirty < 0 || direct < 0 || !data)
		return skip(argv[1]);
	memset(data, 'd', DIRTY);
	if (pwrite(direct, data, SIZE, 0) != SIZE || fsync(direct) < 0 || put(SPARED, "N") < 0)
		return skip("direct write");
	r = look(direct, dirty, data);
	put(SPARED, "Y");
	return r;
}
