// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client: processes, the control file, and cleaning up. LIARFS_PATH is where the build puts
 * the server. Returns errors and never fails a test: it is not for cmocka alone.
 */
#include "liar_client.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define START_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS	 5000
#define OPTIONS_MAX	 8

static void exec_server(const char *mount, const char *const *options, int out)
{
	const char *argv[OPTIONS_MAX + 5] = { "liarfs", "--die-with-parent", "--remove" };
	size_t n = 3;
	sigset_t none;

	for (; options && *options && n < OPTIONS_MAX + 3; options++)
		argv[n++] = *options;
	argv[n] = mount;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(out, STDOUT_FILENO) >= 0)
		execv(LIARFS_PATH, (char *const *)argv);
	_exit(127);
}

/* The server says "ready", or ends. */
static int wait_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[16];
	ssize_t n;

	if (poll(&p, 1, START_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	n = read(fd, buf, sizeof(buf));
	return n == 6 && memcmp(buf, "ready\n", 6) == 0 ? 0 : -ECHILD;
}

int liar_start(struct liar *ret, const char *const *options)
{
	_cleanup_close_ int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int in = -1, out = -1;
	int fds[2], err;

	*ret = (struct liar){ .mount = "/tmp/liarfs-XXXXXX" };
	if (device < 0)
		return -ENODEV;
	if (!mkdtemp(ret->mount)) {
		ret->mount[0] = '\0';
		return -errno;
	}
	snprintf(ret->control, sizeof(ret->control), "%s/.liar", ret->mount);
	if (pipe2(fds, O_CLOEXEC) < 0) {
		err = -errno;
		liar_stop(ret);
		return err;
	}
	in = fds[0];
	out = fds[1];
	ret->pid = fork();
	if (ret->pid == 0)
		exec_server(ret->mount, options, out);
	close(take_fd(&out));
	err = ret->pid < 0 ? -EAGAIN : wait_ready(in);
	if (err < 0)
		liar_stop(ret);
	return err;
}

int liar_command(const struct liar *l, const char *fmt, ...)
{
	_cleanup_close_ int fd = open(l->control, O_WRONLY | O_CLOEXEC);
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (fd < 0 || len >= (int)sizeof(line))
		return fd < 0 ? -errno : -E2BIG;
	return write(fd, line, (size_t)len) == len ? 0 : -errno;
}

int liar_status(const struct liar *l, struct liar_status *ret)
{
	_cleanup_close_ int fd = open(l->control, O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n;

	*ret = (struct liar_status){ 0 };
	if (fd < 0)
		return -errno;
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return sscanf(text,
		      "armed %" SCNu64 " told %" SCNu64 " last-offset %" SCNu64
		      " last-length %" SCNu64 " held %u error %255[^\n]",
		      &ret->armed, &ret->told, &ret->last_offset, &ret->last_len_bytes, &ret->held,
		      ret->error) >= 5
		       ? 0
		       : -EPROTO;
}

/* Ask every millisecond until both are reached: the server has nobody it could wake. */
static int wait_status(const struct liar *l, u64 told, unsigned int held, unsigned int timeout_ms)
{
	u64 until_ns = now_ns() + timeout_ms * NSEC_PER_MSEC;
	struct liar_status st;

	for (;;) {
		int ret = liar_status(l, &st);

		if (ret < 0 || (st.told >= told && st.held >= held))
			return ret;
		if (now_ns() >= until_ns)
			return -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
}

int liar_wait_told(const struct liar *l, u64 told, unsigned int timeout_ms)
{
	return wait_status(l, told, 0, timeout_ms);
}

int liar_wait_held(const struct liar *l, unsigned int held, unsigned int timeout_ms)
{
	return wait_status(l, 0, held, timeout_ms);
}

int liar_finish(struct liar *l)
{
	int status = 0;

	if (l->pid > 0) {
		_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, l->pid, 0);
		struct pollfd p = { .fd = pidfd, .events = POLLIN };

		kill(l->pid, SIGTERM);
		if (pidfd < 0 || poll(&p, 1, STOP_TIMEOUT_MS) != 1)
			kill(l->pid, SIGKILL);
		waitpid(l->pid, &status, 0);
	}
	if (l->mount[0]) {
		/* There still only if the server was killed. */
		umount2(l->mount, MNT_DETACH);
		rmdir(l->mount);
	}
	*l = (struct liar){ 0 };
	return status == 0 ? 0 : -EPIPE;
}

void liar_stop(struct liar *l)
{
	liar_finish(l);
}
