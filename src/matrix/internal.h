/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the matrix: names below the directory of a night, and of a cell. */
#ifndef STRESSD_MATRIX_INTERNAL_H
#define STRESSD_MATRIX_INTERNAL_H

#include "matrix/matrix.h"

#define CELL_FILE     "cell.json"
#define CELL_SCENARIO "scenario.json"
#define EXIT_FINDING  1
#define EXIT_TROUBLE  3
#define EXIT_AGAIN    75

/* Memory that a guest takes beside its own: QEMU, the arena, page cache of its image. */
#define GUEST_EXTRA (512 * MIB)

/* record.c: the lock of a cell, held while it runs and while its records are judged. @wait: until
 * it is free; else -EBUSY. */
int cell_lock(const char *dir, bool wait, int *ret_fd, struct err *e);
/* With the lock held: as cell_look(), which takes it. */
int cell_judge(const char *dir, struct cell_outcome *ret, struct err *e);
/* Write that attempt @n starts, and sync it: nothing was done before. 0 or -errno. */
int cell_started(const char *dir, u64 n, struct err *e);
/* How it ended: "finished", "again", "interrupted" or "lost". */
int cell_ended(const char *dir, u64 n, const char *end, int exit, const char *said, struct err *e);

/* JSON to a file, whole or not at all. 0 or -errno. */
int matrix_write(const char *dir, const char *name, const json_t *o, struct err *e);

/* Limits as they are, where they are not given. */
void matrix_settle_limits(const struct matrix *m, struct matrix_limits *l);

#endif
