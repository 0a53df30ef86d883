/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A matrix: kernels x targets x scenarios x seeds. It becomes cells, each a directory with all that
 * it takes to run it, so that any process on any machine that sees the directory can, and whoever
 * died can be gone on after. Prints nothing.
 *
 *   keys.c     JSON to struct matrix        expand.c   struct matrix to cells with ids
 *   prepare.c  cells to directories         record.c   started and ended: what became of a cell
 *   cell.c     one cell: its attempts       local.c    many of them, on this machine
 *   script.c   many of them, by GNU parallel or Slurm
 *
 * The directory of a night (stressd-matrix(5)):
 *   night.json, matrix.json, lock, cells/ID/{cell,scenario,started-N,ended-N}.json, attempt-N/
 */
#ifndef STRESSD_MATRIX_H
#define STRESSD_MATRIX_H

#include "base/base.h"

#include <jansson.h>

#define MATRIX_CELLS_MAX 100000
#define MATRIX_NATIVE	 "native" /* the name of the kernel that is running */
#define CELL_ID_MAX	 17

struct matrix_kernel {
	char *name, *image, *append, *commit; /* image NULL: the kernel that is running */
	/* Of the image: its bytes, its configuration ("" where it does not have it). */
	char hash[33], config[17];
};

struct matrix_target {
	char *name;
	json_t *target; /* NULL: the scenario's own */
};

struct matrix_scenario {
	char *path, *name;
	json_t *object; /* as it was written */
};

struct matrix_exclude {
	char **kernels, **targets, **scenarios; /* names; an empty list: any */
};

struct matrix_guest {
	u64 cpus, memory_bytes, timeout_ns, silence_ns; /* timeout 0: as `stressd vm` */
	char *accel;
};

struct cell {
	char id[CELL_ID_MAX]; /* hash of what decides what it does */
	const struct matrix_kernel *kernel;
	const struct matrix_target *target;
	const struct matrix_scenario *scenario;
	u64 seed;
	char *text; /* its scenario, resolved */
};

struct matrix {
	char *path; /* as given; for messages */
	u64 version;
	char *name, *description;
	struct range seeds;
	u64 duration_ns; /* 0: each scenario's own */
	u64 attempts;	 /* of a cell, while they end in 75 */
	struct matrix_guest guest;
	struct matrix_kernel *kernels;
	struct matrix_target *targets;
	struct matrix_scenario *scenarios;
	struct matrix_exclude *excludes;
	struct cell *cells;
	size_t nkernels, ntargets, nscenarios, nexcludes, ncells;
	json_t *resolved; /* with every default filled in */
};

/* Read and check a matrix and the scenarios that it names. On failure -EINVAL or -errno, with one
 * line in @e: "FILE:LINE: POINTER: what is wrong; expected what". *ret: matrix_free(). */
int matrix_load(const char *path, struct matrix **ret, struct err *e);
void matrix_free(struct matrix *m);
/* "NAME=IMAGE": that kernel's image, over what the file says. 0 or -EINVAL. */
int matrix_set_kernel(struct matrix *m, const char *setting, struct err *e);
/* Make the cells, in the order kernel, scenario, target, seed. Images are read. Once. 0, -EINVAL
 * (a kernel without an image, a scenario that cannot have a target) or -errno. */
int matrix_expand(struct matrix *m, struct err *e);

/* Make the directory @dir (absolute), or what it lacks of the cells; what is there stays. @night:
 * its name, unless it has one. 0 or -errno. */
int matrix_prepare(const struct matrix *m, const char *dir, const char *night, struct err *e);
/* Take the lock of @dir for as long as the descriptor is open: one engine at a time. 0, -EBUSY or
 * another -errno. */
int matrix_lock(const char *dir, int *ret_fd, struct err *e);

enum cell_state {
	CELL_LEFT,     /* not begun, interrupted, or to be tried again */
	CELL_RUNNING,  /* somebody has its lock */
	CELL_FINISHED, /* it has a verdict */
	CELL_LOST,     /* the machine that it was started on went down: a finding of its own */
	CELL_STATES
};
extern const char *const cell_state_names[CELL_STATES];

struct cell_outcome {
	int state;	/* enum cell_state */
	int exit;	/* of its last attempt; -1: none, or a signal ended it */
	u64 n;		/* attempts that were begun */
	char text[400]; /* what it said last, or why there is nothing; "" */
};

/* What became of the cell in @dir? An attempt that began and whose process is gone is noted as
 * interrupted where this machine still runs as it did then, and as lost where it does not. 0 or
 * -errno. */
int cell_look(const char *dir, struct cell_outcome *ret, struct err *e);
/* Run the cell in @dir unless it is finished: waits for whoever runs it, writes and syncs that it
 * started, runs it, writes how it ended, and tries again after 75. SIGINT and SIGTERM stop the run
 * in order and are blocked afterwards. *ret as cell_look(). 0 or -errno. */
int cell_run(const char *dir, struct cell_outcome *ret, struct err *e);
/* The path of a cell's directory. 0 or -ENAMETOOLONG. */
int cell_dir(const char *night_dir, const struct cell *c, char *buf, size_t size);

/* What an engine may use at a time. 0: as much as there is. */
struct matrix_limits {
	u64 jobs, cpus, memory_bytes;
};

/* Each is told of. @outcome NULL: it begins. */
typedef void matrix_tell_fn(void *ctx, const struct cell *c, const struct cell_outcome *outcome);

/* Run what is not finished, on this machine, as many at a time as fit; on the native kernel one at
 * a time, as they share its log. The first SIGINT or SIGTERM: no further cell; the next: those that
 * run are stopped. *ret_interrupted: cells are left. 0 or -errno. */
int matrix_run_local(const struct matrix *m, const char *dir, const struct matrix_limits *l,
		     matrix_tell_fn *tell, void *ctx, bool *ret_interrupted, struct err *e);
/* The same by GNU parallel: DIR/parallel.sh is what is run, and may be changed and run by hand.
 * -ENOENT: it is not installed. */
int matrix_run_parallel(const struct matrix *m, const char *dir, const struct matrix_limits *l,
			bool *ret_interrupted, struct err *e);
/* Submit a job array of Slurm for what is not finished: DIR/slurm.sbatch. It returns when sbatch(1)
 * does, with what that said in @said. @ret_jobs: cells that were submitted. */
int matrix_submit_slurm(const struct matrix *m, const char *dir, const struct matrix_limits *l,
			char *said, size_t size, u64 *ret_jobs, struct err *e);

#endif
