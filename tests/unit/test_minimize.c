// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * minimize against a runner that knows the truth: which parts the finding needs, and how often it
 * comes. Needed parts stay and others go, also where it comes in one of five attempts only; a rate
 * that falls too far is seen; interruption and failure leave what was found so far.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/minimize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 20

/* Four workers of twelve processes are the bug's; of the options, prefill and nodelalloc. */
#define SCENARIO                                                                                   \
	"{ \"version\": 1, \"name\": \"truth\", \"description\": \"ten\", \"reference\": \"r\","   \
	"  \"duration\": \"20s\", \"target\": { \"type\": \"image\", \"fs\": \"ext4\","            \
	"  \"size\": \"64M\", \"mount\": [\"nodelalloc\", \"noatime\"], \"prefill\": true },"      \
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\" },"                                 \
	"    { \"name\": \"other\", \"size\": \"1M\" } ], \"workers\": ["                          \
	"  { \"type\": \"reader\", \"file\": \"other\" },"                                         \
	"  { \"type\": \"mmap_writer\", \"file\": \"data\", \"options\": { \"store\": 1,"          \
	"    \"msync\": 1 } },"                                                                    \
	"  { \"type\": \"syncer\", \"file\": \"other\" },"                                         \
	"  { \"type\": \"buffered_writer\", \"file\": \"other\", \"count\": 3 },"                  \
	"  { \"type\": \"truncator\", \"file\": \"other\" },"                                      \
	"  { \"type\": \"dropcache\", \"file\": \"other\", \"options\": { \"scope\": \"file\" } "  \
	"},"                                                                                       \
	"  { \"type\": \"dio_reader\", \"file\": \"data\", \"count\": 2 },"                        \
	"  { \"type\": \"mixer\", \"file\": \"other\" },"                                          \
	"  { \"type\": \"reader\", \"file\": \"data\" },"                                          \
	"  { \"type\": \"syncer\", \"file\": \"data\" } ] }"

struct fake {
	struct runner runner;
	struct wanted wanted;
	struct rng rng;
	double rate;	      /* with all that is needed */
	double without_store; /* share of it where mmap_writer has no "store" */
	const char *title;    /* of the kernel log's, or NULL */
	bool skipped;	      /* this machine lacks something */
	u64 stop_after;	      /* attempts; 0: never */
	int fail_after;	      /* runs of a batch; 0: never */
	u64 attempts;
};

static const json_t *worker(const json_t *scenario, const char *type)
{
	const json_t *rows = json_object_get(scenario, "workers");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *w = json_array_get(rows, i);

		if (!strcmp(json_string_value(json_object_get(w, "type")), type))
			return w;
	}
	return NULL;
}

static bool has_mount(const json_t *scenario, const char *name)
{
	const json_t *mount = json_object_get(json_object_get(scenario, "target"), "mount");

	for (size_t i = 0; i < json_array_size(mount); i++)
		if (!strcmp(json_string_value(json_array_get(mount, i)), name))
			return true;
	return false;
}

static bool has_all(const json_t *s)
{
	return worker(s, "mmap_writer") && worker(s, "dio_reader") && has_mount(s, "nodelalloc") &&
	       json_is_true(json_object_get(json_object_get(s, "target"), "prefill"));
}

static double rate_of(const struct fake *f, const json_t *s)
{
	const json_t *options = json_object_get(worker(s, "mmap_writer"), "options");

	if (!has_all(s))
		return 0;
	return json_object_get(options, "store") ? f->rate : f->rate * f->without_store;
}

static bool chance(struct fake *f, double rate)
{
	return (double)rng_below(&f->rng, 1000000) < rate * 1e6;
}

static void attempt(struct fake *f, struct try *a)
{
	f->attempts++;
	a->took_s = 1;
	a->end = TRY_SILENT;
	if (!form_is_valid(a->scenario, NULL))
		fail_msg("what was tried is no scenario");
	if (f->skipped)
		a->end = TRY_SKIPPED;
	if (f->skipped || !chance(f, rate_of(f, a->scenario)))
		return;
	a->end = TRY_HIT;
	a->hit_s = 0.5;
	strcpy(a->kind, f->title ? "kernel-warning" : "stale-exposure");
	if (f->title)
		strcpy(a->title, f->title);
	strcpy(a->text, "data cell 1: prefill");
}

static int run_fake(struct runner *r, struct try *a, size_t n, runner_done_fn *done, void *ctx,
		    struct err *e)
{
	struct fake *f = (struct fake *)r;

	r->batches++;
	if (f->fail_after && r->batches > (u64)f->fail_after)
		return err_set(e, -EIO, "the kernel did not boot");
	for (size_t i = 0; i < n; i++) {
		if (f->stop_after && f->attempts >= f->stop_after) {
			r->interrupted = true;
			return 0;
		}
		attempt(f, &a[i]);
		if (done(ctx, &a[i]))
			break;
	}
	return 0;
}

static void begin(struct fake *f, struct minimize *m, double rate, double restart_s, u64 seed)
{
	struct err e = { "" };

	*f = (struct fake){ .runner = { .run = run_fake, .restart_s = restart_s },
			    .rng = { .state = mix64(seed + 1000) },
			    .rate = rate,
			    .without_store = 1 };
	*m = (struct minimize){ .runner = &f->runner,
				.wanted = &f->wanted,
				.seed = seed,
				.fraction = 0.25,
				.confidence = 0.95 };
	if (form_parse("truth", SCENARIO, &m->form, &e) < 0)
		fail_msg("%s", e.text);
}

static const struct part *part(const struct minimize *m, const char *what)
{
	for (size_t i = 0; i < m->nparts; i++)
		if (strstr(m->parts[i].what, what))
			return &m->parts[i];
	fail_msg("nothing is said of %s", what);
	return NULL;
}

static size_t workers(const struct minimize *m)
{
	return json_array_size(json_object_get(m->current.scenario, "workers"));
}

/* Everything that can go has gone: what is left is written as a person would. */
static void assert_smallest(const struct minimize *m)
{
	const json_t *s = m->current.scenario, *target = json_object_get(s, "target");

	assert_int_equal(workers(m), 2);
	assert_null(json_object_get(worker(s, "mmap_writer"), "options"));
	assert_null(json_object_get(worker(s, "dio_reader"), "count"));
	assert_int_equal(json_array_size(json_object_get(target, "mount")), 1);
	assert_int_equal(json_array_size(json_object_get(s, "files")), 1);
	assert_string_equal(json_string_value(json_object_get(s, "description")), "ten");
	assert_string_equal(json_string_value(json_object_get(s, "reference")), "r");
	assert_string_equal(json_string_value(json_object_get(target, "size")), "16M");
	/* Four times the half second that it takes. */
	assert_string_equal(json_string_value(json_object_get(s, "duration")), "2s");
}

static void what_always_hits_becomes_smallest(void **state)
{
	(void)state;
	for (int guest = 0; guest < 2; guest++) {
		struct minimize m;
		struct fake f;
		struct err e = { "" };

		begin(&f, &m, 1, guest ? 5 : 0, 1);
		assert_int_equal(minimize(&m, &e), 0);
		assert_smallest(&m);
		assert_true(has_all(m.current.scenario));
		assert_int_equal(f.wanted.kinds, 1ULL << FINDING_STALE_EXPOSURE);
		assert_int_equal(m.last_hits, m.last_n);
		assert_false(m.fell);
		assert_true(part(&m, "truncator")->gone);
		assert_true(minimize_stayed(&m, part(&m, "dio_reader on data)")));
		assert_true(minimize_stayed(&m, part(&m, "nodelalloc")));
		assert_int_equal(part(&m, "prefill")->hits, 0);
		assert_in_range(part(&m, "prefill")->attempts, 2, 3);
		minimize_free(&m);
	}
}

/* One attempt in five: nothing that is needed is ever lost, and nearly everything else goes. */
static void what_hits_seldom_is_not_lost(void **state)
{
	size_t smallest = 0, left = 0;

	(void)state;
	for (u64 seed = 1; seed <= SEEDS; seed++) {
		struct minimize m;
		struct fake f;
		struct err e = { "" };

		begin(&f, &m, 0.2, seed % 2 ? 5 : 0, seed);
		if (minimize(&m, &e) < 0)
			fail_msg("seed %llu: %s", (unsigned long long)seed, e.text);
		assert_true(has_all(m.current.scenario));
		assert_true(m.last_hits > 0);
		left += workers(&m);
		smallest += workers(&m) == 2;
		minimize_free(&m);
	}
	/* An answer in twenty may be wrong, and a part that was kept so is asked for once more. */
	assert_in_range(smallest, SEEDS * 9 / 10, SEEDS);
	assert_in_range(left, 2 * SEEDS, 2 * SEEDS + SEEDS / 5);
}

/* Without "store" it hits one time in ten: that is no reduction, whoever is in a hurry. */
static void a_rate_that_falls_is_a_part_that_is_needed(void **state)
{
	size_t kept = 0;

	(void)state;
	for (u64 seed = 1; seed <= SEEDS; seed++) {
		struct minimize m;
		struct fake f;
		struct err e = { "" };

		begin(&f, &m, 0.9, 0, seed);
		f.without_store = 0.1;
		assert_int_equal(minimize(&m, &e), 0);
		kept += json_object_get(json_object_get(worker(m.current.scenario, "mmap_writer"),
							"options"),
					"store") != NULL;
		/* Where it went all the same, it is said. */
		if (!json_object_get(worker(m.current.scenario, "mmap_writer"), "options"))
			assert_true(m.fell);
		minimize_free(&m);
	}
	assert_in_range(kept, SEEDS * 9 / 10, SEEDS);
}

static void what_never_hits_is_refused(void **state)
{
	struct minimize m;
	struct fake f;
	struct err e = { "" };

	(void)state;
	begin(&f, &m, 0, 0, 1);
	assert_int_equal(minimize(&m, &e), -ENODATA);
	assert_non_null(strstr(e.text, "did not come in 40 attempts"));
	assert_int_equal(f.attempts, 40);
	minimize_free(&m);
}

static void what_cannot_be_run_here_is_skipped(void **state)
{
	struct minimize m;
	struct fake f;
	struct err e = { "" };

	(void)state;
	begin(&f, &m, 1, 0, 1);
	f.skipped = true;
	assert_int_equal(minimize(&m, &e), -ENOENT);
	minimize_free(&m);
}

/* Another warning is another bug, though it is of the same kind. */
static void findings_of_the_kernel_log_keep_their_title(void **state)
{
	struct minimize m;
	struct fake f;
	struct err e = { "" };

	(void)state;
	begin(&f, &m, 1, 0, 1);
	f.title = "WARNING in f";
	f.wanted.kinds = 1ULL << FINDING_KERNEL_WARNING;
	assert_int_equal(minimize(&m, &e), 0);
	assert_string_equal(f.wanted.title, "WARNING in f");
	minimize_free(&m);
}

/* Wherever it is stopped, the smallest so far hits; and nothing goes on. */
static void interruption_leaves_the_best_so_far(void **state)
{
	(void)state;
	for (u64 after = 1; after < 150; after += 7) {
		struct minimize m;
		struct fake f;
		struct err e = { "" };
		int r;

		begin(&f, &m, 1, after % 2 ? 5 : 0, 3);
		f.stop_after = after;
		r = minimize(&m, &e);
		assert_int_equal(r, f.runner.interrupted ? -EINTR : 0);
		assert_true(has_all(m.current.scenario));
		assert_true(form_is_valid(m.current.scenario, NULL));
		assert_true(f.attempts <= after);
		minimize_free(&m);
	}
}

static void a_runner_that_fails_ends_it(void **state)
{
	(void)state;
	for (int after = 1; after < 20; after++) {
		struct minimize m;
		struct fake f;
		struct err e = { "" };

		begin(&f, &m, 1, 0, 3);
		f.fail_after = after;
		assert_int_equal(minimize(&m, &e), -EIO);
		assert_string_equal(e.text, "the kernel did not boot");
		assert_true(has_all(m.current.scenario));
		minimize_free(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_always_hits_becomes_smallest),
		cmocka_unit_test(what_hits_seldom_is_not_lost),
		cmocka_unit_test(a_rate_that_falls_is_a_part_that_is_needed),
		cmocka_unit_test(what_never_hits_is_refused),
		cmocka_unit_test(what_cannot_be_run_here_is_skipped),
		cmocka_unit_test(findings_of_the_kernel_log_keep_their_title),
		cmocka_unit_test(interruption_leaves_the_best_so_far),
		cmocka_unit_test(a_runner_that_fails_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
