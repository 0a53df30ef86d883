/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of the store: the connection, its statements, its errors. */
#ifndef STRESSD_STORE_INTERNAL_H
#define STRESSD_STORE_INTERNAL_H

#include "store/store.h"

#include <sqlite3.h>
#include <stdarg.h>

enum store_query {
#define X(id, sql) QUERY_##id,
#include "store/queries.def"
#undef X
	STORE_QUERIES
};
extern const char *const store_queries[STORE_QUERIES];

struct store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[STORE_QUERIES]; /* prepared when first used */
};

/* The line and the -errno for SQLite's status @rc. */
int store_fail(const struct store *s, int rc, struct err *e);
/* Run statements without results. 0 or -errno. */
int store_exec(struct store *s, const char *sql, struct err *e);
/* Statement @q with its parameters bound, by the letters of @types: s const char *, d double, i
 * s64, r an s64 that names a row, 0 for none, o an s64 that is not known when negative. NULL with
 * the line in @e. Its step is store_step(). */
sqlite3_stmt *store_bind(struct store *s, enum store_query q, struct err *e, const char *types,
			 ...);
/* 1: a row, 0: no further one, or -errno. The statement is reset after anything but a row. */
int store_step(struct store *s, sqlite3_stmt *stmt, struct err *e);
/* Bind and run one that has no rows. */
int store_run_query(struct store *s, enum store_query q, struct err *e, const char *types, ...);
/* Text of a column; "" for NULL. */
const char *store_text(sqlite3_stmt *stmt, int column);

/* A step of the schema. The number is what PRAGMA user_version says after it. */
struct store_migration {
	int number;
	const char *sql;
};
extern const struct store_migration store_migrations[];
extern const size_t store_nmigrations;
/* Bring the file from its version to the last of @m: all steps or none. */
int store_migrate(struct store *s, const struct store_migration *m, size_t n, struct err *e);
/* Open a file as it is: no migration, nothing made. For store_open() and the tests. */
int store_open_raw(const char *path, int flags, struct store **ret, struct err *e);

/* night.c: room for one more of *@list, zeroed, in steps that double. NULL: no memory. */
void *store_one_more(void *list, size_t *n, size_t size);
/* The first three columns; false: no memory. */
struct place;
bool store_take_place(sqlite3_stmt *stmt, struct place *p);
void store_free_place(struct place *p);
/* Each row of a statement about a night through @take, until the end or until that has no memory.
 */
struct night;
int store_load_rows(struct store *s, enum store_query q, s64 night, struct night *n,
		    bool (*take)(struct night *, sqlite3_stmt *), struct err *e);

/* fingerprint.c: the part of a finding that is the same in each run. */
#define STORE_TITLE_MAX 160
#define STORE_HASH_MAX	17
void store_title(const char *kind, const char *title, const char *sentence,
		 char buf[STORE_TITLE_MAX]);
void store_hash(const char *kind, const char *title, const char *fs, char buf[STORE_HASH_MAX]);

#endif
