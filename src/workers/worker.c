// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a worker process: die with the coordinator, drop rights, open files, wait for the
 * start, then step after step with a look at pause and stop between them. The same for every
 * worker; what differs is in its own file.
 */
#include "workers/worker.h"

#include "base/cleanup.h"
#include "ops/guard.h"
#include "workers/lineup.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

static inline void cap_freep(cap_t *c)
{
	if (*c)
		cap_free(*c);
}

#define NAP_NS (20 * NSEC_PER_MSEC) /* longest time without looking at pause and stop */

#define X(name) extern const struct worker_type worker_##name;
#include "workers/workers.def"
#undef X

const struct worker_type *const worker_types[] = {
#define X(name) &worker_##name,
#include "workers/workers.def"
#undef X
	NULL,
};

const struct worker_type *worker_type_by_name(const char *name)
{
	for (const struct worker_type *const *t = worker_types; *t; t++)
		if (!strcmp((*t)->name, name))
			return *t;
	return NULL;
}

static void set_state(struct worker *w, enum slot_state s)
{
	atomic_store(&w->actor.slot->state, s);
}

static int fail(struct worker *w, const char *what, int status)
{
	snprintf(w->actor.slot->error, sizeof(w->actor.slot->error), "%s", what);
	set_state(w, SLOT_FAILED);
	return status;
}

/* Keep the capabilities of the worker's row and no others. As root with none left, files are
 * reached by their owner's permission bits alone. (capabilities(7)) */
static int drop_rights(const struct worker_type *t, struct err *e)
{
	_cleanup_(cap_freep) cap_t none = cap_init();
	cap_value_t keep[WORKER_CAPS_MAX];

	if (!none)
		return err_set(e, -errno, "cannot make a capability set: %s", strerror(errno));
	memcpy(keep, t->caps, sizeof(keep));
	if (t->ncaps && (cap_set_flag(none, CAP_PERMITTED, (int)t->ncaps, keep, CAP_SET) < 0 ||
			 cap_set_flag(none, CAP_EFFECTIVE, (int)t->ncaps, keep, CAP_SET) < 0))
		return err_set(e, -errno, "cannot name its capabilities: %s", strerror(errno));
	if (geteuid() == 0 && cap_set_proc(none) < 0)
		return err_set(e, -errno, "cannot drop capabilities: %s", strerror(errno));
	/* No program that it runs gets any back. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "cannot set no_new_privs: %s", strerror(errno));
	return 0;
}

/* Close everything, say so, wait for the end of the pause, open everything again. */
static int sit_out_pause(struct worker *w, u32 pause)
{
	struct actor *a = &w->actor;
	int r = 0;

	if (w->type->release)
		w->type->release(w);
	actor_close(a);
	atomic_store(&a->slot->pause_seen, pause);
	set_state(w, SLOT_PAUSED);
	while (atomic_load(&a->run->pause) == pause && !run_stopping(a->run)) {
		futex_wait(&a->run->pause, pause, NAP_NS);
		actor_beat(a);
	}
	/* A stop during a pause: the files stay closed, there is nothing left to do. */
	if (atomic_load(&a->run->pause) == pause)
		return 0;
	r = actor_open(a, false, &w->err);
	set_state(w, SLOT_RUNNING);
	if (r == 0 && w->type->resume)
		r = w->type->resume(w, &w->err);
	return r;
}

static int checkpoint(struct worker *w)
{
	u32 pause = atomic_load_explicit(&w->actor.run->pause, memory_order_relaxed);

	if (__builtin_expect(pause & 1, 0) && atomic_load(&w->actor.run->pauser) != w->actor.id)
		return sit_out_pause(w, pause);
	return 0;
}

bool worker_stopping(const struct worker *w)
{
	return run_stopping(w->actor.run);
}

void worker_sleep(struct worker *w, u64 ns)
{
	u64 deadline = now_ns() + ns;

	for (u64 now = now_ns(); now < deadline && !worker_stopping(w); now = now_ns()) {
		u64 nap = MIN(deadline - now, NAP_NS);

		if (atomic_load(&w->actor.run->pause) & 1)
			return; /* the framework sits it out before the next step */
		actor_beat(&w->actor);
		nanosleep(&(struct timespec){ .tv_nsec = (long)nap }, NULL);
	}
}

struct afile *worker_file(struct worker *w)
{
	if (w->file)
		return w->file;
	return &w->actor.files[rng_below(&w->actor.rng, w->actor.nfiles)];
}

static int wait_for_start(struct worker *w, u64 after_ns)
{
	struct actor *a = &w->actor;
	int r = 0;

	set_state(w, SLOT_READY);
	while (!atomic_load(&a->run->go) && !run_stopping(a->run))
		futex_wait(&a->run->go, 0, NAP_NS);
	set_state(w, SLOT_RUNNING);
	while (r == 0 && now_ns() - a->run->start_ns < after_ns && !run_stopping(a->run)) {
		worker_sleep(w, after_ns - (now_ns() - a->run->start_ns));
		r = checkpoint(w);
	}
	return r;
}

static int run_steps(struct worker *w)
{
	int r = 0;

	while (r == 0 && !run_stopping(w->actor.run)) {
		r = checkpoint(w);
		if (r == 0 && !run_stopping(w->actor.run))
			r = w->race ? lineup_step(w) : w->type->step(w);
		if (w->type->flags & WORKER_QUIET)
			actor_beat(&w->actor);
	}
	return r;
}

static int set_up(struct worker_plan *p, struct oplog *log, struct err *e)
{
	struct worker *w = &p->w;
	char path[600];
	int r;

	snprintf(path, sizeof(path), "%s/ops.%u.log", w->run_dir, p->id);
	r = oplog_open_writable(path, log, e);
	if (r == 0)
		r = actor_init(&w->actor, p->id, p->sh, log, p->run, p->root, p->fs, p->seed, e);
	if (r < 0)
		return r;
	w->actor.check = p->check;
	w->file = p->file >= 0 ? &w->actor.files[p->file] : NULL;
	r = lineup_open(w, (enum hold_kind)p->hold, p->hold_limit_ns, e);
	if (r == 0)
		r = drop_rights(w->type, e);
	if (r == 0)
		r = actor_open(&w->actor, false, e);
	if (r == 0 && w->type->start)
		r = w->type->start(w, e);
	return r;
}

int worker_main(struct worker_plan *p)
{
	struct worker *w = &p->w;
	struct oplog log = { 0 };
	int r;

	w->actor.slot = &p->run->slots[p->id];
	prctl(PR_SET_NAME, w->actor.slot->name);
	signal(SIGINT, SIG_IGN); /* the terminal's; the coordinator says when to stop */
	signal(SIGTERM, SIG_DFL);
	guard_install();
	r = set_up(p, &log, &w->err);
	if (r < 0)
		return fail(w, w->err.text, 2);
	r = wait_for_start(w, p->after_ns);
	if (r == 0)
		r = run_steps(w);
	if (w->type->stop)
		w->type->stop(w);
	if (r < 0)
		return fail(w, w->err.text[0] ? w->err.text : strerror(-r), 1);
	set_state(w, SLOT_STOPPED);
	return 0;
}
