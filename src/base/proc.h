/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a helper program (mkfs, fsck, ...) to its end: in its own process group, killed with us,
 * bounded in time and output. Also what /proc says about a process. No policy about which
 * programs; long-lived children are the coordinator's and not run through here.
 */
#ifndef STRESSD_PROC_H
#define STRESSD_PROC_H

#include "base/base.h"

#include <sys/types.h>

struct proc_result {
	int exit_code; /* -1 when a signal ended it */
	int signal;    /* 0 when it exited */
	bool timed_out;
	bool truncated; /* it wrote more than was kept */
	char *output;	/* stdout and stderr as they came, NUL-terminated; owned by the caller */
	size_t output_len;
};

/*
 * Run argv[0] (looked up by proc_find) with stdin from /dev/null and LC_ALL=C. After @limit_ns
 * the whole group is killed and timed_out set; whatever it left running is killed at its end.
 * 0 when the program ran, whatever it returned; -ENOENT when there is no such program, another
 * -errno when it could not be started; text in @e.
 */
int proc_run(const char *const argv[], u64 limit_ns, size_t output_max, struct proc_result *ret,
	     struct err *e);
void proc_result_free(struct proc_result *r);

/* The path of program @name: in PATH, then in the sbin directories that a user's PATH lacks.
 * 0 or -ENOENT. */
int proc_find(const char *name, char *buf, size_t size);

/* The start time of @pid in clock ticks since boot, field 22 of /proc/PID/stat. With the pid it
 * names one process for good. 0 or -errno; -ESRCH when there is none. (proc_pid_stat(5)) */
int proc_start_time(pid_t pid, u64 *ret_ticks);
/* Signal @sig to all children, orphans that a subreaper was given among them, as they are now.
 * (proc_tid_children(5)) */
void proc_signal_children(int sig);
/* State letter and process group of @pid, fields 3 and 5 of the same file. */
int proc_stat(pid_t pid, char *ret_state, pid_t *ret_pgrp, u64 *ret_start_ticks);

#endif
