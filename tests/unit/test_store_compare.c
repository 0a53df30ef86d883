// SPDX-License-Identifier: GPL-2.0-or-later
/* Two nights: what counts as new, fixed, still there and flaky, and which speeds changed. */
#include "store_sample.h"

#include "store/compare.h"

/* @hits of @tries runs of a scenario in a night. */
static void add(struct store *s, const char *night, const char *scenario, int hits, int tries,
		const char *kind)
{
	static int batch;
	const char *day = strcmp(night, "A") ? "2024-05-02T00:00:00Z" : "2024-05-01T00:00:00Z";

	if (!tries)
		return;
	batch++;
	for (int i = 0; i < tries; i++)
		sample_result(sample_path("batch-%d/%d", batch, i), "result.json",
			      (struct sample_run){ .scenario = scenario,
						   .started = *night ? day : "2024-04-01T00:00:00Z",
						   .kind = i < hits ? kind : NULL });
	sample_import(s, sample_path("batch-%d", batch), night);
}

static int is_known(void *ctx, const struct night_hit *hit)
{
	struct err e;

	return store_seen_before(ctx, hit->hash, &hit->place, 1714608000, &e);
}

struct both {
	struct night a, b;
	struct comparison c;
};

static struct both compare(struct store *s)
{
	struct both x;
	struct err e = { "" };

	assert_int_equal(night_load(s, "A", &x.a, &e), 0);
	assert_int_equal(night_load(s, "B", &x.b, &e), 0);
	assert_int_equal(compare_nights(&x.a, &x.b, is_known, s, &x.c), 0);
	return x;
}

static void done(struct store *s, struct both *x)
{
	comparison_free(&x->c);
	night_free(&x->a);
	night_free(&x->b);
	store_close(s);
}

static void assert_change(int hits_a, int tries_a, int hits_b, int tries_b, bool seen, int change)
{
	struct store *s = sample_store(":memory:");
	struct both x;

	if (seen)
		add(s, "", "mixer", 1, 1, "zeroed");
	add(s, "A", "mixer", hits_a, tries_a, "zeroed");
	add(s, "B", "mixer", hits_b, tries_b, "zeroed");
	/* Both nights have runs, whatever becomes of this scenario. */
	add(s, "A", "other", 0, 1, NULL);
	add(s, "B", "other", 0, 1, NULL);
	x = compare(s);
	assert_int_equal(x.c.nrows, 1);
	assert_int_equal(x.c.rows[0].change, change);
	assert_int_equal(x.c.counts[change], 1);
	done(s, &x);
}

static void changes_go_by_exact_tests(void **state)
{
	(void)state;
	/* Never seen before: new, also when it hits once in many. */
	assert_change(0, 5, 5, 5, false, CHANGE_NEW);
	assert_change(0, 10, 1, 10, false, CHANGE_NEW);
	assert_change(0, 0, 1, 1, false, CHANGE_NEW);
	/* Seen before: it may have been missed in A, unless that is too unlikely. */
	assert_change(0, 10, 1, 10, true, CHANGE_FLAKY);
	assert_change(0, 5, 5, 5, true, CHANGE_NEW);
	/* Silence proves something if it would be unlikely otherwise. */
	assert_change(5, 5, 0, 5, false, CHANGE_FIXED);
	assert_change(3, 3, 0, 3, false, CHANGE_FIXED);
	assert_change(1, 1, 0, 1, false, CHANGE_FLAKY);
	assert_change(1, 10, 0, 10, false, CHANGE_FLAKY);
	assert_change(5, 5, 0, 0, false, CHANGE_NOT_RUN);
	assert_change(1, 5, 1, 5, false, CHANGE_STILL);
}

/* 1 of 1 and then silence: p is 1 / (n + 1), so nineteen silent runs are 5 %. */
static void flaky_says_how_many_silent_runs_would_tell(void **state)
{
	struct store *s = sample_store(":memory:");
	struct both x;

	(void)state;
	add(s, "A", "mixer", 1, 1, "zeroed");
	add(s, "B", "mixer", 0, 1, NULL);
	x = compare(s);
	assert_int_equal(x.c.rows[0].needed, 19);
	done(s, &x);
}

static void still_there_says_whether_it_became_rarer(void **state)
{
	struct store *s = sample_store(":memory:");
	struct both x;

	(void)state;
	add(s, "A", "mixer", 10, 10, "zeroed");
	add(s, "B", "mixer", 1, 10, "zeroed");
	add(s, "A", "other", 1, 10, "zeroed");
	add(s, "B", "other", 10, 10, "zeroed");
	add(s, "A", "third", 5, 10, "zeroed");
	add(s, "B", "third", 6, 10, "zeroed");
	x = compare(s);
	assert_int_equal(x.c.nrows, 3);
	assert_int_equal(x.c.rows[0].trend, -1);
	assert_int_equal(x.c.rows[1].trend, 1);
	assert_int_equal(x.c.rows[2].trend, 0);
	done(s, &x);
}

/* Another kind, and the same kind elsewhere, are findings of their own. */
static void what_differs_in_kind_or_place_is_not_the_same(void **state)
{
	struct store *s = sample_store(":memory:");
	struct both x;

	(void)state;
	add(s, "A", "mixer", 5, 5, "zeroed");
	add(s, "B", "mixer", 5, 5, "torn");
	add(s, "A", "other", 0, 5, NULL);
	add(s, "B", "other", 5, 5, "zeroed");
	x = compare(s);
	assert_int_equal(x.c.counts[CHANGE_NEW], 2);
	assert_int_equal(x.c.counts[CHANGE_FIXED], 1);
	done(s, &x);
}

static void add_speed(struct store *s, const char *night, u64 ops)
{
	for (int i = 0; i < 5; i++)
		sample_result(sample_path("speed-%s-%llu/%d", night, (unsigned long long)ops, i),
			      "result.json", (struct sample_run){ .ops = ops + (u64)i });
	sample_import(s, sample_path("speed-%s-%llu", night, (unsigned long long)ops), night);
}

static size_t speeds(u64 a, u64 b)
{
	struct store *s = sample_store(":memory:");
	struct both x;
	size_t n;

	add_speed(s, "A", a);
	add_speed(s, "B", b);
	x = compare(s);
	n = x.c.nspeeds;
	if (n)
		assert_true((x.c.speeds[0].median_b > x.c.speeds[0].median_a) == (b > a));
	done(s, &x);
	return n;
}

static void speeds_that_changed_are_said(void **state)
{
	(void)state;
	assert_int_equal(speeds(1000, 2000), 1);
	assert_int_equal(speeds(2000, 1000), 1);
	assert_int_equal(speeds(1000, 1050), 0); /* sure, and too little to matter */
	assert_int_equal(speeds(3000, 3000), 0);
}

static void a_night_that_is_not_there_is_said(void **state)
{
	struct store *s = sample_store(":memory:");
	struct night n;
	struct err e = { "" };

	(void)state;
	assert_int_equal(night_load(s, "A", &n, &e), -ENOENT);
	night_free(&n);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_go_by_exact_tests),
		cmocka_unit_test(flaky_says_how_many_silent_runs_would_tell),
		cmocka_unit_test(still_there_says_whether_it_became_rarer),
		cmocka_unit_test(what_differs_in_kind_or_place_is_not_the_same),
		cmocka_unit_test(speeds_that_changed_are_said),
		cmocka_unit_test(a_night_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
