// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of a cell, from what is on disk. started-N.json is there, synced, before anything is
 * done; ended-N.json when all of it is done. One without the other, and nobody who holds the lock:
 * whoever ran it was killed, or the machine went down under it, which is a finding.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <time.h>

#define BOOT_ID	  "/proc/sys/kernel/random/boot_id"
#define LOST_TEXT "the machine went down during the run, or was started anew: see the console of %s"

const char *const cell_state_names[CELL_STATES] = {
	[CELL_LEFT] = "pending",
	[CELL_RUNNING] = "running",
	[CELL_FINISHED] = "finished",
	[CELL_LOST] = "lost",
};

/* What an end means for the cell. */
static const struct {
	const char *end;
	int state;
} ends[] = {
	{ "finished", CELL_FINISHED },
	{ "again", CELL_LEFT },
	{ "interrupted", CELL_LEFT },
	{ "lost", CELL_LOST },
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static json_t *load(const char *dir, const char *what, u64 n)
{
	char path[PATH_MAX];

	if (path_set(path, sizeof(path), "%s/%s-%llu.json", dir, what, (unsigned long long)n) < 0)
		return NULL;
	return json_load_file(path, 0, NULL);
}

int cell_lock(const char *dir, bool wait, int *ret_fd, struct err *e)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int r = path_set(path, sizeof(path), "%s/lock", dir);

	if (r == 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		r = fd < 0 || flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	if (r < 0)
		return err_set(e, r == -EWOULDBLOCK ? -EBUSY : r, "%s: cannot be locked: %s", path,
			       strerror(-r));
	*ret_fd = take_fd(&fd);
	return 0;
}

static void host_name(char *buf, size_t size)
{
	struct utsname u;

	uname(&u);
	snprintf(buf, size, "%s", u.nodename);
}

int cell_started(const char *dir, u64 n, struct err *e)
{
	char host[256], boot[64] = "", started[32], name[40];
	time_t now = time(NULL);
	struct utsname u;
	struct tm tm;
	_cleanup_json_ json_t *o = NULL;

	host_name(host, sizeof(host));
	attr_read(BOOT_ID, boot, sizeof(boot));
	uname(&u);
	gmtime_r(&now, &tm);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	o = json_pack("{si ss ss ss sI si ss}", "version", 1, "host", host, "boot", boot, "started",
		      started, "time", (json_int_t)now, "pid", (int)getpid(), "kernel", u.release);
	snprintf(name, sizeof(name), "started-%llu.json", (unsigned long long)n);
	return matrix_write(dir, name, o, e);
}

int cell_ended(const char *dir, u64 n, const char *end, int exit, const char *said, struct err *e)
{
	_cleanup_json_ json_t *o = json_pack("{si ss si sI}", "version", 1, "end", end, "exit",
					     exit, "time", (json_int_t)time(NULL));
	char name[40];

	/* Whatever bytes it said: text that is no UTF-8 is left out. */
	if (o && *said)
		json_object_set_new(o, "said", json_string(said));
	snprintf(name, sizeof(name), "ended-%llu.json", (unsigned long long)n);
	return matrix_write(dir, name, o, e);
}

/* Nobody holds the lock, so nobody will write how it ended. */
static int judge_begun(const char *dir, const json_t *started, u64 n, struct cell_outcome *ret,
		       struct err *e)
{
	char host[256], boot[64] = "";
	bool here;

	host_name(host, sizeof(host));
	attr_read(BOOT_ID, boot, sizeof(boot));
	here = !strcmp(text_of(started, "boot"), boot) && !strcmp(text_of(started, "host"), host);
	if (here)
		return cell_ended(dir, n, "interrupted", -1, "its process was killed", e);
	ret->state = CELL_LOST;
	ret->exit = EXIT_FINDING;
	snprintf(ret->text, sizeof(ret->text), LOST_TEXT, text_of(started, "host"));
	return cell_ended(dir, n, "lost", EXIT_FINDING, ret->text, e);
}

/* Of the result, if it has one: it says more than the exit status. */
static void take_reason(const char *dir, u64 n, struct cell_outcome *ret)
{
	_cleanup_json_ json_t *o = NULL;
	char path[PATH_MAX];

	if (path_set(path, sizeof(path), "%s/attempt-%llu/result.json", dir,
		     (unsigned long long)n) == 0)
		o = json_load_file(path, 0, NULL);
	if (o && *text_of(o, "verdict"))
		snprintf(ret->text, sizeof(ret->text), "%s%s%s", text_of(o, "verdict"),
			 *text_of(o, "reason") ? ": " : "", text_of(o, "reason"));
}

static void take_end(const char *dir, const json_t *ended, u64 n, struct cell_outcome *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(ends[i].end, text_of(ended, "end")))
			ret->state = ends[i].state;
	ret->exit = (int)json_integer_value(json_object_get(ended, "exit"));
	snprintf(ret->text, sizeof(ret->text), "%s", text_of(ended, "said"));
	if (ret->state == CELL_FINISHED)
		take_reason(dir, n, ret);
}

int cell_judge(const char *dir, struct cell_outcome *ret, struct err *e)
{
	_cleanup_json_ json_t *started = NULL, *ended = NULL;

	*ret = (struct cell_outcome){ .state = CELL_LEFT, .exit = -1 };
	for (json_t *next; (next = load(dir, "started", ret->n + 1)); ret->n++) {
		json_decref(started);
		started = next;
	}
	if (!started)
		return 0;
	ended = load(dir, "ended", ret->n);
	if (!ended)
		return judge_begun(dir, started, ret->n, ret, e);
	take_end(dir, ended, ret->n, ret);
	return 0;
}

int cell_look(const char *dir, struct cell_outcome *ret, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int r = cell_lock(dir, false, &fd, e);

	if (r == -EBUSY) {
		*ret = (struct cell_outcome){ .state = CELL_RUNNING, .exit = -1 };
		return 0;
	}
	return r < 0 ? r : cell_judge(dir, ret, e);
}
