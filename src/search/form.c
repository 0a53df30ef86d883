// SPDX-License-Identifier: GPL-2.0-or-later
/* Into the form, changes of it, and back. Knows the keys that tie parts to each other: workers,
 * races and their actors; of everything else only that it is JSON. */
#include "search/form.h"

#include "base/fsutil.h"
#include "base/json_at.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1 * MIB)
#define POINTER	 512

/* An actor in the form: {"row": N, "process": N or -1, ...}; -1 stands for all of them. */
static json_t *actor_form(const json_t *given, const struct sc_actor *a)
{
	json_t *actor = json_is_object(given) ? json_deep_copy(given) : json_object();

	json_object_del(actor, "worker");
	json_object_set_new(actor, "row", json_integer((json_int_t)a->worker));
	json_object_set_new(actor, "process", json_integer((json_int_t)a->process));
	return actor;
}

static json_t *hold_of(const json_t *race, const json_t *actor, size_t i)
{
	json_t *own = json_object_get(actor, "hold");

	return own || i ? own : json_object_get(race, "hold");
}

/* The race's hold is its first actor's: it must not become another's when that one goes. */
static void race_form(json_t *race, const struct sc_race *sc)
{
	json_t *actors = json_array(), *given = json_object_get(race, "actors");

	for (size_t i = 0; i < sc->nactors; i++) {
		const json_t *was = json_array_get(given, i);
		json_t *actor = actor_form(was, &sc->actors[i]);
		json_t *hold = hold_of(race, was, i);

		if (hold)
			json_object_set(actor, "hold", hold);
		json_array_append_new(actors, actor);
	}
	json_object_del(race, "hold");
	json_object_set_new(race, "actors", actors);
}

static json_t *form_of(json_t *given, const struct scenario *sc)
{
	/* All its own: nothing that is changed later is seen elsewhere. */
	json_t *form = json_deep_copy(given), *races = json_object_get(form, "races");

	for (size_t i = 0; i < sc->nraces; i++)
		race_form(json_array_get(races, i), &sc->races[i]);
	return form;
}

/* Does the scenario without the value at @key of @from mean the same? It stays away, then. */
static bool drop_default(json_t *root, json_t *from, const char *key, const json_t *resolved)
{
	_cleanup_json_ json_t *was = json_incref(json_object_get(from, key));
	struct scenario *sc = NULL;
	bool same;

	json_object_del(from, key);
	same = form_is_valid(root, &sc) && json_equal(sc->resolved, resolved);
	scenario_free(sc);
	if (!same)
		json_object_set(from, key, was);
	return same;
}

/* Every key of every object, the outer ones first. What stays goes to the end of its object, so
 * the order remains, and the keys are those that there were at first. */
static void drop_defaults(json_t *root, json_t *at, const json_t *resolved)
{
	_cleanup_json_ json_t *keys = json_object();
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(at))
		json_array_foreach (at, i, value)
			drop_defaults(root, value, resolved);
	json_object_foreach (at, key, value)
		json_object_set_new(keys, key, json_null());
	json_object_foreach (keys, key, value)
		if (!drop_default(root, at, key, resolved))
			drop_defaults(root, json_object_get(at, key), resolved);
}

int form_parse(const char *path, const char *text, json_t **ret, struct err *e)
{
	_cleanup_json_ json_t *given = NULL;
	struct scenario *sc = NULL;
	int r = scenario_parse(path, text, strlen(text), &sc, e);

	if (r < 0)
		return r;
	given = json_loads(text, 0, NULL);
	json_object_del(given, "seed");
	json_object_del(given, "stop_on");
	json_object_set_new(sc->resolved, "stop_on", json_string("hit"));
	/* A drawn seed is another each time: for the comparison there is one. */
	json_object_set_new(given, "seed", json_integer(1));
	json_object_set_new(sc->resolved, "seed", json_integer(1));
	drop_defaults(given, given, sc->resolved);
	json_object_del(given, "seed");
	*ret = form_of(given, sc);
	scenario_free(sc);
	return 0;
}

int form_load(const char *path, json_t **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = read_file(path, TEXT_MAX, &text, NULL);

	if (r < 0)
		return err_set(e, r, "%s: cannot be read: %s; expected a scenario file", path,
			       strerror(-r));
	return form_parse(path, text, ret, e);
}

bool form_is_valid(const json_t *rendered, struct scenario **ret)
{
	_cleanup_free_ char *text = json_dumps(rendered, JSON_COMPACT);
	struct scenario *sc = NULL;
	struct err e;

	if (!text || scenario_parse("candidate", text, strlen(text), &sc, &e) < 0)
		return false;
	if (ret)
		*ret = sc;
	else
		scenario_free(sc);
	return true;
}

void edits_add(struct edits *e, const char *pointer, json_t *value, const char *fmt, ...)
{
	struct edit *grown = reallocarray(e->edit, e->n + 1, sizeof(*grown));
	va_list ap;

	if (!grown) {
		json_decref(value);
		return;
	}
	e->edit = grown;
	grown[e->n] = (struct edit){ .set = json_object() };
	va_start(ap, fmt);
	vsnprintf(grown[e->n].what, sizeof(grown[e->n].what), fmt, ap);
	va_end(ap);
	e->n++;
	edits_also(e, pointer, value);
}

void edits_also(struct edits *e, const char *pointer, json_t *value)
{
	json_object_set_new(e->edit[e->n - 1].set, pointer, value);
}

void edits_free(struct edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		json_decref(e->edit[i].set);
	free(e->edit);
	*e = (struct edits){ 0 };
}

static json_t *child_of(const json_t *at, const char *key)
{
	json_t *v = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
				      : json_object_get(at, key);

	return json_is_null(v) ? NULL : v;
}

/* The parent of what @pointer names, whose key is then *ret_key, in @buf. NULL: it is gone. */
static json_t *parent_of(const json_t *form, const char *pointer, char buf[POINTER], char **ret_key)
{
	json_t *at = (json_t *)form;
	char *save = NULL, *key, *next;

	if (path_set(buf, POINTER, "%s", pointer) < 0)
		return NULL;
	key = strtok_r(buf, "/", &save);
	while (at && key && (next = strtok_r(NULL, "/", &save))) {
		at = child_of(at, key);
		key = next;
	}
	*ret_key = key;
	return key ? at : NULL;
}

json_t *form_at(const json_t *form, const char *pointer)
{
	char buf[POINTER], *key;
	json_t *parent = parent_of(form, pointer, buf, &key);

	return parent ? child_of(parent, key) : NULL;
}

void form_apply(json_t *form, const struct edit *edit)
{
	char buf[POINTER], *key;
	const char *pointer;
	json_t *value;

	json_object_foreach (edit->set, pointer, value) {
		json_t *parent = parent_of(form, pointer, buf, &key);

		if (json_is_array(parent))
			json_array_set(parent, strtoul(key, NULL, 10), value);
		else if (json_is_object(parent))
			json_object_set(parent, key, value);
	}
}

/* How many processes rows [0, @row) of the type of @row have: where "type.N" counts from. */
static json_int_t processes_before(const json_t *workers, size_t row, json_int_t *ret_count)
{
	const json_t *me = json_array_get(workers, row);
	json_int_t n = 0;

	for (size_t i = 0; i <= row; i++) {
		const json_t *w = json_array_get(workers, i), *count = json_object_get(w, "count");

		if (!json_is_object(w) ||
		    !json_equal(json_object_get(w, "type"), json_object_get(me, "type")))
			continue;
		*ret_count = count && !json_is_null(count) ? json_integer_value(count) : 1;
		if (i < row)
			n += *ret_count;
	}
	return n;
}

/* What a scenario calls an actor: "type.N", or the index of its row when that is several
 * processes. NULL: it is gone. */
static json_t *actor_name(const json_t *workers, const json_t *actor)
{
	size_t row = (size_t)json_integer_value(json_object_get(actor, "row")), index = 0;
	json_int_t process = json_integer_value(json_object_get(actor, "process")), count = 1, n;
	const json_t *w = json_array_get(workers, row);

	if (!json_is_object(w))
		return NULL;
	n = processes_before(workers, row, &count);
	if (process >= count)
		return NULL;
	if (process >= 0 || count == 1)
		return json_sprintf("%s.%lld", json_string_value(json_object_get(w, "type")),
				    (long long)(n + MAX(process, (json_int_t)0)));
	for (size_t i = 0; i < row; i++)
		index += json_is_object(json_array_get(workers, i));
	return json_integer((json_int_t)index);
}

int form_row_of(const json_t *form, const char *process)
{
	const json_t *workers = json_object_get(form, "workers");
	const char *dot = strrchr(process, '.');
	json_int_t n = dot ? strtoll(dot + 1, NULL, 10) : 0, count = 1, before;

	for (size_t i = 0; dot && i < json_array_size(workers); i++) {
		const char *type =
			json_string_value(json_object_get(json_array_get(workers, i), "type"));

		if (!type || strlen(type) != (size_t)(dot - process) ||
		    strncmp(type, process, strlen(type)) != 0)
			continue;
		before = processes_before(workers, i, &count);
		if (n >= before && n < before + count)
			return (int)i;
	}
	return -1;
}

static json_t *render_actor(const json_t *workers, const json_t *actor)
{
	_cleanup_json_ json_t *name = actor_name(workers, actor);
	json_t *to, *value;
	const char *key;

	if (!name)
		return NULL;
	to = json_object();
	json_object_set(to, "worker", name);
	json_object_foreach ((json_t *)actor, key, value)
		if (strcmp(key, "row") && strcmp(key, "process") && !json_is_null(value))
			json_object_set(to, key, value);
	if (json_object_size(to) > 1)
		return to;
	json_decref(to);
	return json_incref(name);
}

/* A race of one, or of those alone who wait for others to be done, is none. */
static bool is_race(const json_t *actors)
{
	bool waits = false;

	for (size_t i = 0; i < json_array_size(actors); i++)
		waits |= !json_is_true(json_object_get(json_array_get(actors, i), "loop"));
	return waits && json_array_size(actors) >= 2;
}

static json_t *render_actors(const json_t *workers, const json_t *given)
{
	json_t *to = json_array();

	for (size_t i = 0; i < json_array_size(given); i++) {
		json_t *actor = json_array_get(given, i);

		actor = json_is_object(actor) ? render_actor(workers, actor) : NULL;
		if (actor)
			json_array_append_new(to, actor);
	}
	return to;
}

static void render_races(const json_t *workers, json_t *races)
{
	for (size_t i = 0; i < json_array_size(races); i++) {
		json_t *race = json_array_get(races, i);
		_cleanup_json_ json_t *actors =
			render_actors(workers, json_object_get(race, "actors"));

		if (is_race(actors))
			json_object_set(race, "actors", actors);
		else
			json_array_set_new(races, i, json_null());
	}
}

static bool is_empty(const json_t *v)
{
	return (json_is_array(v) && !json_array_size(v)) ||
	       (json_is_object(v) && !json_object_size(v));
}

/* Without nulls, and without what held nothing else. */
static void strip(json_t *at)
{
	const char *key;
	json_t *value;
	void *next;

	for (size_t i = json_array_size(at); i-- > 0;) {
		value = json_array_get(at, i);
		strip(value);
		if (json_is_null(value) || is_empty(value))
			json_array_remove(at, i);
	}
	json_object_foreach_safe(at, next, key, value)
	{
		strip(value);
		if (json_is_null(value) || is_empty(value))
			json_object_del(at, key);
	}
}

json_t *form_render(const json_t *form)
{
	json_t *copy = json_deep_copy(form);

	render_races(json_object_get(copy, "workers"), json_object_get(copy, "races"));
	strip(copy);
	return copy;
}
