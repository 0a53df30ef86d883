// SPDX-License-Identifier: GPL-2.0-or-later
/* What both runners have in common: a scenario as a file, and a child that is this program. */
#include "search/runner.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define SAID_MAX (64 * KIB)

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGCHLD);
}

void runner_init(struct runner *r)
{
	sigset_t set;

	/* sigtimedwait(2) takes them, SIGCHLD as well: a child's end wakes the wait. */
	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->interrupted = false;
}

int runner_write(struct runner *r, struct try *a, struct err *e)
{
	/* Only the seed differs: a shallow copy will do. */
	_cleanup_json_ json_t *copy = json_copy((json_t *)a->scenario);
	_cleanup_free_ char *text = NULL;
	u64 n = ++r->attempts;
	int ret = 0;

	if (!copy || json_object_set_new(copy, "seed", json_integer((json_int_t)a->seed)) < 0 ||
	    !(text = json_dumps(copy, JSON_INDENT(2))))
		return err_set(e, -ENOMEM, "out of memory");
	ret = path_set(a->path, sizeof(a->path), "%s/attempt-%llu.json", r->dir,
		       (unsigned long long)n);
	if (ret == 0)
		ret = path_set(a->dir, sizeof(a->dir), "%s/attempt-%llu", r->dir,
			       (unsigned long long)n);
	if (ret == 0)
		ret = write_file_atomic(a->path, text, strlen(text), 0600);
	return ret < 0 ? err_set(e, ret, "%s: cannot be written: %s", a->path, strerror(-ret)) : 0;
}

static void __attribute__((noreturn)) become(const char *const argv[], int err_fd, pid_t parent)
{
	const char *full[RUNNER_ARGS + RUNNER_BATCH_MAX + 16] = { "stressd" };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), n = 1;
	sigset_t none;

	/* An orderly stop: it puts back what it changed. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0); /* a ^C is ours to pass on */
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; argv[i] && n < (int)ARRAY_SIZE(full) - 1; i++)
		full[n++] = argv[i];
	if (getppid() == parent)
		execv("/proc/self/exe", (char *const *)full);
	_exit(127);
}

int runner_spawn(const char *const argv[], struct runner_child *c, struct err *e)
{
	pid_t parent = getpid();

	*c = (struct runner_child){ .exit = -1 };
	c->err_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (c->err_fd < 0)
		return err_set(e, -errno, "memfd_create: %s", strerror(errno));
	c->pid = fork();
	if (c->pid == 0)
		become(argv, c->err_fd, parent);
	if (c->pid < 0) {
		closep(&c->err_fd);
		return err_set(e, -EAGAIN, "fork: %s", strerror(errno));
	}
	setpgid(c->pid, c->pid); /* whoever of us comes first */
	return 0;
}

void runner_ask_to_stop(struct runner_child *c)
{
	kill(c->pid, SIGTERM);
	c->asked++;
}

static bool ended(struct runner_child *c)
{
	int status;

	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}

bool runner_wait(struct runner *r, struct runner_child *c, int limit_ms)
{
	struct timespec limit = { limit_ms / 1000, limit_ms % 1000 * (long)NSEC_PER_MSEC };
	sigset_t set;
	int sig;

	stop_signals(&set);
	if (ended(c))
		return true;
	sig = sigtimedwait(&set, NULL, &limit);
	if (sig == SIGINT || sig == SIGTERM) {
		r->interrupted = r->signalled = c->cut_short = true;
		runner_ask_to_stop(c);
	} else if (r->deadline_ns && now_ns() > r->deadline_ns && !c->asked) {
		r->interrupted = c->cut_short = true;
		runner_ask_to_stop(c);
	}
	if (r->tick)
		r->tick(r->tick_ctx);
	return ended(c);
}

const char *runner_reap(struct runner_child *c, char *buf, size_t size)
{
	_cleanup_free_ char *said = NULL;
	size_t len = 0;
	char *line;

	snprintf(buf, size, "it said nothing (exit status %d)", c->exit);
	if (lseek(c->err_fd, 0, SEEK_SET) == 0 && read_fd(c->err_fd, SAID_MAX, &said, &len) == 0) {
		while (len && said[len - 1] == '\n')
			said[--len] = '\0';
		line = strrchr(said, '\n');
		line = line ? line + 1 : said;
		/* It names itself, and so does whoever says this. */
		if (!strncmp(line, "stressd: ", 9))
			line += 9;
		if (*line)
			snprintf(buf, size, "%s", line);
	}
	closep(&c->err_fd);
	return buf;
}
