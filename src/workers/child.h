/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that a worker runs beside the others: in the worker's process group, with its rights
 * and no more, until it ends, its time is over or the run stops. None of its processes outlives
 * the call. proc_run() is for short helpers; it knows no heartbeat and no stop.
 */
#ifndef STRESSD_CHILD_H
#define STRESSD_CHILD_H

#include "workers/worker.h"

#define CHILD_OUTPUT_MAX (1 * MIB) /* of stdout and stderr that is kept */

struct child {
	const char *const *argv; /* argv[0] is looked up like proc_find() does */
	const char *dir;	 /* working directory */
	const char *log;	 /* file that gets stdout and stderr; replaced */
	const char *const *env;	 /* "NAME=value", NULL-terminated; added to ours */
	u64 limit_ns;		 /* 0: none */
};

struct child_result {
	int exit_code; /* -1 when a signal ended it */
	int signal;    /* 0 when it exited */
	bool timed_out;
	bool stopped; /* the run ended before it did: SIGTERM, then SIGKILL */
};

/* Run it. 0 when it ran, whatever it returned; -errno when it could not be started or its log not
 * be made, with text in @e. */
int child_run(struct worker *w, const struct child *c, struct child_result *ret, struct err *e);
/* "exited with 3", "was killed by signal 9", ... in @buf, which is returned. */
const char *child_how(const struct child_result *r, char *buf, size_t size);

/* What @path holds is evidence, and the program may run again: give it a name of its own, in @kept,
 * "fio.3.json" that of "fio.3.failed-1.json". Of 16 of them at most, and of what cannot be renamed,
 * @kept is @path. */
void child_keep(const char *path, char *kept, size_t size);

/* The directory that the scenario's files are in. 0, or -EINVAL when there is none. */
int child_target_root(const struct worker *w, char *buf, size_t size, struct err *e);

#endif
