// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ext4 with CONFIG_EXT4_DEBUG logs "ext4_convert_unwritten_extents_endio: ... finished: extent
 * logical block ..." when fallocate() allocates beside a page under writeback: the two unwritten
 * extents are merged, and the end of the write has to split them again. See docs/FINDINGS.md.
 * Data is checked on the way: what fdatasync() acknowledged must read back.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: ext4-convert-unwritten-warning DIRECTORY [SECONDS]
 * exit:  0 not shown, 1 shown, 77 cannot run here (the kernel log needs CAP_SYSLOG)
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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define PAGE  4096
#define PAGES 512
#define SITE  "ext4_convert_unwritten_extents_endio"

static atomic_int stop;
static atomic_long at; /* the page that is being written */
static int fd;

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

/* Allocate the page behind the one under writeback, again and again. */
static void *allocator(void *arg)
{
	(void)arg;
	while (!stop)
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, (at + 1) * PAGE, PAGE) && errno != ENOSPC)
			stop = 1;
	return NULL;
}

/* Write and sync every other page of an empty file; returns how many do not read back. */
static int round_of_writes(unsigned char seed)
{
	char in[PAGE], out[PAGE];
	int lost = 0;

	if (ftruncate(fd, 0))
		stop = 1;
	memset(out, seed, PAGE);
	for (long i = 0; i < PAGES; i += 2) {
		at = i;
		if (pwrite(fd, out, PAGE, i * PAGE) != PAGE || fdatasync(fd))
			stop = 1;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (long i = 0; i < PAGES && !stop; i += 2)
		lost += pread(fd, in, PAGE, i * PAGE) != PAGE || memcmp(in, out, PAGE);
	return lost;
}

/* What the kernel's line about this file starts and goes on with: other mounts may log as well. */
static int expected_line(char *device, char *inode, size_t size)
{
	char link[64], target[4096] = "";
	struct stat st;

	if (fstat(fd, &st))
		return -1;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (readlink(link, target, sizeof(target) - 1) < 0)
		snprintf(target, sizeof(target), "/none");
	snprintf(device, size, "(device %.64s): " SITE, strrchr(target, '/') + 1);
	snprintf(inode, size, "Inode (%lu) finished", (unsigned long)st.st_ino);
	return 0;
}

/* The line that the kernel wrote since the last call, if it did. */
static int warned(int kmsg, const char *device, const char *inode, char *line, size_t size)
{
	ssize_t n;

	while ((n = read(kmsg, line, size - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = 0;
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, device) && strstr(line, inode))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	char path[4096], line[8192], device[128], inode[128];
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 10);
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), lost = 0, shown = 0;
	pthread_t thread;
	long rounds = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [SECONDS]\n", argv[0]);
		return 77;
	}
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		return skip("/dev/kmsg");
	snprintf(path, sizeof(path), "%s/ext4-convert-unwritten-warning.data", argv[1]);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, PAGE) ||
	    expected_line(device, inode, sizeof(device))) {
		unlink(path);
		return skip("a file with fallocate()");
	}
	if (pthread_create(&thread, NULL, allocator, NULL))
		return skip("a thread");
	for (; time(NULL) < end && !shown && !lost && !stop; rounds++) {
		lost = round_of_writes((unsigned char)(rounds + 1));
		shown = warned(kmsg, device, inode, line, sizeof(line));
	}
	stop = 1;
	pthread_join(thread, NULL);
	unlink(path);
	if (lost)
		printf("DATA LOST: %d pages do not read back after fdatasync()\n", lost);
	else if (shown)
		printf("SHOWN in round %ld, all data reads back: %s\n", rounds,
		       strchr(line, ';') ? strchr(line, ';') + 1 : line);
	else
		printf("not shown: %ld rounds of %d writes beside fallocate()\n", rounds,
		       PAGES / 2);
	return shown || lost;
}
