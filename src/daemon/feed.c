// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines out of a pipe, figures out of lines; at the end the findings out of result.json. */
#include "daemon/feed.h"

#include "base/fsutil.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>

#define LINE_MAX_BYTES DAEMON_MESSAGE_MAX
#define READ_BYTES     (64 * KIB)
#define DRAIN_BYTES    (4 * MIB) /* at the end; somebody may still be writing */
#define RESULT_BYTES   (16 * MIB)
#define TELL_NS	       (500 * NSEC_PER_MSEC) /* between two lines of progress to watchers */
#define SECONDS_MAX    1e9
#define RECALLED       30 /* jobs that have ended, the newest */

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static u64 count_of(const json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (u64)n : 0;
}

/* As much as fits, and no half of a character. */
static void copy_text(char *buf, size_t size, const char *text)
{
	size_t n = strlen(text);

	if (n >= size)
		for (n = size - 1; n && ((u8)text[n] & 0xc0) == 0x80;)
			n--;
	memcpy(buf, text, n);
	buf[n] = '\0';
}

static json_int_t id_of(const struct feed *f)
{
	return (json_int_t)f->en->job.id;
}

/* Within what a clock can show, whoever says it. */
static double seconds_of(const json_t *o, const char *key)
{
	double s = json_number_value(json_object_get(o, key));

	return s > 0 ? MIN(s, SECONDS_MAX) : 0;
}

static void on_progress(struct daemon *d, struct feed *f, const json_t *o)
{
	struct live_state before = f->now;
	double elapsed = seconds_of(o, "elapsed_s"), took = elapsed - before.elapsed_s;

	f->progressed = true;
	copy_text(f->phase, sizeof(f->phase), text_of(o, "phase"));
	f->now.elapsed_s = elapsed;
	f->now.left_s = json_is_number(json_object_get(o, "left_s")) ? seconds_of(o, "left_s") : -1;
	/* While all is checked nothing more is counted. */
	if (strcmp(f->phase, "verify") != 0) {
		f->now.ops = count_of(o, "ops");
		f->now.faults = count_of(o, "faults");
		f->now.overlaps = count_of(o, "overlaps");
		f->now.klog_events = count_of(o, "klog_events");
	}
	f->now.findings = MAX(count_of(o, "findings"), f->findings);
	/* Over the time between two lines; what the run says is of its last moment. */
	f->now.ops_per_s = took > 0 && f->now.ops > before.ops
				   ? (u64)((double)(f->now.ops - before.ops) / took)
				   : 0;
	if (now_ns() - f->told_ns < TELL_NS)
		return;
	f->told_ns = now_ns();
	clients_show(d,
		     json_pack("{ss sI ss sf so sI sI sI sI sI sI}", "type", "progress", "id",
			       id_of(f), "phase", f->phase, "elapsed_s", f->now.elapsed_s, "left_s",
			       f->now.left_s < 0 ? json_null() : json_real(f->now.left_s), "ops",
			       (json_int_t)f->now.ops, "ops_per_s", (json_int_t)f->now.ops_per_s,
			       "faults", (json_int_t)f->now.faults, "overlaps",
			       (json_int_t)f->now.overlaps, "findings", (json_int_t)f->now.findings,
			       "klog_events", (json_int_t)f->now.klog_events));
}

static bool keep(struct feed *f, const char *what, const char *text)
{
	struct feed_found *found = &f->found[f->nfound];

	f->findings++;
	if (f->nfound == FEED_FOUND)
		return false;
	f->nfound++;
	copy_text(found->what, sizeof(found->what), what);
	copy_text(found->text, sizeof(found->text), text);
	return true;
}

static void on_finding(struct daemon *d, struct feed *f, const json_t *o)
{
	const json_t *finding = json_object_get(o, "finding");

	/* Watchers, too, need no more of them: the report has all. */
	if (keep(f, text_of(finding, "kind"), text_of(finding, "sentence")))
		clients_show(d, json_pack("{ss sI ss ss sf}", "type", "finding", "id", id_of(f),
					  "kind", f->found[f->nfound - 1].what, "sentence",
					  f->found[f->nfound - 1].text, "time_ms",
					  json_number_value(json_object_get(finding, "time_ms"))));
}

static void leave_running(struct feed *f, const char *id)
{
	for (size_t i = 0; i < f->nrunning; i++)
		if (!strcmp(f->running[i].id, id)) {
			memmove(&f->running[i], &f->running[i + 1],
				(--f->nrunning - i) * sizeof(f->running[0]));
			return;
		}
}

static void on_cell(struct daemon *d, struct feed *f, const json_t *o)
{
	const char *state = text_of(o, "state"), *text = text_of(o, "text");
	json_int_t exit = json_integer_value(json_object_get(o, "exit"));
	bool lost = !strcmp(state, "lost");
	struct feed_cell c;

	copy_text(c.id, sizeof(c.id), text_of(o, "id"));
	snprintf(c.name, sizeof(c.name), "%.90s on %.60s, kernel %.60s, seed %lld",
		 text_of(o, "scenario"), text_of(o, "target"), text_of(o, "kernel"),
		 (long long)json_integer_value(json_object_get(o, "seed")));
	f->cells = count_of(o, "cells");
	leave_running(f, c.id);
	clients_show(d, json_pack("{ss sI ss so ss sI ss}", "type", "cell", "id", id_of(f), "cell",
				  c.id, "name", json_text(c.name), "state", state, "exit", exit,
				  "text", text));
	if (!strcmp(state, "running")) {
		if (f->nrunning < FEED_CELLS)
			f->running[f->nrunning++] = c;
		return;
	}
	if (lost || exit == EXIT_FINDING) {
		f->failed++;
		keep(f, c.name, !strncmp(text, "fail: ", 6) ? text + 6 : *text ? text : state);
	} else if (!strcmp(state, "finished")) {
		f->passed += exit == 0;
		f->other += exit != 0;
	}
}

static void on_result(struct daemon *d, struct feed *f, const json_t *o)
{
	u64 lost = count_of(o, "lost"), left = count_of(o, "left");
	char more[100] = "";

	(void)d;
	if (!f->en->job.spec.matrix)
		return;
	if (lost)
		snprintf(more, sizeof(more), " (%llu lost with their machine)",
			 (unsigned long long)lost);
	snprintf(f->outcome, sizeof(f->outcome),
		 "%llu cells: %llu with findings%s, %llu passed, %llu skipped, %llu incomplete, "
		 "%llu left",
		 (unsigned long long)count_of(o, "cells"),
		 (unsigned long long)count_of(o, "findings"), more,
		 (unsigned long long)count_of(o, "passed"),
		 (unsigned long long)count_of(o, "skipped"),
		 (unsigned long long)count_of(o, "incomplete"), (unsigned long long)left);
}

static const struct {
	const char *type;
	void (*fn)(struct daemon *d, struct feed *f, const json_t *o);
} lines[] = {
	{ "progress", on_progress },
	{ "finding", on_finding },
	{ "cell", on_cell },
	{ "result", on_result },
};

static void take_line(struct daemon *d, struct feed *f, const char *line, size_t len)
{
	_cleanup_json_ json_t *o = json_loadb(line, len, 0, NULL);
	const char *type = text_of(o, "type");

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strcmp(lines[i].type, type)) {
			lines[i].fn(d, f, o);
			page_note(d);
		}
}

/* Whole lines of the buffer; what is longer than a line may be is passed over to its end. */
static void take_lines(struct daemon *d, struct feed *f, size_t known)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(f->line + known, '\n', f->len - known))) {
		if (!f->skipping)
			take_line(d, f, f->line + at, (size_t)(end - f->line) - at);
		f->skipping = false;
		known = at = (size_t)(end - f->line) + 1;
	}
	f->len -= at;
	memmove(f->line, f->line + at, f->len);
	if (f->len > LINE_MAX_BYTES || f->skipping) {
		f->skipping = true;
		f->len = 0;
	}
}

/* How many bytes came; 0: nothing now, or nothing ever more, and then it is closed. */
static size_t read_some(struct daemon *d, struct feed *f)
{
	size_t known = f->len;
	ssize_t n;

	if (f->size - f->len < READ_BYTES) {
		char *line = realloc(f->line, 2 * f->size + READ_BYTES);

		if (!line) {
			source_close(d, &f->source);
			return 0;
		}
		f->line = line;
		f->size = 2 * f->size + READ_BYTES;
	}
	n = read(f->source.fd, f->line + f->len, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		source_close(d, &f->source);
		return 0;
	}
	f->len += (size_t)n;
	take_lines(d, f, known);
	return (size_t)n;
}

/* One read a round, however much there is: others have their turn. */
static void on_readable(struct daemon *d, struct source *s, u32 events)
{
	(void)events;
	read_some(d, (struct feed *)s);
}

static void close_pipe(struct daemon *d, struct feed *f)
{
	source_close(d, &f->source);
	free(f->line);
	f->line = NULL;
	f->len = f->size = 0;
}

static struct feed *make(struct entry *en)
{
	struct feed *f = en->feed ? en->feed : calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct feed){ .source = { -1, on_readable }, .en = en };
	return en->feed = f;
}

void feed_open(struct daemon *d, struct entry *en, int fd)
{
	struct feed *f;

	if (en->feed)
		close_pipe(d, en->feed);
	f = make(en);
	if (!f) {
		closep(&fd);
		return;
	}
	f->source.fd = fd;
	if (fd >= 0 && source_add(d, &f->source, EPOLLIN) < 0) {
		closep(&fd);
		f->source.fd = -1;
	}
}

/* What result.json has is all there is: a guest that died said less, and its host more. */
static void take_result(struct feed *f, const json_t *o)
{
	const json_t *findings = json_object_get(o, "findings"), *finding;
	const char *reason = text_of(o, "reason");
	size_t i;

	f->nfound = 0;
	f->findings = 0;
	json_array_foreach ((json_t *)findings, i, finding)
		keep(f, text_of(finding, "kind"), text_of(finding, "sentence"));
	copy_text(f->outcome, sizeof(f->outcome), reason);
	f->now.ops = count_of(json_object_get(o, "counts"), "ops");
	f->progressed |= f->now.ops > 0;
}

static void settle(struct daemon *d, struct feed *f)
{
	const struct job *j = &f->en->job;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *o = NULL;
	char dir[PATH_MAX - 16], path[PATH_MAX];
	size_t len;

	f->settled = true;
	if (j->spec.matrix || job_run_dir(d->dir, j, dir, sizeof(dir)) < 0)
		return;
	snprintf(path, sizeof(path), "%s/result.json", dir);
	if (read_file(path, RESULT_BYTES, &text, &len) == 0)
		o = json_loadb(text, len, 0, NULL);
	if (o)
		take_result(f, o);
}

void feed_end(struct daemon *d, struct entry *en)
{
	struct feed *f = en->feed ? en->feed : make(en);

	if (!f)
		return;
	for (size_t n = 0, got; f->source.fd >= 0 && n < DRAIN_BYTES; n += got) {
		got = read_some(d, f);
		if (!got)
			break;
	}
	close_pipe(d, f);
	f->nrunning = 0;
	settle(d, f);
}

void feed_free(struct daemon *d, struct entry *en)
{
	if (!en->feed)
		return;
	close_pipe(d, en->feed);
	free(en->feed);
	en->feed = NULL;
}

void feed_recall(struct daemon *d)
{
	size_t ended = 0;

	/* Nobody else asks for it. */
	for (size_t i = d->config->page ? d->nentries : 0; i-- && ended < RECALLED;) {
		struct entry *en = d->entries[i];

		if (!job_ended(&en->job))
			continue;
		ended++;
		if (en->feed && en->feed->settled)
			continue;
		if (en->feed || make(en))
			settle(d, en->feed);
		page_note(d);
		return;
	}
}
