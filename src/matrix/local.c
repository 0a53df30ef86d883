// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cells on this machine, as many at a time as its processors and memory hold. Each is a process
 * that keeps its own records; this one only starts them and waits, so it may be killed any time.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/json_at.h"
#include "search/runner.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define JOBS_MAX 1024

struct job {
	const struct cell *cell;
	struct runner_child child;
	char dir[PATH_MAX];
};

struct local {
	const struct matrix *m;
	const char *dir;
	struct matrix_limits limits;
	struct job *jobs;
	size_t njobs, natives;
	u64 cpus, memory_bytes; /* in use */
	int signals;		/* that came */
	matrix_tell_fn *tell;
	void *ctx;
};

static u64 available_bytes(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			return kib * KIB;
	return 4 * GIB;
}

void matrix_settle_limits(const struct matrix *m, struct matrix_limits *l)
{
	u64 guest = m->guest.memory_bytes + GUEST_EXTRA;
	cpu_set_t set;

	if (!l->cpus)
		l->cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? (u64)CPU_COUNT(&set) : 1;
	/* A tenth stays for everything else. */
	if (!l->memory_bytes)
		l->memory_bytes = available_bytes() / 10 * 9;
	if (!l->jobs)
		l->jobs = MAX(MIN(l->cpus / m->guest.cpus, l->memory_bytes / guest), 1ULL);
	l->jobs = MIN(l->jobs, (u64)JOBS_MAX);
}

static u64 cpus_of(const struct local *l, const struct cell *c)
{
	return c->kernel->image ? l->m->guest.cpus : 1;
}

static u64 memory_of(const struct local *l, const struct cell *c)
{
	return c->kernel->image ? l->m->guest.memory_bytes + GUEST_EXTRA : GUEST_EXTRA;
}

/* One alone always does: too few processors make it slow, and of memory the kernel has the say. */
static bool fits(const struct local *l, const struct cell *c)
{
	if (!l->njobs)
		return true;
	return l->njobs < l->limits.jobs && (c->kernel->image || !l->natives) &&
	       l->cpus + cpus_of(l, c) <= l->limits.cpus &&
	       l->memory_bytes + memory_of(l, c) <= l->limits.memory_bytes;
}

static void account(struct local *l, const struct cell *c, int sign)
{
	l->cpus += (u64)sign * cpus_of(l, c);
	l->memory_bytes += (u64)sign * memory_of(l, c);
	l->natives += (size_t)sign * !c->kernel->image;
}

static int begin(struct local *l, const struct cell *c, struct err *e)
{
	struct job *j = &l->jobs[l->njobs];
	const char *argv[] = { "matrix", "--cell", j->dir, NULL };
	int r = cell_dir(l->dir, c, j->dir, sizeof(j->dir));

	if (r == 0)
		r = runner_spawn(argv, &j->child, e);
	if (r < 0)
		return r;
	j->cell = c;
	l->njobs++;
	account(l, c, 1);
	l->tell(l->ctx, c, NULL);
	return 0;
}

static int end(struct local *l, size_t i, struct err *e)
{
	struct job *j = &l->jobs[i];
	struct cell_outcome outcome;
	char said[512];
	int r;

	runner_reap(&j->child, said, sizeof(said));
	r = cell_look(j->dir, &outcome, e);
	if (r == 0) {
		/* Without a record: it could not even begin, and said why. */
		if (!outcome.n)
			snprintf(outcome.text, sizeof(outcome.text), "%.390s", said);
		l->tell(l->ctx, j->cell, &outcome);
	}
	account(l, j->cell, -1);
	l->jobs[i] = l->jobs[--l->njobs];
	return r;
}

static int reap(struct local *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->njobs && r == 0;) {
		struct runner_child *c = &l->jobs[i].child;
		int status;

		if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
			i++;
			continue;
		}
		c->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		r = end(l, i, e);
	}
	return r;
}

/* Wait for an end or a signal; a child that ended before has left its SIGCHLD pending. */
static void wait_for_something(struct local *l)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	do {
		sig = sigwaitinfo(&set, NULL);
	} while (sig < 0 && errno == EINTR);
	if (sig == SIGINT || sig == SIGTERM)
		l->signals++;
	if (l->signals > 1 && sig != SIGCHLD)
		for (size_t i = 0; i < l->njobs; i++)
			runner_ask_to_stop(&l->jobs[i].child);
}

/* The next that has no verdict, from *@at on; NULL: none, or there is no room for it now. */
static int start_some(struct local *l, size_t *at, struct err *e)
{
	for (; *at < l->m->ncells && !l->signals; ++*at) {
		const struct cell *c = &l->m->cells[*at];
		struct cell_outcome outcome;
		char dir[PATH_MAX];
		int r;

		if (!fits(l, c))
			return 0;
		r = cell_dir(l->dir, c, dir, sizeof(dir));
		if (r == 0)
			r = cell_look(dir, &outcome, e);
		if (r == 0 && outcome.state != CELL_FINISHED && outcome.state != CELL_LOST)
			r = begin(l, c, e);
		else if (r == 0)
			l->tell(l->ctx, c, &outcome);
		if (r < 0)
			return r;
	}
	return 0;
}

int matrix_run_local(const struct matrix *m, const char *dir, const struct matrix_limits *limits,
		     matrix_tell_fn *tell, void *ctx, bool *ret_interrupted, struct err *e)
{
	struct local l = { .m = m, .dir = dir, .limits = *limits, .tell = tell, .ctx = ctx };
	struct runner signals;
	struct err later;
	size_t at = 0;
	int r;

	matrix_settle_limits(m, &l.limits);
	l.jobs = calloc(l.limits.jobs, sizeof(*l.jobs));
	if (!l.jobs)
		return err_set(e, -ENOMEM, "out of memory");
	runner_init(&signals);
	for (r = start_some(&l, &at, e); l.njobs;) {
		wait_for_something(&l);
		/* What runs is seen to its end, whatever went wrong beside it. */
		if (reap(&l, r < 0 ? &later : e) < 0 && r == 0)
			r = -EIO;
		if (r == 0)
			r = start_some(&l, &at, e);
	}
	*ret_interrupted = at < m->ncells || l.signals;
	free(l.jobs);
	return r;
}
