// SPDX-License-Identifier: GPL-2.0-or-later
/* The connection: opened, its statements, and what SQLite's errors mean to a person. */
#include "store/internal.h"

#include "base/cleanup.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define BUSY_MS 10000 /* an import of another process commits run by run */

const char *const store_queries[STORE_QUERIES] = {
#define X(id, sql) [QUERY_##id] = sql,
#include "store/queries.def"
#undef X
};

DEFINE_CLEANUP(struct store *, store_close);
#define _cleanup_store_ _cleanup_(store_closep)

static const struct {
	int rc, ret;
	const char *what;
} failures[] = {
	{ SQLITE_CORRUPT, -EBADMSG,
	  "is damaged; move it away and store the run directories anew: stressd store import DIR" },
	{ SQLITE_NOTADB, -EBADMSG,
	  "is no store; name another file with --store, or move it away and store the run "
	  "directories anew: stressd store import DIR" },
	{ SQLITE_READONLY, -EROFS,
	  "cannot be written; make it and its directory writable, or name another file with "
	  "--store" },
	{ SQLITE_CANTOPEN, -EROFS,
	  "cannot be opened; make it and its directory accessible, or name another file with "
	  "--store" },
	{ SQLITE_PERM, -EROFS, "is not accessible; name another file with --store" },
	{ SQLITE_FULL, -ENOSPC,
	  "has no more room; free some, then store the rest: stressd store import DIR (run "
	  "directories are complete)" },
	{ SQLITE_BUSY, -EAGAIN,
	  "is locked by another process; try again when that is done (fuser names it)" },
	{ SQLITE_NOMEM, -ENOMEM, "needs more memory than there is" },
};

int store_fail(const struct store *s, int rc, struct err *e)
{
	int why = s->db ? sqlite3_system_errno(s->db) : 0;

	/* Whether the disk or the quota is full shows in the system call alone. */
	if ((rc & 0xff) == SQLITE_IOERR && (why == ENOSPC || why == EDQUOT))
		rc = SQLITE_FULL;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i].rc == (rc & 0xff))
			return err_set(e, failures[i].ret, "%s: %s", s->path, failures[i].what);
	return err_set(e, -EIO, "%s: %s%s%s", s->path,
		       s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc), why ? ": " : "",
		       why ? strerror(why) : "");
}

int store_exec(struct store *s, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail(s, rc, e);
}

static int bind_number(sqlite3_stmt *stmt, int i, char type, s64 v)
{
	bool none = type == 'r' ? v == 0 : type == 'o' && v < 0;

	assert(type == 'i' || type == 'r' || type == 'o');
	return none ? sqlite3_bind_null(stmt, i) : sqlite3_bind_int64(stmt, i, v);
}

static int bind_all(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; types[i - 1] && rc == SQLITE_OK; i++)
		if (types[i - 1] == 's')
			rc = sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
		else if (types[i - 1] == 'd')
			rc = sqlite3_bind_double(stmt, i, va_arg(ap, double));
		else
			rc = bind_number(stmt, i, types[i - 1], va_arg(ap, s64));
	return rc;
}

static sqlite3_stmt *bind(struct store *s, enum store_query q, struct err *e, const char *types,
			  va_list ap)
{
	sqlite3_stmt **stmt = &s->statements[q];
	int rc = SQLITE_OK;

	if (!*stmt)
		rc = sqlite3_prepare_v3(s->db, store_queries[q], -1, SQLITE_PREPARE_PERSISTENT,
					stmt, NULL);
	if (rc == SQLITE_OK) {
		assert((size_t)sqlite3_bind_parameter_count(*stmt) == strlen(types));
		sqlite3_reset(*stmt);
		rc = bind_all(*stmt, types, ap);
	}
	if (rc == SQLITE_OK)
		return *stmt;
	store_fail(s, rc, e);
	return NULL;
}

sqlite3_stmt *store_bind(struct store *s, enum store_query q, struct err *e, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;

	va_start(ap, types);
	stmt = bind(s, q, e, types, ap);
	va_end(ap);
	return stmt;
}

int store_step(struct store *s, sqlite3_stmt *stmt, struct err *e)
{
	int rc = sqlite3_step(stmt), r;

	if (rc == SQLITE_ROW)
		return 1;
	r = rc == SQLITE_DONE ? 0 : store_fail(s, rc, e);
	sqlite3_reset(stmt);
	return r;
}

int store_run_query(struct store *s, enum store_query q, struct err *e, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;

	va_start(ap, types);
	stmt = bind(s, q, e, types, ap);
	va_end(ap);
	return stmt ? store_step(s, stmt, e) : -EIO;
}

const char *store_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text ? text : "";
}

int store_open_raw(const char *path, int flags, struct store **ret, struct err *e)
{
	_cleanup_store_ struct store *s = calloc(1, sizeof(*s));
	int rc;

	if (!s || !(s->path = strdup(path)))
		return err_set(e, -ENOMEM, "out of memory");
	rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	if (rc != SQLITE_OK)
		return store_fail(s, rc, e);
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	*ret = take_ptr(s);
	return 0;
}

/* WAL: readers see whole runs while another process imports. NORMAL: a power cut may cost the last
 * imports and never the file; the run directories are still there. */
static int open_for(const char *path, int flags, struct store **ret, struct err *e)
{
	_cleanup_store_ struct store *s = NULL;
	int r = store_open_raw(path, flags, &s, e);

	if (r == 0 && (flags & SQLITE_OPEN_READWRITE))
		r = store_exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", e);
	if (r == 0)
		r = store_exec(s, "PRAGMA foreign_keys = ON", e);
	if (r == 0)
		r = store_migrate(s, store_migrations, store_nmigrations, e);
	if (r == 0)
		*ret = take_ptr(s);
	return r;
}

/* On a filesystem that is read-only there is no place for what readers of a WAL share, and nobody
 * to share it with: SQLite is told so. (sqlite.org/uri.html, "immutable") */
static int open_immutable(const char *path, struct store **ret, struct err *e)
{
	char uri[PATH_MAX * 3 + 32] = "file:", *at = uri + strlen(uri);
	size_t len = strlen(path);

	if (len >= PATH_MAX)
		return err_set(e, -ENAMETOOLONG, "%.200s...: the path is too long", path);
	for (size_t i = 0; i < len; i++)
		at += sprintf(at, strchr("?#%", path[i]) ? "%%%02x" : "%c", (unsigned char)path[i]);
	strcpy(at, "?immutable=1");
	return open_for(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, ret, e);
}

int store_open(const char *path, enum store_mode mode, struct store **ret, struct err *e)
{
	const int write = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct statvfs fs;
	struct stat st;
	int r;

	if (mode == STORE_WRITE)
		return open_for(path, write, ret, e);
	if (stat(path, &st) < 0 && errno == ENOENT)
		return err_set(e, -ENOENT,
			       "%s: there is no store yet; make one: stressd store import DIR",
			       path);
	r = open_for(path, SQLITE_OPEN_READONLY, ret, e);
	if (r != -EROFS)
		return r;
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return open_immutable(path, ret, e);
	/* An older schema has to be written before it can be read. */
	return open_for(path, SQLITE_OPEN_READWRITE, ret, e);
}

void store_close(struct store *s)
{
	for (size_t i = 0; i < STORE_QUERIES; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}

int store_check(struct store *s, struct err *e)
{
	static const enum store_query checks[] = { QUERY_CHECK_FILE, QUERY_CHECK_REFERENCES };

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		sqlite3_stmt *stmt = store_bind(s, checks[i], e, "");
		int r = stmt ? store_step(s, stmt, e) : -EIO;

		if (r < 0)
			return r;
		if (r && strcmp(store_text(stmt, 0), "ok") != 0) {
			err_set(e, 0,
				"%s: is damaged (%.200s); move it away and store the run "
				"directories anew: stressd store import DIR",
				s->path, store_text(stmt, 0));
			sqlite3_reset(stmt);
			return -EBADMSG;
		}
		sqlite3_reset(stmt);
	}
	return 0;
}
