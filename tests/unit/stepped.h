/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child runs a function one machine instruction at a time, and the parent looks at what they
 * share after each: every state in which a kill -9 could leave it, and no other. (ptrace(2))
 */
#ifndef TEST_STEPPED_H
#define TEST_STEPPED_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns the number of steps; -errno where single steps are not to be had. */
static inline long each_step(void (*body)(void *), void (*look)(void *), void *arg)
{
	pid_t pid = fork();
	long steps = 0;
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		raise(SIGSTOP);
		body(arg);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		look(arg);
		steps++;
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0)
			break;
	}
	look(arg);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? steps : -ENOTSUP;
}

#endif
