/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job: one scenario, here or in a guest, or one matrix. Its file is on disk, synced, before
 * anybody is told of it, and says enough for another daemon to go on.
 *
 *   STATE/daemon/jobs/ID.json, ID.scenario.json   what is to be done, and what became of it
 *   STATE/daemon/runs/ID-ATTEMPT/                 the run directory; of a matrix ID/, for all
 * attempts STATE/daemon/runs/ID.err                      what the last attempt said
 */
#ifndef STRESSD_DAEMON_JOB_H
#define STRESSD_DAEMON_JOB_H

#include "base/option.h"
#include "daemon/child.h"
#include "daemon/daemon.h"

#define JOB_SCENARIO_MAX DAEMON_MESSAGE_MAX
#define JOB_KERNELS_MAX	 64

enum job_interruption { JOB_REQUEUE, JOB_DROP };

/* What `submit` takes. */
struct job_spec {
	char *name;
	char *matrix; /* path; NULL: a scenario */
	char *kernel; /* image; NULL: the kernel that is running */
	char **kernels;
	char *night, *append, *accel;
	int interruption; /* enum job_interruption */
	bool exclusive;
	u64 vms, cpus, memory_bytes;
	u64 attempts; /* while the infrastructure fails */
};
extern const struct opt_def job_options[];

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_FINISHED,	 /* it came to an end, of whatever kind */
	JOB_INTERRUPTED, /* and is not to be run again */
	JOB_CANCELLED,
	JOB_LOST, /* the machine went down under it */
	JOB_STATES
};
extern const char *const job_state_names[];

struct job {
	u64 id;
	struct job_spec spec;
	json_t *spec_json;
	int state;
	u64 attempt;   /* from 1 */
	u64 failures;  /* attempts that the infrastructure failed */
	s64 again_s;   /* queued, and not to be started before; 0: as soon as it fits */
	json_t *tries; /* what became of the attempts before this one, the newest last */
	int exit;      /* of the last attempt; -1: none */
	char said[400];
	s64 submitted_s, started_s, ended_s, uid;
	int stored; /* results are in the store */
	int cancelled;
	/* Of the process that runs, or ran when the daemon died. */
	pid_t pid;
	u64 start_ticks;
	char boot[40];
};

/* For messages: the same object with what is of interest to others. New reference or NULL. */
json_t *job_to_json(const struct job *j);
/* Write the file. 0 or -errno. */
int job_save(const char *dir, const struct job *j);
/* Read the file @path. 0 with *ret, or -errno with a line in @e. */
int job_load(const char *path, struct job **ret, struct err *e);
void job_free(struct job *j);

bool job_ended(const struct job *j);
/* Names below @dir, STATE/daemon. 0 or -ENAMETOOLONG. */
int job_path(const char *dir, const struct job *j, char *buf, size_t size);
int job_scenario_path(const char *dir, const struct job *j, char *buf, size_t size);
int job_run_dir(const char *dir, const struct job *j, char *buf, size_t size);
int job_err_path(const char *dir, const struct job *j, char *buf, size_t size);

#endif
