// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A buffered write that stops in the middle of a block over a hole leaves freed kernel memory in
 * the rest of that block: 512 bytes at offset 0, of which the source has 256. One process, one
 * system call, no privilege. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: xfs-short-write-uninit DIRECTORY [ATTEMPTS]
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define READABLE 256 /* bytes that the source has: less than any block */
#define ASKED	 512
#define FILE_LEN 65536
#define DATA	 0x11
#define POISON	 0x5a
#define FREED	 (8 << 20)

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

/* The pages that this process frees last are those that the page cache gets next on this CPU: if
 * they are single ones. Huge ones go elsewhere, and newer kernels align such a mapping for them. */
static int poison_free_memory(void)
{
	void *p = mmap(NULL, FREED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	madvise(p, FREED, MADV_NOHUGEPAGE);
	memset(p, POISON, FREED);
	return munmap(p, FREED);
}

/* READABLE bytes, and behind them a page that faults. */
static char *short_source(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE))
		return NULL;
	memset(p, DATA, page);
	return p + page - READABLE;
}

/* Count the poison in the file from "from" on; ret_first is where it starts. */
static int count_poison(int fd, ssize_t from, long *ret_first)
{
	static unsigned char buf[FILE_LEN] __attribute__((aligned(4096)));
	ssize_t len = pread(fd, buf, sizeof(buf), 0);
	int found = 0;

	for (ssize_t i = from; i < len; i++)
		if (buf[i] == POISON && !found++)
			*ret_first = (long)i;
	return found;
}

/* One attempt in an empty file; returns the bytes of poison that are readable in it, or -1. */
static int attempt(const char *path, const char *source, ssize_t *ret_written, long *ret_first,
		   int *ret_on_disk)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), direct, found = -1;
	long ignored;

	if (fd < 0)
		return -1;
	if (!ftruncate(fd, FILE_LEN) && !poison_free_memory()) {
		*ret_written = pwrite(fd, source, ASKED, 0);
		found = count_poison(fd, *ret_written < 0 ? 0 : *ret_written, ret_first);
	}
	direct = found > 0 && !fsync(fd) ? open(path, O_RDONLY | O_DIRECT) : -1;
	if (direct >= 0) {
		*ret_on_disk = count_poison(direct, *ret_written, &ignored);
		close(direct);
	}
	close(fd);
	return found;
}

int main(int argc, char **argv)
{
	char path[4096], *source = short_source();
	int attempts = argc > 2 ? atoi(argv[2]) : 100, bad = 0, on_disk = 0, found = 0;
	ssize_t written = 0;
	long first = 0;
	cpu_set_t cpu;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY [ATTEMPTS]\n", argv[0]);
		return 77;
	}
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	snprintf(path, sizeof(path), "%s/xfs-short-write-uninit.data", argv[1]);
	if (!source || sched_setaffinity(0, sizeof(cpu), &cpu))
		return skip("memory or CPU affinity");

	for (int i = 0; i < attempts && found >= 0; i++) {
		found = attempt(path, source, &written, &first, &on_disk);
		bad += found > 0;
	}
	if (found < 0)
		return skip(path);
	unlink(path);
	if (!bad) {
		printf("not shown: %d short writes, no foreign byte\n", attempts);
		return 0;
	}
	printf("SHOWN in %d of %d: pwrite(%d bytes at 0) of which %d are readable returned %zd; "
	       "freed memory (0x%02x) reads from offset %ld, %d bytes of it on disk after fsync\n",
	       bad, attempts, ASKED, READABLE, written, POISON, first, on_disk);
	return 1;
}
