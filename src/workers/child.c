// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs beside the workers. The worker becomes the subreaper of whatever the program leaves
 * behind, so that "none is left" is a loop over its own children. (PR_SET_CHILD_SUBREAPER(2const))
 */
#include "workers/child.h"

#include "base/cleanup.h"
#include "base/proc.h"
#include "target/target.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define KEPT_MAX 16 /* outputs of runs that failed */
#define POLL_MS	 20
#define GRACE_NS (5 * NSEC_PER_SEC) /* between SIGTERM and SIGKILL */

/* What is open of it while it runs. */
struct running {
	pid_t pid;
	int out; /* read end of its stdout and stderr; -1 at their end */
	int log;
	u64 kept; /* bytes in the log */
	bool dead;
	int status;
};

static _Noreturn void become(const struct child *c, const char *path, int out, int failed)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	/* With the worker, whoever kills it. The coordinator kills the whole group. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	for (const char *const *v = c->env; v && *v; v++)
		putenv((char *)(uintptr_t)*v);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2 &&
	    chdir(c->dir) == 0)
		execv(path, (char *const *)(uintptr_t)c->argv);

	int err = errno;

	if (write(failed, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(const struct child *c, const char *path, struct running *run, struct err *e)
{
	int out[2], failed[2], err = 0;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(e, -errno, "no pipe: %s", strerror(errno));
	_cleanup_close_ int out_write = out[1];

	run->out = out[0];
	if (pipe2(failed, O_CLOEXEC) < 0)
		return err_set(e, -errno, "no pipe: %s", strerror(errno));
	_cleanup_close_ int failed_read = failed[0];
	_cleanup_close_ int failed_write = failed[1];

	run->pid = fork();
	if (run->pid < 0)
		return err_set(e, -errno, "cannot fork: %s", strerror(errno));
	if (run->pid == 0)
		become(c, path, out_write, failed_write);
	close(take_fd(&failed_write));
	/* The pipe closes without a word when the program was executed. */
	if (read(failed_read, &err, sizeof(err)) == sizeof(err)) {
		waitpid(run->pid, NULL, 0);
		return err_set(e, -err, "%s cannot be run in %s: %s", path, c->dir, strerror(err));
	}
	return 0;
}

/* Take what it wrote; beyond the limit it is read and dropped, so that it never blocks. */
static void drain(struct running *run)
{
	char buf[16384];
	ssize_t n = read(run->out, buf, sizeof(buf));

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			close(take_fd(&run->out));
		return;
	}
	n = MIN(n, (ssize_t)(CHILD_OUTPUT_MAX - run->kept));
	if (n > 0 && write(run->log, buf, (size_t)n) == n)
		run->kept += (u64)n;
}

/* One turn of the wait: output, death, a beat. */
static void turn(struct worker *w, struct running *run)
{
	struct pollfd p = { .fd = run->out, .events = POLLIN };

	if (poll(&p, 1, POLL_MS) > 0)
		drain(run);
	if (!run->dead && waitpid(run->pid, &run->status, WNOHANG) == run->pid)
		run->dead = true;
	actor_beat(&w->actor);
}

/* Kill every child there is, orphans of the program too, until there is none. */
static void kill_all(void)
{
	do
		proc_signal_children(SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void watch(struct worker *w, const struct child *c, struct running *run,
		  struct child_result *ret)
{
	u64 start = now_ns(), term = 0;

	while (!run->dead) {
		u64 now = now_ns();

		ret->stopped |= worker_stopping(w);
		ret->timed_out |= c->limit_ns && now - start > c->limit_ns && !ret->stopped;
		if ((ret->stopped || ret->timed_out) && !term) {
			kill(run->pid, SIGTERM);
			term = now;
		} else if (term && now - term > GRACE_NS) {
			kill(run->pid, SIGKILL);
		}
		turn(w, run);
	}
	kill_all();
	while (run->out >= 0)
		drain(run); /* all writers are gone: it ends */
}

int child_run(struct worker *w, const struct child *c, struct child_result *ret, struct err *e)
{
	_cleanup_close_ int log =
		open(c->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct running run = { .out = -1, .log = log };
	char path[PATH_MAX];
	int r;

	*ret = (struct child_result){ .exit_code = -1 };
	if (log < 0)
		return err_set(e, -errno, "%s: cannot be made: %s", c->log, strerror(errno));
	r = proc_find(c->argv[0], path, sizeof(path));
	if (r < 0)
		return err_set(e, r, "%s: there is no such program here; install it", c->argv[0]);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r = spawn(c, path, &run, e);
	if (r == 0)
		watch(w, c, &run, ret);
	closep(&run.out);
	if (r < 0)
		return r;
	ret->signal = WIFSIGNALED(run.status) ? WTERMSIG(run.status) : 0;
	ret->exit_code = WIFEXITED(run.status) ? WEXITSTATUS(run.status) : -1;
	return 0;
}

const char *child_how(const struct child_result *r, char *buf, size_t size)
{
	if (r->timed_out)
		snprintf(buf, size, "did not end in time");
	else if (r->signal)
		snprintf(buf, size, "was killed by signal %d (%s)", r->signal,
			 strsignal(r->signal));
	else
		snprintf(buf, size, "exited with %d", r->exit_code);
	return buf;
}

void child_keep(const char *path, char *kept, size_t size)
{
	const char *dot = strrchr(path, '.');

	for (int n = 1; dot && n <= KEPT_MAX; n++) {
		snprintf(kept, size, "%.*s.failed-%d%s", (int)(dot - path), path, n, dot);
		if (access(kept, F_OK) < 0 && rename(path, kept) == 0)
			return;
	}
	snprintf(kept, size, "%s", path);
}

int child_target_root(const struct worker *w, char *buf, size_t size, struct err *e)
{
	const char *slash;

	if (w->target) {
		snprintf(buf, size, "%s", w->target->root);
		return 0;
	}
	if (!w->actor.nfiles || !(slash = strrchr(w->actor.files[0].path, '/')))
		return err_set(e, -EINVAL, "the scenario has no file to say where the target is");
	snprintf(buf, size, "%.*s", (int)(slash - w->actor.files[0].path), w->actor.files[0].path);
	return 0;
}
