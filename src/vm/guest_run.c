// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One scenario after another, each by `stressd run` in a process of its own, with the run
 * directory in memory and mirrored to the host. PID 1 does nothing here that could wait for the
 * filesystem under test: its heartbeat says that the kernel lives.
 */
#include "vm/guest.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "vm/mirror.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PROGRAM	   GUEST_HOME GUEST_PROGRAM
#define TICK_MS	   100
#define BEAT_NS	   (500 * NSEC_PER_MSEC)
#define SCAN_NS	   (200 * NSEC_PER_MSEC)
#define OUTPUT_MAX 4096
#define EXIT_SKIP  4

struct guest {
	int port;
	json_t *plan;
	struct arena *arena;
	char arena_path[300];
	struct mirror mirror;
	u64 beat_ns, scan_ns; /* when the next one is due */
	bool doubt;	      /* a run left the kernel in doubt */
};

struct child {
	pid_t pid;
	int pidfd, out_fd, err_fd, dir_fd;
};

static int send_frame(void *ctx, const struct frame *f)
{
	return frame_write(*(int *)ctx, f);
}

static const char *text_of(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* The child: `stressd run` as a person would start it. */
static void __attribute__((noreturn))
become_run(struct guest *g, json_t *row, const char *dir, int out_fd, int err_fd)
{
	const char *runner = text_of(g->plan, "runner"), *output = text_of(g->plan, "output");
	const char *argv[16] = { runner ? runner : PROGRAM, "run", "--quiet", "--run-dir", dir };
	const char *destroy;
	int n = 5;

	destroy = text_of(row, "destroy");
	if (destroy) {
		argv[n++] = "--destroy";
		argv[n++] = destroy;
	}
	if (json_is_true(json_object_get(g->plan, "keep")))
		argv[n++] = "--keep";
	if (json_is_true(json_object_get(g->plan, "json")))
		argv[n++] = "--json";
	if (output) {
		argv[n++] = "--output";
		argv[n++] = output;
	}
	argv[n++] = text_of(row, "path");
	setsid();
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	setenv("STRESSD_STATE_DIR", GUEST_HOME "/state", 1);
	setenv("STRESSD_ARENA", g->arena_path, 1);
	execv(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(3);
}

static int start(struct guest *g, json_t *row, const char *dir, struct child *ret, struct err *e)
{
	_cleanup_close_ int out_w = -1, err_w = -1;
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	ret->out_fd = out[0], out_w = out[1];
	if (pipe2(err, O_CLOEXEC) < 0)
		return err_set(e, -errno, "pipe: %s", strerror(errno));
	ret->err_fd = err[0], err_w = err[1];
	fcntl(ret->out_fd, F_SETFL, O_NONBLOCK);
	fcntl(ret->err_fd, F_SETFL, O_NONBLOCK);
	ret->pid = fork();
	if (ret->pid == 0)
		become_run(g, row, dir, out_w, err_w);
	if (ret->pid < 0)
		return err_set(e, -errno, "fork: %s", strerror(errno));
	ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	return ret->pidfd < 0 ? err_set(e, -errno, "pidfd_open: %s", strerror(errno)) : 0;
}

static int pass_output(struct guest *g, int fd, u32 id)
{
	char buf[OUTPUT_MAX];
	int r = 0;

	for (ssize_t n; r == 0 && (n = read(fd, buf, sizeof(buf))) > 0;)
		r = frame_write(g->port, &(struct frame){ FRAME_OUTPUT, id, 0, buf, (u32)n });
	return r;
}

/* A scan that is slow may take a third of the time, and no more: the guest has work to do. */
static int tick(struct guest *g, const struct child *c)
{
	u64 now = now_ns();
	int r = 0;

	if (now >= g->beat_ns) {
		g->beat_ns = now + BEAT_NS;
		r = frame_write(g->port, &(struct frame){ .type = FRAME_BEAT });
	}
	if (r == 0 && now >= g->scan_ns) {
		r = mirror_scan(&g->mirror, c->dir_fd, send_frame, &g->port);
		g->scan_ns = now_ns() + MAX(SCAN_NS, 2 * (now_ns() - now));
	}
	return r;
}

static int attend(struct guest *g, struct child *c, int *ret_exit)
{
	struct pollfd p[] = { { .fd = c->pidfd, .events = POLLIN },
			      { .fd = c->out_fd, .events = POLLIN },
			      { .fd = c->err_fd, .events = POLLIN } };
	int status = 0, r = 0;

	while (r == 0 && !(p[0].revents & POLLIN)) {
		poll(p, 3, TICK_MS);
		for (int i = 1; i < 3 && r == 0; i++) {
			r = pass_output(g, p[i].fd, (u32)i);
			if (p[i].revents & POLLHUP)
				p[i].fd = -1;
		}
		if (r == 0)
			r = tick(g, c);
		/* Orphans of the run are PID 1's; the run itself is waited for by its pidfd. */
		for (siginfo_t info = { 0 };
		     waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
		     info.si_pid != c->pid;
		     info.si_pid = 0)
			waitpid(info.si_pid, NULL, 0);
	}
	waitpid(c->pid, &status, 0);
	*ret_exit = WIFEXITED(status) ? WEXITSTATUS(status) : 3;
	for (u32 i = 1; i < 3 && r == 0; i++)
		r = pass_output(g, i == 1 ? c->out_fd : c->err_fd, i);
	return r;
}

/* With the row's fault of a lab kernel on. One that this kernel has not is said, and skipped. */
static int run_with_mutant(struct guest *g, json_t *row, const char *dir, struct child *c,
			   int *ret_status, struct err *e)
{
	u64 mutant = (u64)json_integer_value(json_object_get(row, "mutant"));
	struct err why = { "" };
	int r = 0;

	c->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0)
		return err_set(e, -errno, "%s: %s", dir, strerror(errno));
	if (mutant && guest_mutant_on(mutant, &why) < 0) {
		*ret_status = EXIT_SKIP;
	} else {
		r = start(g, row, dir, c, e);
		if (r < 0)
			return r;
		r = attend(g, c, ret_status);
	}
	if (r == 0 && mutant)
		r = guest_mutant_off(mutant, why.text[0] ? why.text : NULL, c->dir_fd);
	if (r == 0)
		r = mirror_scan(&g->mirror, c->dir_fd, send_frame, &g->port);
	return r < 0 ? err_set(e, r, "results cannot be sent: %s", strerror(-r)) : 0;
}

/* The run directory has the name that it has on the host, and is in memory: what the reports say
 * of it is then true here and there. */
static int run_one(struct guest *g, u32 i, json_t *row, struct err *e)
{
	struct child c = { 0, -1, -1, -1, -1 };
	int *const fds[] = { &c.pidfd, &c.out_fd, &c.err_fd, &c.dir_fd };
	const char *dir = text_of(row, "dir");
	char from[64];
	int status = 3, r;

	snprintf(from, sizeof(from), GUEST_HOME GUEST_SCENARIO, i);
	r = guest_copy(from, text_of(row, "path"), 0644, e);
	if (r == 0 && (mkdir_p(dir, 0700) < 0 || mount("run", dir, "tmpfs", 0, "size=90%") < 0))
		r = err_set(e, -errno, "cannot make %s in the guest: %s", dir, strerror(errno));
	if (r == 0)
		r = frame_write(g->port, &(struct frame){ .type = FRAME_BEGIN, .id = i });
	if (r == 0)
		r = run_with_mutant(g, row, dir, &c, &status, e);
	g->doubt |= r == 0 && guest_in_doubt(status, c.dir_fd);
	for (size_t k = 0; k < ARRAY_SIZE(fds); k++)
		closep(fds[k]);
	mirror_free(&g->mirror);
	g->mirror.base += MIRROR_FILES;
	umount2(dir, MNT_DETACH);
	return r < 0 ? r
		     : frame_write(g->port, &(struct frame){ FRAME_END, i, (u64)status, NULL, 0 });
}

int guest_run(int port, struct err *e)
{
	static struct guest g;
	json_t *rows, *row;
	size_t i;
	int r;

	g.port = port;
	r = guest_arena(g.arena_path, sizeof(g.arena_path), &g.arena, e);
	if (r < 0)
		return r;
	g.plan = json_load_file(GUEST_HOME GUEST_PLAN, 0, NULL);
	rows = json_object_get(g.plan, "scenarios");
	if (!json_array_size(rows))
		return err_set(e, -EBADMSG, "the plan of the guest cannot be read");
	json_array_foreach (rows, i, row) {
		r = i ? guest_arena_wait(g.arena, (u32)i, port) : 0;
		if (r < 0)
			return err_set(e, r, "the host does not take the results");
		r = run_one(&g, (u32)i, row, e);
		if (r < 0)
			return r;
		if (g.doubt && json_is_true(json_object_get(g.plan, "doubt_ends")))
			break;
	}
	json_decref(g.plan);
	return 0;
}
