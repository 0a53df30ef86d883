// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes of the kill sweep. A stopped process is seen by waitpid(2) alone: it is polled. */
#include "sweep_run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STRESSD "/run/stressd/init" /* GUEST_HOME GUEST_PROGRAM of vm/guest.h */

double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

bool shell(const char *format, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	fflush(stdout);
	return system(command) == 0;
}

pid_t start_stressd(const char *state, const char *plan, const char *const argv[])
{
	const char *full[10] = { STRESSD };
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	for (int i = 0; argv[i] && i < 8; i++)
		full[i + 1] = argv[i];
	fd = open(SWEEP_OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	close(fd);
	/* The memory that the guest shares with its host is the runner's. */
	unsetenv("STRESSD_ARENA");
	setenv("STRESSD_STATE_DIR", state, 1);
	setenv("STRESSD_KILL", plan, 1);
	execv(STRESSD, (char *const *)full);
	_exit(127);
}

int await(pid_t pid, double limit_s)
{
	double end_s = now_s() + limit_s;
	int status;

	while (now_s() < end_s) {
		if (waitpid(pid, &status, WNOHANG | WUNTRACED) == pid)
			return status;
		pause_ms(2);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

int run_stressd(const char *state, const char *plan, const char *const argv[], pid_t *ret_pid)
{
	*ret_pid = start_stressd(state, plan, argv);
	return await(*ret_pid, RUN_S);
}

/* Without the points, which are many. */
void print_output(void)
{
	shell("grep -v -E '^(change|step) [0-9]+:' " SWEEP_OUTPUT " | sed 's/^/  /' | head -20");
}
