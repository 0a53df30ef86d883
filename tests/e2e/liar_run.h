/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run of stressd on a filesystem that lies on demand: both started together, and what the test
 * needs to know to tell a lie at the right moment. Which lies and scenarios there are is for the
 * tests to know. Of stressd's insides only stamps may come in: they are the bytes of the files.
 */
#ifndef STRESSD_TEST_LIAR_RUN_H
#define STRESSD_TEST_LIAR_RUN_H

#include "e2e.h"
#include "liar_client.h"

#define LIAR_RUN_CELL 512	 /* bytes; scenarios of these tests use no other cell */
#define LIAR_RUN_FILE (64 * KIB) /* and no other size */

struct liar_run {
	struct liar liar;
	bool writeback;
	struct e2e e2e;
	char dir[64];	   /* of the run, below the mount */
	char run_dir[320]; /* with the results */
	json_t *result;	   /* once it ended */
};

/* Can FUSE be mounted here? Else return E2E_SKIP. */
bool liar_run_possible(void);

/* Mount; @writeback: with the kernel's writeback cache. */
void liar_run_mount(struct liar_run *t, bool writeback);
/* Start stressd on it with @files and @workers: JSON arrays, with ' for ". Returns when the
 * first file has its size. */
void liar_run_start(struct liar_run *t, const char *files, const char *workers, unsigned int seed,
		    const char *duration);
/* Wait until workers wrote every cell of [@offset, @offset + @len) of @file. */
void liar_run_wait_written(struct liar_run *t, const char *file, u64 offset, u64 len);
/* Tell a lie; every % in @lie stands for the directory of the run. Fails the test if refused. */
void liar_run_lie(struct liar_run *t, const char *lie);
/* Wait for its end. */
void liar_run_wait(struct liar_run *t, double limit_s);
/* Unmount and forget everything; may be called at any point. */
void liar_run_end(struct liar_run *t);

/* The first finding, borrowed; NULL when there is none. */
json_t *liar_run_finding(const struct liar_run *t);
/* A string of it, "" where it has none. */
const char *liar_run_string(const json_t *finding, const char *key);

#endif
