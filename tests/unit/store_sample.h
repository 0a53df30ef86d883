/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run directories as stressd leaves them, with just what the store reads, and a directory for them
 * that goes with the test.
 */
#ifndef TESTS_STORE_SAMPLE_H
#define TESTS_STORE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fsutil.h"
#include "base/json_at.h"
#include "store/internal.h"

static char sample_top[64];

__attribute__((unused)) static int sample_setup(void **state)
{
	(void)state;
	snprintf(sample_top, sizeof(sample_top), "%s/stressd-store-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(sample_top) ? 0 : -1;
}

__attribute__((unused)) static int sample_teardown(void **state)
{
	(void)state;
	return rm_rf(sample_top);
}

/* A path below the directory of the test; valid until the fourth call after. */
__attribute__((unused, format(printf, 1, 2))) static const char *sample_path(const char *fmt, ...)
{
	static char bufs[4][512];
	static int next;
	char *buf = bufs[next++ % 4];
	va_list ap;

	va_start(ap, fmt);
	sprintf(buf, "%s/", sample_top);
	vsnprintf(buf + strlen(buf), 256, fmt, ap);
	va_end(ap);
	return buf;
}

__attribute__((unused)) static void sample_write(const char *dir, const char *name,
						 const char *text)
{
	char path[800];

	assert_int_equal(mkdir_p(dir, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
}

struct sample_run {
	const char *scenario, *fs, *kernel, *verdict, *started;
	const char *kind, *title, *sentence; /* kind NULL: no finding */
	u64 seed, ops;
};

/* Defaults: a run that passed. The key makes each one another. */
__attribute__((unused)) static void sample_result(const char *dir, const char *name,
						  struct sample_run r)
{
	static u64 key;
	_cleanup_json_ json_t *o =
		json_pack("{si ss ss sI ss si sf s{sI} ss ss s{ss ss ss} s[]}", "version", 1,
			  "scenario", r.scenario ? r.scenario : "mixer", "verdict",
			  r.verdict ? r.verdict
			  : r.kind  ? "fail"
				    : "pass",
			  "seed", (json_int_t)r.seed, "started",
			  r.started ? r.started : "2024-05-01T00:00:00Z", "exit", r.kind ? 1 : 0,
			  "duration_s", 10.0, "counts", "ops", (json_int_t)(r.ops ? r.ops : 1000),
			  "reason", "as it is", "run_key", "", "environment", "kernel",
			  r.kernel ? r.kernel : "6.1.0 #1 SMP", "fs", r.fs ? r.fs : "xfs",
			  "stressd", "0", "findings");
	_cleanup_free_ char *text = NULL;

	json_object_set_new(o, "run_key", json_sprintf("%016llx", (unsigned long long)++key));
	if (r.kind)
		json_array_append_new(
			json_object_get(o, "findings"),
			json_pack("{ss ss* ss ss sI sf si}", "kind", r.kind, "title", r.title,
				  "sentence", r.sentence ? r.sentence : "it broke", "file", "data",
				  "offset", (json_int_t)4096, "time_ms", 12.5, "repeats", 0));
	text = json_dumps(o, 0);
	assert_non_null(text);
	sample_write(dir, name, text);
}

__attribute__((unused)) static struct store *sample_store(const char *path)
{
	struct store *s = NULL;
	struct err e = { "" };

	if (store_open(path, STORE_WRITE, &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

struct sample_counts {
	u64 n[STORE_IMPORTED_ENDS];
	char text[400];
};

__attribute__((unused)) static void sample_count(void *ctx, const char *dir,
						 enum store_imported how, const char *text)
{
	struct sample_counts *c = ctx;

	(void)dir;
	c->n[how]++;
	if (*text)
		snprintf(c->text, sizeof(c->text), "%s", text);
}

__attribute__((unused)) static struct sample_counts sample_import(struct store *s, const char *dir,
								  const char *night)
{
	struct sample_counts c = { 0 };
	struct err e = { "" };

	if (store_import(s, dir, night, sample_count, &c, &e) < 0)
		fail_msg("%s", e.text);
	return c;
}

/* The first column of the one row of a statement of the test's own. */
__attribute__((unused)) static s64 sample_ask(struct store *s, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	s64 v;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return v;
}

#endif
