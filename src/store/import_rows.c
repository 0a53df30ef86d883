// SPDX-License-Identifier: GPL-2.0-or-later
/* A result that was read becomes rows, all of them or none. */
#include "store/import.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *const verdicts[] = { "pass", "fail", "skip", "error", "incomplete" };

const char *import_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static s64 integer(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* Seconds since the epoch of "2024-05-01T12:00:00Z" (RFC 3339, as results have it). */
static s64 parse_started(const char *text)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end && !*end ? (s64)timegm(&tm) : 0;
}

/* The first column of a query that has one row at most; *ret is 0 where it has none. */
static int one_id(struct store *s, sqlite3_stmt *stmt, s64 *ret, struct err *e)
{
	int r = stmt ? store_step(s, stmt, e) : -EIO;

	*ret = r > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	if (r > 0)
		sqlite3_reset(stmt);
	return MIN(r, 0);
}

static int put_night(struct store *s, const char *name, s64 *ret, struct err *e)
{
	int r = store_run_query(s, QUERY_ADD_NIGHT, e, "s", name);

	return r < 0 ? r : one_id(s, store_bind(s, QUERY_FIND_NIGHT, e, "s", name), ret, e);
}

/* "6.1.192-lab #1 SMP ...": what was built says its release first; a release that was built from a
 * tree says its commit: "6.9.0-rc1-g0123456789ab". (scripts/setlocalversion) */
static int put_kernel(struct store *s, const struct import_run *run, s64 *ret, struct err *e)
{
	const char *full = import_text(json_object_get(run->result, "environment"), "kernel");
	const char *config = run->cell ? run->cell->config : "", *tree;
	char release[128], commit[80] = "";
	int r;

	full = *full ? full : run->kernel;
	snprintf(release, sizeof(release), "%.*s", (int)MIN(strcspn(full, " "), (size_t)120), full);
	tree = strstr(release, "-g");
	if (run->cell && *run->cell->commit)
		snprintf(commit, sizeof(commit), "%s", run->cell->commit);
	else if (tree && strspn(tree + 2, "0123456789abcdef") >= 7)
		snprintf(commit, sizeof(commit), "%.*s", (int)strspn(tree + 2, "0123456789abcdef"),
			 tree + 2);
	r = store_run_query(s, QUERY_ADD_KERNEL, e, "sss", release, config, commit);
	if (r < 0)
		return r;
	return one_id(s, store_bind(s, QUERY_FIND_KERNEL, e, "sss", release, config, commit), ret,
		      e);
}

static const char *fs_of(const struct import_run *run)
{
	const char *fs = import_text(json_object_get(run->result, "environment"), "fs");

	return *fs ? fs : run->fs;
}

static const char *verdict_of(const struct import_run *run)
{
	const char *verdict = import_text(run->result, "verdict");

	/* What the check of a dead run found is a finding of the run. */
	if (json_array_size(json_object_get(run->verified, "findings")))
		return "fail";
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
		if (!strcmp(verdicts[i], verdict))
			return verdict;
	return "incomplete";
}

static int insert_run(struct store *s, const struct import_run *run, s64 night, s64 kernel,
		      s64 *ret_id, struct err *e)
{
	const json_t *o = run->result;
	const struct import_cell *cell = run->cell;
	int r = store_run_query(
		s, QUERY_ADD_RUN, e, "srisssisisidss", run->content, night, kernel,
		cell ? cell->scenario : import_text(o, "scenario"),
		cell ? cell->target : fs_of(run), cell ? cell->label : "", integer(o, "seed"),
		verdict_of(run), integer(o, "exit"), import_text(o, "reason"),
		parse_started(import_text(o, "started")), number(o, "duration_s"),
		import_text(json_object_get(o, "environment"), "stressd"), run->dir);

	*ret_id = sqlite3_last_insert_rowid(s->db);
	return r;
}

static int put_finding(struct store *s, const struct import_run *run, s64 id, s64 n,
		       const json_t *f, struct err *e)
{
	const char *kind = import_text(f, "kind"), *fs = fs_of(run);
	const json_t *offset = json_object_get(f, "offset");
	char title[STORE_TITLE_MAX], hash[STORE_HASH_MAX];
	int r;

	store_title(kind, import_text(f, "title"), import_text(f, "sentence"), title);
	store_hash(kind, title, fs, hash);
	r = store_run_query(s, QUERY_ADD_FINGERPRINT, e, "ssss", hash, kind, title, fs);
	if (r < 0)
		return r;
	return store_run_query(s, QUERY_ADD_FINDING, e, "iisssodi", id, n, hash,
			       import_text(f, "sentence"), import_text(f, "file"),
			       json_is_integer(offset) ? json_integer_value(offset) : (s64)-1,
			       number(f, "time_ms"), integer(f, "repeats"));
}

static int put_findings(struct store *s, const struct import_run *run, s64 id, struct err *e)
{
	const json_t *lists[] = { json_object_get(run->result, "findings"),
				  json_object_get(run->verified, "findings") };
	s64 n = 0;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0; i < json_array_size(lists[l]); i++) {
			int r = put_finding(s, run, id, n++, json_array_get(lists[l], i), e);

			if (r < 0)
				return r;
		}
	return 0;
}

static int put_metric(struct store *s, s64 id, const char *name, double value, struct err *e)
{
	return isfinite(value) ? store_run_query(s, QUERY_ADD_METRIC, e, "isd", id, name, value)
			       : 0;
}

static int put_races(struct store *s, const json_t *races, s64 id, struct err *e)
{
	static const char *const counts[] = { "attempts", "overlaps", "hits" };

	for (size_t i = 0; i < json_array_size(races); i++)
		for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
			const json_t *race = json_array_get(races, i);
			char name[160];
			int r;

			snprintf(name, sizeof(name), "race.%.100s.%s", import_text(race, "name"),
				 counts[k]);
			r = put_metric(s, id, name, number(race, counts[k]), e);
			if (r < 0)
				return r;
		}
	return 0;
}

static int put_metrics(struct store *s, const json_t *o, s64 id, struct err *e)
{
	static const char *const seconds[] = { "duration_s", "setup_s", "verify_s" };
	static const char *const counts[] = { "ops", "cells_checked", "cells_open",
					      "findings_lost" };
	const json_t *counted = json_object_get(o, "counts");
	double duration_s = number(o, "duration_s");
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(seconds) && r == 0; i++)
		r = put_metric(s, id, seconds[i], number(o, seconds[i]), e);
	for (size_t i = 0; i < ARRAY_SIZE(counts) && r == 0; i++)
		r = put_metric(s, id, counts[i], number(counted, counts[i]), e);
	if (r == 0 && duration_s > 0 && number(counted, "ops") > 0)
		r = put_metric(s, id, "ops_per_s", number(counted, "ops") / duration_s, e);
	return r < 0 ? r : put_races(s, json_object_get(o, "races"), id, e);
}

/* A run that is there already, and where it was is nothing any more: it has been moved, or brought
 * back. A copy of it changes nothing. */
static bool has_moved(sqlite3_stmt *stmt, const struct import_run *run)
{
	const char *dir = store_text(stmt, 2);
	struct stat st;

	return sqlite3_column_int64(stmt, 3) ||
	       (strcmp(dir, run->dir) != 0 && lstat(dir, &st) < 0 && errno == ENOENT);
}

static int put_all(struct store *s, const struct import_run *run, s64 *ret_id,
		   enum store_imported *ret_how, struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, QUERY_KNOWN_RUN, e, "s", run->content);
	int r = stmt ? store_step(s, stmt, e) : -EIO;
	bool of_night = r > 0 && sqlite3_column_type(stmt, 1) != SQLITE_NULL;
	bool moved = r > 0 && has_moved(stmt, run);
	s64 night = 0, kernel;

	*ret_how = r > 0 ? STORE_KNOWN : STORE_ADDED;
	*ret_id = r > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	if (r > 0)
		r = MIN(sqlite3_reset(stmt), 0);
	if (r == 0 && moved)
		r = store_run_query(s, QUERY_SET_DIR, e, "is", *ret_id, run->dir);
	if (r == 0 && *run->night && !of_night)
		r = put_night(s, run->night, &night, e);
	if (r < 0)
		return r;
	if (*ret_how == STORE_KNOWN)
		return night ? store_run_query(s, QUERY_SET_NIGHT, e, "ii", *ret_id, night) : 0;
	r = put_kernel(s, run, &kernel, e);
	if (r == 0)
		r = insert_run(s, run, night, kernel, ret_id, e);
	if (r == 0)
		r = put_findings(s, run, *ret_id, e);
	return r < 0 ? r : put_metrics(s, run->result, *ret_id, e);
}

/* The first error is what is told, and not that of the clean-up. */
static int end_transaction(struct store *s, int r, struct err *e)
{
	struct err ignored;

	if (r == 0)
		r = store_exec(s, "COMMIT", e);
	if (r < 0)
		store_exec(s, "ROLLBACK", &ignored);
	return r;
}

int import_put_run(struct store *s, const struct import_run *run, s64 *ret_id,
		   enum store_imported *ret_how, struct err *e)
{
	int r = store_exec(s, "BEGIN IMMEDIATE", e);

	return r < 0 ? r : end_transaction(s, put_all(s, run, ret_id, ret_how, e), e);
}

static int put_attempt(struct store *s, const struct import_attempt *a, struct err *e)
{
	const struct import_cell *c = a->cell;
	s64 night;
	int r = put_night(s, a->night, &night, e);

	if (r == 0)
		r = store_run_query(s, QUERY_ADD_CELL, e, "ssssi", c->id, c->scenario, c->target,
				    c->label, c->seed);
	if (r < 0)
		return r;
	return store_run_query(s, QUERY_ADD_ATTEMPT, e, "isisosior", night, c->id, a->n, a->end,
			       a->exit, a->host, a->started_s, a->ended_s, a->run);
}

int import_attempt_known(struct store *s, const struct import_attempt *a, struct err *e)
{
	sqlite3_stmt *stmt =
		store_bind(s, QUERY_ATTEMPT_RUN, e, "ssi", a->night, a->cell->id, a->n);
	int r = stmt ? store_step(s, stmt, e) : -EIO;

	if (r > 0)
		sqlite3_reset(stmt);
	return r;
}

int import_put_attempt(struct store *s, const struct import_attempt *a, struct err *e)
{
	int r = store_exec(s, "BEGIN IMMEDIATE", e);

	return r < 0 ? r : end_transaction(s, put_attempt(s, a, e), e);
}
