// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Races: who lines up with whom. An actor is named as a worker's type (all its processes),
 * "type.N" (one process, as reports name it) or the index of a worker; checked against the workers
 * that there are.
 */
#include "scenario/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fail_actor(const struct json_at *at, const char *name)
{
	return json_fail(at,
			 "there is no worker \"%.60s\"; expected the type of a worker of this "
			 "scenario, \"type.N\" or an index of /workers",
			 name);
}

static bool names_row(const struct sc_worker *w, const char *name, size_t len)
{
	return strlen(w->type->name) == len && !strncmp(w->type->name, name, len);
}

/* "reader": every worker of the type must be one row, for an actor is one row or one process. */
static int find_by_type(const struct scenario *sc, const char *name, const struct json_at *at,
			struct sc_actor *a)
{
	bool found = false;

	for (size_t i = 0; i < sc->nworkers; i++) {
		if (!names_row(&sc->workers[i], name, strlen(name)))
			continue;
		if (found)
			return json_fail(at,
					 "\"%.60s\" is more than one of the workers; expected "
					 "\"type.N\" or an index of /workers",
					 name);
		found = true;
		a->worker = i;
	}
	return found ? 0 : fail_actor(at, name);
}

/* "reader.2": processes of a type are numbered over all its rows. */
static int find_process(const struct scenario *sc, const char *name, const char *dot,
			const struct json_at *at, struct sc_actor *a)
{
	char *end;
	u64 n = strtoull(dot + 1, &end, 10);

	if (dot[1] < '0' || dot[1] > '9' || *end)
		return fail_actor(at, name);
	for (size_t i = 0; i < sc->nworkers; i++) {
		if (!names_row(&sc->workers[i], name, (size_t)(dot - name)))
			continue;
		a->worker = i;
		a->process = (s64)n;
		if (n < sc->workers[i].count)
			return 0;
		n -= sc->workers[i].count;
	}
	return fail_actor(at, name);
}

static int find_actor(const struct scenario *sc, const json_t *v, const struct json_at *at,
		      struct sc_actor *a)
{
	const char *name = json_string_value(v);
	const char *dot = name ? strrchr(name, '.') : NULL;
	char shown[JSON_SHOW_MAX];

	a->process = -1;
	if (json_is_integer(v) && json_integer_value(v) >= 0 &&
	    (size_t)json_integer_value(v) < sc->nworkers) {
		a->worker = (size_t)json_integer_value(v);
		return 0;
	}
	if (!name)
		return fail_actor(at, json_show(shown, v));
	return dot ? find_process(sc, name, dot, at, a) : find_by_type(sc, name, at, a);
}

static u64 processes(const struct scenario *sc, const struct sc_actor *a)
{
	return a->process >= 0 ? 1 : sc->workers[a->worker].count;
}

static int check_worker(const struct scenario *sc, const struct sc_actor *a,
			const struct json_at *at)
{
	const unsigned int alone = WORKER_QUIET | WORKER_UNMOUNTS | WORKER_HOLDS_FILES;
	const struct sc_worker *w = &sc->workers[a->worker];

	if (w->type->flags & alone)
		return json_fail(at,
				 "%s has no operations of its own to line up; expected a worker "
				 "that has",
				 w->type->name);
	if (w->optional)
		return json_fail(at,
				 "%s is optional, and the race would lack it; expected a worker "
				 "that is not",
				 w->pointer);
	return 0;
}

/* A process can wait at one barrier only. */
static int check_taken(const struct scenario *sc, size_t nraces, const struct sc_actor *a,
		       const struct json_at *at)
{
	for (size_t i = 0; i < nraces; i++) {
		for (size_t k = 0; k < sc->races[i].nactors; k++) {
			const struct sc_actor *b = &sc->races[i].actors[k];

			if (a != b && a->worker == b->worker &&
			    (a->process < 0 || b->process < 0 || a->process == b->process))
				return json_fail(at,
						 "%s takes part in /races/%zu already; expected "
						 "each process once",
						 sc->workers[a->worker].pointer, i);
			if (a == b)
				return 0;
		}
	}
	return 0;
}

/* An element of "actors": a name, an index, or an object with keys of its own. The hold @of_race
 * is the first one's. */
static int decode_actor(struct scenario *sc, struct sc_race *race, size_t i, const json_t *of_race,
			const json_t *v, const struct json_at *at)
{
	struct sc_actor *a = &race->actors[i];
	struct json_at worker = AT_KEY(at, "worker"), hold = AT_KEY(at, "hold");
	bool object = json_is_object(v);
	const json_t *name = object ? json_object_get(v, "worker") : v;
	const json_t *held = object ? json_object_get(v, "hold") : NULL;
	int r;

	if (object) {
		r = option_decode(sc_actor_options, NULL, v, a, at, NULL);
		if (r < 0)
			return r;
	}
	if (!object || !json_object_get(v, "offset"))
		a->offset = race->offset;
	if (i == 0 && !held) {
		held = of_race;
		hold = AT_KEY(at->up->up, "hold");
	}
	r = find_actor(sc, name, object ? &worker : at, a);
	race->nactors = i + 1;
	if (r == 0)
		r = check_worker(sc, a, object ? &worker : at);
	if (r == 0 && held)
		r = sc_decode_hold(&sc->workers[a->worker], held, &hold, &a->hold);
	return r < 0 ? r : check_taken(sc, sc->nraces, a, object ? &worker : at);
}

static int check_race(const struct scenario *sc, const struct sc_race *race,
		      const struct json_at *actors)
{
	u64 n = 0;
	bool waits = false;

	for (size_t i = 0; i < race->nactors; i++) {
		n += processes(sc, &race->actors[i]);
		waits |= !race->actors[i].loop;
	}
	if (n > RACE_PARTIES)
		return json_fail(actors, "that makes %llu processes; expected at most %d",
				 (unsigned long long)n, RACE_PARTIES);
	if (!waits)
		return json_fail(actors, "all loop, and none would end; expected one that does "
					 "not");
	return 0;
}

/* Steps count from the window's start: it must be one in the file of each actor that has one. */
static int check_window(const struct scenario *sc, const struct sc_race *race,
			const struct json_at *at)
{
	for (size_t i = 0; race->window_bytes && i < race->nactors; i++) {
		int file = sc->workers[race->actors[i].worker].file;
		const struct sc_file *f = file < 0 ? NULL : &sc->files[file];

		if (f && race->window_bytes % f->cell_bytes)
			return json_fail(at,
					 "%llu bytes are no whole cells of \"%.60s\"; expected a "
					 "multiple of %llu",
					 (unsigned long long)race->window_bytes, f->name,
					 (unsigned long long)f->cell_bytes);
		if (f && race->window_bytes > f->max_bytes)
			return json_fail(at,
					 "%llu bytes are more than \"%.60s\" can have; expected "
					 "at most %llu",
					 (unsigned long long)race->window_bytes, f->name,
					 (unsigned long long)f->max_bytes);
	}
	return 0;
}

/* Results go by names. */
static int check_name(const struct scenario *sc, const struct sc_race *race,
		      const struct json_at *at)
{
	for (const struct sc_race *other = sc->races; other < race; other++)
		if (!strcmp(other->name, race->name))
			return json_fail(at,
					 "\"%s\" is the name of /races/%zu already; expected "
					 "one of its own",
					 race->name, (size_t)(other - sc->races));
	return 0;
}

static int decode_race(struct scenario *sc, size_t i, const struct scenario_tables *tables,
		       const json_t *v, const struct json_at *at, json_t **ret_resolved)
{
	struct sc_race *race = &sc->races[i];
	struct json_at actors = AT_KEY(at, "actors");
	const json_t *list = json_object_get(v, "actors");
	char shown[JSON_SHOW_MAX];
	int r = option_decode(sc_race_options, NULL, v, race, at, ret_resolved);

	(void)tables;
	if (r == 0)
		r = check_name(sc, race, &AT_KEY(at, "name"));
	if (r < 0)
		return r;
	if (!json_is_array(list))
		return json_fail(&actors, "%s has the wrong type; expected an array of actors",
				 json_show(shown, list));
	if (json_array_size(list) < 2 || json_array_size(list) > RACE_PARTIES)
		return json_fail(&actors, "there are %zu; expected 2..%d actors",
				 json_array_size(list), RACE_PARTIES);
	race->actors = calloc(json_array_size(list), sizeof(*race->actors));
	if (!race->actors)
		return json_fail_memory(at);
	for (size_t k = 0; r == 0 && k < json_array_size(list); k++)
		r = decode_actor(sc, race, k, json_object_get(v, "hold"), json_array_get(list, k),
				 &AT_INDEX(&actors, k));
	if (r == 0)
		r = check_window(sc, race, &AT_KEY(at, "window"));
	return r < 0 ? r : check_race(sc, race, &actors);
}

int sc_decode_races(struct scenario *sc, const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "races");
	int r = sc_open_array(&at, resolved, 0, RACES_MAX, sizeof(*sc->races), &sc->races);

	return r < 0 ? r : sc_decode_array(sc, NULL, &at, resolved, decode_race, &sc->nraces);
}

/* One item of "actors". */
json_t *sc_actor_schema(void)
{
	_cleanup_json_ json_t *name =
		json_pack("[{ss}{sssi}]", "type", "string", "type", "integer", "minimum", 0);
	_cleanup_json_ json_t *object = option_schema(sc_actor_options);
	_cleanup_json_ json_t *all = json_deep_copy(name);
	json_t *worker = json_object_get(json_object_get(object, "properties"), "worker");

	if (json_object_set(worker, "oneOf", name) || json_array_append(all, object))
		return NULL;
	if (json_object_update_new(json_object_get(json_object_get(object, "properties"), "hold"),
				   sc_hold_schema()))
		return NULL;
	return json_pack("{sO}", "oneOf", all);
}

void sc_free_races(struct scenario *sc)
{
	for (size_t i = 0; i < sc->nraces; i++) {
		option_free(sc_race_options, &sc->races[i]);
		for (size_t k = 0; k < sc->races[i].nactors; k++)
			option_free(sc_hold_options, &sc->races[i].actors[k].hold);
		free(sc->races[i].actors);
	}
	free(sc->races);
}
