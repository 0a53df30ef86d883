// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Good scenarios: what they decode to, that the resolved copy loads to the same again, and that
 * running out of memory anywhere is an error and nothing else.
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

#define NAME60 "012345678901234567890123456789012345678901234567890123456789"
#define BASE   SOURCE_DIR "/tests/bad-scenarios/base.json"

static const char least[] = "{\"version\": 1, \"name\": \"least\","
			    " \"files\": [{\"name\": \"a\", \"size\": \"1M\"}],"
			    " \"workers\": [{\"type\": \"dropper\"}]}";

static struct scenario *parse(const char *text)
{
	struct scenario *sc = NULL;
	struct err e = { "" };

	if (scenario_parse_with(&sample_tables, "good.json", text, strlen(text), &sc, &e))
		fail_msg("%s", e.text);
	return sc;
}

static char *base_text(void)
{
	_cleanup_json_ json_t *base = json_load_file(BASE, 0, NULL);

	return json_dumps(base, 0);
}

static void defaults(void **state)
{
	struct scenario *sc = parse(least);
	const struct sample_image *image = sc->target.options;

	(void)state;
	assert_string_equal(sc->path, "good.json");
	assert_true(sc->version == 1 && !sc->description && !sc->reference && !sc->expect);
	assert_true(sc->duration_ns == 30 * NSEC_PER_SEC && sc->stop_on == STOP_HIT);
	assert_ptr_equal(sc->target.type, &sample_image_type);
	assert_true(image->fs == 0 && image->size == 512 * MIB && !image->mount[0]);
	assert_true(sc->nfiles == 1 && sc->files[0].size_bytes == MIB);
	assert_true(sc->files[0].max_bytes == MIB && sc->files[0].cell_bytes == 512);
	assert_true(sc->files[0].layout == LAYOUT_HOLE && !sc->files[0].conflict);
	assert_true(sc->nworkers == 1 && sc->workers[0].count == 1 && sc->workers[0].file == -1);
	assert_ptr_equal(sc->workers[0].type, &sample_dropper);
	assert_non_null(sc->workers[0].options);
	assert_string_equal(sc->workers[0].pointer, "/workers/0");
	assert_true(sc->nfaults == 0 && sc->verify.inline_ && sc->verify.final && sc->verify.fsck);
	assert_true(sc->verify.layers == (1 << LAYERS) - 1 && sc->verify.every_ns == 0);
	assert_true(sc->kernel_log.fail_at == SEV_WARNING && !sc->kernel_log.allow[0]);
	scenario_free(sc);
	scenario_free(NULL);
}

static void values(void **state)
{
	struct scenario *sc = NULL;
	struct err e = { "" };
	const struct sample_options *o;

	(void)state;
	if (scenario_load_with(&sample_tables, BASE, &sc, &e))
		fail_msg("%s", e.text);
	assert_string_equal(sc->name, "base");
	assert_string_equal(sc->expect, "lost-write");
	assert_true(sc->seed == 7 && sc->nfiles == 2 && sc->nworkers == 3 && sc->nfaults == 1);
	assert_true(sc->files[0].max_bytes == 32 * MIB && sc->files[1].conflict);
	assert_true(sc->workers[0].file == 0 && sc->workers[0].count == 2);
	assert_true(sc->workers[1].file == 1 && sc->workers[2].file == -1);
	o = sc->workers[0].options;
	assert_true(o->time == 5 * NSEC_PER_MSEC && o->weights[0] == 3 && o->weights[1] == 0);
	assert_string_equal(o->text, "hello");
	assert_true(sc->faults[0].after_ns == 2 * NSEC_PER_SEC);
	assert_true(sc->faults[0].for_ns == 500 * NSEC_PER_MSEC);
	assert_true(sc->faults[0].every_ns == 3 * NSEC_PER_SEC);
	assert_string_equal(sc->faults[0].pointer, "/faults/0");
	assert_true(sc->verify.layers == (1 << LAYER_CACHE | 1 << LAYER_DIRECT));
	assert_string_equal(sc->kernel_log.allow[0], "Buffer I/O error on dev");
	assert_null(sc->kernel_log.allow[1]);
	scenario_free(sc);
}

static void stops(void **state)
{
	static const struct {
		const char *text;
		int stop_on;
		u64 attempts;
	} rows[] = {
		{ "\"hit\"", STOP_HIT, 0 },
		{ "\"never\"", STOP_NEVER, 0 },
		{ "{\"attempts\": 40}", STOP_ATTEMPTS, 40 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		struct scenario *sc;

		assert_true(asprintf(&text, "{\"stop_on\": %s, %s", rows[i].text, least + 1) > 0);
		sc = parse(text);
		assert_int_equal(sc->stop_on, rows[i].stop_on);
		assert_true(sc->attempts == rows[i].attempts);
		scenario_free(sc);
	}
}

/* Values at their very bounds are good: the tables beside show one further to be wrong. */
static void bounds(void **state)
{
	static const char *const keys[] = {
		"\"seed\": 0",
		"\"seed\": 9223372036854775807",
		"\"seed\": -0",
		"\"duration\": \"1ms\"",
		"\"duration\": \"720h\"",
		"\"target\": {}",
		"\"target\": {\"type\": \"directory\", \"path\": \"x\"}",
		"\"target\": {\"fs\": \"ext4\"}",
		"\"verify\": {}",
		"\"verify\": {\"layers\": []}",
	};
	static const char *const files[] = {
		"{\"name\": \"...\", \"size\": 64, \"cell\": 64}",
		"{\"name\": \"..a\", \"size\": \"4K\", \"cell\": \"4K\"}",
		"{\"name\": \".a.\", \"size\": 0, \"max\": 512}",
		"{\"name\": \"\xc3\xa4 b\", \"size\": \"8G\"}",
		"{\"name\": \"a\", \"size\": \"64G\", \"cell\": 4096}",
		"{\"name\": \"" NAME60 "\", \"size\": 512}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text, "{%s, %s", keys[i], least + 1) > 0);
		scenario_free(parse(text));
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;

		assert_true(asprintf(&text,
				     "{\"version\": 1, \"name\": \"f\", \"files\": [%s],"
				     "\"workers\": [{\"type\": \"dropper\", \"count\": "
				     "256}]}",
				     files[i]) > 0);
		scenario_free(parse(text));
	}
}

static void seeds(void **state)
{
	struct scenario *a = parse(least), *b = parse(least);

	(void)state;
	assert_true(a->seed != b->seed && a->seed <= INT64_MAX);
	assert_true((u64)json_integer_value(json_object_get(a->resolved, "seed")) == a->seed);
	scenario_free(a);
	scenario_free(b);
}

static void assert_same(const struct scenario *a, const struct scenario *b)
{
	assert_string_equal(a->name, b->name);
	assert_true(a->seed == b->seed && a->duration_ns == b->duration_ns);
	assert_true(a->stop_on == b->stop_on && a->attempts == b->attempts);
	assert_true(a->target.type == b->target.type && a->nfiles == b->nfiles);
	assert_true(a->nworkers == b->nworkers && a->nfaults == b->nfaults);
	for (size_t i = 0; i < a->nfiles; i++) {
		assert_string_equal(a->files[i].name, b->files[i].name);
		assert_memory_equal((const char *)&a->files[i] + sizeof(char *),
				    (const char *)&b->files[i] + sizeof(char *),
				    offsetof(struct sc_file, conflict) - sizeof(char *));
		assert_int_equal(a->files[i].conflict, b->files[i].conflict);
	}
	for (size_t i = 0; i < a->nworkers; i++) {
		const struct sc_worker *v = &a->workers[i], *w = &b->workers[i];

		assert_true(v->type == w->type && v->file == w->file && v->count == w->count);
		assert_true(v->optional == w->optional && v->after_ns == w->after_ns);
		if (v->type == &sample_writer)
			assert_memory_equal(v->options, w->options,
					    offsetof(struct sample_options, text));
	}
	for (size_t i = 0; i < a->nfaults; i++)
		assert_true(a->faults[i].every_ns == b->faults[i].every_ns);
	assert_true(a->verify.layers == b->verify.layers);
	assert_true(a->verify.every_ns == b->verify.every_ns);
	assert_int_equal(a->kernel_log.fail_at, b->kernel_log.fail_at);
}

static void round_trip(void **state)
{
	_cleanup_free_ char *full = base_text();
	const char *const texts[] = { least, full };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct scenario *a = parse(texts[i]), *b;
		_cleanup_free_ char *text = json_dumps(a->resolved, JSON_INDENT(2));

		b = parse(text);
		assert_same(a, b);
		assert_true(json_equal(a->resolved, b->resolved));
		opt_foreach (o, sc_root_options)
			if (o->def || o->required)
				assert_non_null(json_object_get(a->resolved, o->name));
		assert_non_null(json_object_get(
			json_array_get(json_object_get(a->resolved, "files"), 0), "max"));
		scenario_free(a);
		scenario_free(b);
	}
}

/* jansson's allocations from the Nth on fail, or just the Nth. */
static size_t allocations, fail_from;
static bool fail_once;

static void *failing_malloc(size_t size)
{
	size_t n = ++allocations;

	return fail_from && (fail_once ? n == fail_from : n >= fail_from) ? NULL : malloc(size);
}

static void out_of_memory(void **state)
{
	_cleanup_free_ char *text = base_text();
	int r;

	(void)state;
	for (int once = 0; once < 2; once++) {
		fail_once = once;
		fail_from = 0;
		do {
			struct scenario *sc = NULL;
			struct err e = { "" };

			fail_from++;
			allocations = 0;
			json_set_alloc_funcs(failing_malloc, free);
			r = scenario_parse_with(&sample_tables, "m", text, strlen(text), &sc, &e);
			json_set_alloc_funcs(malloc, free);
			if (r && (sc || strncmp(e.text, "m:1: /", 6)))
				fail_msg("allocation %zu: %d %s", fail_from, r, e.text);
			scenario_free(sc);
		} while (allocations >= fail_from);
		assert_int_equal(r, 0);
		assert_true(fail_from > 100);
	}
}

/* The same for the schema and the lists, which are made of many small objects. */
static void out_of_memory_schema(void **state)
{
	json_t *schema, *list;

	(void)state;
	fail_once = true;
	fail_from = 0;
	do {
		fail_from++;
		allocations = 0;
		json_set_alloc_funcs(failing_malloc, free);
		schema = scenario_schema_with(&sample_tables);
		list = option_describe_json(sc_root_options);
		json_set_alloc_funcs(malloc, free);
		if ((schema && list) != (allocations < fail_from))
			fail_msg("allocation %zu of %zu", fail_from, allocations);
		json_decref(schema);
		json_decref(list);
	} while (allocations >= fail_from);
	assert_true(fail_from > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	 cmocka_unit_test(values),
		cmocka_unit_test(stops),	 cmocka_unit_test(bounds),
		cmocka_unit_test(seeds),	 cmocka_unit_test(round_trip),
		cmocka_unit_test(out_of_memory), cmocka_unit_test(out_of_memory_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
