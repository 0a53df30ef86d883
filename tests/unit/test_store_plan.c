// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How SQLite goes about each statement of queries.def (EXPLAIN QUERY PLAN): none reads a table that
 * grows from one end to the other, but for those that are listed here with the reason.
 */
#include "store_sample.h"

/* What reads all of something, and of what: part of SQLite's words for it. */
static const struct {
	enum store_query query;
	const char *step;
} may_scan[] = {
	/* Asked for all of them: an index alone, in order. */
	{ QUERY_RATES_OF_ALL, "SCAN runs USING COVERING INDEX runs_by_rate" },
	{ QUERY_FINGERPRINTS, "SCAN f USING COVERING INDEX findings_by_fingerprint" },
	{ QUERY_NIGHTS, "SCAN n" },
	{ QUERY_NIGHTS_BEFORE, "SCAN n" },
	/* What a subquery came to: as long as the answer. */
	{ QUERY_NIGHT_PLACES, "SCAN a" },
	{ QUERY_NIGHT_PLACES, "SCAN (subquery-" },
	{ QUERY_RUNS_OF_FINGERPRINT, "SCAN f" },
	{ QUERY_RATES_OF_FINGERPRINT, "SCAN hit" },
	{ QUERY_RATES_OF_FINGERPRINT, "SCAN h" },
	{ QUERY_CHECK_FILE, "SCAN pragma_integrity_check" },
	{ QUERY_CHECK_REFERENCES, "SCAN pragma_foreign_key_check" },
	/* INSERT's own words for its values. */
	{ QUERY_ADD_FINDING, "SCAN CONSTANT ROW" },
};

static bool may(enum store_query q, const char *step)
{
	for (size_t i = 0; i < ARRAY_SIZE(may_scan); i++)
		if (may_scan[i].query == q &&
		    !strncmp(step, may_scan[i].step, strlen(may_scan[i].step)))
			return true;
	return false;
}

/* So many that statistics, had anybody made some, would not choose a scan for want of rows. */
static void explain(struct store *s, enum store_query q,
		    void (*look)(enum store_query, const char *))
{
	char sql[2400];
	sqlite3_stmt *stmt = NULL;

	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", store_queries[q]);
	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		look(q, (const char *)sqlite3_column_text(stmt, 3));
	sqlite3_finalize(stmt);
}

static void refuse_scan(enum store_query q, const char *step)
{
	if (!strncmp(step, "SCAN", 4) && !may(q, step))
		fail_msg("%s\n  %s", store_queries[q], step);
}

static void no_statement_reads_a_whole_table(void **state)
{
	struct store *s = sample_store(":memory:");

	(void)state;
	for (int q = 0; q < STORE_QUERIES; q++)
		explain(s, q, refuse_scan);
	store_close(s);
}

static void refuse_sort(enum store_query q, const char *step)
{
	if (strstr(step, "TEMP B-TREE") && !strstr(step, "count(DISTINCT)"))
		fail_msg("%s\n  %s", store_queries[q], step);
}

/* Those whose answer grows with the store come in the order of their index: with LIMIT the first
 * rows are all that is read. */
static void what_grows_is_not_sorted(void **state)
{
	static const enum store_query queries[] = { QUERY_RUNS_OF_SCENARIO, QUERY_RATES_OF_SCENARIO,
						    QUERY_RATES_OF_ALL, QUERY_NIGHT_TRIES,
						    QUERY_NIGHT_SPEEDS };
	struct store *s = sample_store(":memory:");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
		explain(s, queries[i], refuse_sort);
	store_close(s);
}

static bool scans;

static void note_scan(enum store_query q, const char *step)
{
	scans |= !strncmp(step, "SCAN", 4) && !may(q, step);
}

/* The test's own test: without its index a statement is seen to read the table. */
static void a_missing_index_is_noticed(void **state)
{
	struct store *s = sample_store(":memory:");
	struct err e;

	(void)state;
	assert_int_equal(store_exec(s, "DROP INDEX runs_by_scenario; DROP INDEX runs_by_rate", &e),
			 0);
	explain(s, QUERY_RUNS_OF_SCENARIO, note_scan);
	assert_true(scans);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_statement_reads_a_whole_table),
		cmocka_unit_test(what_grows_is_not_sorted),
		cmocka_unit_test(a_missing_index_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
