// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema as the steps that lead to it. A step that was ever released is never changed: stores
 * of users have been through it. A change is one more row.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>

/* "strs", so that sqlite3 and file(1) tell a store from any other database. */
#define APPLICATION_ID 0x73747273

const struct store_migration store_migrations[] = {
	{ 1,
	  /* A kernel is what was built, not where it ran. */
	  "CREATE TABLE kernels("
	  " id INTEGER PRIMARY KEY, release TEXT NOT NULL, config TEXT NOT NULL,"
	  " commit_id TEXT NOT NULL, UNIQUE(release, config, commit_id)) STRICT;"
	  "CREATE TABLE nights(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	  /* Of a matrix: what was asked for, under the names that the matrix has for it. */
	  "CREATE TABLE cells("
	  " id TEXT NOT NULL PRIMARY KEY, scenario TEXT NOT NULL, target TEXT NOT NULL,"
	  " label TEXT NOT NULL, seed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	  /* What came of it: one result.json. content is its hash, so nothing is stored twice. */
	  "CREATE TABLE runs("
	  " id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE,"
	  " night INTEGER REFERENCES nights(id), kernel INTEGER NOT NULL REFERENCES kernels(id),"
	  " scenario TEXT NOT NULL, target TEXT NOT NULL, label TEXT NOT NULL,"
	  " seed INTEGER NOT NULL, verdict TEXT NOT NULL"
	  " CHECK(verdict IN ('pass', 'fail', 'skip', 'error', 'incomplete')),"
	  " exit INTEGER NOT NULL, reason TEXT NOT NULL, started INTEGER NOT NULL,"
	  " duration_s REAL NOT NULL, stressd TEXT NOT NULL, dir TEXT NOT NULL) STRICT;"
	  /* A cell may take several; one that died has no run of its own making. */
	  "CREATE TABLE attempts("
	  " night INTEGER NOT NULL REFERENCES nights(id),"
	  " cell TEXT NOT NULL REFERENCES cells(id), n INTEGER NOT NULL, end TEXT NOT NULL,"
	  " exit INTEGER, host TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,"
	  " run INTEGER REFERENCES runs(id),"
	  " PRIMARY KEY(night, cell, n)) STRICT, WITHOUT ROWID;"
	  "CREATE TABLE fingerprints("
	  " id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
	  " title TEXT NOT NULL, fs TEXT NOT NULL) STRICT;"
	  "CREATE TABLE findings("
	  " run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, n INTEGER NOT NULL,"
	  " fingerprint INTEGER NOT NULL REFERENCES fingerprints(id), sentence TEXT NOT NULL,"
	  " file TEXT NOT NULL, offset INTEGER, time_ms REAL NOT NULL, repeats INTEGER NOT NULL,"
	  " PRIMARY KEY(run, n)) STRICT, WITHOUT ROWID;"
	  "CREATE TABLE metrics("
	  " run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, name TEXT NOT NULL,"
	  " value REAL NOT NULL, PRIMARY KEY(run, name)) STRICT, WITHOUT ROWID;"
	  /* Each query has an index that it goes through in its own order: test_store_plan.c. */
	  "CREATE INDEX runs_by_scenario ON runs(scenario, started);"
	  "CREATE INDEX runs_by_rate ON runs(scenario, target, label, verdict, started);"
	  "CREATE INDEX runs_by_night ON runs(night, scenario, target, label, verdict, started);"
	  "CREATE INDEX findings_by_fingerprint ON findings(fingerprint, run);"
	  "CREATE INDEX attempts_by_run ON attempts(run);"
	  "CREATE INDEX attempts_by_cell ON attempts(cell);" },
	{ 2, "CREATE INDEX runs_by_start ON runs(night, started);" }, /* which night was first */
	/* When the run directory went (prune.c); 0: it is there. */
	{ 3, "ALTER TABLE runs ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;" },
};
const size_t store_nmigrations = ARRAY_SIZE(store_migrations);

static int number_of(struct store *s, const char *pragma, s64 *ret, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, pragma, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : store_fail(s, rc, e);
}

/* What is in the file: nothing yet, a store, or somebody else's tables. */
static int look(struct store *s, s64 *ret_version, struct err *e)
{
	s64 id = 0, tables = 0;
	int r = number_of(s, "PRAGMA user_version", ret_version, e);

	if (r == 0)
		r = number_of(s, "PRAGMA application_id", &id, e);
	if (r == 0)
		r = number_of(s, "SELECT count(*) FROM sqlite_schema", &tables, e);
	if (r < 0 || id == APPLICATION_ID || (!tables && !*ret_version && !id))
		return r;
	return err_set(e, -EBADMSG,
		       "%s: a database, and not one of stressd; name another file with --store",
		       s->path);
}

static int apply(struct store *s, const struct store_migration *m, struct err *e)
{
	char sql[96];
	int r = store_exec(s, m->sql, e);

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, m->number);
	return r < 0 ? r : store_exec(s, sql, e);
}

int store_migrate(struct store *s, const struct store_migration *m, size_t n, struct err *e)
{
	int last = m[n - 1].number, r;
	struct err ignored;
	s64 version;

	r = look(s, &version, e);
	if (r < 0 || version == last)
		return r;
	if (version > last)
		return err_set(
			e, -EPROTO,
			"%s: written by a newer stressd (schema %lld, this one knows %d); use "
			"that one, or name another file with --store",
			s->path, (long long)version, last);
	if (sqlite3_db_readonly(s->db, "main"))
		return store_fail(s, SQLITE_READONLY, e);
	r = store_exec(s, "BEGIN IMMEDIATE", e);
	if (r < 0)
		return r;
	/* Another process may have done it while this one waited. */
	r = look(s, &version, e);
	for (size_t i = 0; i < n && r == 0; i++)
		if (m[i].number > version)
			r = apply(s, &m[i], e);
	if (r == 0)
		r = store_exec(s, "COMMIT", e);
	if (r < 0)
		store_exec(s, "ROLLBACK", &ignored);
	return r;
}
