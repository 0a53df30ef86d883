// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fio: runs a fio job in a directory of its own beside the others, again and again, and reads its
 * JSON. What its verification finds is a finding of this run.
 */
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "ops/sight.h"
#include "workers/child.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct fio {
	char *job;
	char **arguments;
};

static const char default_job[] = "[verify]\n"
				  "rw=randwrite\n"
				  "size=4M\n"
				  "bs=4k\n"
				  "verify=crc32c\n"
				  "do_verify=1\n"
				  "verify_fatal=1\n";

static const struct opt_def options[] = {
	OPT(struct fio, job, OPT_STRING,
	    .help = "text of a fio job file, or the path of one; without it random writes of 4 MiB "
		    "that are verified"),
	OPT(struct fio, arguments, OPT_STRINGS, .def = "",
	    .help = "further arguments, before the job file"),
	{ 0 },
};

#define ARGS_MAX 64

struct state {
	char dir[PATH_MAX], name[32], root[PATH_MAX - 64];
	char job[600], log[600], json[600], output_arg[640];
	char last[600]; /* the report of the run before, until this one has one */
	char kept[640]; /* report of this run of it, if it failed */
};

static void complain(struct worker *w, const char *job, const char *what)
{
	struct state *s = w->state;
	char text[256], log[640];

	/* Several jobs of one run may fail: its outputs are kept once. */
	if (!s->kept[0]) {
		child_keep(s->json, s->kept, sizeof(s->kept));
		child_keep(s->log, log, sizeof(log));
	}
	snprintf(text, sizeof(text), "fio job %.60s %.80s; its output is in %.80s", job, what,
		 s->kept);
	sight_text(&w->actor, FINDING_PROGRAM_FAILED, text);
}

/* Is @err what a full target explains? */
static bool no_space(const struct state *s, int err)
{
	struct statvfs v;

	return (err == ENOSPC || err == EDQUOT) && statvfs(s->dir, &v) == 0 &&
	       v.f_bavail * v.f_frsize < MAX(16 * MIB, v.f_blocks * v.f_frsize / 10);
}

/* fio gives EILSEQ to a job whose data is not what it wrote. */
static bool judge_job(struct worker *w, const json_t *job, bool stopped)
{
	const char *name = json_string_value(json_object_get(job, "jobname"));
	int err = (int)json_integer_value(json_object_get(job, "error"));
	char what[80];

	if (err == 0 || (stopped && err != EILSEQ))
		return true;
	if (no_space(w->state, err)) {
		atomic_fetch_add_explicit(&w->actor.slot->failed, 1, memory_order_relaxed);
		return true;
	}
	snprintf(what, sizeof(what), err == EILSEQ ? "found wrong data (%s)" : "failed with %s",
		 strerrorname_np(err));
	complain(w, name ? name : "?", what);
	return false;
}

/* The report begins at the first brace: notes may stand before it. NULL when there is none. */
static json_t *report_of(const struct state *s)
{
	_cleanup_free_ char *text = NULL;
	const char *brace;

	if (read_file(s->json, 16 * MIB, &text, NULL) < 0 || !(brace = strchr(text, '{')))
		return NULL;
	return json_loads(brace, JSON_DISABLE_EOF_CHECK, NULL);
}

static void judge(struct worker *w, const struct child_result *res)
{
	json_auto_t *report = report_of(w->state);
	const json_t *job;
	char how[80];
	size_t i;
	bool good = true;

	json_array_foreach (json_object_get(report, "jobs"), i, job)
		good = judge_job(w, job, res->stopped) && good;
	if (!good || res->stopped)
		return;
	/* A job that failed for space alone also makes fio exit with 1. */
	if (res->signal || (res->exit_code && !json_array_size(json_object_get(report, "jobs"))))
		complain(w, "file", child_how(res, how, sizeof(how)));
}

/* The end of the run comes in the middle of a fio, which then may say nothing: what stays beside
 * the results is the last report that there was. */
static void settle_report(const struct state *s, bool stopped)
{
	json_auto_t *report = stopped ? report_of(s) : NULL;

	if (!stopped || report)
		unlink(s->last);
	else
		rename(s->last, s->json);
}

static int step(struct worker *w)
{
	OPTIONS(fio, w);
	struct state *s = w->state;
	const char *argv[ARGS_MAX] = { "fio", "--output-format=json", s->output_arg };
	struct child c = { .argv = argv, .dir = s->dir, .log = s->log };
	struct child_result res;
	size_t n = 3;
	int r;

	for (char **v = o->arguments; v && *v && n < ARGS_MAX - 2; v++)
		argv[n++] = *v;
	argv[n] = s->job;
	rename(s->json, s->last);
	s->kept[0] = '\0';
	r = child_run(w, &c, &res, &w->err);
	if (r < 0)
		return r;
	atomic_fetch_add_explicit(&w->actor.slot->ops, 1, memory_order_relaxed);
	judge(w, &res);
	settle_report(s, res.stopped);
	/* A job that ends at once must not fill the history of the machine with forks. */
	worker_sleep(w, 100 * NSEC_PER_MSEC);
	return 0;
}

static void stop(struct worker *w)
{
	struct state *s = w->state;
	_cleanup_close_ int root = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root >= 0)
		rm_rf_at(root, s->name);
}

static int job_file(struct worker *w, struct state *s, struct err *e)
{
	OPTIONS(fio, w);
	const char *text = o->job ? o->job : default_job;
	int r;

	if (text[0] == '/') {
		snprintf(s->job, sizeof(s->job), "%s", text);
		if (access(s->job, R_OK) < 0)
			return err_set(e, -errno, "%s: cannot be read: %s", s->job,
				       strerror(errno));
		return 0;
	}
	snprintf(s->job, sizeof(s->job), "%s/fio.%u.job", w->run_dir, w->actor.id);
	r = write_file_atomic(s->job, text, strlen(text), 0600);
	return r < 0 ? err_set(e, r, "%s: cannot be written: %s", s->job, strerror(-r)) : 0;
}

static int start(struct worker *w, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));
	u16 id = w->actor.id;
	int r;

	w->state = s;
	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	r = child_target_root(w, s->root, sizeof(s->root), e);
	if (r < 0)
		return r;
	snprintf(s->name, sizeof(s->name), "fio.%u", id);
	snprintf(s->dir, sizeof(s->dir), "%s/%s", s->root, s->name);
	snprintf(s->log, sizeof(s->log), "%s/fio.%u.log", w->run_dir, id);
	snprintf(s->json, sizeof(s->json), "%s/fio.%u.json", w->run_dir, id);
	snprintf(s->last, sizeof(s->last), "%s/fio.%u.last.json", w->run_dir, id);
	snprintf(s->output_arg, sizeof(s->output_arg), "--output=%s", s->json);
	if (mkdir(s->dir, 0700) < 0)
		return err_set(e, -errno, "%s: cannot be made: %s", s->dir, strerror(errno));
	return job_file(w, s, e);
}

static int probe(const void *options_block, struct err *e)
{
	const struct fio *o = options_block;
	char path[PATH_MAX];
	size_t n = 0;

	while (o->arguments && o->arguments[n])
		n++;
	if (n > ARGS_MAX - 5)
		return err_set(e, -EINVAL, "\"arguments\": at most %d", ARGS_MAX - 5);
	if (proc_find("fio", path, sizeof(path)) < 0)
		return err_set(e, -ENOENT, "there is no fio here: install the package fio");
	return 0;
}

const struct worker_type worker_fio = {
	.name = "fio",
	.help = "runs a fio job beside the others; its verify errors are findings",
	.options = options,
	.options_size = sizeof(struct fio),
	.flags = WORKER_HOLDS_FILES | WORKER_QUIET,
	.kconfig = "SYSVIPC ?AIO", /* its processes share what shmget(2) gave */
	.probe = probe,
	.start = start,
	.step = step,
	.stop = stop,
};
