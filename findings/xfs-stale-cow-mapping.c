// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A writeback pass of XFS that had to wait for a page writes the next one through a copy-on-write
 * mapping from before the wait. If the block was given to a clone meanwhile, the clone changes.
 * Needs root, /dev/fuse, loop devices, and mkfs.xfs. See docs/FINDINGS.md.
 *
 * The disk is a file of a FUSE server in this program, so that one write can be held back for as
 * long as the rest takes: no timing is involved.
 *
 *	page 0	shared		page 1	not shared	page 2	shared
 *
 * Stands alone on purpose: nothing of stressd may come in, so that it can go to a mailing list.
 *
 * usage: xfs-stale-cow-mapping DIRECTORY [free]  (an empty directory to work in; free: the write is
 *                                               not held back, and nothing may show)
 * exit:  0 not shown, 1 shown, 77 cannot run here
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define DISK  (512L << 20)
#define HELD  'H' /* a page that is full of it is held back while the gate is closed */
#define IOMAX (1 << 20)

/* ---- the disk: a FUSE server whose root is one file, in a process of its own ---------------- */

static volatile int *gate_closed, *holding; /* shared with the server */

static int reply(int fuse, unsigned long unique, int error, const void *data, size_t size)
{
	static char out[IOMAX + sizeof(struct fuse_out_header)];
	struct fuse_out_header h = { .len = (unsigned)(sizeof(h) + size),
				     .error = error,
				     .unique = unique };

	memcpy(out, &h, sizeof(h));
	if (size)
		memcpy(out + sizeof(h), data, size);
	return write(fuse, out, sizeof(h) + size) < 0 ? -1 : 0;
}

static int is_held(const struct fuse_write_in *w)
{
	const char *p = (const char *)(w + 1);

	for (unsigned at = 0; at + PAGE <= w->size; at += PAGE)
		if (p[at] == HELD && !memcmp(p + at, p + at + 1, PAGE - 1))
			return 1;
	return 0;
}

static void serve_one(int fuse, char *disk, const struct fuse_in_header *in, unsigned long *held)
{
	const void *arg = in + 1;
	struct fuse_attr attr = { .ino = 1, .size = DISK, .mode = S_IFREG | 0600, .nlink = 1 };

	switch (in->opcode) {
	case FUSE_INIT: {
		const struct fuse_init_in *i = arg;
		struct fuse_init_out o = { .major = FUSE_KERNEL_VERSION,
					   .minor = FUSE_KERNEL_MINOR_VERSION,
					   .flags = i->flags & (FUSE_ASYNC_READ | FUSE_ASYNC_DIO |
								FUSE_BIG_WRITES),
					   .max_background = 64,
					   .congestion_threshold = 64,
					   .max_write = 128 << 10 };
		reply(fuse, in->unique, 0, &o, sizeof(o));
		return;
	}
	case FUSE_GETATTR:
	case FUSE_SETATTR: {
		struct fuse_attr_out o = { .attr_valid = 3600, .attr = attr };
		reply(fuse, in->unique, 0, &o, sizeof(o));
		return;
	}
	case FUSE_OPEN: {
		struct fuse_open_out o = { .open_flags = 0 };
		reply(fuse, in->unique, 0, &o, sizeof(o));
		return;
	}
	case FUSE_READ: {
		const struct fuse_read_in *r = arg;
		reply(fuse, in->unique, 0, disk + r->offset, r->size);
		return;
	}
	case FUSE_WRITE: {
		const struct fuse_write_in *w = arg;
		struct fuse_write_out o = { .size = w->size };

		memcpy(disk + w->offset, w + 1, w->size);
		if (*gate_closed && is_held(w)) {
			held[0] = in->unique;
			held[1] = w->size;
			*holding = 1;
			return;
		}
		reply(fuse, in->unique, 0, &o, sizeof(o));
		return;
	}
	case FUSE_FSYNC:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(fuse, in->unique, 0, NULL, 0);
		return;
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		reply(fuse, in->unique, -ENOSYS, NULL, 0);
	}
}

static void serve(int fuse)
{
	static char in[IOMAX];
	char *disk = mmap(NULL, DISK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long held[2] = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (disk != MAP_FAILED) {
		struct pollfd p = { .fd = fuse, .events = POLLIN };

		poll(&p, 1, held[0] ? 10 : 1000);
		if (held[0] && !*gate_closed) {
			struct fuse_write_out o = { .size = (unsigned)held[1] };
			reply(fuse, held[0], 0, &o, sizeof(o));
			held[0] = 0;
		}
		if (!(p.revents & POLLIN))
			continue;
		if (read(fuse, in, sizeof(in)) < (ssize_t)sizeof(struct fuse_in_header)) {
			if (errno == EINTR || errno == ENOENT || errno == EAGAIN)
				continue;
			break; /* unmounted */
		}
		serve_one(fuse, disk, (const void *)in, held);
	}
	_exit(0);
}

/* ---- mkfs and mount on it ------------------------------------------------------------------ */

static char disk_path[4000], mnt[4000], loop_path[64];
static int loop = -1;
static pid_t server;

static int skip(const char *what)
{
	fprintf(stderr, "cannot run: %s: %s\n", what, strerror(errno));
	return 77;
}

static int run(const char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, 1);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

static int set_up(const char *dir)
{
	char options[100];
	struct stat st; /* makes the kernel ask for the size of the disk */
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC), control, file, fd;

	if (fuse < 0)
		return skip("/dev/fuse");
	snprintf(disk_path, sizeof(disk_path), "%s/disk", dir);
	snprintf(mnt, sizeof(mnt), "%s/mnt", dir);
	fd = open(disk_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) || mkdir(mnt, 0700))
		return skip(dir);
	server = fork();
	if (server == 0)
		serve(fuse);
	snprintf(options, sizeof(options), "fd=%d,rootmode=100600,user_id=0,group_id=0", fuse);
	if (mount("gate", disk_path, "fuse", MS_NOSUID | MS_NODEV, options))
		return skip("mount fuse");
	close(fuse);

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return skip("/dev/loop-control");
	snprintf(loop_path, sizeof(loop_path), "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	loop = open(loop_path, O_RDWR | O_CLOEXEC);
	file = open(disk_path, O_RDWR | O_CLOEXEC);
	struct loop_config config = { .fd = (unsigned)file,
				      .info.lo_flags = LO_FLAGS_DIRECT_IO | LO_FLAGS_AUTOCLEAR };
	if (loop < 0 || file < 0 || fstat(file, &st) || ioctl(loop, LOOP_CONFIGURE, &config))
		return skip(loop_path);
	close(file);
	if (run((const char *const[]){ "mkfs.xfs", "-q", "-f", "-K", "-m", "reflink=1", loop_path,
				       NULL }))
		return skip("mkfs.xfs");
	if (mount(loop_path, mnt, "xfs", 0, NULL))
		return skip("mount xfs");
	return 0;
}

static void put_back(void)
{
	*gate_closed = 0;
	umount(mnt);
	if (loop >= 0)
		close(loop);
	for (int i = 0; i < 100 && umount(disk_path) && errno == EBUSY; i++)
		usleep(20000); /* the loop device lets go a little after its last close */
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	rmdir(mnt);
	unlink(disk_path);
}

/* ---- the sequence -------------------------------------------------------------------------- */

static int fill(int fd, int page, int value)
{
	char buf[PAGE];

	memset(buf, value, sizeof(buf));
	return pwrite(fd, buf, PAGE, (off_t)page * PAGE) == PAGE ? 0 : -1;
}

static int clone_page(int from, int page, int to, int to_page)
{
	struct file_clone_range r = { .src_fd = from,
				      .src_offset = (unsigned)page * PAGE,
				      .src_length = PAGE,
				      .dest_offset = (unsigned)to_page * PAGE };

	return ioctl(to, FICLONERANGE, &r);
}

static int on_disk(const char *name)
{
	char path[4100];
	static char buf[PAGE] __attribute__((aligned(PAGE)));
	int fd;

	snprintf(path, sizeof(path), "%s/%s", mnt, name);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || pread(fd, buf, PAGE, 0) != PAGE)
		buf[0] = '?';
	if (fd >= 0)
		close(fd);
	return buf[0];
}

static int file_in_mnt(const char *name)
{
	char path[4100];

	snprintf(path, sizeof(path), "%s/%s", mnt, name);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static volatile int pass_tid;

static void *pass(void *fd)
{
	pass_tid = (int)gettid();
	fsync(*(int *)fd);
	return NULL;
}

/* Until the pass sleeps in the kernel for page 1: state D, and its page is the one held back. */
static void wait_for_pass(void)
{
	char path[64], line[512];

	for (;;) {
		FILE *f;
		char *state = NULL;

		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", pass_tid);
		f = pass_tid ? fopen(path, "re") : NULL;
		if (f && fgets(line, sizeof(line), f))
			state = strrchr(line, ')');
		if (f)
			fclose(f);
		if (state && state[2] == 'D')
			return;
		usleep(1000);
	}
}

static int sequence(int hold)
{
	int f = file_in_mnt("file"), old = file_in_mnt("old"), clone = file_in_mnt("clone");
	pthread_t thread;
	int before, after;

	for (int page = 0; page < 3; page++)
		if (fill(f, page, 'a'))
			return skip("write");
	fsync(f);
	if (clone_page(f, 0, old, 0) || clone_page(f, 2, old, 1))
		return skip("FICLONERANGE");

	/* 1. Page 1 is under writeback, in place, and the disk does not answer. */
	*gate_closed = hold;
	if (fill(f, 1, HELD) ||
	    sync_file_range(f, PAGE, PAGE,
			    hold ? SYNC_FILE_RANGE_WRITE
				 : SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return skip("sync_file_range");
	while (hold && !*holding)
		usleep(1000);

	/* 2. All three are dirty; 0 and 2 need copying, and one preallocation covers the three. */
	fill(f, 0, 'b');
	fill(f, 1, 'h');
	fill(f, 2, 'b');

	/* 3. A pass maps page 0 to the copy-on-write extent, and waits for page 1. */
	pthread_create(&thread, NULL, pass, &f);
	if (hold)
		wait_for_pass();
	else
		pthread_join(thread, NULL);

	/* 4. A clone of page 2 writes it, which moves its block to the file, and shares the block.
	 */
	if (clone_page(f, 2, clone, 0))
		return skip("FICLONERANGE of the dirty page");
	before = on_disk("clone");

	/* 5. Page 2 is written again: it has to go to a new block. */
	fill(f, 2, 'c');
	*gate_closed = 0;
	if (hold)
		pthread_join(thread, NULL);
	fsync(f);
	close(f);
	close(old);
	close(clone);
	after = on_disk("clone");
	printf("%s: the clone of page 2 holds '%c', and '%c' after page 2 of the other file was "
	       "overwritten with 'c'\n",
	       before == after ? "not shown" : "SHOWN", before, after);
	return before == after ? 0 : 1;
}

int main(int argc, char **argv)
{
	int hold = !(argc == 3 && !strcmp(argv[2], "free"));
	int status;

	if (argc < 2)
		return errno = EINVAL, skip("usage: xfs-stale-cow-mapping DIRECTORY [free]");
	gate_closed = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (gate_closed == MAP_FAILED)
		return skip("mmap");
	holding = gate_closed + 1;
	status = set_up(argv[1]);
	if (status == 0)
		status = sequence(hold);
	put_back();
	return status;
}
