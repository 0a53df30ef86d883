// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The janitor's whole life: let go of everything, wait for one of two events, act. The death of
 * the coordinator is seen through a pidfd and not through the end of the pipe, which workers
 * inherit. Its mount namespace is the run's, and it is the last to hold it.
 */
#include "undo/janitor.h"
#include "base/claim.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define TAKE_OVER_NS (1 * NSEC_PER_SEC)
#define STOP_MS	     2000

/* What putting back takes; the rest is given up. */
static const cap_value_t kept_caps[] = {
	CAP_SYS_ADMIN,	  /* umount, loop devices, quotas, thaw */
	CAP_KILL,	  /* workers of other users */
	CAP_DAC_OVERRIDE, /* journal, knobs and directories whoever owns them */
	CAP_SYS_RESOURCE, /* fault injection knobs, cgroups */
};

/* Failure leaves more rights than needed, which is no reason not to clean up. */
static void drop_caps(void)
{
	cap_t have = cap_get_proc(), want = cap_init();

	for (size_t i = 0; have && want && i < ARRAY_SIZE(kept_caps); i++) {
		cap_flag_value_t v;

		if (cap_get_flag(have, kept_caps[i], CAP_PERMITTED, &v) < 0 || v != CAP_SET)
			continue;
		cap_set_flag(want, CAP_PERMITTED, 1, &kept_caps[i], CAP_SET);
		cap_set_flag(want, CAP_EFFECTIVE, 1, &kept_caps[i], CAP_SET);
	}
	if (want)
		cap_set_proc(want);
	cap_free(have);
	cap_free(want);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void close_but(int *fds, size_t n)
{
	unsigned int from = 3;

	/* Insertion sort of a handful, so that the gaps between can be closed. */
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && fds[k] < fds[k - 1]; k--) {
			int t = fds[k];

			fds[k] = fds[k - 1];
			fds[k - 1] = t;
		}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned int)fds[i] > from)
			syscall(SYS_close_range, from, (unsigned int)fds[i] - 1, 0);
		from = (unsigned int)fds[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

/* Nothing of the coordinator may be pinned or reach us: terminal, directory, files. Signals are
 * blocked since before the fork. */
static void let_go(int keep[], size_t n)
{
	int null_fd = open("/dev/null", O_RDWR);

	prctl(PR_SET_NAME, "stressd-janitor");
	prctl(PR_SET_PDEATHSIG, 0);
	setsid();
	for (int fd = 0; null_fd >= 0 && fd < 3; fd++)
		dup2(null_fd, fd);
	if (chdir("/") < 0)
		_exit(1);
	close_but(keep, n);
	/* While we are asleep the memory of a stress run is everybody's target but ours. */
	attr_write("/proc/self/oom_score_adj", "-1000");
	drop_caps();
}

static void __attribute__((noreturn)) janitor(struct undo *u, int ask_fd, int coordinator)
{
	struct pollfd p[] = { { .fd = ask_fd, .events = POLLIN },
			      { .fd = coordinator, .events = POLLIN } };
	int keep[3 + CLAIMS_MAX] = { ask_fd, coordinator, undo_fd(u) };
	const int *claims;
	size_t nclaims = claim_fds(&claims);
	struct err e;

	/* What the run had for itself nobody else may have before it is put back. */
	memcpy(keep + 3, claims, nclaims * sizeof(*claims));
	let_go(keep, 3 + nclaims);
	for (;;) {
		char byte;

		if (poll(p, 2, -1) < 0)
			continue;
		/* Asked first: a coordinator that sent us away may be dead by now as well. */
		if (p[0].revents && read(ask_fd, &byte, 1) == 1)
			_exit(0);
		if (p[1].revents)
			break;
		/* The pipe ended before its coordinator: only the pidfd counts. */
		p[0].fd = -1;
	}
	if (undo_take_over(u, TAKE_OVER_NS) < 0)
		_exit(1);
	if (undo_all(u, &e) != 0)
		_exit(2);
	undo_close(u);
	_exit(0);
}

int janitor_start(struct undo *u, struct janitor *ret, struct err *e)
{
	_cleanup_close_ int ask = -1, tell = -1;
	_cleanup_close_ int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	sigset_t all, before;
	int fds[2], r;
	pid_t pid;

	if (self < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, -errno, "janitor: %s; Linux 5.3 or later is needed",
			       strerror(errno));
	ask = fds[0], tell = fds[1];
	/* Blocked over the fork: the janitor is born deaf, no ^C hits it before it is ready. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		close(take_fd(&tell));
		janitor(u, ask, self);
	}
	r = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return err_set(e, r, "janitor: fork: %s", strerror(-r));
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (ret->pidfd < 0) {
		r = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err_set(e, r, "janitor: pidfd_open: %s", strerror(-r));
	}
	ret->pid = pid;
	ret->tell_fd = take_fd(&tell);
	return 0;
}

int janitor_stop(struct janitor *j)
{
	struct pollfd p = { .fd = j->pidfd, .events = POLLIN };
	void (*old)(int) = signal(SIGPIPE, SIG_IGN);
	int status = 0, r = 0;

	if (write(j->tell_fd, "q", 1) != 1)
		r = -errno;
	signal(SIGPIPE, old);
	if (poll(&p, 1, STOP_MS) != 1)
		kill(j->pid, SIGKILL);
	while (waitpid(j->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(j->pidfd);
	close(j->tell_fd);
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = -ECHILD;
	return r;
}
