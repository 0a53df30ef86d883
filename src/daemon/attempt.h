/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a job is run, and what its end means. For queue.c. */
#ifndef STRESSD_DAEMON_ATTEMPT_H
#define STRESSD_DAEMON_ATTEMPT_H

#include "daemon/internal.h"

/* Start a job that is queued. What fails is tried again some seconds later; that is said once. */
void attempt_start(struct daemon *d, struct entry *en);
/* It is queued again after a failure, and its time has not come. */
bool attempt_waits(const struct daemon *d, const struct entry *en);
/* A job that ran when the daemon before us died: it still does, and we wait for it, or it has
 * ended. */
void attempt_resume(struct daemon *d, struct entry *en);

#endif
