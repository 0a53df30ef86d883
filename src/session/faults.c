// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arming and disarming, by one timer of the coordinator's loop. Everything that will be changed is
 * in the journal before the workers start; a fault that may be armed is one that can be put back.
 * While a filesystem is frozen nothing else is done: whoever touched it would wait for ever.
 */
#include "session/faults.h"

#include "faults/schedule.h"
#include "session/session.h"
#include "base/claim.h"
#include "base/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define GRACE_NS     (500 * NSEC_PER_MSEC) /* errors of operations that it met half-way */
#define LOG_GRACE_NS (2 * NSEC_PER_SEC)	   /* lines of work queues that come late */

static void fault_step(const struct fault_run *r, const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", r->fault.type->name, what);
	step(name);
}

int faults_probe(struct session *s, struct err *e)
{
	s->faults = calloc(s->sc->nfaults + 1, sizeof(*s->faults));
	s->faults_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!s->faults || s->faults_timer < 0)
		return err_set(e, -ENOMEM, "no memory or no timer for the faults");
	for (size_t i = 0; i < s->sc->nfaults; i++) {
		struct fault_run *r = &s->faults[s->nfaults++];
		const struct sc_fault *sc = &s->sc->faults[i];
		int ret;

		*r = (struct fault_run){
			.sc = sc,
			.log_set = -1,
			.log_after_set = -1,
			.fault = { .type = sc->type,
				   .options = sc->options,
				   .target = &s->target,
				   .state_dir = s->state_dir,
				   .state = calloc(1, sc->type->state_size + 1),
				   .rng.state = s->sc->seed ^ mix64(i + 1) },
		};
		if (!r->fault.state)
			return err_set(e, -ENOMEM, "no memory for the faults");
		ret = sc->type->probe(&r->fault, e);
		if (ret < 0 && !sc->optional) {
			s->culprit = sc->pointer;
			return ret;
		}
		r->dropped = ret < 0;
		if (r->dropped && judge_drop(s, sc->type->name, e->text) < 0)
			return err_set(e, -ENOMEM, "no memory for the faults");
	}
	return 0;
}

/* What the workers must know to judge errors. */
static void share(struct session *s, struct fault_run *r)
{
	const struct fault_type *t = r->fault.type;

	r->shared = &s->run->faults[s->run->nfaults++];
	snprintf(r->shared->name, sizeof(r->shared->name), "%s", t->name);
	r->shared->loses_writes = t->flags & FAULT_LOSES_WRITES;
	r->shared->ends_fs = t->flags & FAULT_ENDS_FS;
	for (size_t i = 0; i < RUN_FAULT_ERRNOS && t->errnos && t->errnos[i]; i++)
		r->shared->errnos[i] = (u32)t->errnos[i];
}

static int prepare(struct session *s, struct fault_run *r, struct err *e)
{
	int ret;

	share(s, r);
	r->fault.undo = s->undo;
	ret = r->fault.type->save(&r->fault, e);
	fault_step(r, "recorded");
	if (s->klog && r->fault.type->log)
		r->log_set = klog_allow_rules(s->klog, r->fault.type->log);
	if (s->klog && r->fault.type->log_after)
		r->log_after_set = klog_allow_rules(s->klog, r->fault.type->log_after);
	return ret;
}

/* Between the last worker's close and the final check nobody has the files open, and an inode that
 * is evicted takes the error that nobody was told of with it. */
static int pin_files(struct session *s)
{
	s->fault_pins = calloc(s->shadow.nfiles + 1, sizeof(*s->fault_pins));
	for (u32 i = 0; s->fault_pins && i < s->shadow.nfiles; i++)
		s->fault_pins[i] = open(s->actor.files[i].path, O_PATH | O_CLOEXEC);
	return s->fault_pins ? 0 : -ENOMEM;
}

void faults_unpin(struct session *s)
{
	for (u32 i = 0; s->fault_pins && i < s->shadow.nfiles; i++)
		if (s->fault_pins[i] >= 0)
			close(s->fault_pins[i]);
	free(s->fault_pins);
	s->fault_pins = NULL;
}

int faults_prepare(struct session *s, struct err *e)
{
	bool keeps = false;

	for (size_t i = 0; i < s->nfaults; i++) {
		struct fault_run *r = &s->faults[i];
		int ret = r->dropped ? 0 : prepare(s, r, e);

		if (ret < 0 && r->sc->optional && judge_drop(s, r->sc->type->name, e->text) == 0) {
			r->dropped = true;
			continue;
		}
		if (ret < 0) {
			s->lacks = true;
			return ret;
		}
		if (!r->dropped && r->fault.type->flags & FAULT_LOSES_WRITES)
			keeps = true;
	}
	return keeps && pin_files(s) < 0 ? err_set(e, -ENOMEM, "no memory for the faults") : 0;
}

void faults_sync_files(struct session *s)
{
	bool needed = s->sc->nfaults || layers_wanted(s->sc, DM_LAYER_LOG);

	for (u32 i = 0; needed && i < s->actor.nfiles; i++) {
		op_sync(&s->actor, &s->actor.files[i], OP_FSYNC);
		s->shadow.files[i].base_seq = atomic_load(&s->shadow.files[i].size_seq);
	}
}

static struct fault_run *frozen(const struct session *s)
{
	for (size_t i = 0; i < s->nfaults; i++)
		if (s->faults[i].armed && s->faults[i].fault.type->flags & FAULT_FREEZES)
			return &s->faults[i];
	return NULL;
}

static bool loses_now(const struct session *s)
{
	for (size_t i = 0; i < s->nfaults; i++)
		if (s->faults[i].armed && s->faults[i].shared->loses_writes)
			return true;
	return false;
}

/* The workers hear of it before it is there, and of its end after it. */
static void open_window(struct session *s, struct fault_run *r, u64 now)
{
	if (r->log_set >= 0)
		klog_allow_from(s->klog, r->log_set, now);
	if (r->log_after_set >= 0 && !r->armings)
		klog_allow_from(s->klog, r->log_after_set, now);
	if (r->shared->loses_writes)
		risk_begin(&s->shadow);
	if (r->fault.type->flags & FAULT_CUTS)
		atomic_store(&s->run->cut_ns, now);
	atomic_store(&r->shared->until_ns, UINT64_MAX);
	if (!atomic_load(&r->shared->first_ns))
		atomic_store_explicit(&r->shared->first_ns, now, memory_order_release);
}

/* What is dirty in a filesystem that is down is written no more, whatever its device would take: a
 * direct read finds what is on the disk. A worker may see it go down at this moment. */
static void end_risk(struct session *s, const struct fault_run *r)
{
	if (!r->shared->loses_writes || loses_now(s) || ledger_fs_down(s))
		return;
	risk_end(&s->shadow);
	if (ledger_fs_down(s))
		risk_begin(&s->shadow);
}

static void close_window(struct session *s, struct fault_run *r, u64 now)
{
	atomic_store(&r->shared->until_ns, now + GRACE_NS);
	end_risk(s, r);
	/* A filesystem that is down goes on to complain. */
	if (r->log_set >= 0 && !ledger_fs_down(s))
		klog_allow_until(s->klog, r->log_set, now + LOG_GRACE_NS);
}

static void disarm(struct session *s, struct fault_run *r)
{
	struct err e = { "" };
	u64 now;

	if (r->fault.type->disarm(&r->fault, &e) < 0)
		judge_trouble(s, "%s could not be disarmed: %s", r->fault.type->name, e.text);
	now = now_ns();
	if (r->armed) {
		r->armed_ns_total += now - r->armed_at;
		r->windows[(r->armings - 1) % FAULT_WINDOWS].to_ns = now;
	}
	r->armed = false;
	close_window(s, r, now);
	fault_step(r, "disarmed");
}

static void arm(struct session *s, struct fault_run *r)
{
	struct err e = { "" };
	int ret;

	open_window(s, r, now_ns());
	ret = r->fault.type->arm(&r->fault, &e);
	r->armed_at = now_ns();
	if (ret < 0) {
		/* A filesystem that another fault broke cannot be filled or frozen. */
		if (!r->error[0])
			snprintf(r->error, sizeof(r->error), "%.250s", e.text);
		disarm(s, r);
		return;
	}
	r->armed = true;
	r->windows[r->armings % FAULT_WINDOWS].from_ns = r->armed_at;
	r->windows[r->armings % FAULT_WINDOWS].to_ns = 0;
	r->armings++;
	if (r->fault.type->flags & FAULT_CUTS)
		atomic_store(&s->run->fs_down_ns, r->armed_at);
	fault_step(r, "armed");
}

/* Breathe, or whatever else it does meanwhile. */
static void step_one(struct fault_run *r, u64 now)
{
	u64 every = r->fault.type->step ? r->fault.type->step_ns(&r->fault) : 0;

	if (!every || now < r->step_due)
		return;
	if (r->step_due)
		r->fault.type->step(&r->fault);
	r->step_due = now + every;
}

/* Do what is due; returns when the next thing is. */
static u64 serve(struct session *s, struct fault_run *r, u64 now)
{
	u64 start = s->run->start_ns, end;

	if (!r->armed && r->arm_due != SCHEDULE_NEVER && now >= r->arm_due) {
		arm(s, r);
		r->step_due = 0;
		r->arm_due = schedule_arm(r->sc, now - start + 1, true);
		if (r->arm_due != SCHEDULE_NEVER)
			r->arm_due += start;
	}
	if (!r->armed)
		return r->arm_due;
	end = schedule_disarm(r->sc, r->armed_at);
	if (now >= end) {
		disarm(s, r);
		return r->arm_due;
	}
	step_one(r, now);
	return r->step_due ? MIN(end, r->step_due) : end;
}

static void set_timer(const struct session *s, u64 due)
{
	struct itimerspec at = { .it_value = { .tv_sec = (time_t)(due / NSEC_PER_SEC),
					       .tv_nsec = (long)(due % NSEC_PER_SEC) } };

	if (due == SCHEDULE_NEVER)
		at.it_value = (struct timespec){ 0 };
	timerfd_settime(s->faults_timer, TFD_TIMER_ABSTIME, &at, NULL);
}

void faults_due(struct session *s)
{
	u64 expirations, due = SCHEDULE_NEVER;
	struct fault_run *ice = frozen(s);

	if (read(s->faults_timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return;
	if (s->faults_over)
		return;
	if (ice)
		due = serve(s, ice, now_ns());
	for (size_t i = 0; i < s->nfaults && !frozen(s); i++)
		if (!s->faults[i].dropped)
			due = MIN(due, serve(s, &s->faults[i], now_ns()));
	if ((ice = frozen(s)))
		due = schedule_disarm(ice->sc, ice->armed_at);
	set_timer(s, due);
}

int faults_fd(const struct session *s)
{
	return s->nfaults ? s->faults_timer : -1;
}

int faults_start(struct session *s, struct err *e)
{
	struct fault_task *tasks = calloc(s->ncrew + 1, sizeof(*tasks));

	if (!s->nfaults || !tasks) {
		free(tasks);
		return s->nfaults ? err_set(e, -ENOMEM, "no memory for the faults") : 0;
	}
	s->fault_tasks = tasks;
	for (size_t i = 0; i < s->ncrew; i++)
		tasks[i] = (struct fault_task){ s->crew[i].type, s->crew[i].pid };
	for (size_t i = 0; i < s->nfaults; i++) {
		struct fault_run *r = &s->faults[i];

		r->fault.tasks = tasks;
		r->fault.ntasks = s->ncrew;
		r->arm_due = s->run->start_ns + schedule_arm(r->sc, 0, false);
	}
	faults_due(s);
	return 0;
}

void faults_mark(const struct session *s, struct timeline *t)
{
	u64 from, to, run = s->run ? s->run->start_ns : 0;

	if (!t)
		return;
	timeline_span(t, &from, &to);
	for (size_t i = 0; i < s->nfaults; i++) {
		const struct fault_run *r = &s->faults[i];

		for (u64 w = 0; w < MIN(r->armings, (u64)FAULT_WINDOWS); w++) {
			u64 a = r->windows[w].from_ns - run, z = r->windows[w].to_ns;

			if (a <= to && (!z || z - run >= from))
				timeline_mark(t, MARK_FAULT, a, z ? z - run : 0,
					      r->fault.type->name);
		}
	}
}

static void put_back(struct session *s, struct fault_run *r)
{
	struct err e = { "" };

	if (r->dropped || !r->fault.nentries)
		return;
	if (r->armed)
		disarm(s, r);
	if (r->fault.type->is_armed(&r->fault))
		judge_trouble(s, "%s is armed still, though it was disarmed: run `stressd recover`",
			      r->fault.type->name);
	if (fault_put_back(&r->fault, &e) < 0)
		judge_trouble(s, "%s was not put back: %s; run `stressd recover`",
			      r->fault.type->name, e.text);
	fault_step(r, "put back");
}

void faults_stop(struct session *s)
{
	struct fault_run *ice = frozen(s);

	s->faults_over = true;
	if (ice)
		put_back(s, ice);
	for (size_t i = s->nfaults; i-- > 0;)
		put_back(s, &s->faults[i]);
}

void faults_cut_over(struct session *s)
{
	for (size_t i = 0; i < s->nfaults; i++) {
		struct fault_run *r = &s->faults[i];
		struct err e = { "" };

		if (!r->armed || !(r->fault.type->flags & FAULT_CUTS))
			continue;
		faults_unpin(s);
		actor_close(&s->actor);
		if (s->target.type->unmount(&s->target, &e) < 0)
			judge_trouble(s, "after %s: %s", r->fault.type->name, e.text);
		else
			disarm(s, r);
	}
}

void faults_free(struct session *s)
{
	faults_unpin(s);
	claim_drop();
	for (size_t i = 0; i < s->nfaults; i++)
		free(s->faults[i].fault.state);
	if (s->faults)
		close(s->faults_timer);
	free(s->faults);
	free(s->fault_tasks);
}

u64 faults_injected(const struct session *s)
{
	u64 n = 0;

	for (size_t i = 0; i < s->nfaults; i++) {
		const struct fault_run *r = &s->faults[i];

		if (r->armings)
			n += r->fault.type->injected ? r->fault.type->injected(&r->fault)
						     : r->armings;
	}
	return n;
}
