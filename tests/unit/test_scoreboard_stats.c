// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sums of a scoreboard: medians with attempts that found nothing among them, what a mutant
 * comes to, and which exit status that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scoreboard_sample.h"

static struct sample s;

/* A trial with detections after @ms, and @missed attempts besides, limit 60 s. */
static struct trial_stats stats_of(const u64 *ms, size_t n, size_t missed)
{
	struct trial *t;

	s.b.n = s.b.nmutated = s.nattempts = 0;
	t = sample_trial(&s, &s.mutants[0], 0, 60 * SAMPLE_S);
	for (size_t i = 0; i < missed; i++)
		sample_attempt(&s, t, ATTEMPT_REACHED, -1, 0);
	for (size_t i = 0; i < n; i++)
		sample_attempt(&s, t, ATTEMPT_DETECTED, FINDING_ZEROED, ms[i]);
	return trial_stats(t);
}

static void medians(void **state)
{
	static const struct {
		u64 ms[4];
		size_t n, missed;
		u64 median_ms;
		bool open;
		const char *median, *range;
	} rows[] = {
		{ { 0 }, 0, 0, 0, false, "0.0 ms", "" },
		{ { 5 }, 1, 0, 5, false, "5.0 ms", "" },
		{ { 300, 100 }, 2, 0, 200, false, "200 ms", "100 ms to 300 ms" },
		{ { 900, 100, 200 }, 3, 0, 200, false, "200 ms", "100 ms to 900 ms" },
		/* One of three missed: the median is a time, the slowest is not. */
		{ { 1500, 100 }, 2, 1, 1500, false, "1.5 s", "100 ms to > 60.0 s" },
		/* Half of them: the median lies between a time and one that nobody knows. */
		{ { 20000, 10000 }, 2, 2, 40000, true, "> 40.0 s", "10.0 s to > 60.0 s" },
		{ { 100 }, 1, 2, 60000, true, "> 60.0 s", "100 ms to > 60.0 s" },
		{ { 0 }, 0, 3, 60000, true, "> 60.0 s", "" },
		/* Found by the last check, after the limit: still a time, and before what is open.
		 */
		{ { 61000 }, 1, 1, 60500, true, "> 60.5 s", "61.0 s to > 60.0 s" },
	};
	char median[SCORE_TIME_MAX], range[2 * SCORE_TIME_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trial_stats t = stats_of(rows[i].ms, rows[i].n, rows[i].missed);

		assert_int_equal(t.n, rows[i].n + rows[i].missed);
		assert_int_equal(t.detected, rows[i].n);
		assert_int_equal(t.median_ns, rows[i].median_ms * NSEC_PER_MSEC);
		assert_int_equal(t.median_open, rows[i].open);
		assert_string_equal(score_time(median, t.median_ns, t.median_open), rows[i].median);
		assert_string_equal(score_range(range, &t), rows[i].range);
	}
}

/* An attempt without a result is none: it takes no part in times, and is named. */
static void not_run_does_not_count(void **state)
{
	struct trial_stats t = stats_of((const u64[]){ 100 }, 1, 0);
	char others[256];

	(void)state;
	sample_attempt(&s, &s.trials[0], ATTEMPT_NOT_RUN, -1, 0);
	t = trial_stats(&s.trials[0]);
	assert_int_equal(t.n, 1);
	assert_false(t.median_open);
	assert_string_equal(score_others(others, &s.trials[0], &t), "1 did not run");
}

/* Of several cuts one that was not silent is what is told, a false alarm before all. */
static void cuts_without_a_fault(void **state)
{
	static const struct {
		int ends[3];
		size_t worst;
	} rows[] = {
		{ { ATTEMPT_SILENT, ATTEMPT_SILENT, ATTEMPT_SILENT }, 0 },
		{ { ATTEMPT_SILENT, ATTEMPT_NOT_RUN, ATTEMPT_SILENT }, 1 },
		{ { ATTEMPT_NOT_RUN, ATTEMPT_SILENT, ATTEMPT_WRONG }, 2 },
		{ { ATTEMPT_SILENT, ATTEMPT_WRONG, ATTEMPT_NOT_RUN }, 1 },
		{ { ATTEMPT_WRONG, ATTEMPT_WRONG, ATTEMPT_IDLE }, 0 },
	};
	char span[2 * SCORE_TIME_MAX];
	struct trial *t;

	(void)state;
	sample_make(&s);
	t = &s.trials[s.b.n - 2]; /* the one with cuts */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t k = 0; k < 3; k++)
			t->attempts[k].end = rows[i].ends[k];
		assert_ptr_equal(score_worst(t), &t->attempts[rows[i].worst]);
	}
	assert_string_equal(score_span(span, t), "3 cuts at 2s..6s");
	assert_string_equal(score_span(span, t - 1), "10s");
}

static struct score_sum sum_of(void)
{
	size_t n;
	struct mutant_score *scores = mutant_scores(&s.b, &n);
	struct score_sum sum = score_sum(&s.b, scores, n);

	free(scores);
	return sum;
}

static void mutants(void **state)
{
	static const struct {
		int end;
		size_t n, detected;
		bool failed;
	} rows[] = {
		{ ATTEMPT_DETECTED, 5, 5, false }, { ATTEMPT_WRONG, 5, 0, true },
		{ ATTEMPT_DETECTED, 3, 2, false }, { ATTEMPT_NOT_RUN, 0, 0, false },
		{ ATTEMPT_REACHED, 1, 0, false },
	};
	struct mutant_score *scores;
	struct trial_stats stats;
	char text[256];
	size_t n;

	(void)state;
	sample_make(&s);
	scores = mutant_scores(&s.b, &n);
	assert_int_equal(n, ARRAY_SIZE(rows));
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(scores[i].mutant, &s.mutants[i]);
		assert_int_equal(scores[i].end, rows[i].end);
		assert_int_equal(scores[i].n, rows[i].n);
		assert_int_equal(scores[i].detected, rows[i].detected);
		assert_int_equal(scores[i].failed, rows[i].failed);
	}
	assert_int_equal(scores[1].wrong_kind, FINDING_LOST_WRITE);
	free(scores);
	stats = trial_stats(&s.trials[1]);
	assert_string_equal(score_others(text, &s.trials[1], &stats),
			    "1 never reached; 1 not exercised; 2 reached, not detected; "
			    "1 wrong finding: lost-write");
	stats = trial_stats(&s.trials[2]);
	assert_string_equal(score_kinds(text, stats.kinds), "lost-write, zeroed");
}

/* Each step takes away one reason, and the next one shows. */
static void exits(void **state)
{
	(void)state;
	sample_make(&s);
	assert_int_equal(sum_of().failed, 1);
	assert_int_equal(sum_of().listed_missed, 1);
	assert_int_equal(sum_of().exit, 1);
	s.mutants[1].missed = "known";
	assert_int_equal(sum_of().failed, 0);
	s.trials[6].attempts[0].end = ATTEMPT_WRONG;
	assert_int_equal(sum_of().false_alarms, 1);
	assert_int_equal(sum_of().exit, 1);
	s.trials[6].attempts[0].end = ATTEMPT_SILENT;
	s.b.trouble = 75;
	assert_int_equal(sum_of().exit, 75);
	s.b.trouble = 0;
	/* A race that was never entered shows no silence. */
	s.trials[6].attempts[0].end = ATTEMPT_IDLE;
	assert_int_equal(sum_of().silent, 3);
	assert_int_equal(sum_of().exit, 3);
	s.trials[6].attempts[0].end = ATTEMPT_SILENT;
	assert_int_equal(sum_of().not_run, 1);
	assert_int_equal(sum_of().exit, 4);
	sample_attempt(&s, &s.trials[3], ATTEMPT_DETECTED, FINDING_KERNEL_HANG, 5);
	s.trials[3].attempts = &s.attempts[s.nattempts - 1];
	assert_int_equal(sum_of().exit, 0);
	assert_int_equal(sum_of().silent, 4);
	s.b.interrupted = true;
	assert_int_equal(sum_of().exit, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians),
		cmocka_unit_test(not_run_does_not_count),
		cmocka_unit_test(cuts_without_a_fault),
		cmocka_unit_test(mutants),
		cmocka_unit_test(exits),
	};

	sample_make(&s);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
