// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Option tables: what each type decodes to, defaults, bounds, what lists and schemas say.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../scenario_sample.h"
#include "base/cleanup.h"
#include "workers/worker.h"

/* Decode @text; the block is the caller's. */
static int decode(const struct opt_def *table, const char *text, void *block, json_t **ret_resolved,
		  struct err *e)
{
	const struct json_doc doc = { .path = "o", .text = text, .len = strlen(text), .e = e };
	_cleanup_json_ json_t *object = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(object);
	return option_decode(table, NULL, object, block, &(struct json_at){ .doc = &doc },
			     ret_resolved);
}

static void defaults(void **state)
{
	struct sample_options o = { 0 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(decode(sample_option_table, "{}", &o, NULL, &e), 0);
	assert_true(o.flag && o.number == 8 && o.size == 65536 && o.time == 1000000);
	assert_true(o.percent == 50 && o.choice == 1 && o.set == 5);
	assert_true(o.numbers.lo == 1 && o.numbers.hi == 4);
	assert_true(o.sizes.lo == 512 && o.sizes.hi == 65536);
	assert_true(o.times.lo == 0 && o.times.hi == 200000);
	assert_true(o.weights[0] == 1 && o.weights[1] == 1 && o.weights[2] == 1);
	assert_null(o.text);
	assert_string_equal(o.list[0], "a");
	assert_string_equal(o.list[1], "b");
	assert_null(o.list[2]);
	option_free(sample_option_table, &o);
	assert_null(o.list);
	option_free(sample_option_table, &o);
}

static void values(void **state)
{
	static const char text[] =
		"{\"flag\": false, \"number\": 64, \"size\": 512, \"time\": \"10s\","
		" \"percent\": 0, \"numbers\": 3, \"sizes\": \"1K..2K\", \"times\": \"1us\","
		" \"choice\": \"blue\", \"set\": [], \"weights\": {\"green\": 100},"
		" \"text\": \"12345678\", \"list\": []}";
	struct sample_options o = { 0 };
	struct err e = { "" };

	(void)state;
	if (decode(sample_option_table, text, &o, NULL, &e))
		fail_msg("%s", e.text);
	assert_true(!o.flag && o.number == 64 && o.size == 512 && o.time == 10 * NSEC_PER_SEC);
	assert_true(o.percent == 0 && o.choice == 2 && o.set == 0);
	assert_true(o.numbers.lo == 3 && o.numbers.hi == 3);
	assert_true(o.sizes.lo == 1024 && o.sizes.hi == 2048);
	assert_true(o.times.lo == 1000 && o.times.hi == 1000);
	/* Weights that are not named are 0: naming some chooses among them. */
	assert_true(o.weights[0] == 0 && o.weights[1] == 100 && o.weights[2] == 0);
	assert_string_equal(o.text, "12345678");
	assert_null(o.list[0]);
	option_free(sample_option_table, &o);
}

/* Each choice has the first number, but those that are named behind it, by their whole name. */
static void default_weights(void **state)
{
	static const char *const choices[] = { "share", "unshare", "dare", NULL };
	static const struct {
		const char *def;
		u64 weights[3];
	} rows[] = { { "1", { 1, 1, 1 } },
		     { "2,unshare=0", { 2, 0, 2 } },
		     { "0,share=3", { 3, 0, 0 } },
		     { "1,dare=12,share=4", { 4, 1, 12 } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct opt_def table[] = { { .name = "weights",
						   .type = OPT_WEIGHTS,
						   .def = rows[i].def,
						   .choices = choices },
						 { 0 } };
		u64 got[3] = { 9, 9, 9 };
		struct err e = { "" };

		if (decode(table, "{}", got, NULL, &e))
			fail_msg("%s", e.text);
		assert_memory_equal(got, rows[i].weights, sizeof(got));
		assert_int_equal(decode(table, "{\"weights\": {\"unshare\": 5}}", got, NULL, &e),
				 0);
		assert_int_equal(got[1], 5);
	}
}

/* A default that names what is no choice says nothing. */
static void workers_weights_name_choices(void **state)
{
	(void)state;
	for (const struct worker_type *const *t = worker_types; *t; t++)
		opt_foreach (o, (*t)->options) {
			const char *at = o->type == OPT_WEIGHTS ? strchr(o->def, ',') : NULL;

			for (; at; at = strchr(at + 1, ',')) {
				_cleanup_free_ char *name = strndup(at + 1, strcspn(at + 1, "="));

				assert_true(option_choice(o->choices, name) >= 0);
			}
		}
}

/* What was resolved decodes to the same again, and names every key. */
static void resolved(void **state)
{
	_cleanup_json_ json_t *once = NULL, *twice = NULL;
	_cleanup_free_ char *text = NULL;
	struct sample_options a = { 0 }, b = { 0 };
	struct err e = { "" };

	(void)state;
	assert_int_equal(decode(sample_option_table, "{\"text\": \"t\"}", &a, &once, &e), 0);
	text = json_dumps(once, 0);
	assert_int_equal(decode(sample_option_table, text, &b, &twice, &e), 0);
	assert_true(json_equal(once, twice));
	opt_foreach (o, sample_option_table)
		assert_non_null(json_object_get(once, o->name));
	assert_memory_equal(&a, &b, offsetof(struct sample_options, text));
	option_free(sample_option_table, &a);
	option_free(sample_option_table, &b);
}

/* A failure half-way leaves a block that option_free() can take. */
static void failures(void **state)
{
	static const char *const texts[] = {
		"[]",
		"7",
		"{\"x\": 1}",
		"{\"list\": [\"a\", \"b\", 3]}",
		"{\"text\": \"ok\", \"list\": 1}",
		"{\"text\": \"too long by far\"}",
		"{\"numbers\": -1}",
		"{\"weights\": {\"red\": -1}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct sample_options o = { 0 };
		json_t *none = NULL;
		struct err e = { "" };

		assert_int_equal(decode(sample_option_table, texts[i], &o, &none, &e), -EINVAL);
		assert_null(none);
		assert_memory_equal(e.text, "o:1: /", 6);
		option_free(sample_option_table, &o);
	}
	option_free(sample_option_table, NULL);
	option_free(NULL, NULL);
}

static void nearest(void **state)
{
	static const char *const names[] = { "seed", "duration", "stop_on", "fs", NULL };

	(void)state;
	assert_string_equal(option_nearest(names, "sede"), "seed");
	assert_string_equal(option_nearest(names, "durations"), "duration");
	assert_string_equal(option_nearest(names, "stop-on"), "stop_on");
	assert_null(option_nearest(names, "workers"));
	/* Two edits make any two letters: that is no likeness. */
	assert_null(option_nearest(names, "xy"));
	assert_null(option_nearest(names, ""));
	assert_int_equal(option_choice(names, "fs"), 3);
	assert_int_equal(option_choice(names, "f"), -1);
	assert_int_equal(option_choice(NULL, "f"), -1);
}

static void lists(void **state)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *list = option_describe_json(sample_option_table);
	size_t len, n = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	option_describe(sample_option_table, "  ", out);
	fclose(out);
	assert_non_null(strstr(text, "  number         count        a count (an integer, in 1..64; "
				     "default 8)\n"));
	assert_non_null(strstr(text, "one of \"red\", \"green\", \"blue\"; default green)"));
	assert_non_null(strstr(text, "a string of 1..8 bytes; optional)"));
	opt_foreach (o, sample_option_table) {
		const json_t *item = json_array_get(list, n++);

		assert_string_equal(json_string_value(json_object_get(item, "name")), o->name);
		assert_non_null(json_object_get(item, "help"));
	}
	assert_int_equal(json_array_size(list), n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	   cmocka_unit_test(values),
		cmocka_unit_test(default_weights), cmocka_unit_test(workers_weights_name_choices),
		cmocka_unit_test(resolved),	   cmocka_unit_test(failures),
		cmocka_unit_test(nearest),	   cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
