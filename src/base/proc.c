// SPDX-License-Identifier: GPL-2.0-or-later
/* fork, exec, collect: one program to its end. The pidfd says when it ended, a pipe has what it
 * said; neither can make us wait longer than the limit. */
#include "base/proc.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SBIN_PATH "/usr/local/sbin:/usr/sbin:/sbin"
#define NO_PATH	  "/usr/bin:/bin"

int proc_find(const char *name, char *buf, size_t size)
{
	const char *path = getenv("PATH");
	char dirs[FSUTIL_PATH_MAX];
	char *save = NULL;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? path_set(buf, size, "%s", name) : -ENOENT;
	if (path_set(dirs, sizeof(dirs), "%s:" SBIN_PATH, path ? path : NO_PATH) < 0)
		return -ENAMETOOLONG;
	for (char *d = strtok_r(dirs, ":", &save); d; d = strtok_r(NULL, ":", &save))
		if (path_set(buf, size, "%s/%s", d, name) == 0 && access(buf, X_OK) == 0)
			return 0;
	buf[0] = '\0';
	return -ENOENT;
}

int proc_stat(pid_t pid, char *ret_state, pid_t *ret_pgrp, u64 *ret_start_ticks)
{
	char path[64], text[1024];
	unsigned long long start;
	const char *p;
	char state;
	int pgrp, r;

	r = path_set(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (r == 0)
		r = attr_read(path, text, sizeof(text));
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	/* The command name may hold spaces and parentheses: go on behind the last one. */
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1,
			 " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d"
			 " %*d %llu",
			 &state, &pgrp, &start) != 3)
		return -EBADMSG;
	*ret_state = state;
	*ret_pgrp = pgrp;
	*ret_start_ticks = start;
	return 0;
}

int proc_start_time(pid_t pid, u64 *ret_ticks)
{
	pid_t pgrp;
	char state;

	return proc_stat(pid, &state, &pgrp, ret_ticks);
}

void proc_signal_children(int sig)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, sig);
}

void proc_result_free(struct proc_result *r)
{
	free(r->output);
	r->output = NULL;
}

/* Environment with LC_ALL=C, so that output can be read by rules; the array is to be freed. */
static char **c_locale_environ(void)
{
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 2, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0)
			env[k++] = environ[i];
	env[k] = (char *)"LC_ALL=C";
	return env;
}

/* Only what is safe after fork(2). An exec that fails sends its errno up @fail_fd. */
static void __attribute__((noreturn))
child(const char *path, const char *const argv[], char **env, int out_fd, int fail_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDONLY), err;
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Ignored signals survive exec(2): give the program the usual ones. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	dup2(null_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	dup2(out_fd, STDERR_FILENO);
	execve(path, (char *const *)argv, env);
	err = errno;
	if (write(fail_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* Take what the pipe has now. 0: more may come, 1: end. */
static int drain(int fd, size_t output_max, struct proc_result *ret)
{
	char buf[4096];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));
		size_t keep;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		keep = MIN((size_t)n, output_max - ret->output_len);
		memcpy(ret->output + ret->output_len, buf, keep);
		ret->output_len += keep;
		ret->truncated |= keep < (size_t)n;
	}
}

static void collect(int out_fd, int pidfd, pid_t pid, u64 limit_ns, size_t output_max,
		    struct proc_result *ret)
{
	u64 end_ns = now_ns() + limit_ns;
	struct pollfd p[] = { { .fd = pidfd, .events = POLLIN },
			      { .fd = out_fd, .events = POLLIN } };
	siginfo_t info = { 0 };

	while (!(p[0].revents & POLLIN)) {
		u64 now = now_ns();

		if (now >= end_ns && !ret->timed_out) {
			ret->timed_out = true;
			kill(-pid, SIGKILL);
		}
		/* After the kill only its end is awaited: SIGKILL needs no limit of ours. */
		if (poll(p, 2, ret->timed_out ? -1 : (int)((end_ns - now) / NSEC_PER_MSEC) + 1) < 0)
			continue;
		if (p[1].revents && drain(out_fd, output_max, ret))
			p[1].fd = -1;
	}
	/* Before it is reaped, while its group number cannot be another's. */
	kill(-pid, SIGKILL);
	drain(out_fd, output_max, ret);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	ret->exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
	ret->signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
}

/* Start it; the read end of its output and its pidfd go to the caller with the pid. */
static pid_t start(const char *path, const char *const argv[], int *ret_out, int *ret_fail)
{
	_cleanup_close_ int out_r = -1, out_w = -1, fail_r = -1, fail_w = -1;
	_cleanup_free_ char **env = c_locale_environ();
	pid_t parent = getpid(), pid;
	int fds[2];

	if (!env)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	out_r = fds[0], out_w = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fail_r = fds[0], fail_w = fds[1];
	/* Our end only: the program's must block, as programs expect. */
	fcntl(out_r, F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(path, argv, env, out_w, fail_w, parent);
	setpgid(pid, pid);
	*ret_out = take_fd(&out_r);
	*ret_fail = take_fd(&fail_r);
	return pid;
}

static int run(const char *const argv[], u64 limit_ns, size_t output_max, struct proc_result *ret,
	       struct err *e)
{
	_cleanup_close_ int out_fd = -1, fail_fd = -1, pidfd = -1;
	char path[FSUTIL_PATH_MAX];
	int exec_errno = 0;
	pid_t pid;

	if (proc_find(argv[0], path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, "%s: no such program on this machine; install it",
			       argv[0]);
	ret->output = calloc(1, output_max + 1);
	if (!ret->output)
		return err_set(e, -ENOMEM, "%s: out of memory", argv[0]);
	pid = start(path, argv, &out_fd, &fail_fd);
	if (pid < 0)
		return err_set(e, pid, "%s: cannot start it: %s", argv[0], strerror(-pid));
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		int r = -errno;

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set(e, r, "pidfd_open: %s; Linux 5.3 or later is needed", strerror(-r));
	}
	/* Returns at once: exec closes the write end. */
	if (read(fail_fd, &exec_errno, sizeof(exec_errno)) != sizeof(exec_errno))
		exec_errno = 0;
	collect(out_fd, pidfd, pid, limit_ns, output_max, ret);
	if (exec_errno)
		return err_set(e, -exec_errno, "%s: %s", path, strerror(exec_errno));
	return 0;
}

int proc_run(const char *const argv[], u64 limit_ns, size_t output_max, struct proc_result *ret,
	     struct err *e)
{
	int r;

	*ret = (struct proc_result){ .exit_code = -1 };
	r = run(argv, limit_ns, output_max, ret, e);
	if (r < 0)
		proc_result_free(ret);
	return r;
}
