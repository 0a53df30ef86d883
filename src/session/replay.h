/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of writes of a run (target layer "log"). While the run goes on, moments of it are kept
 * and marked in the log (moments.c). When it is over, the log is replayed to single flushes, and
 * the filesystem that the power would have left there is recovered and checked (replay.c).
 */
#ifndef STRESSD_SESSION_REPLAY_H
#define STRESSD_SESSION_REPLAY_H

#include "session/replay_order.h"
#include "shadow/moment.h"

struct session;

/* A moment, and the number that its mark in the log has. */
struct marked {
	u64 mark;
	struct shadow_moment at;
};

struct moments {
	struct marked *kept; /* in order */
	size_t n, max;
	u64 marks; /* that were put */
	u64 every_ns, due_ns;
	bool over;
};

#define MOMENT_MARK "stressd-" /* and its number */

/* The files are laid out and synced: the first moment. Does nothing without layer "log". */
int moments_begin(struct session *s, struct err *e);
/* While the workers run, every tick: another one, when it is due. */
void moments_tick(struct session *s);
/* The workers are gone: the last one. */
void moments_end(struct session *s);
void moments_free(struct session *s);

/* The target is unmounted: take it away, read the log, check. Findings are the session's. */
void replay_log(struct session *s);

/* replay_point.c: the filesystem of the file @image, in which @from was durable, but for what
 * @order says, and nothing of after @to can be. Its findings are marked with @when; the file goes,
 * but for one that has some. */
void replay_check(struct session *s, const char *image, const struct shadow_moment *from,
		  const struct shadow_moment *to, const struct replay_order *order,
		  const char *when);

#endif
