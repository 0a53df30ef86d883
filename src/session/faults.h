/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults of a run: armed and disarmed by schedule (faults.c), and accounted for (ledger.c).
 * What a fault is and does is the faults room's.
 */
#ifndef STRESSD_SESSION_FAULTS_H
#define STRESSD_SESSION_FAULTS_H

#include "faults/fault.h"
#include "finding.h"
#include "run.h"

struct session;

#define FAULT_WINDOWS 64 /* the last ones of a fault, for timelines */

struct fault_run {
	struct fault fault;
	const struct sc_fault *sc;
	struct run_fault *shared;
	bool dropped, armed;
	u64 armings, armed_ns_total;
	u64 armed_at, arm_due, step_due; /* CLOCK_MONOTONIC; SCHEDULE_NEVER */
	int log_set, log_after_set;	 /* of the kernel log, -1: none */
	char error[256];		 /* why it could not be armed, the first time */
	struct {
		u64 from_ns, to_ns; /* CLOCK_MONOTONIC; to 0: armed still */
	} windows[FAULT_WINDOWS];   /* by armings, the oldest overwritten */
};

/* Before anything is changed: what do they lack here? Drops optional ones. 0, or -errno as
 * target_type.probe. */
int faults_probe(struct session *s, struct err *e);
/* The target is up and the shared block is there: everything that arming will change goes to the
 * journal. A lack that only shows now is one, too: s->lacks. */
int faults_prepare(struct session *s, struct err *e);
/* The first state of the files must not be what a fault loses: on disk before the first. */
void faults_sync_files(struct session *s);
/* The workers are about to start. faults_fd() is readable when something is due. -1: no faults. */
int faults_start(struct session *s, struct err *e);
int faults_fd(const struct session *s);
void faults_due(struct session *s);
/* All of them disarmed and put back, now; no more after. May be called again. */
void faults_stop(struct session *s);
/* After that: a filesystem whose writes are dropped goes, and then they are no more. */
void faults_cut_over(struct session *s);
void faults_free(struct session *s);
/* Everybody was told: the files need not be kept in memory, and may be unmounted. */
void faults_unpin(struct session *s);
/* Errors injected so far by the faults that count them. */
u64 faults_injected(const struct session *s);

/* Put on the timeline when faults were armed in its span; NULL: nothing. */
void faults_mark(const struct session *s, struct timeline *t);

/* owed.c */
/* Take the errors of writeback out of the new lines of the kernel log. */
void owed_read(struct session *s);

/* ledger.c */
/* A fault of the run ended the filesystem / and it was not mounted again since. */
bool ledger_fs_down(const struct session *s);
bool ledger_down_now(const struct session *s);
/* An event of the kernel log may say so. */
void ledger_event(struct session *s, const char *rule, u64 time_ns);
/* After the workers, before the final check: everybody who may be told is told. */
void ledger_settle(struct session *s);
/* Is what a finding of content shows a loss that nobody was told of? Then that is its kind, and
 * the sentence says why. */
void ledger_name_loss(struct session *s, struct finding *f);
/* Counts into the result; what does not balance becomes a finding. */
void ledger_result(struct session *s);
/* "not-exercised" of the first fault that did nothing, or false. */
bool ledger_idle(const struct session *s, char *buf, size_t size);

#endif
