// SPDX-License-Identifier: GPL-2.0-or-later
/* What each place of a night came to, which nights were before it, and what it was in those. */
#include "store_sample.h"

#include "store/compare.h"

/* @n runs of a scenario, @hits of them with a finding. */
static void add(struct store *s, const char *night, int day, const char *scenario, int n, int hits)
{
	static int batch;
	char started[32];

	batch++;
	snprintf(started, sizeof(started), "2024-05-%02dT01:00:00Z", day);
	for (int i = 0; i < n; i++)
		sample_result(sample_path("batch-%d/%d", batch, i), "result.json",
			      (struct sample_run){ .scenario = scenario,
						   .started = started,
						   .kind = i < hits ? "zeroed" : NULL });
	sample_import(s, sample_path("batch-%d", batch), night);
}

static struct night load(struct store *s, const char *name)
{
	struct night n;
	struct err e = { "" };

	if (night_load(s, name, &n, &e) < 0 || night_load_places(s, &n, &e) < 0)
		fail_msg("%s", e.text);
	return n;
}

static void history_is_of_the_nights_before_the_oldest_first(void **state)
{
	struct store *s = sample_store(":memory:");
	struct night n;

	(void)state;
	/* Imported in another order than they were run in. */
	add(s, "third", 3, "mixer", 4, 1);
	add(s, "last", 9, "mixer", 4, 4);
	add(s, "last", 9, "silent", 2, 0);
	add(s, "later", 10, "mixer", 4, 4);
	add(s, "first", 1, "mixer", 5, 5);
	add(s, "second", 2, "silent", 3, 0);
	add(s, "second", 2, "gone", 3, 3);
	n = load(s, "last");
	assert_int_equal(n.nplaces, 2);
	assert_int_equal(n.nhistory, 3);
	assert_string_equal(n.places[0].place.scenario, "mixer");
	assert_int_equal(n.places[0].history[0].failed, 5);
	assert_int_equal(n.places[0].history[0].tries, 5);
	assert_int_equal(n.places[0].history[1].tries, 0);
	assert_int_equal(n.places[0].history[2].failed, 1);
	assert_int_equal(n.places[0].history[2].tries, 4);
	assert_int_equal(n.places[1].history[0].tries, 0);
	assert_int_equal(n.places[1].history[1].tries, 3);
	assert_int_equal(n.places[1].history[1].failed, 0);
	night_free(&n);
	store_close(s);
}

static void history_ends_with_the_last_nights(void **state)
{
	struct store *s = sample_store(":memory:");
	struct night n;

	(void)state;
	for (int day = 1; day <= NIGHT_HISTORY + 3; day++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", day);
		add(s, name, day, "mixer", 2, day == NIGHT_HISTORY + 2);
	}
	n = load(s, "n17");
	assert_int_equal(n.nhistory, NIGHT_HISTORY);
	for (int i = 0; i < NIGHT_HISTORY; i++)
		assert_int_equal(n.places[0].history[i].failed, i == NIGHT_HISTORY - 1);
	night_free(&n);
	store_close(s);
}

static void the_night_before_has_a_place_in_common(void **state)
{
	struct store *s = sample_store(":memory:");
	_cleanup_free_ char *name = NULL;
	struct err e = { "" };
	struct night n;

	(void)state;
	add(s, "ours", 1, "mixer", 1, 0);
	add(s, "theirs", 2, "other", 1, 0);
	add(s, "now", 3, "mixer", 1, 0);
	n = load(s, "now");
	assert_int_equal(night_before(s, &n, &name, &e), 0);
	assert_string_equal(name, "ours");
	assert_int_equal(n.nhistory, 1);
	night_free(&n);
	n = load(s, "ours");
	assert_int_equal(night_before(s, &n, &name, &e), -ENOENT);
	assert_int_equal(n.nhistory, 0);
	night_free(&n);
	store_close(s);
}

static void put_cell(const char *id, const char *scenario, const char *end, const char *verdict)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "{\"version\":1,\"id\":\"%s\",\"scenario\":\"%s\",\"target\":\"xfs\","
		 "\"kernel\":\"next\",\"seed\":1}",
		 id, scenario);
	sample_write(sample_path("cells/%s", id), "cell.json", text);
	sample_write(sample_path("cells/%s", id), "started-1.json", "{\"host\":\"h\",\"time\":1}");
	snprintf(text, sizeof(text), "{\"end\":\"%s\",\"exit\":3,\"time\":2}", end);
	sample_write(sample_path("cells/%s", id), "ended-1.json", text);
	if (verdict)
		sample_result(
			sample_path("cells/%s/attempt-1", id), "result.json",
			(struct sample_run){ .scenario = scenario,
					     .verdict = verdict,
					     .kind = strcmp(verdict, "fail") ? NULL : "torn" });
}

/* Also of cells that nothing came of there is something to say. */
static void all_runs_are_accounted_for(void **state)
{
	struct store *s = sample_store(":memory:");
	struct night n;

	(void)state;
	put_cell("a1", "mixer", "finished", "pass");
	put_cell("a2", "mixer", "finished", "fail");
	put_cell("a3", "mixer", "finished", "skip");
	put_cell("a4", "mixer", "finished", "incomplete");
	put_cell("a5", "mixer", "finished", "error");
	put_cell("a6", "mixer", "interrupted", NULL);
	put_cell("b1", "never", "interrupted", NULL);
	sample_import(s, sample_path("cells"), "N");
	n = load(s, "N");
	assert_int_equal(n.nplaces, 2);
	assert_int_equal(n.places[0].runs, 6);
	assert_int_equal(n.places[0].failed, 1);
	assert_int_equal(n.places[0].skipped, 1);
	assert_int_equal(n.places[0].lost, 3);
	assert_non_null(strstr(n.places[0].dir, "cells/a2/attempt-1"));
	assert_string_equal(n.places[1].place.scenario, "never");
	assert_string_equal(n.places[1].place.label, "next");
	assert_int_equal(n.places[1].runs, 1);
	assert_int_equal(n.places[1].lost, 1);
	assert_string_equal(n.places[1].dir, "");
	assert_int_equal(n.ended_s - n.started_s, 10);
	night_free(&n);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(history_is_of_the_nights_before_the_oldest_first),
		cmocka_unit_test(history_ends_with_the_last_nights),
		cmocka_unit_test(the_night_before_has_a_place_in_common),
		cmocka_unit_test(all_runs_are_accounted_for),
	};

	return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
