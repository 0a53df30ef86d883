// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the log of writes to single points of it. A point is a flush or a FUA write: what was logged
 * up to there is what a device holds that lost its power right after it, if its cache kept nothing
 * that was not flushed. What must be there is what the last moment before the next such entry says,
 * what can be there what the first moment after it says: exact where both are the same.
 */
#include "session/replay.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "session/session.h"
#include "base/step.h"
#include "target/disk.h"
#include "writelog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define CHUNK (1 * MIB)
#define NEVER UINT64_MAX

struct replay {
	struct session *s;
	struct writelog log;
	u64 device_bytes;
	u64 *durable; /* numbers of the flushes and FUA writes */
	size_t ndurable;
	u64 *marked; /* for each moment, the number of its mark's entry; NEVER: not logged */
	int fd;	     /* what was replayed so far */
	char path[600];
	struct replay_order order;
	size_t points;
};

static int note_mark(struct replay *r, const struct writelog_entry *entry)
{
	const struct moments *m = r->s->moments;
	u64 mark;

	if (strncmp(entry->mark, MOMENT_MARK, strlen(MOMENT_MARK)))
		return 0;
	mark = strtoull(entry->mark + strlen(MOMENT_MARK), NULL, 10);
	for (size_t i = 0; i < m->n; i++)
		if (m->kept[i].mark == mark)
			r->marked[i] = entry->number;
	return 0;
}

static int note_durable(struct replay *r, const struct writelog_entry *entry)
{
	u64 *grown = r->durable;

	if (!(r->ndurable & (r->ndurable - 1)))
		grown = reallocarray(r->durable, r->ndurable ? 2 * r->ndurable : 1, sizeof(u64));
	if (!grown)
		return -ENOMEM;
	r->durable = grown;
	r->durable[r->ndurable++] = entry->number;
	return 0;
}

/* Where everything is, before anything is replayed. */
static int survey(struct replay *r, struct err *e)
{
	struct writelog_entry entry;
	int n = 0;

	r->marked = calloc(r->s->moments->n + 1, sizeof(*r->marked));
	if (!r->marked)
		return err_set(e, -ENOMEM, "no memory for the log of writes");
	memset(r->marked, 0xff, r->s->moments->n * sizeof(*r->marked));
	while ((n = writelog_next(&r->log, &entry, e)) > 0) {
		if (entry.flags & WRITELOG_MARK)
			n = note_mark(r, &entry);
		else if (entry.flags & WRITELOG_DURABLE)
			n = note_durable(r, &entry);
		if (n < 0)
			return err_set(e, n, "no memory for the log of writes");
	}
	writelog_rewind(&r->log);
	return n;
}

/* The moments of the @i-th durable entry; false: another one came after it before the files were
 * there, or the log was full before the moment after it. Both are one where one was marked right
 * behind the entry. */
static bool moments_of(const struct replay *r, size_t i, size_t *ret_from, size_t *ret_to)
{
	const struct moments *m = r->s->moments;
	u64 next = i + 1 < r->ndurable ? r->durable[i + 1] : NEVER;
	size_t from = m->n, to = m->n;

	for (size_t k = 0; k < m->n; k++) {
		if (r->marked[k] == NEVER)
			continue;
		if (r->marked[k] < next)
			from = k;
		if (r->marked[k] > r->durable[i] && to == m->n)
			to = k;
	}
	/* Nothing was written after the last moment, if it was marked. */
	if (to == m->n && r->marked[m->n - 1] != NEVER)
		to = m->n - 1;
	*ret_from = from;
	*ret_to = MAX(from, to);
	return from < m->n && to < m->n;
}

/* The one of durable entries [from, to) that is checked for all of them: the last that has a moment
 * of its own, or else the last. ndurable: none can be. */
static size_t choose(const struct replay *r, size_t from, size_t to)
{
	size_t best = r->ndurable, a, b;
	bool own = false;

	for (size_t i = from; i < to; i++) {
		if (!moments_of(r, i, &a, &b) || (own && a != b))
			continue;
		own |= a == b;
		best = i;
	}
	return best;
}

static int replay_to(struct replay *r, u64 number, struct err *e)
{
	struct writelog_entry entry;
	int n = 0;

	while (r->log.next <= number && (n = writelog_next(&r->log, &entry, e)) > 0) {
		n = order_look(&r->order, r->s->shadow.run, &r->log, &entry, r->fd);
		if (n < 0)
			return err_set(e, n, "entry %llu of the log of writes: %s",
				       (unsigned long long)entry.number, strerror(-n));
		n = writelog_apply(&r->log, &entry, r->fd, e);
		if (n < 0)
			break;
	}
	return MIN(n, 0);
}

/* What is a hole stays one: the images may be in memory. */
static int copy_data(int from, int to, u64 len)
{
	_cleanup_free_ u8 *buf = malloc(CHUNK);
	off_t at = 0, end;

	if (!buf)
		return -ENOMEM;
	while ((at = lseek(from, at, SEEK_DATA)) >= 0 && (u64)at < len) {
		end = lseek(from, at, SEEK_HOLE);
		for (ssize_t n; at < end; at += n) {
			int r;

			n = pread(from, buf, (size_t)MIN((u64)(end - at), CHUNK), at);
			if (n <= 0)
				return n ? -errno : -EIO;
			r = pwrite_all(to, buf, (size_t)n, (u64)at);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int make_copy(const struct replay *r, const char *path, struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int n = 0;

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (ioctl(fd, FICLONE, r->fd) < 0)
		n = ftruncate(fd, (off_t)r->device_bytes) < 0
			    ? -errno
			    : copy_data(r->fd, fd, r->device_bytes);
	return n < 0 ? err_set(e, n, "%s: %s", path, strerror(-n)) : 0;
}

/* In the journal as files that were made: a run that dies leaves none of them. */
static int make_files(struct replay *r, const struct target *t, struct err *e)
{
	const char *run = strrchr(t->run_dir, '/');
	int n;

	path_set(r->path, sizeof(r->path), "%s/stressd-%s-replayed.img", t->run_dir, run + 1);
	n = undo_record(t->undo, UNDO_FILE, r->path, NULL, NULL);
	if (n < 0)
		return err_set(e, n, "%s: %s", undo_path(t->undo), strerror(-n));
	r->fd = open(r->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (r->fd < 0 || ftruncate(r->fd, (off_t)r->device_bytes) < 0)
		return err_set(e, -errno, "%s: %s", r->path, strerror(errno));
	return t->prefilled ? disk_prefill(r->fd, r->device_bytes, e) : 0;
}

static int check_at(struct replay *r, size_t i, struct err *e)
{
	const struct moments *m = r->s->moments;
	char when[160], copy[600];
	size_t from, to;
	int n, entry;

	path_set(copy, sizeof(copy), "%s.%llu.img", r->path, (unsigned long long)r->durable[i]);
	entry = undo_record(r->s->undo, UNDO_FILE, copy, NULL, NULL);
	if (entry < 0)
		return err_set(e, entry, "%s: %s", undo_path(r->s->undo), strerror(-entry));
	n = replay_to(r, r->durable[i], e);
	if (n == 0)
		n = make_copy(r, copy, e);
	if (n < 0 || !moments_of(r, i, &from, &to))
		return n;
	snprintf(when, sizeof(when), "as of flush %zu of %zu, entry %llu of the log of writes",
		 i + 1, r->ndurable, (unsigned long long)r->durable[i]);
	replay_check(r->s, copy, &m->kept[from].at, &m->kept[to].at, &r->order, when);
	r->points++;
	/* With findings the file is evidence. */
	return undo_forget(r->s->undo, entry);
}

static bool enough(const struct session *s)
{
	return s->hopeless || s->stop_signals > 1 ||
	       (s->sc->stop_on == STOP_HIT && s->result.nfindings);
}

/* Those of the run: from the last before the files were there to the last before the last moment.
 * What came after is the check's and the unmount's, and one of it is enough. */
static void bounds(const struct replay *r, size_t *begin, size_t *end)
{
	size_t from, to;

	for (*begin = 0; *begin < r->ndurable && !moments_of(r, *begin, &from, &to);)
		++*begin;
	for (*end = *begin; *end < r->ndurable && moments_of(r, *end, &from, &to) &&
			    r->durable[*end] < r->marked[r->s->moments->n - 1];)
		++*end;
}

static int check_points(struct replay *r, struct err *e)
{
	const struct disk_options *o = r->s->sc->target.options;
	size_t begin, end, points, from, to;
	int n = 0;

	bounds(r, &begin, &end);
	points = (size_t)MIN(o->log_points - 1, (u64)(end - begin));
	for (size_t k = 0; k < points && n == 0 && !enough(r->s); k++) {
		size_t i = choose(r, begin + k * (end - begin) / points,
				  begin + (k + 1) * (end - begin) / points);

		if (i < r->ndurable)
			n = check_at(r, i, e);
	}
	if (n == 0 && r->ndurable && !enough(r->s) && moments_of(r, r->ndurable - 1, &from, &to))
		n = check_at(r, r->ndurable - 1, e);
	return n;
}

static int replay(struct replay *r, struct err *e)
{
	struct session *s = r->s;
	_cleanup_close_ int fd = open(s->target.log, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, -errno, "%s: %s", s->target.log, strerror(errno));
	n = writelog_open(fd, (u64)st.st_size, r->device_bytes, &r->log, e);
	if (n == 0)
		n = survey(r, e);
	if (n == 0 && r->marked[s->moments->n - 1] == NEVER)
		judge_note(s, "the log of writes was full before the run was over; what came after "
			      "is not in it: give target.log_size more");
	if (n == 0)
		n = make_files(r, &s->target, e);
	return n < 0 ? n : check_points(r, e);
}

static void end_replay(struct replay *r)
{
	closep(&r->fd);
	unlink(r->path);
	free(r->durable);
	free(r->marked);
	order_free(&r->order);
}

void replay_log(struct session *s)
{
	_cleanup_(end_replay) struct replay r = { .s = s, .fd = -1 };
	size_t before = s->result.nfindings;
	struct err e = { "" };

	if (!s->moments || s->target.mounted || enough(s))
		return;
	s->phase = "replay";
	r.device_bytes = s->target.layers[DM_LAYER_LOG].sectors * 512;
	/* The log is whole when the layer is gone. */
	if (s->target.type->teardown(&s->target, s->o->keep || s->result.nfindings, &e) < 0) {
		judge_trouble(s, "%s", e.text);
		return;
	}
	step("target gone for its log");
	if (replay(&r, &e) < 0)
		judge_trouble(s, "%s", e.text);
	else if (!r.points)
		judge_trouble(s, "the log of writes has no flush that could be checked");
	judge_note(s, "the filesystem was recovered as of %zu of %zu flushes of the log of writes",
		   r.points, r.ndurable);
	if (r.order.seen)
		judge_note(s,
			   "%zu times the log of writes had a cell's older bytes behind newer "
			   "ones, by "
			   "two flushes at a time; until its next write the cell may be either",
			   r.order.seen);
	if (target_drop_log(&s->target, s->o->keep || s->result.nfindings > before) < 0)
		judge_trouble(s, "%s: %s", s->target.log, strerror(errno));
}
