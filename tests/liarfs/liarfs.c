// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * liarfs MOUNTPOINT: a filesystem in memory that tells lies on demand, to test those who look
 * for them. Here: the command line, the mount, the threads and the end. What it does with
 * requests is in ops.c, what lies there are in lie_kinds.c.
 */
#define FUSE_USE_VERSION 312
#include "liarfs.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* More than LIES_HELD_MAX, so that some always serve. */
#define THREADS 16
_Static_assert(THREADS >= 2 * LIES_HELD_MAX, "held requests must not use up the threads");

static int usage(FILE *out, int ret)
{
	fputs("usage: liarfs [--writeback] [--invalidate] [--die-with-parent] [--remove] "
	      "MOUNTPOINT\n"
	      "\n"
	      "Mounts, says \"ready\" on stdout and serves until SIGTERM or SIGINT.\n"
	      "  --writeback        let the kernel cache writes (default: write through)\n"
	      "  --invalidate       drop the kernel's pages when a lie changed what is stored\n"
	      "  --die-with-parent  end when the thread that started this ends\n"
	      "  --remove           remove the mount point at the end\n"
	      "\n"
	      "Write to MOUNTPOINT/" CONTROL_NAME
	      ": KIND FILE OFFSET LENGTH [TIMES] [KEY=VALUE ...]\n"
	      "(LENGTH 0: to the end; FILE *: any), \"none\", or \"release\". Read it for the "
	      "count.\n"
	      "A lie that would be the truth is not told. A lie of bytes is moved by at=read, "
	      "write "
	      "or now, or to\n"
	      "where a range is allocated: at=allocate, if it meets that, or at=beside, if it does "
	      "not.\n"
	      "\n",
	      out);
	for (const struct lie_kind *k = lie_kinds; k->name; k++)
		fprintf(out, "  %-14s %s\n", k->name, k->help);
	return ret;
}

static void *serve(void *arg)
{
	struct liarfs *fs = arg;
	struct fuse_buf buf = { 0 };

	/* Cancelled while it waits for a request, and nowhere else. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!fuse_session_exited(fs->se)) {
		int ret;

		pthread_cleanup_push(freep, &buf.mem);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		ret = fuse_session_receive_buf(fs->se, &buf);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
		pthread_cleanup_pop(0);
		if (ret == -EINTR)
			continue;
		if (ret <= 0)
			break;
		fuse_session_process_buf(fs->se, &buf);
	}
	free(buf.mem);
	kill(getpid(), SIGTERM); /* unmounted from outside: main waits for a signal */
	return NULL;
}

static int run(struct liarfs *fs, const sigset_t *stop)
{
	pthread_t threads[THREADS];
	size_t n = 0;
	int sig;

	while (n < THREADS && pthread_create(&threads[n], NULL, serve, fs) == 0)
		n++;
	if (n == THREADS) {
		puts("ready");
		fflush(stdout);
		sigwait(stop, &sig);
	}
	fuse_session_exit(fs->se);
	pthread_mutex_lock(&fs->lock);
	memset(fs->lies.slots, 0, sizeof(fs->lies.slots));
	lies_release(&fs->lies);
	pthread_mutex_unlock(&fs->lock);
	for (size_t i = 0; i < n; i++)
		pthread_cancel(threads[i]);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return n == THREADS ? 0 : 1;
}

static int mount_and_run(struct liarfs *fs, const char *mountpoint, const sigset_t *stop)
{
	char name[] = "liarfs";
	/* auto_unmount: a helper of libfuse unmounts when this process is killed. */
	char options[] =
		"-oauto_unmount,allow_other,default_permissions,fsname=liarfs,subtype=liarfs";
	char *argv[] = { name, options, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(2, argv);
	int ret = 1;

	fs->se = fuse_session_new(&args, &liarfs_ops, sizeof(liarfs_ops), fs);
	if (fs->se && fuse_session_mount(fs->se, mountpoint) == 0) {
		ret = run(fs, stop);
		fuse_session_unmount(fs->se);
	} else {
		fprintf(stderr,
			"liarfs: cannot mount on %s: is it an empty directory, /dev/fuse "
			"there, and fusermount3 installed?\n",
			mountpoint);
	}
	if (fs->se)
		fuse_session_destroy(fs->se);
	fuse_opt_free_args(&args);
	return ret;
}

/* The signal comes when the parent dies from now on; if it is dead already, say so. */
static int die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

/* The helper of auto_unmount ends when its socket closes, which libfuse leaves to exit; waited
 * for here, it is no zombie of init, and the mount point is free when this process has ended. */
static void reap_helper(void)
{
	close_range(STDERR_FILENO + 1, ~0U, 0);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "writeback", no_argument, NULL, 'w' },
		{ "invalidate", no_argument, NULL, 'i' },
		{ "die-with-parent", no_argument, NULL, 'd' },
		{ "remove", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct liarfs fs = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct rlimit files;
	bool remove_mountpoint = false;
	sigset_t stop;
	pid_t parent = getppid();
	int c, ret;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		fs.writeback |= c == 'w';
		fs.invalidate |= c == 'i';
		remove_mountpoint |= c == 'r';
		if (c == 'h')
			return usage(stdout, 0);
		if (c == '?' || (c == 'd' && die_with_parent(parent) < 0))
			return usage(stderr, 2);
	}
	if (argc - optind != 1)
		return usage(stderr, 2);
	/* Every file is a descriptor. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* Blocked in every thread, and waited for in main: no handler, no race with a wait. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	lies_init(&fs.lies);
	if (tree_init(&fs.tree) < 0) {
		fputs("liarfs: out of memory\n", stderr);
		return 1;
	}
	ret = mount_and_run(&fs, argv[optind], &stop);
	tree_free(&fs.tree);
	reap_helper();
	if (remove_mountpoint)
		rmdir(argv[optind]);
	return ret;
}
