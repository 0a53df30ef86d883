/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of the daemon: this very program with another subcommand. It does nothing until it is
 * let go, so that its pid can be on disk first; it gets SIGTERM when the daemon dies, whatever of,
 * and a later daemon finds it again by pid and start time.
 */
#ifndef STRESSD_DAEMON_CHILD_H
#define STRESSD_DAEMON_CHILD_H

#include "base/base.h"

#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	u64 start_ticks;
	int pidfd;   /* readable when it has ended */
	int out;     /* what it says on stdout, for its owner to take; -1: nothing */
	int gate;    /* -1 once it was let go */
	bool ours;   /* to be waited for; else one of a daemon before */
	int asked;   /* how often it was asked to stop */
	u64 stop_ns; /* when first; now_ns() */
};

/* Fork; @argv[0] is the subcommand. Its stderr becomes the file @err_path; with @speaks its stdout
 * is a pipe, of which nobody waits for the other end. 0 or -errno. */
int child_spawn(const char *const argv[], const char *err_path, bool speaks, struct child *ret,
		struct err *e);
void child_go(struct child *c);
/* It shall not begin, or nothing more is to be known of it: forget it. */
void child_drop(struct child *c);
/* Take up one that is not ours. -ESRCH: it is gone. It has been asked to stop once. */
int child_adopt(pid_t pid, u64 start_ticks, struct child *ret);
/* After the pidfd said so: its exit status, or -1, with *ret_signal where a signal ended it and 0
 * where that is not known. */
int child_reap(struct child *c, int *ret_signal);
/* First in order, then at once: SIGTERM, and SIGTERM again. */
void child_ask(struct child *c);
void child_kill(struct child *c);

#endif
