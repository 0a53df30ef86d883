/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of one scenario, from the probe to the report: what the coordinator owns. session.c
 * brings it up and takes it down, coordinator.c drives it while the workers run, judge.c turns
 * sightings and log events into findings and the findings into a verdict.
 */
#ifndef STRESSD_SESSION_H
#define STRESSD_SESSION_H

#include "undo/janitor.h"
#include "klog/klog.h"
#include "race/probe.h"
#include "report/report.h"
#include "session/check.h"
#include "session/history.h"
#include "target/target.h"
#include "workers/worker.h"

struct run_options {
	const char *scenario; /* path */
	const char *run_dir;  /* NULL: a new one under the state directory */
	const char *destroy;  /* device that may be destroyed, or NULL */
	const char *duration; /* overrides, or NULL */
	const char *seed;
	bool json, quiet, keep;
	u64 formats; /* of reports, as report_ask() gave them */
};

struct crew {
	struct worker_plan plan;
	char name[32], type[32];
	pid_t pid;
	int pidfd;    /* -1 once reaped */
	double cpu_s; /* user and system time, its children's too; known once reaped */
	bool holds_journal;
	const struct sc_hold *hold; /* of its actor, or NULL */
};

struct fault_run;

struct session {
	const struct run_options *o;
	struct scenario *sc;
	char run_name[128], run_dir[512], state_dir[400];
	struct target target;
	bool target_up, made_run_dir;
	const char *culprit; /* pointer of the part of the scenario that was refused, or NULL */
	struct undo *undo;
	struct janitor janitor;
	bool janitor_up;
	struct shadow shadow;
	struct run_shared *run;
	struct oplog log; /* the coordinator's own */
	struct actor actor;
	struct history history;
	struct klog *klog;
	size_t klog_seen;
	struct crew *crew;
	size_t ncrew, alive;
	struct probe_board probes;
	struct fault_run *faults; /* see session/faults.h */
	size_t nfaults;
	int faults_timer; /* only with faults */
	struct fault_task *fault_tasks;
	u64 owed_read_ns; /* the kernel log was searched for writeback errors */
	int *fault_pins;  /* O_PATH, one for each file: errors are kept with the inode */
	bool faults_over;
	struct moments *moments; /* see session/replay.h; NULL: no log of writes */
	struct live *live;
	struct run_result result;
	u64 started_ns; /* of the program */
	u64 stop_ns;	/* when the workers were told to stop, or 0 */
	u64 died_ns;	/* `verify`: the last sign of life of the run that died */
	int stop_signals;
	bool keep_target; /* `verify` could not read all of it: leave it for another try */
	bool lacks;	  /* the target showed that this machine lacks something: exit 4 */
	bool guest;	  /* `verify`: the run was a guest's of `stressd vm` */
	bool crashed;	  /* ... whose kernel died under it */
	bool hopeless;	  /* errors of stressd's own: exit 3 */
	u64 explained_direct_eio, explained_stale_cache;
	const char *phase;
};

/* Run it all; returns the exit code. Prints what a person needs. */
int session_run(const struct run_options *o);

/* coordinator.c: from the start barrier until all workers are gone. */
int coordinate(struct session *s, struct err *e);

/* probes.c: the holds by kprobe of a scenario. probe: could each be set here? open: what workers
 * and kernel share of them, before the workers are forked. plant: once they are. They go with the
 * coordinator, however it ends; take_out is for one that stays. */
int probes_probe(const struct session *s, struct err *e);
int probes_open(struct session *s, struct err *e);
int probes_plant(struct session *s, struct err *e);
void probes_take_out(struct session *s);

/* session.c: parts of bringing a run up that `verify` needs too. */
/* Watch the kernel log from now on; a copy goes to @copy in the run directory. */
void session_watch_klog(struct session *s, const char *copy);
/* Journal, namespace, janitor: from here on everything is put back whoever dies. */
int session_arm(struct session *s, struct err *e);
void session_block_signals(void);

/* refuse.c: say on stderr, with file, line and pointer, what of the scenario is refused. The
 * pointer is @culprit's, or found among the keys of the target. */
void session_refuse(struct session *s, const char *culprit, const char *text);
/* Does --destroy name the very device of the scenario? */
bool session_may_destroy(const struct session *s);

/* place.c: target.json, by which `verify` finds what a dead run left. */
int place_save(const struct session *s, struct err *e);
/* Fill in run name, state directory and target from the run directory's target.json. -ENOENT: the
 * run has none. @ret_same_boot: its times are of the clock of this boot. */
int place_load(struct session *s, bool *ret_same_boot, struct err *e);

/* reopen.c: `stressd verify`, the check that a dead run did not come to. Returns the exit code. */
int session_verify(const struct run_options *o);

/* guest.c: the run of a guest. Is it one? Sets s->guest and s->crashed. */
bool guest_look(struct session *s);
/* After place_load(): the paths of the guest become those of this machine. -EINVAL: nothing of its
 * files is left. */
int guest_place(struct session *s, struct err *e);
/* After session_describe(): reports go beside those of the run itself. */
void guest_describe(struct session *s);
/* The target cannot be mounted, for @r: is its filesystem gone? True: yes, and it was said. */
bool crashed_fs(struct session *s, int r);
/* The target is mounted: are the files there, as long as they may be? From here on the shadow is
 * judged by what was durable. -ENOENT: some are gone, and it was said. */
int crashed_files(struct session *s);

/* finish.c: the second half, from wherever the first got to; each says its troubles itself. */
void session_describe(struct session *s);
void finish_check(struct session *s);
/* Unmount and run the filesystem's own checker. */
void finish_fs(struct session *s);
/* The last of the kernel log. */
void finish_klog(struct session *s);
/* Target, journal, janitor. */
void finish_put_back(struct session *s);
/* result.json and the others, and what a person reads. */
void finish_report(struct session *s);
/* What a run that passed needs no more. */
void finish_remove(struct session *s);
void session_free(struct session *s);

/* session.c: the target is up; what the reports and the kernel log want to know of it. */
void session_know_target(struct session *s);

/* judge.c */
/* Take sightings off the board; returns how many findings that made. */
size_t judge_sightings(struct session *s);
/* Read the kernel log and take its events. */
void judge_klog(struct session *s);
void judge_add(struct session *s, struct finding *f);
void judge_note(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An optional part @name is dropped for @why. 0 or -ENOMEM. */
int judge_drop(struct session *s, const char *name, const char *why);
/* stressd's own trouble: the first reason stays. */
void judge_trouble(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Counters, workers, verdict, exit code. */
void judge_result(struct session *s);

u64 klog_count_safe(const struct session *s);

/* crew.c: the worker processes. */
int crew_plan(struct session *s, struct err *e);
int crew_fork(struct session *s, struct err *e);
void crew_kill(struct session *s, int sig);
/* A worker's pidfd is readable: reap it, bury it, say what its end means. */
void crew_reap(struct session *s, struct crew *c);
/* Look for hangs and silence. */
void crew_watch(struct session *s);
struct crew *crew_by_pid(struct session *s, pid_t pid);

/* Where results and journals live: $STRESSD_STATE_DIR, /var/lib/stressd for root, else under
 * $XDG_STATE_HOME or ~/.local/state. */
int state_dir(char *buf, size_t len, struct err *e);

#endif
