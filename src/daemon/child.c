// SPDX-License-Identifier: GPL-2.0-or-later
/* fork, gate, exec; pidfds for all the rest, so that no signal ever goes to another process. */
#include "daemon/child.h"

#include "base/cleanup.h"
#include "base/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ARGS_MAX 160
#define GATE_FD	 (STDERR_FILENO + 1)

static void __attribute__((noreturn))
become(const char *const argv[], int out_fd, int err_fd, int gate)
{
	const char *full[ARGS_MAX + 2] = { "stressd" };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), n = 1;
	sigset_t none;
	char go;

	/* First of all: a listening socket that we hold looks like a daemon. */
	dup2(null_fd, STDIN_FILENO);
	dup2(out_fd >= 0 ? out_fd : null_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	dup2(gate, GATE_FD);
	close_range(GATE_FD + 1, ~0U, 0);
	/* An orderly stop: it puts back what it changed. Before the gate: a daemon that dies up to
	 * there closes it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* A session of its own: neither a terminal's ^C nor the SIGHUP for orphans is for it. */
	setsid();
	if (read(GATE_FD, &go, 1) != 1)
		_exit(127);
	close(GATE_FD);
	/* A daemon that is gone does not listen any more, and what runs goes on to its end. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; argv[i] && n <= ARGS_MAX; i++)
		full[n++] = argv[i];
	execv("/proc/self/exe", (char *const *)full);
	_exit(127);
}

/* Only our end does not wait: a run has no use for half a line. */
static int make_pipe(int *ret_ours, int *ret_its)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = fds[0], *ret_its = fds[1];
	/* Room for an hour of lines: a daemon that somebody has stopped must not stop the run. */
	fcntl(fds[0], F_SETPIPE_SZ, (int)MIB);
	return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int child_spawn(const char *const argv[], const char *err_path, bool speaks, struct child *ret,
		struct err *e)
{
	_cleanup_close_ int gate_r = -1, gate_w = -1, err_fd = -1, out_r = -1, out_w = -1;
	struct child c = { .ours = true, .gate = -1, .pidfd = -1, .out = -1 };
	int fds[2];

	err_fd = open(err_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (err_fd < 0)
		return err_set(e, -errno, "%s: %s", err_path, strerror(errno));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	gate_r = fds[0], gate_w = fds[1];
	if (speaks && make_pipe(&out_r, &out_w) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	c.pid = fork();
	if (c.pid < 0)
		return err_set(e, -errno, "fork: %s", strerror(errno));
	if (c.pid == 0)
		become(argv, out_w, err_fd, gate_r);
	c.gate = take_fd(&gate_w);
	c.pidfd = (int)syscall(SYS_pidfd_open, c.pid, 0);
	if (c.pidfd < 0 || proc_start_time(c.pid, &c.start_ticks) < 0) {
		int r = c.pidfd < 0 ? -errno : -ESRCH;

		child_drop(&c);
		return err_set(e, r, "cannot watch a child: %s", strerror(-r));
	}
	c.out = take_fd(&out_r);
	*ret = c;
	return 0;
}

void child_go(struct child *c)
{
	(void)!write(c->gate, "g", 1);
	closep(&c->gate);
	c->gate = -1;
}

void child_drop(struct child *c)
{
	bool waits = c->gate >= 0;

	closep(&c->gate);
	closep(&c->pidfd);
	closep(&c->out);
	if (waits && c->pid > 0)
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
	*c = (struct child){ .gate = -1, .pidfd = -1, .out = -1 };
}

int child_adopt(pid_t pid, u64 start_ticks, struct child *ret)
{
	_cleanup_close_ int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	u64 ticks;

	/* The descriptor first: what /proc then says of the pid is said of the same process, or of
	 * one that came after it, and that began later. */
	if (pidfd < 0 || proc_start_time(pid, &ticks) < 0 || ticks != start_ticks)
		return -ESRCH;
	*ret = (struct child){ .pid = pid,
			       .start_ticks = ticks,
			       .pidfd = take_fd(&pidfd),
			       .gate = -1,
			       .out = -1,
			       .asked = 1,
			       .stop_ns = now_ns() };
	return 0;
}

int child_reap(struct child *c, int *ret_signal)
{
	siginfo_t info = { 0 };
	int exit = -1;

	*ret_signal = 0;
	if (c->ours && waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED) == 0) {
		if (info.si_code == CLD_EXITED)
			exit = info.si_status;
		else
			*ret_signal = info.si_status;
	}
	closep(&c->pidfd);
	closep(&c->out);
	*c = (struct child){ .gate = -1, .pidfd = -1, .out = -1 };
	return exit;
}

static void send_signal(const struct child *c, int sig)
{
	if (c->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, c->pidfd, sig, NULL, 0);
}

void child_ask(struct child *c)
{
	if (!c->asked++)
		c->stop_ns = now_ns();
	send_signal(c, SIGTERM);
}

void child_kill(struct child *c)
{
	send_signal(c, SIGKILL);
}
