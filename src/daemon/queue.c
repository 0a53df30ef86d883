// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The queue: which jobs there are, in the order in which they came, and how many run. Jobs start in
 * that order and none overtakes another, so that a large one gets its turn. How a job is run, and
 * what its end means, is in attempt.c.
 */
#include "daemon/attempt.h"
#include "daemon/feed.h"

#include "base/fsutil.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define QEMU_EXTRA (512 * MIB) /* beside the memory of a guest */

size_t queue_count(const struct daemon *d, enum job_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nentries; i++)
		n += d->entries[i]->job.state == (int)state;
	return n;
}

struct entry *queue_find(struct daemon *d, u64 id)
{
	for (size_t i = 0; i < d->nentries; i++)
		if (d->entries[i]->job.id == id)
			return d->entries[i];
	return NULL;
}

/* Adopted ones count: until they have ended they are there. */
static bool fits(const struct daemon *d, const struct job *j)
{
	u64 vms = 0, cpus = 0, memory = 0;
	size_t running = 0;

	for (size_t i = 0; i < d->nentries; i++) {
		const struct job *other = &d->entries[i]->job;

		if (other->state != JOB_RUNNING)
			continue;
		if (other->spec.exclusive)
			return false;
		running++;
		vms += other->spec.vms;
		cpus += other->spec.cpus;
		memory += other->spec.memory_bytes + QEMU_EXTRA;
	}
	/* One that is more than there is now, by another configuration, still has its turn. */
	if (!running)
		return true;
	return !j->spec.exclusive && vms + j->spec.vms <= d->config->vms &&
	       cpus + j->spec.cpus <= d->config->cpus &&
	       memory + j->spec.memory_bytes + QEMU_EXTRA <= d->config->memory_bytes;
}

void queue_run(struct daemon *d)
{
	for (size_t i = 0; i < d->nentries; i++) {
		struct entry *en = d->entries[i];

		/* One that waits for better times lets others pass. */
		if (en->job.state != JOB_QUEUED || attempt_waits(d, en))
			continue;
		if (d->stopping || now_ns() < d->retry_ns || !fits(d, &en->job))
			return;
		attempt_start(d, en);
	}
}

void queue_note(struct daemon *d, struct entry *en)
{
	int r = job_save(d->dir, &en->job);

	en->dirty = r < 0;
	if (r < 0 && !d->disk_failed)
		say(d, "%s: cannot be written: %s; tried again every second", d->dir, strerror(-r));
	d->disk_failed = r < 0;
	clients_tell(d, &en->job);
}

static int append(struct daemon *d, struct job *j, struct entry **ret)
{
	struct entry **list = reallocarray(d->entries, d->nentries + 1, sizeof(*list)), *en;

	if (list)
		d->entries = list;
	en = list ? calloc(1, sizeof(*en)) : NULL;
	if (!en)
		return -ENOMEM;
	en->job = *j;
	free(j);
	en->source.fd = en->child.pidfd = en->child.gate = en->child.out = -1;
	d->entries[d->nentries++] = *ret = en;
	return 0;
}

static void remove_at(struct daemon *d, size_t i)
{
	struct entry *en = d->entries[i];

	memmove(&d->entries[i], &d->entries[i + 1], (--d->nentries - i) * sizeof(*d->entries));
	feed_free(d, en);
	option_free(job_options, &en->job.spec);
	json_decref(en->job.spec_json);
	json_decref(en->job.tries);
	free(en);
}

static void remove_files(struct daemon *d, const struct job *j)
{
	char path[PATH_MAX];

	/* The job first: a scenario alone is no job. */
	if (job_path(d->dir, j, path, sizeof(path)) == 0)
		unlink(path);
	if (job_scenario_path(d->dir, j, path, sizeof(path)) == 0)
		unlink(path);
	if (job_err_path(d->dir, j, path, sizeof(path)) == 0)
		unlink(path);
}

int queue_add(struct daemon *d, struct job *j, const char *scenario, struct entry **ret,
	      struct err *e)
{
	char path[PATH_MAX];
	int r = 0;

	j->id = d->next_id;
	j->exit = -1;
	j->tries = json_array();
	j->submitted_s = (s64)time(NULL);
	if (scenario) {
		r = job_scenario_path(d->dir, j, path, sizeof(path));
		if (r == 0)
			r = write_file_atomic(path, scenario, strlen(scenario), 0600);
	}
	if (r == 0)
		r = job_save(d->dir, j);
	if (r == 0)
		r = append(d, j, ret);
	if (r < 0) {
		remove_files(d, j);
		job_free(j);
		return err_set(e, r,
			       "%s: the job cannot be kept: %s; free some space or have it "
			       "repaired, and submit it again",
			       d->dir, strerror(-r));
	}
	d->next_id++;
	clients_tell(d, &(*ret)->job);
	return 0;
}

void queue_cancel(struct daemon *d, struct entry *en)
{
	en->job.cancelled = true;
	if (en->job.state == JOB_QUEUED) {
		en->job.state = JOB_CANCELLED;
		en->job.ended_s = (s64)time(NULL);
	} else {
		child_ask(&en->child);
	}
	queue_note(d, en);
}

void queue_stop(struct daemon *d)
{
	for (size_t i = 0; i < d->nentries; i++)
		if (d->entries[i]->job.state == JOB_RUNNING)
			child_ask(&d->entries[i]->child);
}

/* Once a third of the time is over it is asked again, which kills the workers and no more. */
static void press(struct daemon *d, struct entry *en, u64 now)
{
	struct child *c = &en->child;

	if (!c->asked || c->pidfd < 0)
		return;
	if (now - c->stop_ns > d->config->stop_ns)
		child_kill(c);
	else if (c->asked == 1 && now - c->stop_ns > d->config->stop_ns / 3)
		child_ask(c);
}

/* Of those that have ended the oldest go, when there are many. */
static void forget(struct daemon *d)
{
	size_t ended = 0;

	for (size_t i = 0; i < d->nentries; i++)
		ended += job_ended(&d->entries[i]->job);
	for (size_t i = 0; i < d->nentries && ended > JOBS_KEPT;) {
		if (!job_ended(&d->entries[i]->job) || d->entries[i]->job.id == d->import_id) {
			i++;
			continue;
		}
		remove_files(d, &d->entries[i]->job);
		remove_at(d, i);
		ended--;
	}
}

void queue_tick(struct daemon *d)
{
	u64 now = now_ns();

	for (size_t i = 0; i < d->nentries; i++) {
		struct entry *en = d->entries[i];

		if (en->job.state == JOB_RUNNING)
			press(d, en, now);
		if (en->dirty)
			queue_note(d, en);
	}
	forget(d);
	feed_recall(d);
	queue_run(d);
	keep_next(d);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return ((*x)->job.id > (*y)->job.id) - ((*x)->job.id < (*y)->job.id);
}

/* "ID.json" alone: beside it lie scenarios and what a killed writer left. */
static u64 id_of(const char *name)
{
	char *end;
	u64 id = name[0] >= '1' && name[0] <= '9' ? strtoull(name, &end, 10) : 0;

	return id && !strcmp(end, ".json") ? id : 0;
}

static int load_one(struct daemon *d, const char *dir, const char *name, u64 id, struct err *e)
{
	struct err why = { "" };
	char path[PATH_MAX];
	struct entry *en;
	struct job *j;
	int r = path_set(path, sizeof(path), "%s/%s", dir, name);

	if (r < 0)
		return err_set(e, r, "%s: the path is too long", dir);
	d->next_id = MAX(d->next_id, id + 1);
	r = job_load(path, &j, &why);
	if (r == 0 && j->id != id) {
		job_free(j);
		r = err_set(&why, -EINVAL, "%s: is of another job", path);
	}
	/* The others need not suffer from one that is damaged. */
	if (r == -EINVAL) {
		say(d, "%s; it is left alone", why.text);
		return 0;
	}
	if (r == 0)
		r = append(d, j, &en);
	return r < 0 ? err_set(e, r, "%s", *why.text ? why.text : strerror(-r)) : 0;
}

int queue_load(struct daemon *d, struct err *e)
{
	_cleanup_closedir_ DIR *list = NULL;
	char dir[PATH_MAX];
	int r = path_set(dir, sizeof(dir), "%s/jobs", d->dir);

	d->next_id = 1;
	list = r == 0 ? opendir(dir) : NULL;
	if (!list)
		return err_set(e, -errno, "%s/jobs: %s", d->dir, strerror(errno));
	for (struct dirent *de; r == 0 && (de = readdir(list));) {
		u64 id = id_of(de->d_name);

		if (id)
			r = load_one(d, dir, de->d_name, id, e);
		else if (strstr(de->d_name, ".tmp"))
			unlinkat(dirfd(list), de->d_name, 0);
	}
	if (d->nentries)
		qsort(d->entries, d->nentries, sizeof(*d->entries), by_id);
	for (size_t i = 0; i < d->nentries && r == 0; i++)
		if (d->entries[i]->job.state == JOB_RUNNING)
			attempt_resume(d, d->entries[i]);
	return r;
}

void queue_free(struct daemon *d)
{
	while (d->nentries) {
		child_drop(&d->entries[d->nentries - 1]->child);
		remove_at(d, d->nentries - 1);
	}
	free(d->entries);
}
