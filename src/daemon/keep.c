// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results into the store, one at a time, by a process of its own: a store that is damaged, locked
 * or slow costs the loop nothing, and no run its result. What is not stored is tried again by the
 * next daemon.
 */
#include "daemon/internal.h"

#include "base/fsutil.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define SAID_BYTES (64 * KIB)

static bool has_results(struct daemon *d, const struct job *j, char *dir, size_t size)
{
	char path[PATH_MAX + 16];

	if (job_run_dir(d->dir, j, dir, size) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, j->spec.matrix ? "night.json" : "result.json");
	return access(path, F_OK) == 0;
}

static void err_path(const struct daemon *d, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/store.err", d->dir);
}

static void fail(struct daemon *d, struct entry *en, const char *why)
{
	en->store_tried = true;
	if (!d->store_failed)
		say(d, "results are complete, and not in the store: %s", why);
	d->store_failed = true;
}

static void on_stored(struct daemon *d, struct source *s, u32 events)
{
	struct entry *en = queue_find(d, d->import_id);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	int sig, exit;

	(void)events;
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, s->fd, NULL);
	s->fd = -1;
	exit = child_reap(&d->import_child, &sig);
	d->import_id = 0;
	err_path(d, path);
	if (exit == 0) {
		d->store_failed = false;
		en->job.stored = true;
		queue_note(d, en);
	} else {
		if (read_file(path, SAID_BYTES, &text, NULL) < 0 || !*text)
			fail(d, en, "the import ended without a word");
		else
			fail(d, en, strtok(text, "\n"));
	}
	keep_next(d);
}

static void import(struct daemon *d, struct entry *en, const char *dir)
{
	const char *argv[] = { "store",	 "import", "--store",
			       d->store, dir,	   en->job.spec.matrix ? "--page" : NULL,
			       NULL };
	struct err e = { "" };
	char path[PATH_MAX];
	int r;

	err_path(d, path);
	r = child_spawn(argv, path, false, &d->import_child, &e);
	if (r == 0) {
		d->importer = (struct source){ .fd = d->import_child.pidfd, .on = on_stored };
		r = source_add(d, &d->importer, EPOLLIN);
		if (r < 0)
			child_drop(&d->import_child);
	}
	if (r < 0) {
		d->importer.fd = -1;
		fail(d, en, *e.text ? e.text : strerror(-r));
		return;
	}
	d->import_id = en->job.id;
	child_go(&d->import_child);
}

/* What was cut short says nothing, but the cells of a matrix that had ended do. */
static bool wanted(const struct entry *en)
{
	const struct job *j = &en->job;

	return job_ended(j) && !j->stored && !en->store_tried &&
	       (j->state == JOB_FINISHED || j->spec.matrix);
}

void keep_next(struct daemon *d)
{
	char dir[PATH_MAX];

	for (size_t i = 0; i < d->nentries && !d->import_id && !d->stopping; i++) {
		struct entry *en = d->entries[i];

		if (!wanted(en))
			continue;
		if (has_results(d, &en->job, dir, sizeof(dir)))
			import(d, en, dir);
		else
			en->store_tried = true;
	}
}
