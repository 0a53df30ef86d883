/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a job says while it runs, and what came of it: the JSON lines of `stressd run --json`, of
 * the same in a guest, and of `stressd matrix --json`, by a pipe that is read as it fills. All of
 * it is bounded and nothing of it is trusted: a guest may run wild. For watchers and the page.
 */
#ifndef STRESSD_DAEMON_FEED_H
#define STRESSD_DAEMON_FEED_H

#include "daemon/internal.h"
#include "report/report.h"

#define FEED_FOUND 20 /* findings, or cells with some, that are kept; the others are counted */
#define FEED_CELLS 16 /* that run at a time, and are named */
#define FEED_TEXT  700

struct feed_found {
	char what[300]; /* kind of a finding, or which cell has some */
	char text[FEED_TEXT];
};

struct feed_cell {
	char id[24], name[300];
};

struct feed {
	struct source source; /* first; open while the process may say something */
	struct entry *en;
	char *line;
	size_t len, size;
	bool skipping; /* the rest of a line that is too long */
	/* The last line of progress. */
	bool progressed;
	char phase[16];
	struct live_state now; /* without its phase */
	u64 told_ns;
	struct feed_found found[FEED_FOUND];
	size_t nfound;
	u64 findings;			  /* all of them, kept or not */
	u64 cells, passed, failed, other; /* of a matrix: all, and those that have ended */
	struct feed_cell running[FEED_CELLS];
	size_t nrunning;
	char outcome[FEED_TEXT]; /* of its end, in a sentence; "" */
	bool settled;		 /* what it left on disk was read */
};

/* A new attempt of @en, which speaks through @fd (taken; -1: it says nothing to us). */
void feed_open(struct daemon *d, struct entry *en, int fd);
/* Its process has ended: take what is left in the pipe, then what it left on disk. */
void feed_end(struct daemon *d, struct entry *en);
void feed_free(struct daemon *d, struct entry *en);
/* Once a tick: read what one job left on disk that ended before this daemon began. */
void feed_recall(struct daemon *d);

#endif
