/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the two halves of an import: import.c finds results below a directory and reads them,
 * import_rows.c makes rows of what was read. For these two files only.
 */
#ifndef STRESSD_STORE_IMPORT_H
#define STRESSD_STORE_IMPORT_H

#include "base/json_at.h"
#include "store/content.h"
#include "store/internal.h"

/* A cell of a matrix, from its cell.json; "" where a run belongs to none. */
struct import_cell {
	char id[40], scenario[80], target[80], label[80], config[40], commit[80];
	s64 seed;
};

/* A run as it was read: JSON of result.json, and what lies beside it. */
struct import_run {
	const char *dir;
	char content[STORE_CONTENT_MAX]; /* hash of the bytes */
	const json_t *result;		 /* of the run */
	const json_t *verified;		 /* verify/result.json, or NULL */
	const char *fs;			 /* of the scenario, where the result does not say */
	const char *kernel;		 /* likewise, of guest.json */
	const struct import_cell *cell;	 /* or NULL */
	const char *night;		 /* "" for none */
};

/* One try of a cell; @run 0: it left no result. */
struct import_attempt {
	const struct import_cell *cell;
	const char *night, *end, *host;
	s64 n, exit, started_s, ended_s; /* exit, ended_s: -1: none */
	s64 run;
};

/* "" where @key is not there or no string. */
const char *import_text(const json_t *o, const char *key);
/* In one transaction each. *ret_id is the run's; *ret_how STORE_ADDED or STORE_KNOWN. 0 or -errno.
 */
int import_put_run(struct store *s, const struct import_run *run, s64 *ret_id,
		   enum store_imported *ret_how, struct err *e);
/* Has the store a run of that attempt? 1, 0 or -errno. */
int import_attempt_known(struct store *s, const struct import_attempt *a, struct err *e);
int import_put_attempt(struct store *s, const struct import_attempt *a, struct err *e);

#endif
