// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of the store: schemas that change, and files that are damaged, read-only, full, locked,
 * or somebody else's. Each ends in one line that says what to do, and costs no run.
 */
#include "store_sample.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

static void assert_refused(const char *path, enum store_mode mode, int ret, const char *part)
{
	struct store *s = NULL;
	struct err e = { "" };
	int r = store_open(path, mode, &s, &e);

	if (r == 0)
		store_close(s);
	assert_int_equal(r, ret);
	if (!strstr(e.text, part) || !strstr(e.text, path) || strchr(e.text, '\n'))
		fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

static struct store *open_raw(const char *path)
{
	struct store *s;
	struct err e;

	assert_int_equal(store_open_raw(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s, &e),
			 0);
	return s;
}

static const struct store_migration steps[] = {
	{ 1, "CREATE TABLE t(a); INSERT INTO t VALUES(7)" },
	{ 2, "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 8" },
	{ 3, "CREATE INDEX i ON t(b)" },
};

static void migrations_bring_a_file_up_step_by_step(void **state)
{
	struct store *s = open_raw(sample_path("old.db"));
	struct err e;

	(void)state;
	assert_int_equal(store_migrate(s, steps, 1, &e), 0);
	assert_int_equal(sample_ask(s, "PRAGMA user_version"), 1);
	assert_int_equal(store_migrate(s, steps, 3, &e), 0);
	assert_int_equal(store_migrate(s, steps, 3, &e), 0);
	assert_int_equal(sample_ask(s, "PRAGMA user_version"), 3);
	assert_int_equal(sample_ask(s, "SELECT a + b FROM t"), 15);
	assert_int_equal(store_migrate(s, steps, 2, &e), -EPROTO);
	assert_non_null(strstr(e.text, "newer stressd"));
	store_close(s);
}

static void a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
	static const struct store_migration broken[] = {
		{ 1, "CREATE TABLE t(a); INSERT INTO t VALUES(7)" },
		{ 2, "INSERT INTO t VALUES(9)" },
		{ 3, "INSERT INTO nowhere VALUES(1)" },
	};
	struct store *s = open_raw(sample_path("broken.db"));
	struct err e;

	(void)state;
	assert_int_equal(store_migrate(s, broken, 1, &e), 0);
	assert_int_equal(store_migrate(s, broken, 3, &e), -EIO);
	assert_int_equal(sample_ask(s, "PRAGMA user_version"), 1);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM t"), 1);
	store_close(s);
}

/* Numbers go up by one: a step that was forgotten would never be made. */
static void the_schema_is_numbered(void **state)
{
	(void)state;
	for (size_t i = 0; i < store_nmigrations; i++)
		assert_int_equal(store_migrations[i].number, i + 1);
}

static void a_store_of_a_newer_program_is_refused(void **state)
{
	const char *path = sample_path("newer.db");
	struct store *s = sample_store(path);
	struct err e;

	(void)state;
	assert_int_equal(store_exec(s, "PRAGMA user_version = 1000", &e), 0);
	store_close(s);
	assert_refused(path, STORE_WRITE, -EPROTO, "newer stressd");
	assert_refused(path, STORE_READ, -EPROTO, "newer stressd");
}

static void somebody_elses_database_is_left_alone(void **state)
{
	const char *path = sample_path("other.db");
	struct store *s = open_raw(path);
	struct err e;

	(void)state;
	assert_int_equal(store_exec(s, "CREATE TABLE bookmarks(url)", &e), 0);
	store_close(s);
	assert_refused(path, STORE_WRITE, -EBADMSG, "not one of stressd");
	s = open_raw(path);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM sqlite_schema"), 1);
	store_close(s);
}

static void what_is_no_database_is_said(void **state)
{
	(void)state;
	assert_refused(sample_path("none.db"), STORE_READ, -ENOENT, "stressd store import");
	sample_write(sample_top, "text.db",
		     "this is a text, and a long one, of more than a header's "
		     "hundred bytes, which SQLite does not take for its own.");
	assert_refused(sample_path("text.db"), STORE_READ, -EBADMSG, "no store");
	assert_refused(sample_path("text.db"), STORE_WRITE, -EBADMSG, "no store");
	assert_refused(sample_path("no/such/dir.db"), STORE_WRITE, -EROFS, "--store");
	assert_refused(sample_top, STORE_WRITE, -EROFS, "--store");
}

static void put(const char *path, u64 at, size_t len)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	char bytes[4096];

	memset(bytes, 0xa5, sizeof(bytes));
	assert_true(fd >= 0);
	assert_int_equal(pwrite_all(fd, bytes, len, at), 0);
}

/* A store with some runs, all of it in the one file. */
static const char *full_store(const char *name)
{
	static char path[512];
	struct store *s;
	struct err e;

	strcpy(path, sample_path("%s", name));
	s = sample_store(path);
	for (int i = 0; i < 20; i++)
		sample_result(sample_path("runs-%s/%d", name, i), "result.json",
			      (struct sample_run){ .seed = (u64)i, .kind = "zeroed" });
	sample_import(s, sample_path("runs-%s", name), "");
	assert_int_equal(store_exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", &e), 0);
	store_close(s);
	return path;
}

static int on_run(void *ctx, const struct store_run *r)
{
	(void)r;
	++*(int *)ctx;
	return 0;
}

/* The schema, or the first page of any table or index: somebody who reads it is told. */
static void a_damaged_file_is_said_to_be_damaged(void **state)
{
	struct store *s;
	struct err e = { "" };

	(void)state;
	put(full_store("schema.db"), 100, 400);
	assert_refused(sample_path("schema.db"), STORE_WRITE, -EBADMSG, "damaged");
	for (u64 page = 1; page < 12; page++) {
		char name[32];

		snprintf(name, sizeof(name), "page-%llu.db", (unsigned long long)page);
		put(full_store(name), page * 4096, 4096);
		assert_int_equal(store_open(sample_path("%s", name), STORE_READ, &s, &e), 0);
		assert_int_equal(store_check(s, &e), -EBADMSG);
		assert_non_null(strstr(e.text, "stressd store import"));
		store_close(s);
	}
}

static void a_good_file_is_in_order(void **state)
{
	struct store *s;
	struct err e = { "" };
	int runs = 0;

	(void)state;
	assert_int_equal(store_open(full_store("good.db"), STORE_READ, &s, &e), 0);
	assert_int_equal(store_check(s, &e), 0);
	assert_int_equal(store_runs_of_scenario(s, "mixer", 100, on_run, &runs, &e), 0);
	assert_int_equal(runs, 20);
	store_close(s);
}

/* A filesystem of our own, of @size: 77 where that cannot be. It goes with the process. */
static void own_filesystem(const char *size)
{
	char options[64];

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	snprintf(options, sizeof(options), "size=%s", size);
	assert_int_equal(mkdir_p(sample_path("mnt"), 0700), 0);
	if (mount("stressd-test", sample_path("mnt"), "tmpfs", 0, options) < 0)
		skip();
}

static void a_full_disk_costs_no_stored_run(void **state)
{
	struct sample_counts c = { 0 };
	struct err e = { "" };
	struct store *s;
	s64 stored;
	int r;

	(void)state;
	own_filesystem("512k");
	s = sample_store(sample_path("mnt/store.db"));
	for (int i = 0; i < 600; i++)
		sample_result(sample_path("many/%d", i), "result.json",
			      (struct sample_run){ .kind = "zeroed" });
	r = store_import(s, sample_path("many"), "", sample_count, &c, &e);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(e.text, "free some"));
	stored = sample_ask(s, "SELECT count(*) FROM runs");
	assert_int_equal(stored, c.n[STORE_ADDED]);
	assert_true(stored > 0);
	assert_int_equal(store_check(s, &e), 0);
	store_close(s);
	/* With room again, the rest comes along. */
	assert_int_equal(mount("none", sample_path("mnt"), NULL, MS_REMOUNT, "size=8m"), 0);
	s = sample_store(sample_path("mnt/store.db"));
	c = sample_import(s, sample_path("many"), "");
	assert_int_equal(c.n[STORE_KNOWN], stored);
	assert_int_equal(c.n[STORE_ADDED], 600 - stored);
	store_close(s);
	umount2(sample_path("mnt"), MNT_DETACH);
}

static void a_read_only_store_is_read_and_not_written(void **state)
{
	struct store *s;
	struct err e = { "" };

	(void)state;
	own_filesystem("1m");
	s = sample_store(sample_path("mnt/store.db"));
	store_close(s);
	assert_int_equal(mount("none", sample_path("mnt"), NULL, MS_REMOUNT | MS_RDONLY, ""), 0);
	assert_refused(sample_path("mnt/store.db"), STORE_WRITE, -EROFS, "accessible");
	assert_int_equal(store_open(sample_path("mnt/store.db"), STORE_READ, &s, &e), 0);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM runs"), 0);
	store_close(s);
	umount2(sample_path("mnt"), MNT_DETACH);
}

static void a_locked_store_is_said_to_be_locked(void **state)
{
	const char *path = sample_path("locked.db");
	struct store *mine = sample_store(path), *other = sample_store(path);
	struct err e = { "" };

	(void)state;
	sqlite3_busy_timeout(mine->db, 0);
	assert_int_equal(store_exec(other, "BEGIN IMMEDIATE", &e), 0);
	assert_int_equal(store_exec(mine, "BEGIN IMMEDIATE", &e), -EAGAIN);
	assert_non_null(strstr(e.text, "try again"));
	assert_int_equal(store_exec(other, "ROLLBACK", &e), 0);
	assert_int_equal(store_exec(mine, "BEGIN IMMEDIATE", &e), 0);
	store_close(mine);
	store_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(migrations_bring_a_file_up_step_by_step),
		cmocka_unit_test(a_migration_that_fails_leaves_the_file_as_it_was),
		cmocka_unit_test(the_schema_is_numbered),
		cmocka_unit_test(a_store_of_a_newer_program_is_refused),
		cmocka_unit_test(somebody_elses_database_is_left_alone),
		cmocka_unit_test(what_is_no_database_is_said),
		cmocka_unit_test(a_damaged_file_is_said_to_be_damaged),
		cmocka_unit_test(a_good_file_is_in_order),
		cmocka_unit_test(a_locked_store_is_said_to_be_locked),
		cmocka_unit_test(a_full_disk_costs_no_stored_run),
		cmocka_unit_test(a_read_only_store_is_read_and_not_written),
	};

	return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
