// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A direct read of a hole returns what the disk held before, when a page fault allocates the block
 * between the read's page-cache flush and its look-up. Needs ext4 with -o nodelalloc, where the
 * fault allocates a written block at once. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: ext4-dio-read-stale DIRECTORY [SECONDS]      (a small filesystem, so that its free
 *                                                      blocks can be given a pattern first)
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	 4096
#define PAGES	 1024
#define STORED	 0x11 /* the only byte but zero that is ever written to the file under test */
#define OLD	 0x5a /* what the blocks held before, in a file since deleted */
#define FILL_MAX (256 << 20)

static char *map;
static atomic_long at; /* the page that the writer is about to touch */
static atomic_int stop;

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

/* Give the free blocks a pattern, as if another owner had deleted a file. */
static int fill_free_blocks(const char *path)
{
	static char buf[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		return -1;
	memset(buf, OLD, sizeof(buf));
	for (long done = 0; done < FILL_MAX; done += (long)sizeof(buf))
		if (write(fd, buf, sizeof(buf)) != (ssize_t)sizeof(buf))
			break;
	fsync(fd);
	close(fd);
	unlink(path);
	sync(); /* ext4 gives deleted blocks out again after the commit */
	return 0;
}

static void *writer(void *arg)
{
	int fd = *(int *)arg;

	while (!stop) {
		for (long i = 0; i < PAGES && !stop; i++) {
			at = i;
			*(volatile char *)(map + i * PAGE) = STORED;
		}
		if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGES * PAGE))
			stop = 1;
	}
	return NULL;
}

/* Read just ahead of the writer until a byte shows that nobody wrote; true when it did. */
static int read_ahead_of_writer(int fd, int seconds, unsigned char *buf, long *ret_reads)
{
	time_t end = time(NULL) + seconds;

	for (; time(NULL) < end && !stop; (*ret_reads)++) {
		long page = (at + *ret_reads % 4) % PAGES;

		if (pread(fd, buf, PAGE, page * PAGE) != PAGE)
			continue; /* EIO beside a dirty page is documented */
		for (int i = 0; i < PAGE; i++) {
			if (buf[i] == 0 || (i == 0 && buf[i] == STORED))
				continue;
			printf("SHOWN after %ld direct reads: byte %d of page %ld, which is 0 "
			       "or 0x%02x by right, reads as 0x%02x%s\n",
			       *ret_reads, i, page, i ? 0 : STORED, buf[i],
			       buf[i] == OLD ? ", the content of a deleted file" : "");
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static unsigned char buf[PAGE] __attribute__((aligned(PAGE)));
	char path[4096];
	pthread_t thread;
	long reads = 0;
	int fd, direct, shown;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [SECONDS]\n", argv[0]);
		return 77;
	}
	snprintf(path, sizeof(path), "%s/ext4-dio-read-stale.data", argv[1]);
	if (fill_free_blocks(path))
		return skip(path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	direct = open(path, O_RDONLY | O_DIRECT);
	if (fd < 0 || direct < 0 || ftruncate(fd, PAGES * PAGE)) {
		unlink(path);
		return skip("a file that can be read with O_DIRECT");
	}
	map = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || pthread_create(&thread, NULL, writer, &fd)) {
		unlink(path);
		return skip("mmap or thread");
	}
	shown = read_ahead_of_writer(direct, argc > 2 ? atoi(argv[2]) : 10, buf, &reads);
	stop = 1;
	pthread_join(thread, NULL);
	unlink(path);
	if (!shown)
		printf("not shown: %ld direct reads\n", reads);
	return shown;
}
