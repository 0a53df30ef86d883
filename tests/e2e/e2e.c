// SPDX-License-Identifier: GPL-2.0-or-later
/* Running the program and looking at it from outside. */
#include "e2e.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char e2e_base[256];
const char *e2e_program = STRESSD_BIN;

double e2e_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int e2e_setup(void **state)
{
	(void)state;
	/* Memory, where there is some: the tests are about stressd, not about this disk. */
	strcpy(e2e_base, "/dev/shm/stressd-e2e-XXXXXX");
	if (mkdtemp(e2e_base))
		return 0;
	strcpy(e2e_base, "/tmp/stressd-e2e-XXXXXX");
	return mkdtemp(e2e_base) ? 0 : -1;
}

int e2e_teardown(void **state)
{
	(void)state;
	e2e_remove(e2e_base);
	return 0;
}

bool e2e_privileged(void)
{
	return geteuid() == 0 && access("/dev/loop-control", W_OK) == 0;
}

static void child(const struct e2e *r, const char *const argv[], const char *const env[])
{
	const char *full[E2E_ARGS + 2] = { e2e_program };
	int null_fd = open("/dev/null", O_RDONLY);

	for (int i = 0; argv[i] && i < E2E_ARGS; i++)
		full[i + 1] = argv[i];
	setpgid(0, 0);
	dup2(null_fd, 0);
	dup2(r->out_fd, 1);
	dup2(r->err_fd, 2);
	setenv("STRESSD_STATE_DIR", e2e_base, 1);
	setenv("NO_COLOR", "1", 1);
	for (int i = 0; env && env[i]; i++)
		putenv((char *)env[i]);
	execv(e2e_program, (char *const *)full);
	_exit(127);
}

void e2e_start(struct e2e *r, const char *const argv[], const char *const env[])
{
	*r = (struct e2e){ .exit = -1, .started_s = e2e_now() };
	r->out_fd = memfd_create("stdout", MFD_CLOEXEC);
	r->err_fd = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(r->out_fd >= 0 && r->err_fd >= 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0)
		child(r, argv, env);
	setpgid(r->pid, r->pid);
}

static char *slurp(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)len, 0), len);
	return text;
}

void e2e_wait(struct e2e *r, double limit_s)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0), status = 0;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	assert_true(pidfd >= 0);
	if (poll(&p, 1, (int)(limit_s * 1000)) != 1) {
		r->timed_out = true;
		kill(r->pid, SIGKILL);
	}
	close(pidfd);
	while (waitpid(r->pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	r->seconds = e2e_now() - r->started_s;
	r->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	r->out = slurp(r->out_fd);
	r->err = slurp(r->err_fd);
	close(r->out_fd);
	close(r->err_fd);
	r->out_fd = r->err_fd = -1;
}

void e2e_run(struct e2e *r, const char *const argv[], const char *const env[])
{
	e2e_start(r, argv, env);
	e2e_wait(r, E2E_LIMIT);
}

void e2e_free(struct e2e *r)
{
	free(r->out);
	free(r->err);
	r->out = r->err = NULL;
}

void e2e_assert_exit_(const struct e2e *r, int code, const char *file, int line)
{
	if (r->exit == code && !r->timed_out)
		return;
	print_error("expected exit %d, got exit %d, signal %d%s after %.1f s\n"
		    "--- stdout\n%s--- stderr\n%s",
		    code, r->exit, r->signal, r->timed_out ? ", timed out" : "", r->seconds, r->out,
		    r->err);
	_fail(file, line);
}

json_t *e2e_result(const char *run_dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/result.json", run_dir);
	return json_load_file(path, 0, NULL);
}

size_t e2e_findings(const json_t *result, const char *kind)
{
	json_t *f;
	size_t i, n = 0;

	json_array_foreach (json_object_get(result, "findings"), i, f) {
		const char *name = json_string_value(json_object_get(f, "kind"));

		n += !kind || (name && !strcmp(name, kind));
	}
	return n;
}

const char *e2e_path(const char *fmt, ...)
{
	static char ring[8][4096];
	static unsigned int at;
	char *buf = ring[at++ % 8];
	int n = snprintf(buf, sizeof(ring[0]), "%s/", e2e_base);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, sizeof(ring[0]) - (size_t)n, fmt, ap);
	va_end(ap);
	return buf;
}

void e2e_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void e2e_remove(const char *path)
{
	/* Not into mounts: what a failed test left mounted is evidence, not rubbish. */
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

bool e2e_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool e2e_until(bool (*ok)(void *ctx), void *ctx, double limit_s)
{
	double end = e2e_now() + limit_s;
	bool yes;

	while (!(yes = ok(ctx)) && e2e_now() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	return yes;
}
