// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exec: any program beside the workers. Its exit status, its output and its time limit are part
 * of the result.
 */
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "ops/sight.h"
#include "workers/child.h"

#include <limits.h>
#include <string.h>

struct exec {
	char **program;
	char *output, *forbid;
	u64 expect, timeout;
	bool repeat;
};

static const struct opt_def options[] = {
	OPT(struct exec, program, OPT_STRINGS, .required = true, .min = "1",
	    .help = "the program and its arguments; it gets no capabilities, the target as "
		    "working directory, and STRESSD_TARGET, STRESSD_RUN_DIR and STRESSD_SEED"),
	OPT(struct exec, expect, OPT_COUNT, .def = "0", .max = "255",
	    .help = "the exit status that is right"),
	OPT(struct exec, output, OPT_STRING, .help = "text that its output must contain"),
	OPT(struct exec, forbid, OPT_STRING, .help = "text that its output must not contain"),
	OPT(struct exec, timeout, OPT_TIME, .def = "0", .max = "168h",
	    .help = "time that it may take; 0: until the run ends"),
	OPT(struct exec, repeat, OPT_BOOL, .def = "false",
	    .help = "run it again and again; otherwise once"),
	{ 0 },
};

struct state {
	char root[PATH_MAX], log[600];
	char env[3][PATH_MAX + 32];
	bool done;
};

static void complain(struct worker *w, const struct child_result *res, const char *what)
{
	OPTIONS(exec, w);
	struct state *s = w->state;
	char text[256], how[80], kept[640];

	child_keep(s->log, kept, sizeof(kept));
	snprintf(text, sizeof(text), "%.60s %s%s%s; its output is in %.100s", o->program[0],
		 child_how(res, how, sizeof(how)), what[0] ? ", " : "", what, kept);
	sight_text(&w->actor, FINDING_PROGRAM_FAILED, text);
}

static void judge(struct worker *w, const struct child_result *res)
{
	OPTIONS(exec, w);
	struct state *s = w->state;
	_cleanup_free_ char *out = NULL;
	int r = read_file(s->log, CHILD_OUTPUT_MAX, &out, NULL);

	/* What must not appear counts even when the run ended first; the rest it had no time for.
	 */
	if (r == 0 && o->forbid && strstr(out, o->forbid))
		complain(w, res, "and its output has what is forbidden");
	else if (res->stopped)
		return;
	else if (res->timed_out || res->exit_code != (int)o->expect)
		complain(w, res, "");
	else if (o->output && (r < 0 || !strstr(out, o->output)))
		complain(w, res, "but its output lacks what it must have");
}

static int step(struct worker *w)
{
	OPTIONS(exec, w);
	struct state *s = w->state;
	const char *env[] = { s->env[0], s->env[1], s->env[2], NULL };
	struct child c = { .argv = (const char *const *)o->program,
			   .dir = s->root,
			   .log = s->log,
			   .env = env,
			   .limit_ns = o->timeout };
	struct child_result res;
	int r;

	if (s->done) {
		worker_sleep(w, NSEC_PER_SEC);
		return 0;
	}
	s->done = !o->repeat;
	r = child_run(w, &c, &res, &w->err);
	if (r < 0)
		return r;
	atomic_fetch_add_explicit(&w->actor.slot->ops, 1, memory_order_relaxed);
	judge(w, &res);
	return 0;
}

static int start(struct worker *w, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));
	int r;

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	r = child_target_root(w, s->root, sizeof(s->root), e);
	snprintf(s->log, sizeof(s->log), "%s/exec.%u.log", w->run_dir, w->actor.id);
	snprintf(s->env[0], sizeof(s->env[0]), "STRESSD_TARGET=%s", s->root);
	snprintf(s->env[1], sizeof(s->env[1]), "STRESSD_RUN_DIR=%s", w->run_dir);
	snprintf(s->env[2], sizeof(s->env[2]), "STRESSD_SEED=%llu",
		 (unsigned long long)rng_next(&w->actor.rng));
	return r;
}

static int probe(const void *options_block, struct err *e)
{
	const struct exec *o = options_block;
	char path[PATH_MAX];

	if (!o->program || !o->program[0])
		return err_set(e, -EINVAL, "\"program\" is empty: name a program");
	if (proc_find(o->program[0], path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, "%s: there is no such program here; install it",
			       o->program[0]);
	return 0;
}

const struct worker_type worker_exec = {
	.name = "exec",
	.help = "runs a program beside the others; its status, output and time are judged",
	.options = options,
	.options_size = sizeof(struct exec),
	.flags = WORKER_HOLDS_FILES | WORKER_QUIET,
	.probe = probe,
	.start = start,
	.step = step,
};
