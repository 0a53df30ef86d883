// SPDX-License-Identifier: GPL-2.0-or-later
/* The crew: planning, forking, watching and reaping the worker processes. */
#include "session/session.h"

#include "base/fsutil.h"
#include "base/proc.h"
#include "session/account.h"
#include "base/step.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FIRST_ID   (SHADOW_LAYOUT + 1)
#define LONG_CALLS 5 /* a call that may take long gets so many watchdog times */

static void file_facts(struct session *s)
{
	for (size_t i = 0; i < s->sc->nfiles; i++) {
		struct shadow_file *f = &s->shadow.files[i];
		f->zone_bytes = sc_zone_bytes(s->sc, i);
		for (size_t k = 0; k < s->sc->nworkers; k++)
			f->reshaped |= sc_changes(&s->sc->workers[k], i, WORKER_RESHAPES);
	}
}

static void plan_one(struct session *s, const struct sc_worker *w, u64 instance)
{
	u16 id = (u16)(FIRST_ID + s->ncrew);
	struct crew *c = &s->crew[s->ncrew++];

	*c = (struct crew){ .pidfd = -1, .pid = -1 };
	snprintf(c->name, sizeof(c->name), "%s.%llu", w->type->name, (unsigned long long)instance);
	snprintf(c->type, sizeof(c->type), "%s", w->type->name);
	c->plan = (struct worker_plan){ .w = { .type = w->type,
					       .options = w->options,
					       .instance = instance,
					       .count = w->count,
					       .target = &s->target },
					.id = id,
					.seed = s->sc->seed + id,
					.after_ns = w->after_ns,
					.check = s->sc->verify.inline_,
					.file = w->file,
					.sh = &s->shadow,
					.run = s->run,
					.root = s->target.root,
					.fs = s->target.fs };
	snprintf(c->plan.w.run_dir, sizeof(c->plan.w.run_dir), "%s", s->run_dir);
	shadow_set_writer(&s->shadow, id, c->name);
	snprintf(s->run->slots[id].name, sizeof(s->run->slots[id].name), "%s", c->name);
}

/* Which actor of which race is the process @k of @w? NULL: none. */
static const struct sc_actor *actor_of(const struct session *s, const struct sc_worker *w, u64 k,
				       size_t *ret_race)
{
	for (size_t i = 0; i < s->sc->nraces; i++) {
		const struct sc_race *race = &s->sc->races[i];

		*ret_race = i;
		for (size_t n = 0; n < race->nactors; n++) {
			const struct sc_actor *a = &race->actors[n];

			if (&s->sc->workers[a->worker] == w &&
			    (a->process < 0 || (u64)a->process == k))
				return a;
		}
	}
	return NULL;
}

static void plan_race(struct session *s, struct crew *c, const struct sc_worker *w, u64 k)
{
	struct worker_plan *p = &c->plan;
	size_t i;
	const struct sc_actor *a = actor_of(s, w, k, &i);

	if (!a)
		return;
	p->w.race = &s->run->races[i];
	c->hold = &a->hold;
	p->hold = a->hold.type;
	p->hold_limit_ns = s->sc->races[i].hold_limit_ns;
	p->w.race->holders |= a->hold.type ? 1U << p->w.race->nparties : 0;
	/* The parser has seen to it that there is room. */
	p->w.party = (u32)race_add(p->w.race, p->id, (u16)(a - s->sc->races[i].actors), a->offset,
				   a->loop);
}

static void make_races(struct session *s)
{
	for (size_t i = 0; i < s->sc->nraces; i++) {
		struct race *r = &s->run->races[i];

		race_init(r, s->sc->races[i].name, s->sc->seed + i);
		r->window = s->sc->races[i].window_bytes;
		r->limit = s->sc->stop_on == STOP_ATTEMPTS ? s->sc->attempts : 0;
	}
	s->run->nraces = (u32)s->sc->nraces;
}

/* Instances count on over several rows of the same type, so that names are unique. */
static u64 first_instance(const struct session *s, size_t row)
{
	u64 n = 0;

	for (size_t i = 0; i < row; i++)
		if (s->sc->workers[i].type == s->sc->workers[row].type)
			n += s->sc->workers[i].count;
	return n;
}

static int make_ring(struct session *s, u16 id, const char *name, struct err *e)
{
	struct oplog log;
	char path[600];
	int r;

	snprintf(path, sizeof(path), "%s/ops.%u.log", s->run_dir, id);
	r = oplog_create(path, name, OPLOG_SLOTS, &log, e);
	if (r < 0)
		return r;
	if (id == SHADOW_LAYOUT)
		s->log = log;
	else
		oplog_close(&log);
	return 0;
}

extern const struct worker_type worker_checker; /* session/checker.c: not for scenarios */

int crew_plan(struct session *s, struct err *e)
{
	struct sc_worker checker = {
		.type = &worker_checker, .file = -1, .count = 1, .options = &s->sc->verify.every_ns
	};
	int r = make_ring(s, SHADOW_LAYOUT, "layout", e);

	s->crew = calloc(SC_MAX_WORKERS + 1, sizeof(*s->crew));
	if (!s->crew)
		return err_set(e, -ENOMEM, "no memory for the workers");
	snprintf(s->run->slots[SHADOW_LAYOUT].name, sizeof(s->run->slots[0].name), "verify");
	make_races(s);
	for (size_t i = 0; i < s->sc->nworkers; i++) {
		const struct sc_worker *w = &s->sc->workers[i];

		for (u64 k = 0; k < w->count; k++) {
			plan_one(s, w, first_instance(s, i) + k);
			plan_race(s, &s->crew[s->ncrew - 1], w, k);
		}
	}
	if (s->sc->verify.every_ns)
		plan_one(s, &checker, 0);
	file_facts(s);
	for (size_t i = 0; i < s->ncrew && r == 0; i++)
		r = make_ring(s, s->crew[i].plan.id, s->crew[i].name, e);
	return r;
}

static void in_child(struct crew *c, pid_t parent)
{
	sigset_t none;
	int status;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(2);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* The coordinator's descriptors are none of a worker's business, but for the one that
	 * needs the device to mount it again. */
	if (!(c->plan.w.type->flags & WORKER_UNMOUNTS))
		close_range(3, ~0U, 0);
	status = worker_main(&c->plan);
	_exit(status);
}

int crew_fork(struct session *s, struct err *e)
{
	pid_t parent = getpid();

	for (size_t i = 0; i < s->ncrew; i++) {
		struct crew *c = &s->crew[i];
		struct slot *slot = &s->run->slots[c->plan.id];

		atomic_store(&slot->state, SLOT_STARTING);
		atomic_store(&slot->beat_ns, now_ns());
		c->pid = fork();
		if (c->pid == 0)
			in_child(c, parent);
		if (c->pid < 0)
			return err_set(e, -errno, "cannot fork %s: %s", c->name, strerror(errno));
		setpgid(c->pid, c->pid);
		atomic_store(&slot->pid, c->pid);
		c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
		if (c->pidfd < 0)
			return err_set(e, -errno, "pidfd_open of %s: %s", c->name, strerror(errno));
		s->alive++;
		step_register(c->name, c->pid);
		/* Workers die with the coordinator; what their children do is for the journal. */
		if (c->plan.w.type->flags & WORKER_HOLDS_FILES) {
			int r = undo_record_process(s->undo, c->pid);

			if (r < 0)
				return err_set(e, r, "cannot write the undo journal: %s",
					       strerror(-r));
		}
		step(c->name);
	}
	return 0;
}

void crew_kill(struct session *s, int sig)
{
	for (size_t i = 0; i < s->ncrew; i++)
		if (s->crew[i].pidfd >= 0)
			kill(-s->crew[i].pid, sig);
}

struct crew *crew_by_pid(struct session *s, pid_t pid)
{
	for (size_t i = 0; i < s->ncrew; i++)
		if (s->crew[i].pid == pid)
			return &s->crew[i];
	return NULL;
}

void crew_reap(struct session *s, struct crew *c)
{
	struct slot *slot = &s->run->slots[c->plan.id];
	u32 state = atomic_load(&slot->state);
	struct rusage ru = { 0 };
	int status = 0;

	if (wait4(c->pid, &status, 0, &ru) != c->pid)
		return;
	c->cpu_s = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		   (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
	close(c->pidfd);
	c->pidfd = -1;
	s->alive--;
	kill(-c->pid, SIGKILL); /* whatever it left in its group */
	if (c->plan.w.race)
		race_bury(c->plan.w.race, c->plan.w.party);
	if (state == SLOT_STOPPED)
		return;
	shadow_bury(&s->shadow, c->plan.id);
	if (state == SLOT_FAILED) {
		judge_trouble(s, "%s gave up: %s", c->name, slot->error);
	} else {
		atomic_store(&slot->state, SLOT_DEAD);
		if (WIFSIGNALED(status))
			snprintf(slot->error, sizeof(slot->error), "killed by SIG%s",
				 sigabbrev_np(WTERMSIG(status)));
		else
			snprintf(slot->error, sizeof(slot->error), "exited with %d unasked",
				 WEXITSTATUS(status));
		if (!s->stop_signals || WTERMSIG(status) != SIGKILL)
			judge_trouble(s, "%s died: %s", c->name, slot->error);
	}
	/* A pause that it asked for would hold the others for ever. */
	if (atomic_load(&s->run->pauser) == c->plan.id)
		run_resume(s->run);
}

/* No sign of life: a task that the kernel does not let go is a finding, any other is stressd's
 * own trouble. */
static void silent(struct session *s, struct crew *c, u64 for_ns)
{
	char path[64], *stack = NULL, state = '?';
	struct finding *f;
	pid_t pgrp;
	u64 ticks;

	proc_stat(c->pid, &state, &pgrp, &ticks);
	if (state != 'D') {
		judge_trouble(s, "%s has given no sign of life for %.1f s (state %c)", c->name,
			      (double)for_ns / 1e9, state);
		kill(-c->pid, SIGKILL);
		return;
	}
	f = account_plain(FINDING_KERNEL_HANG, "coordinator", now_ns() - s->run->start_ns,
			  "%s (pid %d) hangs in the kernel: no sign of life for %.1f s", c->name,
			  c->pid, (double)for_ns / 1e9);
	if (!f)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stack", c->pid);
	if (read_file(path, 65536, &stack, NULL) == 0)
		for (char *line = strtok(stack, "\n"); line && f->nlog < FINDING_LINES;
		     line = strtok(NULL, "\n"))
			f->log[f->nlog++] = strdup(line);
	free(stack);
	account_join(f, &s->shadow, &s->history, c->plan.id, now_ns(), s->run->start_ns);
	judge_add(s, f);
}

void crew_watch(struct session *s)
{
	u64 now = now_ns();

	for (size_t i = 0; i < s->ncrew; i++) {
		struct crew *c = &s->crew[i];
		struct slot *slot = &s->run->slots[c->plan.id];
		u64 beat = atomic_load(&slot->beat_ns);
		u64 limit = s->sc->watchdog_ns * (atomic_load(&slot->quiet) ? LONG_CALLS : 1);

		if (c->pidfd < 0 || beat > now || now - beat < limit)
			continue;
		atomic_store(&slot->beat_ns, now); /* said once an interval */
		silent(s, c, now - beat);
	}
}
