// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One job as a process: its command line, its start, its end. "Running", with pid and start time,
 * is on disk before the process does anything: whoever comes after a daemon that was killed finds
 * it.
 */
#include "daemon/attempt.h"

#include "base/fsutil.h"
#include "base/proc.h"
#include "base/units.h"
#include "daemon/feed.h"
#include "report/report.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define TRIES_KEPT   20
#define PAUSE_MAX_NS (600 * NSEC_PER_SEC)
#define RETRY_NS     (5 * NSEC_PER_SEC)
#define SAID_BYTES   (64 * KIB)
#define RESULT_BYTES (64 * MIB)

/* Words of the command line and what they point to. */
struct command {
	const char *argv[2 * JOB_KERNELS_MAX + 24];
	size_t n;
	char run_dir[PATH_MAX], scenario[PATH_MAX], err[PATH_MAX];
	char vms[24], cpus[24], memory[UNITS_MAX];
};

static void word(struct command *c, const char *option, const char *value)
{
	c->argv[c->n++] = option;
	if (value)
		c->argv[c->n++] = value;
}

static void matrix_words(struct command *c, const struct job_spec *s)
{
	word(c, "matrix", "--json");
	word(c, "--no-store", NULL);
	word(c, "--run-dir", c->run_dir);
	if (s->night)
		word(c, "--night", s->night);
	word(c, "--jobs", c->vms);
	word(c, "--cpus", c->cpus);
	word(c, "--memory", c->memory);
	for (char **k = s->kernels; *k; k++)
		word(c, "--kernel", *k);
	word(c, s->matrix, NULL);
}

static void guest_words(struct command *c, const struct job_spec *s)
{
	word(c, "vm", "--json");
	word(c, "--kernel", s->kernel);
	word(c, "--cpus", c->cpus);
	word(c, "--memory", c->memory);
	word(c, "--accel", s->accel);
	if (s->append)
		word(c, "--append", s->append);
	word(c, "--run-dir", c->run_dir);
	word(c, c->scenario, NULL);
}

static int make_command(struct daemon *d, const struct job *j, struct command *c)
{
	const struct job_spec *s = &j->spec;
	int r = job_run_dir(d->dir, j, c->run_dir, sizeof(c->run_dir));

	if (r == 0)
		r = job_scenario_path(d->dir, j, c->scenario, sizeof(c->scenario));
	if (r == 0)
		r = job_err_path(d->dir, j, c->err, sizeof(c->err));
	if (r < 0)
		return r;
	snprintf(c->vms, sizeof(c->vms), "%llu", (unsigned long long)s->vms);
	snprintf(c->cpus, sizeof(c->cpus), "%llu", (unsigned long long)s->cpus);
	format_size(c->memory, s->memory_bytes);
	if (s->matrix) {
		matrix_words(c, s);
	} else if (s->kernel) {
		guest_words(c, s);
	} else {
		word(c, "run", "--json");
		word(c, "--run-dir", c->run_dir);
		word(c, c->scenario, NULL);
	}
	return 0;
}

/* The last line that it said. */
static void take_said(struct daemon *d, struct job *j)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], *line;
	size_t len;

	j->said[0] = '\0';
	if (job_err_path(d->dir, j, path, sizeof(path)) < 0 ||
	    read_file(path, SAID_BYTES, &text, &len) < 0)
		return;
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (!strncmp(line, "stressd: ", 9))
		line += 9;
	snprintf(j->said, sizeof(j->said), "%s", line);
}

/* Where it had no complaint: what came of it. */
static void take_outcome(struct daemon *d, struct entry *en)
{
	struct job *j = &en->job;

	feed_end(d, en);
	if (*j->said || !en->feed)
		return;
	snprintf(j->said, sizeof(j->said), "%.399s",
		 j->spec.matrix || !en->feed->nfound ? en->feed->outcome : en->feed->found[0].text);
}

/* What nobody waited for left its verdict behind, if it has come to one. */
static bool has_finding(struct daemon *d, const struct job *j)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *o = NULL;
	char dir[PATH_MAX - 16], path[PATH_MAX];
	const char *verdict;
	size_t len;

	if (j->spec.matrix || job_run_dir(d->dir, j, dir, sizeof(dir)) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/result.json", dir);
	if (read_file(path, RESULT_BYTES, &text, &len) < 0)
		return false;
	o = json_loadb(text, len, 0, NULL);
	verdict = json_string_value(json_object_get(o, "verdict"));
	return verdict && !strcmp(verdict, "fail");
}

/* What a run that was cut short left is no evidence of anything, and may be large. */
static void clean_up(struct daemon *d, const struct job *j)
{
	char dir[PATH_MAX - 16], path[PATH_MAX];

	if (j->spec.matrix || job_run_dir(d->dir, j, dir, sizeof(dir)) < 0)
		return;
	snprintf(path, sizeof(path), "%s/result.json", dir);
	if (access(path, F_OK) < 0)
		rm_rf(dir);
}

/* What became of an attempt stays with the job, when another follows. */
static void note_try(struct job *j)
{
	json_t *o = json_pack("{sI sI sI si so}", "attempt", (json_int_t)j->attempt, "started",
			      (json_int_t)j->started_s, "ended", (json_int_t)j->ended_s, "exit",
			      j->exit, "said", json_text(j->said));

	if (json_array_size(j->tries) == TRIES_KEPT)
		json_array_remove(j->tries, 0);
	json_array_append_new(j->tries, o);
}

/* How long after its failure number @failures. */
static s64 pause_s(const struct daemon *d, u64 failures)
{
	u64 doubled = d->config->retry_ns << MIN(failures - 1, 16ULL);

	return (s64)((MIN(doubled, PAUSE_MAX_NS) + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

bool attempt_waits(const struct daemon *d, const struct entry *en)
{
	s64 left_s = en->job.again_s - (s64)time(NULL);

	/* A clock that was set back makes nobody wait for longer than was meant. */
	return en->job.again_s && left_s > 0 && left_s <= pause_s(d, en->job.failures);
}

/* A finding counts whoever stopped the run; anything else that was cut short says nothing. What the
 * infrastructure failed is tried again, so often. */
static void settle(struct daemon *d, struct entry *en, bool cut_short)
{
	struct job *j = &en->job;

	j->pid = 0;
	j->ended_s = (s64)time(NULL);
	j->failures += j->exit == EXIT_AGAIN && !cut_short;
	if (j->exit == EXIT_FINDING && !j->spec.matrix)
		j->state = JOB_FINISHED;
	else if (j->cancelled)
		j->state = JOB_CANCELLED;
	else if (!cut_short)
		j->state = j->exit == EXIT_AGAIN && j->failures < j->spec.attempts ? JOB_QUEUED
										   : JOB_FINISHED;
	else if (j->spec.interruption == JOB_DROP)
		j->state = JOB_INTERRUPTED;
	else
		j->state = JOB_QUEUED;
	if (j->state != JOB_FINISHED)
		clean_up(d, j);
	if (j->state == JOB_QUEUED) {
		j->again_s = cut_short ? 0 : (s64)time(NULL) + pause_s(d, j->failures);
		note_try(j);
	}
	queue_note(d, en);
}

static void on_end(struct daemon *d, struct source *s, u32 events)
{
	struct entry *en = (struct entry *)s;
	struct job *j = &en->job;
	bool ours = en->child.ours, asked = en->child.asked;
	int sig;

	(void)events;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	s->fd = -1; /* child_reap() closes it */
	j->exit = child_reap(&en->child, &sig);
	take_said(d, j);
	take_outcome(d, en);
	if (!ours)
		j->exit = has_finding(d, j) ? EXIT_FINDING : -1;
	else if (sig && !asked) {
		/* The OOM killer, or somebody: the infrastructure failed. */
		snprintf(j->said, sizeof(j->said), "killed by signal %d", sig);
		j->exit = EXIT_AGAIN;
	} else if (asked && !j->cancelled)
		snprintf(j->said, sizeof(j->said), "interrupted: the daemon stopped");
	settle(d, en, asked);
	queue_run(d);
	keep_next(d);
}

static int watch(struct daemon *d, struct entry *en)
{
	en->source.fd = en->child.pidfd;
	en->source.on = on_end;
	return source_add(d, &en->source, EPOLLIN);
}

static int start(struct daemon *d, struct entry *en, struct err *e)
{
	_cleanup_free_ struct command *c = calloc(1, sizeof(*c));
	struct job *j = &en->job;
	int r = c ? make_command(d, j, c) : -ENOMEM;

	if (r < 0)
		return err_set(e, r, "%s", strerror(-r));
	if (!j->spec.matrix && access(c->run_dir, F_OK) == 0)
		rm_rf(c->run_dir); /* of this attempt, when it could not be noted */
	r = child_spawn(c->argv, c->err, true, &en->child, e);
	if (r < 0)
		return r;
	feed_open(d, en, take_fd(&en->child.out));
	j->state = JOB_RUNNING;
	j->pid = en->child.pid;
	j->start_ticks = en->child.start_ticks;
	snprintf(j->boot, sizeof(j->boot), "%s", d->boot);
	j->started_s = (s64)time(NULL);
	j->ended_s = 0;
	j->exit = -1;
	j->said[0] = '\0';
	r = watch(d, en);
	if (r == 0)
		r = job_save(d->dir, j);
	return r < 0 ? err_set(e, r, "%s: %s", d->dir, strerror(-r)) : 0;
}

void attempt_start(struct daemon *d, struct entry *en)
{
	struct job before = en->job;
	struct err e = { "" };

	en->job.attempt++;
	if (start(d, en, &e) == 0) {
		child_go(&en->child);
		d->start_failed = false;
		clients_tell(d, &en->job);
		return;
	}
	if (en->source.fd >= 0)
		epoll_ctl(d->epoll, EPOLL_CTL_DEL, en->source.fd, NULL);
	en->source.fd = -1;
	if (en->child.pid)
		child_drop(&en->child);
	en->job = before;
	en->dirty = true; /* it may say by now that it runs */
	d->retry_ns = now_ns() + RETRY_NS;
	if (!d->start_failed)
		say(d, "job %llu cannot be started: %s; tried again every %llu s",
		    (unsigned long long)before.id, e.text, RETRY_NS / NSEC_PER_SEC);
	d->start_failed = true;
}

void attempt_resume(struct daemon *d, struct entry *en)
{
	struct job *j = &en->job;
	bool same_boot = !strcmp(j->boot, d->boot);

	if (same_boot && child_adopt(j->pid, j->start_ticks, &en->child) == 0 && watch(d, en) == 0)
		return;
	take_said(d, j);
	j->exit = has_finding(d, j) ? EXIT_FINDING : -1;
	/* Whatever took down the machine that it tests would do so again, each time. */
	if (!same_boot && !j->spec.kernel && j->exit != EXIT_FINDING && !j->cancelled &&
	    !j->spec.matrix) {
		snprintf(j->said, sizeof(j->said),
			 "the machine went down during the run: see its console");
		j->state = JOB_LOST;
		j->exit = EXIT_FINDING;
		j->pid = 0;
		j->ended_s = (s64)time(NULL);
		queue_note(d, en);
		return;
	}
	snprintf(j->said, sizeof(j->said), "interrupted: the daemon was killed");
	settle(d, en, true);
}
