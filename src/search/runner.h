/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs attempts: here, by `stressd run`, one after another; or in guests, by `stressd vm`, many in
 * one boot. Both are processes of their own, so nothing of a run is left in who searches. Tests
 * have a runner of their own. Prints nothing.
 */
#ifndef STRESSD_RUNNER_H
#define STRESSD_RUNNER_H

#include "search/try.h"

#define RUNNER_BATCH_MAX 64 /* attempts handed over at once */
#define RUNNER_ARGS	 32

/* @a has ended. True: that is enough, the rest of the batch need not run. */
typedef bool runner_done_fn(void *ctx, struct try *a);

struct runner {
	/* Run attempts [0, n) in order, n <= RUNNER_BATCH_MAX, and tell of each as it ends; those
	 * that did not come to an end are TRY_NOT_RUN. 0, or -errno with one line in @e:
	 * -EINVAL (usage), -ENOENT (skipped: this machine lacks something), -EAGAIN (try again),
	 * -EIO. */
	int (*run)(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		   struct err *e);
	const struct wanted *wanted;
	const char *dir;	       /* absolute, exists: everything goes below it */
	const char *args[RUNNER_ARGS]; /* further ones of `stressd run` or `stressd vm` */
	size_t nargs;
	void (*tick)(void *ctx); /* some five times a second, or NULL */
	void *tick_ctx;
	u64 deadline_ns;  /* no attempt goes on beyond it; 0: none */
	double restart_s; /* what it costs to begin a batch, as far as is known */
	bool interrupted; /* a signal asked us to stop, or the deadline came: nothing more runs */
	bool signalled;	  /* it was a signal */
	u64 batches, attempts;
};

/* Signals that ask to stop are from here on seen by the runner alone. */
void runner_init(struct runner *r);
int runner_native(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		  struct err *e);
int runner_guest(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		 struct err *e);

/* For the two of them. */
/* The scenario with the seed of the attempt, as a file, and the attempt's names. 0 or -errno. */
int runner_write(struct runner *r, struct try *a, struct err *e);

struct runner_child {
	pid_t pid;
	int err_fd;	/* memory: what it said on stderr */
	int exit;	/* -1: a signal ended it */
	int asked;	/* how often it was asked to stop */
	bool cut_short; /* by us, as the deadline came or the signal */
};

/* Start this very program with @argv (argv[0] is the subcommand), its output dropped. It is asked
 * to stop when we die. */
int runner_spawn(const char *const argv[], struct runner_child *c, struct err *e);
/* Wait for its end, or for at most @limit_ms. True: it has ended. Asks it to stop when that is due,
 * and again for each further signal. */
bool runner_wait(struct runner *r, struct runner_child *c, int limit_ms);
void runner_ask_to_stop(struct runner_child *c);
/* The last line that it said, for a person; frees what is left of the child. Returns @buf. */
const char *runner_reap(struct runner_child *c, char *buf, size_t size);

#endif
