// SPDX-License-Identifier: GPL-2.0-or-later
/* The store: what an import makes of run directories, and what is asked of it. */
#include "store_sample.h"

static void a_run_is_stored_once(void **state)
{
	struct store *s = sample_store(":memory:");
	struct sample_counts c;

	(void)state;
	sample_result(sample_path("once/a"), "result.json", (struct sample_run){ .seed = 7 });
	sample_result(sample_path("once/guest/1"), "result.json", (struct sample_run){ 0 });
	sample_result(sample_path("once/guest/2"), "result.json", (struct sample_run){ 0 });
	c = sample_import(s, sample_path("once"), "");
	assert_int_equal(c.n[STORE_ADDED], 3);
	assert_int_equal(sample_ask(s, "SELECT seed FROM runs WHERE seed <> 0"), 7);
	assert_int_equal(sample_ask(s, "SELECT value FROM metrics WHERE name = 'ops_per_s'"), 100);
	/* The same bytes elsewhere are the same run; now it belongs to a night, and stays there. */
	c = sample_import(s, sample_path("once"), "one");
	assert_int_equal(c.n[STORE_KNOWN], 3);
	sample_import(s, sample_path("once"), "two");
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM runs r JOIN nights n ON n.id = r.night"
				       " WHERE n.name = 'one'"),
			 3);
	store_close(s);
}

static void what_cannot_be_stored_is_said_and_the_rest_is_stored(void **state)
{
	struct store *s = sample_store(":memory:");
	struct sample_counts c;
	struct err e = { "" };

	(void)state;
	sample_write(sample_path("broken/torn"), "result.json", "{\"version\": 1, \"verd");
	sample_write(sample_path("broken/list"), "result.json", "[]");
	sample_write(sample_path("broken/later"), "result.json", "{\"version\": 2}");
	sample_write(sample_path("broken/dead"), "scenario.json", "{}");
	sample_result(sample_path("broken/good"), "result.json", (struct sample_run){ 0 });
	c = sample_import(s, sample_path("broken"), "");
	assert_int_equal(c.n[STORE_BROKEN], 4);
	assert_int_equal(c.n[STORE_ADDED], 1);
	assert_int_equal(mkdir_p(sample_path("empty"), 0700), 0);
	assert_int_equal(store_import(s, sample_path("empty"), "", NULL, NULL, &e), -ENODATA);
	assert_non_null(strstr(e.text, "holds no run"));
	store_close(s);
}

/* result.json of a dead guest says no filesystem; its scenario and guest.json do. */
static void what_a_dead_guest_left_is_read_beside_its_result(void **state)
{
	struct store *s = sample_store(":memory:");
	const char *dir = sample_path("dead");

	(void)state;
	sample_result(dir, "result.json",
		      (struct sample_run){ .verdict = "incomplete", .fs = "", .kernel = "" });
	sample_write(dir, "scenario.json", "{\"target\": {\"fs\": \"btrfs\"}}");
	sample_write(dir, "guest.json", "{\"release\": \"6.1.0-lab\"}");
	sample_result(sample_path("dead/verify"), "result.json",
		      (struct sample_run){ .kind = "not-durable" });
	sample_import(s, dir, "");
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM runs WHERE verdict = 'fail'"), 1);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM kernels WHERE release = '6.1.0-lab'"),
			 1);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM fingerprints WHERE fs = 'btrfs' AND"
				       " kind = 'not-durable'"),
			 1);
	store_close(s);
}

static void a_commit_is_read_from_a_release(void **state)
{
	struct store *s = sample_store(":memory:");

	(void)state;
	sample_result(sample_path("commit"), "result.json",
		      (struct sample_run){ .kernel = "6.9.0-rc1-00012-g0123456789ab #3 SMP" });
	sample_import(s, sample_path("commit"), "");
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM kernels WHERE commit_id ="
				       " '0123456789ab' AND release = "
				       "'6.9.0-rc1-00012-g0123456789ab'"),
			 1);
	store_close(s);
}

/* An attempt that left nothing but its started record is a finding of its own; one that was cut
 * short is none, and no pass. */
static void cells_bring_their_names_and_attempts(void **state)
{
	struct store *s = sample_store(":memory:");
	const char *cell = sample_path("night/cells/0123456789abcdef");
	struct sample_counts c;

	(void)state;
	sample_write(sample_path("night"), "night.json", "{\"name\": \"monday\"}");
	sample_write(
		cell, "cell.json",
		"{\"id\": \"0123456789abcdef\", \"scenario\": \"mixer\", \"target\": \"small\","
		" \"kernel\": \"next\", \"seed\": 3, \"config\": \"c0\", \"commit\": \"d0\"}");
	sample_write(cell, "started-1.json", "{\"host\": \"node7\", \"time\": 5}");
	sample_write(cell, "ended-1.json", "{\"end\": \"lost\", \"time\": 9}");
	sample_write(cell, "started-2.json", "{\"host\": \"node8\", \"time\": 10}");
	sample_write(cell, "ended-2.json", "{\"end\": \"finished\", \"exit\": 0, \"time\": 12}");
	sample_result(sample_path("night/cells/0123456789abcdef/attempt-2"), "result.json",
		      (struct sample_run){ 0 });
	sample_write(cell, "started-3.json", "{\"host\": \"node8\", \"time\": 13}");
	sample_write(cell, "ended-3.json", "{\"end\": \"interrupted\", \"exit\": 0}");
	sample_result(sample_path("night/cells/0123456789abcdef/attempt-3"), "result.json",
		      (struct sample_run){ 0 });
	sample_write(cell, "started-4.json", "{\"host\": \"node8\", \"time\": 14}");
	c = sample_import(s, sample_path("night"), "");
	assert_int_equal(c.n[STORE_ADDED], 2);
	sample_import(s, sample_path("night"), "");
	assert_int_equal(sample_ask(s,
				    "SELECT count(*) FROM runs WHERE target = 'small' AND label ="
				    " 'next' AND night = (SELECT id FROM nights WHERE name ="
				    " 'monday')"),
			 2);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM attempts WHERE run IS NOT NULL"), 2);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM attempts"), 3);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM findings"), 1);
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM kernels WHERE config = 'c0' AND"
				       " commit_id = 'd0'"),
			 2);
	store_close(s);
}

/* What a result may hold in place of what it should: a guest that ran wild wrote it. */
static const char *const strange[] = {
	"null", "true", "-1",	  "1e300", "9223372036854775807",
	"[]",	"{}",	"[[{}]]", "\"\"",  "\"\\u001b'; DROP TABLE runs; --\""
};

/* Every value of @o once in each strange way: the whole document each time, as a run. */
static void write_strange(json_t *root, json_t *o, u64 *ret_n)
{
	const char *key;
	json_t *v;
	void *tmp;

	json_object_foreach_safe(o, tmp, key, v)
	{
		json_t *old = json_incref(v);

		for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
			_cleanup_free_ char *text = NULL;
			char dir[200];

			json_object_set_new(o, key, json_loads(strange[i], JSON_DECODE_ANY, NULL));
			text = json_dumps(root, 0);
			snprintf(dir, sizeof(dir), "%s",
				 sample_path("strange/%llu", (unsigned long long)++*ret_n));
			sample_write(dir, "result.json", text);
			json_object_set(o, key, old);
		}
		if (json_is_object(old))
			write_strange(root, old, ret_n);
		if (json_is_array(old) && json_is_object(json_array_get(old, 0)))
			write_strange(root, json_array_get(old, 0), ret_n);
		json_decref(old);
	}
}

static void a_result_may_hold_anything(void **state)
{
	struct store *s = sample_store(":memory:");
	_cleanup_json_ json_t *o = NULL;
	struct err e = { "" };
	struct sample_counts c;
	char path[600];
	u64 n = 0;

	(void)state;
	sample_result(sample_path("plain"), "result.json",
		      (struct sample_run){ .kind = "fsck", .sentence = "inode 7 is bad" });
	snprintf(path, sizeof(path), "%s", sample_path("plain/result.json"));
	o = json_load_file(path, 0, NULL);
	assert_non_null(o);
	write_strange(o, o, &n);
	c = sample_import(s, sample_path("strange"), "night");
	assert_true(n > 100);
	/* Two that are the same by chance are one run; of another version are none. */
	assert_int_equal(c.n[STORE_ADDED] + c.n[STORE_KNOWN] + c.n[STORE_BROKEN], n);
	assert_int_equal(c.n[STORE_BROKEN], ARRAY_SIZE(strange));
	assert_int_equal(sample_ask(s, "SELECT count(*) FROM runs"), c.n[STORE_ADDED]);
	assert_int_equal(store_check(s, &e), 0);
	store_close(s);
}

static void assert_title(const char *kind, const char *title, const char *sentence,
			 const char *expected)
{
	char buf[STORE_TITLE_MAX];

	store_title(kind, title, sentence, buf);
	assert_string_equal(buf, expected);
}

static void what_changes_between_runs_is_in_no_title(void **state)
{
	char a[STORE_HASH_MAX], b[STORE_HASH_MAX], lines[600], cut[STORE_TITLE_MAX];

	(void)state;
	assert_title("kernel-warning", "WARNING in f", "12", "WARNING in f");
	assert_title("zeroed", "", "data cell 812 (offset 415744): zeros", "");
	assert_title("unexpected-errno", "",
		     "data: truncator.1's ftruncate(8192) = EFBIG at 0xffee12, see /tmp/x9/y",
		     "data: truncator.N's ftruncate(N) = EFBIG at N, see PATH");
	assert_title("no-such-kind", "", "7", "");
	memset(lines, 'x', sizeof(lines));
	lines[sizeof(lines) - 1] = '\0';
	store_title("fsck", "", lines, cut);
	assert_true(strlen(cut) > 100 && strlen(cut) < STORE_TITLE_MAX);
	store_hash("zeroed", "", "xfs", a);
	store_hash("zeroed", "", "ext4", b);
	assert_string_not_equal(a, b);
	/* Where one part ends and the next begins counts. */
	store_hash("ab", "c", "", a);
	store_hash("a", "bc", "", b);
	assert_string_not_equal(a, b);
}

static void fill_history(struct store *s)
{
	static const struct {
		const char *started, *kernel;
		bool hit;
	} rows[] = { { "2024-05-03T00:00:00Z", "6.3", true },
		     { "2024-05-01T00:00:00Z", "6.1", true },
		     { "2024-05-02T00:00:00Z", "6.2", false },
		     { "2024-05-04T00:00:00Z", "6.4", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		sample_result(sample_path("history/%zu", i), "result.json",
			      (struct sample_run){ .started = rows[i].started,
						   .kernel = rows[i].kernel,
						   .kind = rows[i].hit ? "zeroed" : NULL });
	/* Neither a pass nor a failure: no try. */
	sample_result(sample_path("history/skipped"), "result.json",
		      (struct sample_run){ .verdict = "skip" });
	sample_import(s, sample_path("history"), "");
}

static int on_fingerprint(void *ctx, const struct store_fingerprint *f)
{
	snprintf(ctx, 17, "%s", f->hash);
	assert_int_equal(f->runs, 2);
	assert_string_equal(f->first_release, "6.1");
	assert_string_equal(f->last_release, "6.3");
	assert_int_equal(f->first_s, 1714521600);
	assert_int_equal(f->last_s, f->first_s + 2 * 86400);
	return 0;
}

static int on_rate(void *ctx, const struct store_rate *r)
{
	++*(int *)ctx;
	assert_int_equal(r->hits, 2);
	assert_int_equal(r->tries, 4);
	return 0;
}

static int on_run(void *ctx, const struct store_run *r)
{
	s64 *last = ctx;

	assert_true(!*last || r->started_s <= *last);
	*last = r->started_s;
	return 0;
}

static int stop(void *ctx, const struct store_run *r)
{
	(void)r;
	++*(int *)ctx;
	return 42;
}

static void history_knows_first_and_last_and_how_often(void **state)
{
	struct store *s = sample_store(":memory:");
	char hash[17] = "";
	struct err e = { "" };
	int rates = 0, stopped = 0;
	s64 last = 0;

	(void)state;
	fill_history(s);
	assert_int_equal(store_fingerprints(s, "", "", on_fingerprint, hash, &e), 0);
	assert_int_equal(strlen(hash), 16);
	assert_int_equal(store_fingerprints(s, "mixer", "", on_fingerprint, hash, &e), 0);
	assert_int_equal(store_fingerprints(s, "", hash, on_fingerprint, hash, &e), 0);
	assert_int_equal(store_rates_of_scenario(s, "mixer", on_rate, &rates, &e), 0);
	assert_int_equal(store_rates_of_scenario(s, "", on_rate, &rates, &e), 0);
	assert_int_equal(store_rates_of_fingerprint(s, hash, on_rate, &rates, &e), 0);
	assert_int_equal(rates, 3);
	assert_int_equal(store_runs_of_scenario(s, "mixer", 100, on_run, &last, &e), 0);
	assert_int_equal(last, 1714521600);
	last = 0;
	assert_int_equal(store_runs_of_fingerprint(s, hash, 1, on_run, &last, &e), 0);
	assert_int_equal(last, 1714521600 + 2 * 86400);
	assert_int_equal(store_runs_of_scenario(s, "mixer", 100, stop, &stopped, &e), 42);
	assert_int_equal(stopped, 1);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_stored_once),
		cmocka_unit_test(what_cannot_be_stored_is_said_and_the_rest_is_stored),
		cmocka_unit_test(what_a_dead_guest_left_is_read_beside_its_result),
		cmocka_unit_test(a_commit_is_read_from_a_release),
		cmocka_unit_test(cells_bring_their_names_and_attempts),
		cmocka_unit_test(a_result_may_hold_anything),
		cmocka_unit_test(what_changes_between_runs_is_in_no_title),
		cmocka_unit_test(history_knows_first_and_last_and_how_often),
	};

	return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
