/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The janitor: a tiny process that outlives the coordinator. It does nothing until the
 * coordinator is dead, then puts back what the undo journal names, within 2 s. Knows the journal
 * only.
 */
#ifndef STRESSD_JANITOR_H
#define STRESSD_JANITOR_H

#include "undo/undo.h"

#include <sys/types.h>

struct janitor {
	pid_t pid;
	int pidfd;   /* readable when it has ended: the coordinator then stops the run */
	int tell_fd; /* one byte sends it away */
};

/*
 * Fork the janitor of the journal @u, which this process owns. To be called before anything is
 * changed, after target_private_mounts() (it must see the mounts it will drop), and while the
 * process has one thread. -errno with text in @e.
 */
int janitor_start(struct undo *u, struct janitor *ret, struct err *e);
/* The run is over and everything was put back: send the janitor away and reap it. 0, or -errno
 * when it had died before. */
int janitor_stop(struct janitor *j);

#endif
