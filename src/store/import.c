// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results below a directory: found, read, and handed on to become rows. What lies there was
 * written by stressd or by anybody; of names only those that it uses itself are opened.
 */
#include "store/import.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define DEPTH_MAX      6 /* night, cells, cell, attempt, scenario of a guest */
#define NOTE_BYTES_MAX (64 * KIB)
#define ATTEMPTS_MAX   1000

struct import {
	struct store *s;
	const char *night; /* of the subtree that is being read */
	bool asked;	   /* somebody said which night it is */
	store_imported_fn *fn;
	void *ctx;
	u64 seen;
	struct err *e;
};

static void tell(struct import *im, const char *dir, enum store_imported how, const char *text)
{
	im->seen++;
	if (im->fn)
		im->fn(im->ctx, dir, how, text);
}

static bool has(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return path_set(path, sizeof(path), "%s/%s", dir, name) == 0 && lstat(path, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

/* An object from a file; its bytes go into @hash, which may be NULL. NULL: @why says it. */
static json_t *load(const char *dir, const char *name, size_t bytes_max, XXH3_state_t *hash,
		    char *why, size_t why_size)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	json_error_t error;
	json_t *o;
	size_t len;
	int r = path_set(path, sizeof(path), "%s/%s", dir, name);

	if (r == 0)
		r = read_file(path, bytes_max, &text, &len);
	if (r < 0) {
		snprintf(why, why_size, "%s cannot be read: %s", name, strerror(-r));
		return NULL;
	}
	o = json_loadb(text, len, 0, &error);
	if (!json_is_object(o)) {
		snprintf(why, why_size, "%s is damaged: line %d: %s", name, error.line,
			 o ? "no object" : error.text);
		json_decref(o);
		return NULL;
	}
	if (hash)
		XXH3_128bits_update(hash, text, len);
	return o;
}

static json_t *load_note(const char *dir, const char *name)
{
	char why[400];

	return has(dir, name) ? load(dir, name, NOTE_BYTES_MAX, NULL, why, sizeof(why)) : NULL;
}

/* What a result does not say where a guest died stands in what it was started with. */
static void look_beside(struct import_run *run, const json_t *scenario, const json_t *guest)
{
	run->fs = import_text(json_object_get(scenario, "target"), "fs");
	run->kernel = import_text(guest, "release");
}

static int put(struct import *im, struct import_run *run, s64 *ret_id)
{
	_cleanup_json_ json_t *scenario = load_note(run->dir, "scenario.json");
	_cleanup_json_ json_t *guest = load_note(run->dir, "guest.json");
	enum store_imported how;
	int r;

	look_beside(run, scenario, guest);
	r = import_put_run(im->s, run, ret_id, &how, im->e);
	if (r == 0)
		tell(im, run->dir, how, "");
	return r;
}

/* The run in @dir, which has a result.json. *ret_id 0: it is none that can be stored. */
static int take_run(struct import *im, const char *dir, const struct import_cell *cell, s64 *ret_id)
{
	_cleanup_json_ json_t *result = NULL, *verified = NULL;
	struct import_run run = { .dir = dir, .cell = cell, .night = im->night };
	_cleanup_(content_free) XXH3_state_t *hash = content_new();
	char why[400];

	*ret_id = 0;
	if (!hash)
		return err_set(im->e, -ENOMEM, "out of memory");
	result = load(dir, "result.json", STORE_RESULT_BYTES, hash, why, sizeof(why));
	if (result && json_integer_value(json_object_get(result, "version")) != 1) {
		snprintf(why, sizeof(why), "result.json is of another version than 1");
		json_decref(take_ptr(result));
	}
	if (!result) {
		tell(im, dir, STORE_BROKEN, why);
		return 0;
	}
	if (has(dir, "verify/result.json"))
		verified =
			load(dir, "verify/result.json", STORE_RESULT_BYTES, hash, why, sizeof(why));
	content_name(hash, run.content);
	run.result = result;
	run.verified = verified;
	return put(im, &run, ret_id);
}

/* A machine that went down under a cell left its started record and nothing else: that is what
 * there is to tell of the kernel that ran on it. */
static int take_lost(struct import *im, const char *dir, const struct import_attempt *a,
		     const json_t *started, s64 *ret_id)
{
	struct import_run run = { .dir = dir, .cell = a->cell, .night = im->night };
	_cleanup_free_ char *text = json_dumps(started, JSON_SORT_KEYS);
	_cleanup_json_ json_t *result = NULL;
	_cleanup_(content_free) XXH3_state_t *hash = content_new();
	char sentence[400], title[] = "a machine went down during the run";

	snprintf(sentence, sizeof(sentence),
		 "%.200s went down during the run, or the run was killed there: it was started and "
		 "never ended",
		 a->host);
	result = json_pack("{ss sI si ss s[{ss ss ss sf si}] ss s{ss}}", "verdict", "fail", "seed",
			   (json_int_t)a->cell->seed, "exit", 1, "reason", sentence, "findings",
			   "kind", "kernel-crash", "title", title, "sentence", sentence, "time_ms",
			   0.0, "repeats", 0, "started", import_text(started, "started"),
			   "environment", "kernel", import_text(started, "kernel"));
	if (!text || !result || !hash)
		return err_set(im->e, -ENOMEM, "out of memory");
	XXH3_128bits_update(hash, text, strlen(text));
	content_name(hash, run.content);
	run.result = result;
	return put(im, &run, ret_id);
}

static s64 integer_or(const json_t *o, const char *key, s64 otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

/* It passed or failed, and what says so is no longer there: unless the store knows the run, whoever
 * counts those of this night counts one too few. */
static int take_gone(struct import *im, const char *run_dir, const struct import_attempt *a)
{
	int r = import_attempt_known(im->s, a, im->e);

	if (r == 0)
		tell(im, run_dir, STORE_BROKEN,
		     "its run directory is gone, and the store does not know it");
	return MIN(r, 0);
}

/* Attempt @n of a cell. *ret_more: there may be another. One that has not ended may be running. */
static int take_attempt(struct import *im, const char *dir, const struct import_cell *cell, int n,
			bool *ret_more)
{
	char name[32], run_dir[PATH_MAX];
	struct import_attempt a = { .cell = cell, .night = im->night, .n = n };
	_cleanup_json_ json_t *started = NULL, *ended = NULL;
	int r = path_set(run_dir, sizeof(run_dir), "%s/attempt-%d", dir, n);

	snprintf(name, sizeof(name), "started-%d.json", n);
	started = load_note(dir, name);
	snprintf(name, sizeof(name), "ended-%d.json", n);
	ended = load_note(dir, name);
	*ret_more = started && n < ATTEMPTS_MAX;
	if (r < 0 || !started || !ended)
		return r;
	a.end = import_text(ended, "end");
	a.host = import_text(started, "host");
	a.exit = integer_or(ended, "exit", -1);
	a.started_s = integer_or(started, "time", 0);
	a.ended_s = integer_or(ended, "time", -1);
	/* One that was cut short says nothing, though it may have a result: so far, so good. */
	if (!strcmp(a.end, "finished") && has(run_dir, "result.json"))
		r = take_run(im, run_dir, cell, &a.run);
	else if (!strcmp(a.end, "finished") && (a.exit == 0 || a.exit == 1))
		r = take_gone(im, run_dir, &a);
	else if (!strcmp(a.end, "lost"))
		r = take_lost(im, run_dir, &a, started, &a.run);
	return r < 0 || !*im->night ? r : import_put_attempt(im->s, &a, im->e);
}

static int take_cell(struct import *im, const char *dir)
{
	char why[400];
	_cleanup_json_ json_t *o = load(dir, "cell.json", NOTE_BYTES_MAX, NULL, why, sizeof(why));
	struct import_cell c = { .seed = o ? integer_or(o, "seed", 0) : 0 };
	const struct {
		const char *key;
		char *at;
		size_t size;
	} texts[] = {
		{ "id", c.id, sizeof(c.id) },
		{ "scenario", c.scenario, sizeof(c.scenario) },
		{ "target", c.target, sizeof(c.target) },
		{ "kernel", c.label, sizeof(c.label) },
		{ "config", c.config, sizeof(c.config) },
		{ "commit", c.commit, sizeof(c.commit) },
	};
	bool more = true;
	int r = 0;

	if (!o) {
		tell(im, dir, STORE_BROKEN, why);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		snprintf(texts[i].at, texts[i].size, "%s", import_text(o, texts[i].key));
	for (int n = 1; more && r == 0; n++)
		r = take_attempt(im, dir, &c, n, &more);
	return r;
}

static int take_directory(struct import *im, const char *dir, int depth);

static int take_below(struct import *im, const char *dir, int depth)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	int r = 0;

	if (!d)
		return err_set(im->e, -errno, "%s: cannot be read: %s", dir, strerror(errno));
	for (struct dirent *de; r == 0 && (de = readdir(d));) {
		char path[PATH_MAX];
		struct stat st;

		if (de->d_name[0] == '.' ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode))
			continue;
		r = path_set(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (r == 0)
			r = take_directory(im, path, depth + 1);
	}
	return r;
}

static int take_directory(struct import *im, const char *dir, int depth)
{
	_cleanup_json_ json_t *night = NULL;
	_cleanup_close_ int held = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *outer = im->night;
	s64 id;
	int r;

	/* What is read does not go meanwhile: prune_remove.c. Without a lock it is still read. */
	if (held >= 0)
		flock(held, LOCK_SH);
	if (depth > DEPTH_MAX)
		return 0;
	if (has(dir, "result.json"))
		return take_run(im, dir, NULL, &id);
	if (has(dir, "cell.json"))
		return take_cell(im, dir);
	if (has(dir, "scenario.json")) {
		tell(im, dir, STORE_BROKEN,
		     "there is no result: it runs, or it died; `stressd verify` ends a dead one");
		return 0;
	}
	night = load_note(dir, "night.json");
	if (night && !im->asked)
		im->night = import_text(night, "name");
	r = take_below(im, dir, depth);
	im->night = outer;
	return r;
}

int store_import(struct store *s, const char *dir, const char *night, store_imported_fn *fn,
		 void *ctx, struct err *e)
{
	struct import im = { s, night, *night != '\0', fn, ctx, 0, e };
	_cleanup_free_ char *real = realpath(dir, NULL);
	int r;

	if (!real)
		return err_set(e, -errno, "%s: cannot be read: %s", dir, strerror(errno));
	r = take_directory(&im, real, 0);
	if (r == 0 && !im.seen)
		return err_set(e, -ENODATA,
			       "%s: holds no run; expected a run directory, or one that holds some",
			       dir);
	return r;
}
