// SPDX-License-Identifier: GPL-2.0-or-later
/* What a person asks of the store: rows of statements, handed on one by one. */
#include "store/internal.h"

#include <errno.h>

/* Each row of @stmt through @row until the end, or until it returns nonzero. */
static int each(struct store *s, sqlite3_stmt *stmt, int (*row)(void *, sqlite3_stmt *), void *ctx,
		struct err *e)
{
	int r;

	if (!stmt)
		return -EIO;
	while ((r = store_step(s, stmt, e)) > 0) {
		r = row(ctx, stmt);
		if (r) {
			sqlite3_reset(stmt);
			return r;
		}
	}
	return r;
}

struct runs {
	store_run_fn *fn;
	void *ctx;
};

static int on_run(void *ctx, sqlite3_stmt *stmt)
{
	const struct runs *q = ctx;

	return q->fn(q->ctx, &(struct store_run){
				     .scenario = store_text(stmt, 0),
				     .target = store_text(stmt, 1),
				     .label = store_text(stmt, 2),
				     .release = store_text(stmt, 3),
				     .night = store_text(stmt, 4),
				     .verdict = store_text(stmt, 5),
				     .reason = store_text(stmt, 6),
				     .dir = store_text(stmt, 7),
				     .seed = sqlite3_column_int64(stmt, 8),
				     .started_s = sqlite3_column_int64(stmt, 9),
				     .duration_s = sqlite3_column_double(stmt, 10),
				     .removed_s = sqlite3_column_int64(stmt, 11),
			     });
}

int store_runs_of_scenario(struct store *s, const char *scenario, u64 limit, store_run_fn *fn,
			   void *ctx, struct err *e)
{
	struct runs q = { fn, ctx };

	return each(s, store_bind(s, QUERY_RUNS_OF_SCENARIO, e, "si", scenario, (s64)limit), on_run,
		    &q, e);
}

int store_runs_of_fingerprint(struct store *s, const char *hash, u64 limit, store_run_fn *fn,
			      void *ctx, struct err *e)
{
	struct runs q = { fn, ctx };

	return each(s, store_bind(s, QUERY_RUNS_OF_FINGERPRINT, e, "si", hash, (s64)limit), on_run,
		    &q, e);
}

struct rates {
	store_rate_fn *fn;
	void *ctx;
};

static int on_rate(void *ctx, sqlite3_stmt *stmt)
{
	const struct rates *q = ctx;

	return q->fn(q->ctx, &(struct store_rate){
				     .scenario = store_text(stmt, 0),
				     .target = store_text(stmt, 1),
				     .label = store_text(stmt, 2),
				     .hits = (u64)sqlite3_column_int64(stmt, 3),
				     .tries = (u64)sqlite3_column_int64(stmt, 4),
				     .first_s = sqlite3_column_int64(stmt, 5),
				     .last_s = sqlite3_column_int64(stmt, 6),
			     });
}

int store_rates_of_scenario(struct store *s, const char *scenario, store_rate_fn *fn, void *ctx,
			    struct err *e)
{
	struct rates q = { fn, ctx };

	return each(s,
		    *scenario ? store_bind(s, QUERY_RATES_OF_SCENARIO, e, "s", scenario)
			      : store_bind(s, QUERY_RATES_OF_ALL, e, ""),
		    on_rate, &q, e);
}

int store_rates_of_fingerprint(struct store *s, const char *hash, store_rate_fn *fn, void *ctx,
			       struct err *e)
{
	struct rates q = { fn, ctx };

	return each(s, store_bind(s, QUERY_RATES_OF_FINGERPRINT, e, "s", hash), on_rate, &q, e);
}

struct fingerprints {
	struct store *s;
	store_fingerprint_fn *fn;
	void *ctx;
	struct err *e;
};

static int on_fingerprint(void *ctx, sqlite3_stmt *stmt)
{
	const struct fingerprints *q = ctx;
	sqlite3_stmt *first =
		store_bind(q->s, QUERY_FIRST_SEEN, q->e, "i", (s64)sqlite3_column_int64(stmt, 4));
	int r = first ? store_step(q->s, first, q->e) : -EIO;

	if (r <= 0)
		return r;
	r = q->fn(q->ctx, &(struct store_fingerprint){
				  .hash = store_text(stmt, 0),
				  .kind = store_text(stmt, 1),
				  .title = store_text(stmt, 2),
				  .fs = store_text(stmt, 3),
				  .runs = (u64)sqlite3_column_int64(stmt, 5),
				  .findings = (u64)sqlite3_column_int64(stmt, 6),
				  .first_s = sqlite3_column_int64(first, 0),
				  .last_s = sqlite3_column_int64(stmt, 7),
				  .first_release = store_text(first, 1),
				  .last_release = store_text(stmt, 8),
				  .first_dir = store_text(first, 2),
				  .last_dir = store_text(stmt, 9),
			  });
	sqlite3_reset(first);
	return r;
}

int store_fingerprints(struct store *s, const char *scenario, const char *hash,
		       store_fingerprint_fn *fn, void *ctx, struct err *e)
{
	struct fingerprints q = { s, fn, ctx, e };
	sqlite3_stmt *stmt =
		*hash	    ? store_bind(s, QUERY_FINGERPRINT, e, "s", hash)
		: *scenario ? store_bind(s, QUERY_FINGERPRINTS_OF_SCENARIO, e, "s", scenario)
			    : store_bind(s, QUERY_FINGERPRINTS, e, "");

	return each(s, stmt, on_fingerprint, &q, e);
}

struct nights {
	store_night_fn *fn;
	void *ctx;
};

static int on_night(void *ctx, sqlite3_stmt *stmt)
{
	const struct nights *q = ctx;

	return q->fn(q->ctx, &(struct store_night){
				     .name = store_text(stmt, 0),
				     .runs = (u64)sqlite3_column_int64(stmt, 1),
				     .failed = (u64)sqlite3_column_int64(stmt, 2),
				     .first_s = sqlite3_column_int64(stmt, 3),
				     .last_s = sqlite3_column_int64(stmt, 4),
			     });
}

int store_nights(struct store *s, store_night_fn *fn, void *ctx, struct err *e)
{
	struct nights q = { fn, ctx };

	return each(s, store_bind(s, QUERY_NIGHTS, e, ""), on_night, &q, e);
}
