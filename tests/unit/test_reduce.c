// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Forms and reductions, over every scenario that the tree carries: the form means what the
 * scenario means, every proposal takes something away, proposing ends, and no reduction is dead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "search/reduce.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MOST 2000 /* until nothing is left to take from a scenario */

static glob_t scenarios;
static size_t nscenarios; /* they come first in it */

/* A matrix lies among them, and is none. */
static bool is_scenario(const char *path)
{
	json_t *o = json_load_file(path, 0, NULL);
	bool is = o && !json_object_get(o, "kernels");

	json_decref(o);
	return is;
}

static int setup(void **state)
{
	size_t n = 0;

	(void)state;
	assert_int_equal(glob(SOURCE_DIR "/configs/*.json", 0, NULL, &scenarios), 0);
	assert_int_equal(glob(SOURCE_DIR "/configs/*/*.json", GLOB_APPEND, NULL, &scenarios), 0);
	assert_int_equal(glob(SOURCE_DIR "/tests/minimize/*.json", GLOB_APPEND, NULL, &scenarios),
			 0);
	for (size_t i = 0; i < scenarios.gl_pathc; i++)
		if (is_scenario(scenarios.gl_pathv[i])) {
			char *path = scenarios.gl_pathv[n];

			/* Swapped: globfree(3) frees them all. */
			scenarios.gl_pathv[n++] = scenarios.gl_pathv[i];
			scenarios.gl_pathv[i] = path;
		}
	nscenarios = n;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	globfree(&scenarios);
	return 0;
}

static json_t *load(const char *path)
{
	json_t *form = NULL;
	struct err e = { "" };

	if (form_load(path, &form, &e) < 0)
		fail_msg("%s", e.text);
	return form;
}

static struct scenario *valid(const json_t *rendered)
{
	struct scenario *sc = NULL;

	assert_true(form_is_valid(rendered, &sc));
	return sc;
}

/* Actors of one process have two names; both become the one that a form gives them. */
static json_t *meaning(const struct scenario *sc)
{
	json_t *all = json_deep_copy(sc->resolved), *actors = json_array();

	json_object_del(all, "seed");
	json_object_del(all, "stop_on");
	json_object_del(all, "races");
	for (size_t i = 0; i < sc->nraces; i++)
		for (size_t k = 0; k < sc->races[i].nactors; k++) {
			const struct sc_actor *a = &sc->races[i].actors[k];
			bool all_of_it = a->process < 0 || sc->workers[a->worker].count == 1;

			json_array_append_new(actors, json_pack("{si si sI sI si sb}", "worker",
								(int)a->worker, "process",
								all_of_it ? -1 : (int)a->process,
								"lo", (json_int_t)a->offset.lo,
								"hi", (json_int_t)a->offset.hi,
								"hold", a->hold, "loop", a->loop));
		}
	json_object_set_new(all, "actors", actors);
	return all;
}

static void a_form_means_what_the_scenario_means(void **state)
{
	(void)state;
	for (size_t i = 0; i < nscenarios; i++) {
		json_t *form = load(scenarios.gl_pathv[i]), *rendered = form_render(form), *a, *b;
		struct scenario *sc = NULL, *again = valid(rendered);
		struct err e;

		assert_int_equal(scenario_load(scenarios.gl_pathv[i], &sc, &e), 0);
		a = meaning(sc);
		b = meaning(again);
		if (!json_equal(a, b))
			fail_msg("%s means something else:\n%s\n%s", scenarios.gl_pathv[i],
				 json_dumps(a, JSON_SORT_KEYS), json_dumps(b, JSON_SORT_KEYS));
		json_decref(a);
		json_decref(b);
		json_decref(form);
		json_decref(rendered);
		scenario_free(sc);
		scenario_free(again);
	}
}

/* What a run wrote has every default in it; its form has none and is that of the source. */
static void a_resolved_scenario_has_the_same_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < nscenarios; i++) {
		json_t *form = load(scenarios.gl_pathv[i]), *again = NULL;
		struct scenario *sc = NULL;
		struct err e;
		char *text;

		assert_int_equal(scenario_load(scenarios.gl_pathv[i], &sc, &e), 0);
		text = json_dumps(sc->resolved, 0);
		assert_int_equal(form_parse("resolved", text, &again, &e), 0);
		if (!json_equal(form, again))
			fail_msg("%s:\n%s\n%s", scenarios.gl_pathv[i], json_dumps(form, 0),
				 json_dumps(again, 0));
		free(text);
		json_decref(form);
		json_decref(again);
		scenario_free(sc);
	}
}

static json_t *with(const json_t *form, const struct edit *edit)
{
	json_t *copy = json_deep_copy(form);

	form_apply(copy, edit);
	return copy;
}

/* The form after the first proposal of @row that leads to a valid scenario, or NULL. */
static json_t *first_valid(const struct reduction *row, const json_t *form)
{
	struct edits edits = { 0 };
	json_t *found = NULL;

	row->propose(form, &edits);
	for (size_t i = 0; i < edits.n && !found; i++) {
		json_t *next = with(form, &edits.edit[i]), *rendered = form_render(next);

		assert_true(edits.edit[i].what[0]);
		assert_true(json_object_size(edits.edit[i].set) > 0);
		if (!json_equal(next, form) && form_is_valid(rendered, NULL))
			found = json_incref(next);
		json_decref(next);
		json_decref(rendered);
	}
	edits_free(&edits);
	return found;
}

/* Which rows have something to say of the scenario as it is? */
static void note_used(const json_t *form, bool *used)
{
	for (const struct reduction *row = reductions; row->name; row++) {
		json_t *next = first_valid(row, form);

		used[row - reductions] |= next != NULL;
		json_decref(next);
	}
}

/* Take the first valid proposal until there is none. Returns how many were taken. */
static size_t take_all(json_t **form, bool *used)
{
	size_t taken = 0;

	for (const struct reduction *row = reductions; row->name;) {
		json_t *next = first_valid(row, *form);

		if (!next) {
			row++;
			continue;
		}
		json_decref(*form);
		*form = next;
		used[row - reductions] = true;
		if (++taken > STEPS_MOST)
			fail_msg("%s never ends", row->name);
	}
	return taken;
}

#define THREE                                                                                      \
	"{ \"version\": 1, \"name\": \"three\", \"target\": { \"type\": \"directory\","            \
	"  \"path\": \"/tmp\" }, \"files\": [ { \"name\": \"a\", \"size\": \"64K\" },"             \
	"  { \"name\": \"b\", \"size\": \"64K\" } ], \"workers\": ["                               \
	"  { \"type\": \"steps\", \"file\": \"a\", \"count\": 2,"                                  \
	"    \"options\": { \"steps\": [\"read\", \"write 4K\"] } },"                              \
	"  { \"type\": \"reader\", \"file\": \"b\" },"                                             \
	"  { \"type\": \"steps\", \"file\": \"a\", \"options\": { \"steps\": [\"write 4K\"] } },"  \
	"  { \"type\": \"steps\", \"file\": \"a\", \"options\": { \"steps\": [\"drop\"] } } ],"    \
	"  \"races\": [ { \"name\": \"r\", \"hold\": \"source-fault\","                            \
	"    \"actors\": [ 2, \"steps.0\", { \"worker\": 3, \"loop\": true } ] } ] }"

static json_t *three(void)
{
	json_t *form = NULL;
	struct err e = { "" };

	if (form_parse("three", THREE, &form, &e) < 0)
		fail_msg("%s", e.text);
	return form;
}

static void reductions_end_and_none_is_dead(void **state)
{
	bool used[32] = { false };
	json_t *form;
	size_t rows = 0;

	(void)state;
	while (reductions[rows].name)
		rows++;
	assert_in_range(rows, 1, ARRAY_SIZE(used));
	for (size_t i = 0; i < nscenarios; i++) {
		struct scenario *sc;
		json_t *rendered;

		form = load(scenarios.gl_pathv[i]);
		note_used(form, used);
		assert_true(take_all(&form, used) > 0);
		rendered = form_render(form);
		sc = valid(rendered);
		assert_int_equal(sc->nworkers, 1);
		assert_int_equal(sc->nraces, 0);
		scenario_free(sc);
		json_decref(form);
		json_decref(rendered);
	}
	/* The races of the tree have two actors, of which none can go. */
	form = three();
	note_used(form, used);
	json_decref(form);
	for (size_t r = 0; r < rows; r++)
		if (!used[r])
			fail_msg("%s never proposed anything valid", reductions[r].name);
}

/* Render @form without what is at the pointers of @gone, and compare the actors of its race. */
static void assert_actors(const char *const *gone, const char *expected)
{
	json_t *form = three(), *rendered, *actors;
	struct edits edits = { 0 };
	char *text;

	for (; *gone; gone++)
		edits_add(&edits, *gone, json_null(), "x");
	for (size_t i = 0; i < edits.n; i++)
		form_apply(form, &edits.edit[i]);
	rendered = form_render(form);
	scenario_free(valid(rendered));
	actors = json_object_get(json_array_get(json_object_get(rendered, "races"), 0), "actors");
	text = actors ? json_dumps(actors, JSON_COMPACT) : strdup("no race");
	assert_string_equal(text, expected);
	free(text);
	edits_free(&edits);
	json_decref(rendered);
	json_decref(form);
}

/* Names of actors follow their workers, whatever goes before them. */
static void actors_keep_their_workers(void **state)
{
	(void)state;
	assert_actors((const char *const[]){ NULL },
		      "[{\"worker\":\"steps.2\",\"hold\":\"source-fault\"},\"steps.0\","
		      "{\"worker\":\"steps.3\",\"loop\":true}]");
	assert_actors((const char *const[]){ "/workers/1", "/workers/0/count", NULL },
		      "[{\"worker\":\"steps.1\",\"hold\":\"source-fault\"},\"steps.0\","
		      "{\"worker\":\"steps.2\",\"loop\":true}]");
	/* The hold is its actor's, and goes with it; the next first one does not inherit it. */
	assert_actors((const char *const[]){ "/workers/2", NULL },
		      "[\"steps.0\",{\"worker\":\"steps.2\",\"loop\":true}]");
	assert_actors((const char *const[]){ "/workers/0", NULL },
		      "[{\"worker\":\"steps.0\",\"hold\":\"source-fault\"},"
		      "{\"worker\":\"steps.1\",\"loop\":true}]");
	/* One who only waits for others is no race. */
	assert_actors((const char *const[]){ "/workers/0", "/workers/2", NULL }, "no race");
	assert_actors((const char *const[]){ "/races/0/actors/0", "/races/0/actors/1", NULL },
		      "no race");
}

/* Changes can be made in any order, and into what is gone already. */
static void changes_do_not_know_of_each_other(void **state)
{
	json_t *a = three(), *b = three();
	struct edits edits = { 0 };

	(void)state;
	edits_add(&edits, "/workers/0", json_null(), "worker");
	edits_add(&edits, "/workers/0/options/steps/0", json_null(), "step");
	edits_add(&edits, "/workers/2/file", json_string("b"), "file");
	for (size_t i = 0; i < edits.n; i++)
		form_apply(a, &edits.edit[i]);
	for (size_t i = edits.n; i-- > 0;)
		form_apply(b, &edits.edit[i]);
	assert_true(json_equal(a, b));
	assert_null(form_at(a, "/workers/0"));
	assert_string_equal(json_string_value(form_at(a, "/workers/2/file")), "b");
	edits_free(&edits);
	json_decref(a);
	json_decref(b);
}

static void what_is_no_scenario_has_no_form(void **state)
{
	json_t *form = NULL;
	struct err e = { "" };

	(void)state;
	assert_int_equal(form_parse("bad", "{ \"version\": 1 }", &form, &e), -EINVAL);
	assert_non_null(strstr(e.text, "bad:1: "));
	assert_int_equal(form_load("/nonexistent/scenario.json", &form, &e), -ENOENT);
	assert_null(form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_means_what_the_scenario_means),
		cmocka_unit_test(a_resolved_scenario_has_the_same_form),
		cmocka_unit_test(reductions_end_and_none_is_dead),
		cmocka_unit_test(actors_keep_their_workers),
		cmocka_unit_test(changes_do_not_know_of_each_other),
		cmocka_unit_test(what_is_no_scenario_has_no_form),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
