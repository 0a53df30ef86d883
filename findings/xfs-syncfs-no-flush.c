// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * syncfs(2) returns 0 while data that was written before lies in the volatile cache of the device:
 * no flush was sent after it. Beside it fsync(2), which sends one. Needs a filesystem on a block
 * device of its own that says it has such a cache (a loop device does). See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: xfs-syncfs-no-flush DIRECTORY [IGNORED]
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE   4096
#define PAGES  256
#define ROUNDS 200

/* Fields of /sys/block/DEV/stat. (Documentation/block/stat.rst) */
#define FIELDS	17
#define WRITES	4
#define FLUSHES 15

static char stat_path[128];

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

static int counts(unsigned long long v[FIELDS])
{
	FILE *f = fopen(stat_path, "re");
	int n = 0;

	while (f && n < FIELDS && fscanf(f, "%llu", &v[n]) == 1)
		n++;
	if (f)
		fclose(f);
	return n == FIELDS ? 0 : -1;
}

/* Has the device a cache that a flush empties? */
static int find_device(const char *dir)
{
	char path[128], mode[32] = "";
	struct stat st;
	FILE *f;

	if (stat(dir, &st) < 0)
		return -1;
	snprintf(stat_path, sizeof(stat_path), "/sys/dev/block/%u:%u/stat", major(st.st_dev),
		 minor(st.st_dev));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/write_cache", major(st.st_dev),
		 minor(st.st_dev));
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (!fgets(mode, sizeof(mode), f))
		mode[0] = '\0';
	fclose(f);
	errno = EOPNOTSUPP;
	return strncmp(mode, "write back", 10) ? -1 : 0;
}

/* Rounds in which the call returned 0, something had been written, and no flush came; -1. */
static int without_flush(int fd, int (*sync_it)(int))
{
	static char buf[PAGE];
	int bare = 0;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned long long before[FIELDS], after[FIELDS];

		memset(buf, i + 1, sizeof(buf));
		if (counts(before) < 0 ||
		    pwrite(fd, buf, PAGE, (off_t)(i % PAGES) * PAGE) != PAGE || sync_it(fd) < 0 ||
		    counts(after) < 0)
			return -1;
		bare += after[WRITES] > before[WRITES] && after[FLUSHES] == before[FLUSHES];
	}
	return bare;
}

int main(int argc, char **argv)
{
	static const char zeros[PAGE];
	char path[4096];
	int fd, by_syncfs, by_fsync;

	errno = EINVAL;
	if (argc < 2)
		return skip("usage: xfs-syncfs-no-flush DIRECTORY");
	if (find_device(argv[1]) < 0)
		return skip("no device with a volatile cache under it");
	snprintf(path, sizeof(path), "%s/syncfs-no-flush", argv[1]);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return skip(path);
	unlink(path);
	/* In place from here on: nothing of it is to be allocated. */
	for (int i = 0; i < PAGES; i++)
		if (pwrite(fd, zeros, PAGE, (off_t)i * PAGE) != PAGE)
			return skip("pwrite");
	fsync(fd);
	by_syncfs = without_flush(fd, syncfs);
	by_fsync = without_flush(fd, fsync);
	close(fd);
	if (by_syncfs < 0 || by_fsync < 0)
		return skip("pwrite, sync or the device's counts");
	printf("returned 0 with no flush after a write: syncfs %d of %d, fsync %d of %d\n",
	       by_syncfs, ROUNDS, by_fsync, ROUNDS);
	printf("%s\n",
	       by_syncfs ? "SHOWN: what syncfs promised is in a volatile cache" : "not shown");
	return by_syncfs ? 1 : 0;
}
