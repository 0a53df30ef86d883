// SPDX-License-Identifier: GPL-2.0-or-later
/* Attempts judged by their results, and the loop that repeats them until it knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/repeat.h"

#include "base/fsutil.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What attempt n of the fake runner ends like: a letter each; the last one goes on for ever. */
struct fake {
	struct runner runner;
	const char *script;
	u64 run, batches, fails;
	int error; /* of the first @fails batches */
	u64 seeds[64];
};

static int end_of(char letter)
{
	switch (letter) {
	case 'h':
		return TRY_HIT;
	case 's':
		return TRY_SILENT;
	case 'o':
		return TRY_OTHER;
	case 'k':
		return TRY_SKIPPED;
	case 'i': /* interrupted */
		return TRY_NOT_RUN;
	default: /* u: unusable; r: refused */
		return TRY_UNUSABLE;
	}
}

static int run_fake(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		    struct err *e)
{
	struct fake *f = (struct fake *)r;

	if (f->batches++ < f->fails)
		return err_set(e, f->error, "planted");
	for (size_t i = 0; i < n; i++) {
		char letter = f->script[MIN(f->run, strlen(f->script) - 1)];

		f->seeds[f->run % ARRAY_SIZE(f->seeds)] = a[i].seed;
		f->run++;
		a[i].end = end_of(letter);
		a[i].exit = letter == 'r' ? 2 : 0;
		a[i].hit_s = (double)f->run;
		if (letter == 'i') {
			r->interrupted = true;
			return 0;
		}
		if (done(ctx, &a[i]))
			return 0;
	}
	return 0;
}

static const struct {
	const char *script;
	u64 hits_wanted, times;
	bool others_tell;
	size_t batch;
	u64 attempts, hits, complete;
	bool gave_up, refused, skipped;
} rows[] = {
	/* The first hit ends it. */
	{ "sssh", 1, 0, true, 1, 4, 1, 4, false, false, false },
	{ "sssh", 1, 0, true, 16, 4, 1, 4, false, false, false },
	{ "shsh", 2, 0, true, 3, 4, 2, 4, false, false, false },
	/* Or the number of attempts. */
	{ "s", 1, 7, true, 4, 7, 0, 7, false, false, false },
	{ "h", 0, 7, true, 4, 7, 7, 7, false, false, false },
	/* What cannot be used is no attempt. */
	{ "usus", 1, 2, true, 2, 4, 0, 2, false, false, false },
	{ "suuu", 1, 9, true, 9, 4, 0, 1, true, false, false },
	{ "u", 1, 9, true, 1, 3, 0, 0, true, false, false },
	{ "r", 1, 9, true, 9, 1, 0, 0, false, true, false },
	{ "k", 1, 9, true, 9, 1, 0, 0, false, false, true },
	/* Other findings are one, or none. */
	{ "oos", 1, 3, true, 1, 3, 0, 3, false, false, false },
	{ "oos", 1, 3, false, 1, 5, 0, 3, false, false, false },
	{ "o", 1, 3, false, 2, 9, 0, 0, false, false, false },
	/* Stopped. */
	{ "ssi", 1, 9, true, 9, 2, 0, 2, false, false, false },
};

static void attempts_are_counted_until_it_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake f = { .runner = { .run = run_fake }, .script = rows[i].script };
		struct repeat r = { .runner = &f.runner,
				    .seed = 5,
				    .hits_wanted = rows[i].hits_wanted,
				    .times = rows[i].times,
				    .others_tell = rows[i].others_tell,
				    .batch = rows[i].batch };
		struct err e = { "" };

		assert_int_equal(repeat_run(&r, &e), 0);
		if (r.attempts != rows[i].attempts || r.hits != rows[i].hits ||
		    repeat_complete(&r) != rows[i].complete || r.gave_up != rows[i].gave_up ||
		    r.refused != rows[i].refused || (r.skipped > 0) != rows[i].skipped)
			fail_msg("row %zu: %llu attempts, %llu hits, %llu complete", i,
				 (unsigned long long)r.attempts, (unsigned long long)r.hits,
				 (unsigned long long)repeat_complete(&r));
	}
}

static void each_attempt_has_its_own_seed(void **state)
{
	struct fake f = { .runner = { .run = run_fake }, .script = "s" };
	struct repeat r = { .runner = &f.runner, .seed = 5, .times = 40, .batch = 3 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(repeat_run(&r, &e), 0);
	assert_int_equal(f.seeds[0], 5);
	for (size_t i = 0; i < 40; i++) {
		assert_true(f.seeds[i] <= INT64_MAX);
		for (size_t k = 0; k < i; k++)
			assert_true(f.seeds[i] != f.seeds[k]);
	}
}

static void times_to_a_hit_have_a_median(void **state)
{
	struct fake f = { .runner = { .run = run_fake }, .script = "hhsssh" };
	struct repeat r = { .runner = &f.runner, .hits_wanted = 3, .batch = 1 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(repeat_run(&r, &e), 0);
	assert_true(repeat_median_s(&r) == 2);
}

/* What may work the next time is tried again, and not for ever. */
static void a_batch_that_fails_is_tried_again(void **state)
{
	struct fake f = {
		.runner = { .run = run_fake }, .script = "h", .fails = 2, .error = -EAGAIN
	};
	struct repeat r = { .runner = &f.runner, .hits_wanted = 1, .batch = 1 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(repeat_run(&r, &e), 0);
	assert_int_equal(r.hits, 1);
	f = (struct fake){
		.runner = { .run = run_fake }, .script = "h", .fails = 9, .error = -EAGAIN
	};
	r = (struct repeat){ .runner = &f.runner, .hits_wanted = 1, .batch = 1 };
	assert_int_equal(repeat_run(&r, &e), -EAGAIN);
	assert_int_equal(f.batches, 3);
	f = (struct fake){
		.runner = { .run = run_fake }, .script = "h", .fails = 1, .error = -EIO
	};
	r = (struct repeat){ .runner = &f.runner, .hits_wanted = 1, .batch = 1 };
	assert_int_equal(repeat_run(&r, &e), -EIO);
	assert_int_equal(f.batches, 1);
}

#define RESULT(verdict, exit, findings)                                                            \
	"{ \"verdict\": \"" verdict "\", \"exit\": " #exit ", \"reason\": \"why\","                \
	" \"findings\": [" findings "] }"
#define LOST                                                                                       \
	"{ \"kind\": \"lost-write\", \"sentence\": \"cell 7\", \"time_ms\": 1500, \"title\": "     \
	"null,"                                                                                    \
	" \"writer\": \"steps.0\", \"finder\": \"verify\", \"operations\": [ { \"actor\":"         \
	" \"steps.1\" }, { \"actor\": \"steps.0\" } ] }"
#define ZEROED "{ \"kind\": \"zeroed\", \"sentence\": \"cell 8\", \"time_ms\": 700 }"
#define WARNED                                                                                     \
	"{ \"kind\": \"kernel-warning\", \"sentence\": \"WARNING in f, in steps.0\","              \
	" \"title\": \"WARNING in f\", \"time_ms\": 3 }"
#define OOPSED                                                                                     \
	"{ \"kind\": \"kernel-bug\", \"sentence\": \"BUG in g\", \"title\": \"BUG in g\","         \
	" \"time_ms\": 4 }"

static const struct {
	const char *wanted, *title, *result;
	int exit, end;
	const char *kind;
	double hit_s;
	bool sick;
} judged[] = {
	{ NULL, "", RESULT("pass", 0, ""), 0, TRY_SILENT, "", 0, false },
	{ NULL, "", RESULT("skip", 4, ""), 4, TRY_SKIPPED, "", 0, false },
	{ NULL, "", RESULT("incomplete", 3, ""), 3, TRY_UNUSABLE, "", 0, false },
	{ NULL, "", RESULT("error", 3, ""), 3, TRY_UNUSABLE, "", 0, false },
	{ NULL, "", NULL, 2, TRY_UNUSABLE, "", 0, false },
	{ NULL, "", NULL, 4, TRY_SKIPPED, "", 0, false },
	{ NULL, "", "{ \"verdict\": ", 1, TRY_UNUSABLE, "", 0, false },
	{ NULL, "", RESULT("fail", 1, LOST), 1, TRY_HIT, "lost-write", 1.5, false },
	/* The first in time of those that are looked for. */
	{ NULL, "", RESULT("fail", 1, LOST "," ZEROED), 1, TRY_HIT, "zeroed", 0.7, false },
	{ "lost-write", "", RESULT("fail", 1, ZEROED "," LOST), 1, TRY_HIT, "lost-write", 1.5,
	  false },
	{ "torn,zeroed", "", RESULT("fail", 1, LOST "," ZEROED), 1, TRY_HIT, "zeroed", 0.7, false },
	{ "torn", "", RESULT("fail", 1, LOST "," ZEROED), 1, TRY_OTHER, "lost-write", 1.5, false },
	/* By their titles, where there are any. */
	{ "kernel-warning", "WARNING in f", RESULT("fail", 1, WARNED), 1, TRY_HIT, "kernel-warning",
	  0.003, false },
	{ "kernel-warning", "WARNING in g", RESULT("fail", 1, WARNED), 1, TRY_OTHER,
	  "kernel-warning", 0.003, false },
	{ "lost-write,kernel-warning", "WARNING in g", RESULT("fail", 1, WARNED "," LOST), 1,
	  TRY_HIT, "lost-write", 1.5, false },
	{ "lost-write", "", RESULT("fail", 1, OOPSED "," LOST), 1, TRY_HIT, "lost-write", 1.5,
	  true },
};

static void attempts_are_judged_by_their_results(void **state)
{
	char dir[] = "/tmp/stressd-repeat-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/result.json", dir);
	for (size_t i = 0; i < ARRAY_SIZE(judged); i++) {
		struct try a = { 0 };
		struct wanted w = { 0 };
		struct err e;

		if (judged[i].wanted)
			assert_int_equal(wanted_parse(judged[i].wanted, &w, &e), 0);
		strcpy(w.title, judged[i].title);
		strcpy(a.dir, dir);
		unlink(path);
		if (judged[i].result)
			assert_int_equal(write_file_atomic(path, judged[i].result,
							   strlen(judged[i].result), 0600),
					 0);
		try_judge(&a, &w, judged[i].exit);
		if (a.end != judged[i].end || strcmp(a.kind, judged[i].kind) != 0 ||
		    a.hit_s != judged[i].hit_s || a.sick != judged[i].sick ||
		    a.exit != judged[i].exit)
			fail_msg("row %zu: %s, %s, %g s", i, try_end_names[a.end], a.kind, a.hit_s);
		if (!strcmp(a.kind, "lost-write"))
			assert_string_equal(a.actors, "steps.0 verify steps.1");
	}
	assert_int_equal(rm_rf(dir), 0);
}

static void findings_are_named_in_lists(void **state)
{
	struct wanted w;
	struct err e = { "" };
	char buf[200];

	(void)state;
	assert_int_equal(wanted_parse("zeroed,lost-write", &w, &e), 0);
	assert_string_equal(wanted_text(&w, buf, sizeof(buf)), "lost-write or zeroed");
	assert_int_equal(wanted_parse("zeroed,lots-write", &w, &e), -EINVAL);
	assert_non_null(strstr(e.text, "lots-write is no finding"));
	assert_int_equal(wanted_parse(",", &w, &e), -EINVAL);
	w = (struct wanted){ 0 };
	assert_string_equal(wanted_text(&w, buf, sizeof(buf)), "any finding");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_are_counted_until_it_is_enough),
		cmocka_unit_test(each_attempt_has_its_own_seed),
		cmocka_unit_test(times_to_a_hit_have_a_median),
		cmocka_unit_test(a_batch_that_fails_is_tried_again),
		cmocka_unit_test(attempts_are_judged_by_their_results),
		cmocka_unit_test(findings_are_named_in_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
