// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * After the device failed the write of a newly allocated block, the file shows what the block held
 * before: another file's content. Needs ext4, and a kernel with CONFIG_FAIL_MAKE_REQUEST and
 * debugfs mounted on /sys/kernel/debug, as errors are made by it. See docs/FINDINGS.md.
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: ext4-failed-writeback-stale DIRECTORY [IGNORED]  (a small filesystem on a device of its
 *                                       own, so that its free blocks can be given a pattern first)
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
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PAGE	 4096
#define PAGES	 64
#define STORED	 0x11 /* what is written to the file under test */
#define OLD	 0x5a /* what the blocks held before, in a file since deleted */
#define FILL_MAX (256 << 20)
#define FAULT	 "/sys/kernel/debug/fail_make_request/"

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

/* For an instant, in which nobody but us should write: the journal was committed just before. */
static int errors(const char *device, int on)
{
	int r = 0;

	r |= put(FAULT "probability", "0");
	if (on) {
		r |= put(FAULT "interval", "1");
		r |= put(FAULT "times", "1000");
		r |= put(FAULT "space", "0");
		r |= put(FAULT "verbose", "0");
		r |= put(FAULT "task-filter", "N");
	}
	r |= put(device, on ? "1" : "0");
	if (on)
		r |= put(FAULT "probability", "100");
	return r;
}

/* Pages that are neither zeros, which the hole had, nor what was written. */
static int count_old(int fd)
{
	static char page[PAGE];
	int n = 0;

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	for (int i = 0; i < PAGES; i++)
		if (pread(fd, page, PAGE, (off_t)i * PAGE) == PAGE && page[PAGE / 2] == OLD)
			n++;
	return n;
}

static int try(int fd, const char *device)
{
	static char buf[PAGES * PAGE];
	int told, old;

	memset(buf, STORED, sizeof(buf));
	if (pwrite(fd, buf, sizeof(buf), 0) != (ssize_t)sizeof(buf))
		return skip("pwrite");
	if (errors(device, 1) < 0) {
		errors(device, 0);
		return skip(
			"fail_make_request, /proc/self/make-it-fail or make-it-fail of the device");
	}
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	errors(device, 0);
	told = fsync(fd);
	old = count_old(fd);
	printf("%s: %d of %d pages of a file whose blocks the device refused to write (fsync then: "
	       "%s) "
	       "read as 0x%02x, the content of a deleted file\n",
	       old ? "SHOWN" : "not shown", old, PAGES, told < 0 ? strerror(errno) : "0", OLD);
	return old ? 1 : 0;
}

int main(int argc, char **argv)
{
	char path[4096], device[128];
	struct stat st;
	int fd, r;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 77;
	}
	snprintf(path, sizeof(path), "%s/failed-writeback-stale", argv[1]);
	if (access(FAULT "probability", W_OK) < 0)
		return skip(FAULT);
	if (fill_free_blocks(path) < 0)
		return skip(path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || ftruncate(fd, (off_t)PAGES * PAGE) < 0 || fsync(fd) < 0)
		return skip(path);
	snprintf(device, sizeof(device), "/sys/dev/block/%u:%u/make-it-fail", major(st.st_dev),
		 minor(st.st_dev));
	r = try(fd, device);
	close(fd);
	unlink(path);
	return r;
}
