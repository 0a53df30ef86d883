// SPDX-License-Identifier: GPL-2.0-or-later
/* Rates, silent tries, medians, and the sequential test's errors over many seeded sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/stats.h"

#define SEQUENCES 2000

static void assert_rate(u64 hits, u64 n, double lo, double hi)
{
	double got_lo, got_hi;

	rate_interval(hits, n, &got_lo, &got_hi);
	assert_true(got_lo > lo - 0.0005 && got_lo < lo + 0.0005);
	assert_true(got_hi > hi - 0.0005 && got_hi < hi + 0.0005);
}

/* Values of the score interval as tables have them. */
static void rates_have_wilsons_interval(void **state)
{
	(void)state;
	assert_rate(0, 0, 0, 1);
	assert_rate(0, 10, 0, 0.2775);
	assert_rate(10, 10, 0.7225, 1);
	assert_rate(5, 10, 0.2366, 0.7634);
	assert_rate(1, 100, 0.0018, 0.0545);
}

/* (hits / n + 1 / 2n - sqrt(p (1 - p) / n + 1 / 4n^2)) / (1 + 1 / n) */
static void what_a_rate_is_at_least(void **state)
{
	(void)state;
	assert_true(rate_at_least(0, 10) == 0);
	assert_true(rate_at_least(5, 5) > 0.833 && rate_at_least(5, 5) < 0.834);
	assert_true(rate_at_least(10, 50) > 0.149 && rate_at_least(10, 50) < 0.151);
}

/* 0.8^13 = 0.0550, 0.8^14 = 0.0440. */
static void silence_is_believed_after_enough_tries(void **state)
{
	(void)state;
	assert_int_equal(silent_tries(0.2, 0.95), 14);
	assert_int_equal(silent_tries(0.25, 0.95), 11);
	assert_int_equal(silent_tries(0.01, 0.95), 299);
	assert_int_equal(silent_tries(0.999, 0.95), 1);
	assert_int_equal(silent_tries(0.2, 0.99), 21);
}

static void medians_are_in_the_middle(void **state)
{
	double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 };

	(void)state;
	assert_true(median(odd, 3) == 5);
	assert_true(median(even, 4) == 2.5);
	assert_true(median(odd, 1) == 1);
	assert_true(median(odd, 0) == 0);
}

/* Tries of a thing that hits with @rate until there is an answer. */
static enum sequential_answer sequence(const struct sequential *s, double rate, struct rng *rng,
				       u64 *tries)
{
	enum sequential_answer answer = SEQUENTIAL_OPEN;
	u64 hits = 0, n = 0;

	while (answer == SEQUENTIAL_OPEN) {
		hits += (double)rng_below(rng, 1000000) < rate * 1e6;
		n++;
		answer = sequential_ask(s, hits, n);
	}
	*tries += n;
	return answer;
}

static u64 count_kept(const struct sequential *s, double rate, u64 *ret_tries)
{
	struct rng rng = { .state = 7 };
	u64 kept = 0;

	*ret_tries = 0;
	for (int i = 0; i < SEQUENCES; i++)
		kept += sequence(s, rate, &rng, ret_tries) == SEQUENTIAL_KEPT;
	return kept;
}

static void sequential_answers_are_as_often_right_as_stated(void **state)
{
	static const double rates[] = { 0.05, 0.2, 0.5, 0.9 };
	u64 tries;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct sequential s = { rates[i], rates[i] / 4, 0.95 };

		assert_true(count_kept(&s, s.kept, &tries) >= SEQUENCES * 0.95);
		assert_true(count_kept(&s, s.lost, &tries) <= SEQUENCES * 0.05);
		/* What is gone for good is never taken for kept. */
		assert_int_equal(count_kept(&s, 0, &tries), 0);
	}
}

static void what_always_hits_is_known_at_once(void **state)
{
	struct sequential s = { 6.0 / 7, 6.0 / 28, 0.95 };

	(void)state;
	assert_int_equal(sequential_ask(&s, 2, 2), SEQUENTIAL_OPEN);
	assert_int_equal(sequential_ask(&s, 3, 3), SEQUENTIAL_KEPT);
	assert_int_equal(sequential_ask(&s, 0, 1), SEQUENTIAL_OPEN);
	assert_int_equal(sequential_ask(&s, 0, 2), SEQUENTIAL_LOST);
	assert_int_equal(sequential_plan(&s, 0, 0), 3);
}

/* With as many tries as planned there is an answer if they end alike, whichever way. */
static void what_is_planned_is_enough(void **state)
{
	(void)state;
	for (double rate = 0.05; rate < 0.96; rate += 0.05) {
		struct sequential s = { rate, rate / 4, 0.95 };
		u64 n = sequential_plan(&s, 0, 0), more = sequential_plan(&s, 1, 3);

		assert_int_equal(sequential_ask(&s, n, n), SEQUENTIAL_KEPT);
		assert_int_equal(sequential_ask(&s, 0, n), SEQUENTIAL_LOST);
		assert_true(sequential_ask(&s, n - 1, n - 1) == SEQUENTIAL_OPEN ||
			    sequential_ask(&s, 0, n - 1) == SEQUENTIAL_OPEN);
		if (sequential_ask(&s, 1, 3) != SEQUENTIAL_OPEN)
			continue;
		assert_int_equal(sequential_ask(&s, 1 + more, 3 + more), SEQUENTIAL_KEPT);
		assert_int_equal(sequential_ask(&s, 1, 3 + more), SEQUENTIAL_LOST);
	}
}

static bool is_near(double got, double expected, double within)
{
	return got > expected - within && got < expected + within;
}

/* Fisher's own: 10 of 13 monozygotic twins of criminals were convicted, 2 of 17 others; his tea:
 * 3 of 4 guessed right; and a table of a textbook, 1 of 12 against 9 of 12. */
static void fishers_test_has_published_values(void **state)
{
	struct fisher twins = fisher_exact(10, 13, 2, 17);
	struct fisher tea = fisher_exact(1, 4, 3, 4);
	struct fisher diet = fisher_exact(1, 12, 9, 12);

	(void)state;
	assert_true(is_near(twins.less, 0.0004652, 1e-7));
	assert_true(is_near(twins.either, 0.0005367, 1e-7));
	assert_true(is_near(tea.greater, 0.2429, 1e-4));
	assert_true(is_near(tea.either, 0.4857, 1e-4));
	assert_true(is_near(diet.greater, 0.001379728, 1e-8));
	assert_true(is_near(diet.either, 0.002759456, 1e-8));
}

/* By hand: of the 20 ways to spread three hits over three and three tries one is 3 : 0. */
static void fishers_test_at_its_ends(void **state)
{
	(void)state;
	assert_true(is_near(fisher_exact(3, 3, 0, 3).less, 1.0 / 20, 1e-12));
	assert_true(is_near(fisher_exact(3, 3, 0, 3).either, 2.0 / 20, 1e-12));
	assert_true(is_near(fisher_exact(3, 3, 0, 3).greater, 1, 1e-12));
	assert_true(is_near(fisher_exact(1, 1, 0, 1).either, 1, 1e-12));
	assert_true(is_near(fisher_exact(0, 0, 1, 1).greater, 1, 1e-12));
	assert_true(is_near(fisher_exact(0, 0, 0, 0).either, 1, 1e-12));
	/* However many tries: no overflow, and the two tails share what was seen. */
	assert_true(is_near(fisher_exact(5000, 10000, 5000, 10000).either, 1, 1e-9));
	assert_true(fisher_exact(100, 10000, 300, 10000).greater < 1e-20);
}

/* @u pairs of @n and @n values are won by the first sample. */
static double p_of(size_t n, u64 u)
{
	double a[RANK_SUM_MAX], b[RANK_SUM_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t won = u > i * n ? u - i * n : 0;

		b[i] = (double)(i + 1);
		a[i] = (won > n ? (double)n : (double)won) + 0.5;
	}
	return rank_sum(a, n, b, n);
}

/* Mann and Whitney's tables: the largest U that is significant at 5 %, two-sided, and the one
 * above it; n of each. */
static void rank_sums_have_published_values(void **state)
{
	static const struct {
		size_t n;
		u64 u;
	} critical[] = { { 4, 0 }, { 5, 2 }, { 6, 5 }, { 8, 13 }, { 10, 23 }, { 20, 127 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(critical); i++) {
		assert_true(p_of(critical[i].n, critical[i].u) <= 0.05);
		assert_true(p_of(critical[i].n, critical[i].u + 1) > 0.05);
	}
	assert_true(is_near(p_of(4, 0), 2.0 / 70, 1e-12));
	assert_true(is_near(p_of(5, 2), 8.0 / 252, 1e-12));
	assert_true(is_near(p_of(3, 0), 0.1, 1e-12));
}

static void equal_samples_show_no_difference(void **state)
{
	const double same[] = { 7, 7, 7, 7 }, other[] = { 8, 8, 8, 8 };

	(void)state;
	assert_true(rank_sum(same, 4, same, 4) == 1);
	assert_true(is_near(rank_sum(same, 4, other, 4), 2.0 / 70, 1e-12));
	assert_true(is_near(rank_sum(other, 4, same, 4), 2.0 / 70, 1e-12));
	assert_true(rank_sum(same, 0, other, 4) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_have_wilsons_interval),
		cmocka_unit_test(what_a_rate_is_at_least),
		cmocka_unit_test(silence_is_believed_after_enough_tries),
		cmocka_unit_test(medians_are_in_the_middle),
		cmocka_unit_test(sequential_answers_are_as_often_right_as_stated),
		cmocka_unit_test(what_always_hits_is_known_at_once),
		cmocka_unit_test(what_is_planned_is_enough),
		cmocka_unit_test(fishers_test_has_published_values),
		cmocka_unit_test(fishers_test_at_its_ends),
		cmocka_unit_test(rank_sums_have_published_values),
		cmocka_unit_test(equal_samples_show_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
