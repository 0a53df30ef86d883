// SPDX-License-Identifier: GPL-2.0-or-later
/* result.json holds what the contract names, for any text, and parses back. */
#include "report_sample.h"

static json_t *parse(const struct sample *s, const char *format)
{
	char *text = sample_render(s, format);
	json_error_t e;
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &e);

	if (!j)
		fail_msg("line %d: %s", e.line, e.text);
	free(text);
	return j;
}

static const char *string_at(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static void one_finding(void **state)
{
	struct sample *s = sample_new(1);
	json_t *j = parse(s, "json"), *f, *layers, *ops, *counts;

	(void)state;
	assert_string_equal(string_at(j, "verdict"), "fail");
	assert_int_equal(json_integer_value(json_object_get(j, "exit")), 1);
	assert_int_equal(json_integer_value(json_object_get(j, "seed")), 7);
	assert_int_equal(json_integer_value(json_object_get(j, "version")), 1);
	assert_string_equal(string_at(j, "started"), "2024-05-01T12:00:00Z");
	assert_true(json_is_null(json_object_get(j, "reason")));
	counts = json_object_get(j, "counts");
	assert_int_equal(json_integer_value(json_object_get(counts, "ops")), 1205000);
	assert_int_equal(json_array_size(json_object_get(counts, "workers")), 2);
	f = json_array_get(json_object_get(j, "findings"), 0);
	assert_string_equal(string_at(f, "kind"), "zeroed");
	assert_string_equal(string_at(f, "file"), "data");
	assert_int_equal(json_integer_value(json_object_get(f, "cell")), 812);
	assert_int_equal(json_integer_value(json_object_get(f, "offset")), 415744);
	assert_true(json_real_value(json_object_get(f, "time_ms")) == 1204.0);
	assert_int_equal(strlen(string_at(f, "found_hex")), 1024);
	assert_memory_equal(string_at(f, "expected_hex"), "01010303", 8);
	assert_string_equal(string_at(json_object_get(f, "diff"), "summary"),
			    "512 of 512 bytes differ, +0 to +511; found: all zeros");
	layers = json_object_get(f, "layers");
	assert_string_equal(string_at(json_object_get(layers, "cache"), "state"), "bad");
	assert_string_equal(string_at(json_object_get(layers, "cache"), "holds"), "zeros");
	assert_string_equal(string_at(json_object_get(layers, "dropped"), "state"), "not-read");
	assert_string_equal(string_at(json_object_get(layers, "device"), "state"), "unavailable");
	ops = json_object_get(f, "operations");
	assert_true(json_real_value(json_object_get(json_array_get(ops, 0), "end_ms")) == 1203.95);
	assert_true(json_is_null(json_object_get(json_array_get(ops, 1), "end_ms")));
	assert_int_equal(json_array_size(json_object_get(f, "log")), 2);
	json_decref(j);
	sample_free(s);
}

/* What a finding has no cell for is null, so that nobody reads a zero as cell 0. */
static void no_cell(void **state)
{
	static const char *const nulls[] = { "cell",	  "offset",	  "cell_bytes", "file",
					     "found_hex", "expected_hex", "diff",	"writer" };
	struct sample *s = sample_new(1);
	json_t *j, *f;

	(void)state;
	s->f->kind = FINDING_KERNEL_WARNING;
	s->f->has_cell = false;
	s->f->file[0] = s->f->writer[0] = '\0';
	j = parse(s, "json");
	f = json_array_get(json_object_get(j, "findings"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
		assert_true(json_is_null(json_object_get(f, nulls[i])));
	json_decref(j);
	sample_free(s);
}

static void evil_text(void **state)
{
	static const char want[] = "a \"quote\" & <tag> ]]> 'q'\nnew\tline \x01\x1b[31m \xc3\xa9 "
				   "\\xff\\xc3( \\xed\\xa0\\x80 \\ end";
	struct sample *s = sample_new(1);
	json_t *j, *f;

	(void)state;
	sample_make_evil(s);
	j = parse(s, "json");
	f = json_array_get(json_object_get(j, "findings"), 0);
	assert_string_equal(string_at(f, "sentence"), want);
	assert_string_equal(string_at(j, "reason"), want);
	assert_string_equal(json_string_value(json_array_get(json_object_get(j, "notes"), 0)),
			    want);
	json_decref(j);
	sample_free(s);
}

static void none_and_many(void **state)
{
	static const size_t numbers[] = { 0, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sample *s = sample_new(numbers[i]);
		json_t *j = parse(s, "json");

		assert_int_equal(json_array_size(json_object_get(j, "findings")), numbers[i]);
		assert_string_equal(string_at(j, "verdict"), numbers[i] ? "fail" : "pass");
		json_decref(j);
		sample_free(s);
	}
}

/* A counter beyond JSON's integers stays the largest there is and does not turn negative. */
static void huge_numbers(void **state)
{
	struct sample *s = sample_new(0);
	json_t *j;

	(void)state;
	s->r.seed = ~0ULL;
	j = parse(s, "json");
	assert_true(json_integer_value(json_object_get(j, "seed")) == INT64_MAX);
	json_decref(j);
	sample_free(s);
}

static long allocations_left;

static void *failing_malloc(size_t size)
{
	return allocations_left-- == 0 ? NULL : malloc(size);
}

/* Fail the Nth allocation for every N: the result is whole or there is none. */
static void no_memory(void **state)
{
	struct sample *s = sample_new(2);
	json_t *whole = result_to_json(&s->r), *j = NULL;
	long n = 0;

	(void)state;
	json_set_alloc_funcs(failing_malloc, free);
	for (; !j; n++) {
		allocations_left = n;
		j = result_to_json(&s->r);
		/* not reached: nothing failed, and the loop ends */
		if (j && allocations_left < 0)
			fail_msg("allocation %ld failed and the result does not say so", n);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 100);
	assert_true(json_equal(whole, j));
	json_decref(whole);
	json_decref(j);
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_finding),	cmocka_unit_test(no_cell),
		cmocka_unit_test(evil_text),	cmocka_unit_test(none_and_many),
		cmocka_unit_test(huge_numbers), cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
