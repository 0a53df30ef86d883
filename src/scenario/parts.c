// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files, workers, faults and the target: look a type up, decode the fixed keys and the type's own
 * options through their tables. No key is named here but "type" and "options".
 */
#include "scenario/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Types of all three kinds begin with their name: looking one up needs no more. */
_Static_assert(offsetof(struct worker_type, name) == 0 && offsetof(struct fault_type, name) == 0 &&
		       offsetof(struct target_type, name) == 0,
	       "the name of a type comes first");

static const char *type_name(const void *type)
{
	return *(const char *const *)type;
}

static int fail_type(const struct json_at *at, const char *kind, const void *const *types,
		     const char *name)
{
	char list[400] = "";
	size_t used = 0;

	if (!types[0])
		return json_fail(at,
				 "this build has no %s types; expected none, see "
				 "`stressd list %ss`",
				 kind, kind);
	for (size_t i = 0; types[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 type_name(types[i]));
	return json_fail(at, "\"%.60s\" is no %s type; expected one of: %s", name, kind, list);
}

/* Index of the type called @name, or -EINVAL with the line. */
static int find_type(const struct json_at *at, const char *kind, const void *const *types,
		     const char *name)
{
	for (int i = 0; types[i]; i++)
		if (!strcmp(type_name(types[i]), name))
			return i;
	return fail_type(&AT_KEY(at, "type"), kind, types, name);
}

/* Allocate a type's option struct and decode it; *ret_block is set as soon as it owns things. */
static int decode_block(const struct opt_def *table, size_t size, const char *extra,
			const json_t *object, const struct json_at *at, void **ret_block,
			json_t **ret_resolved)
{
	/* calloc(0) may be NULL, and a type without options is no failure. */
	*ret_block = calloc(1, size ? size : 1);
	if (!*ret_block)
		return json_fail_memory(at);
	return option_decode(table, extra, object, *ret_block, at, ret_resolved);
}

/* The value of "options" in @resolved gives way to its resolved form. */
static int decode_options(const struct opt_def *table, size_t size, json_t *resolved,
			  const struct json_at *at, void **ret_block)
{
	json_t *options = NULL;
	int r = decode_block(table, size, NULL, json_object_get(resolved, "options"),
			     &AT_KEY(at, "options"), ret_block, &options);

	if (r < 0)
		return r;
	return json_object_set_new(resolved, "options", options) ? json_fail_memory(at) : 0;
}

static int find_file(const struct scenario *sc, const char *name)
{
	for (size_t i = 0; i < sc->nfiles; i++)
		if (!strcmp(sc->files[i].name, name))
			return (int)i;
	return -1;
}

/* Does the type want a file, and is it there? */
static int decode_worker_file(const struct scenario *sc, struct sc_worker *w, const char *name,
			      const struct json_at *at)
{
	bool whole = w->type->flags & WORKER_WHOLE_FS;
	bool needs = (w->type->flags & WORKER_NEEDS_FILE) && !whole;

	w->file = -1;
	if (needs && !name)
		return json_fail(at,
				 "key \"file\" is missing, %s works on a file; expected the "
				 "name of one of the files",
				 w->type->name);
	if (!needs && !whole && name)
		return json_fail(&AT_KEY(at, "file"),
				 "%s works on no file; expected no key \"file\" here",
				 w->type->name);
	if (!name)
		return 0;
	w->file = find_file(sc, name);
	if (w->file < 0)
		return json_fail(&AT_KEY(at, "file"),
				 "there is no file \"%.60s\"; expected the "
				 "name of one of the files, such as \"%s\"",
				 name, sc->files[0].name);
	return 0;
}

/* What the type itself has to say of its options. */
static int check_options(const struct scenario *sc, const struct sc_worker *w,
			 const struct json_at *at)
{
	const struct sc_file *file = w->file >= 0 ? &sc->files[w->file] : NULL;
	struct err e;

	if (!w->type->check || w->type->check(w->options, file, &e) == 0)
		return 0;
	return json_fail(&AT_KEY(at, "options"), "%s", e.text);
}

static int decode_worker_keys(struct scenario *sc, struct sc_worker *w,
			      const struct scenario_tables *tables,
			      const struct sc_worker_keys *keys, const struct json_at *at,
			      json_t *resolved)
{
	int r = find_type(at, "worker", (const void *const *)tables->workers, keys->type);

	if (r < 0)
		return r;
	w->type = tables->workers[r];
	w->count = keys->count;
	w->optional = keys->optional;
	w->after_ns = keys->after_ns;
	r = decode_worker_file(sc, w, keys->file, at);
	if (r == 0)
		r = decode_options(w->type->options, w->type->options_size, resolved, at,
				   &w->options);
	return r < 0 ? r : check_options(sc, w, at);
}

static int decode_worker(struct scenario *sc, size_t i, const struct scenario_tables *tables,
			 const json_t *v, const struct json_at *at, json_t **ret_resolved)
{
	struct sc_worker_keys keys = { 0 };
	struct sc_worker *w = &sc->workers[i];
	int r = option_decode(sc_worker_options, NULL, v, &keys, at, ret_resolved);

	/* For what is found later, by a probe: it can name its place as the parser does. */
	snprintf(w->pointer, sizeof(w->pointer), "/workers/%zu", i);
	if (r == 0)
		r = decode_worker_keys(sc, w, tables, &keys, at, *ret_resolved);
	option_free(sc_worker_options, &keys);
	return r;
}

static int decode_fault(struct scenario *sc, size_t i, const struct scenario_tables *tables,
			const json_t *v, const struct json_at *at, json_t **ret_resolved)
{
	struct sc_fault_keys keys = { 0 };
	struct sc_fault *f = &sc->faults[i];
	int r = option_decode(sc_fault_options, NULL, v, &keys, at, ret_resolved);

	snprintf(f->pointer, sizeof(f->pointer), "/faults/%zu", i);
	f->optional = keys.optional;
	f->after_ns = keys.after_ns;
	f->for_ns = keys.for_ns;
	f->every_ns = keys.every_ns;
	if (r == 0)
		r = find_type(at, "fault", (const void *const *)tables->faults, keys.type);
	if (r >= 0) {
		f->type = tables->faults[r];
		r = decode_options(f->type->options, f->type->options_size, *ret_resolved, at,
				   &f->options);
	}
	option_free(sc_fault_options, &keys);
	return r < 0 ? r : sc_check_fault(sc, i, at);
}

static int decode_file(struct scenario *sc, size_t i, const struct scenario_tables *tables,
		       const json_t *v, const struct json_at *at, json_t **ret_resolved)
{
	struct sc_file *f = &sc->files[i];
	int r = option_decode(sc_file_options, NULL, v, f, at, ret_resolved);

	(void)tables;
	if (r < 0)
		return r;
	/* The resolved copy names it, so that it says the same should this default ever change. */
	if (!json_object_get(v, "max")) {
		f->max_bytes = f->size_bytes;
		if (json_object_set(*ret_resolved, "max", json_object_get(v, "size")))
			return json_fail_memory(at);
	}
	return sc_check_file(sc, i, at);
}

/* Decode the array at @root[@key]. *count grows with each element that may own something, so
 * that scenario_free() sees just those, wherever it fails. */
int sc_decode_array(struct scenario *sc, const struct scenario_tables *tables,
		    const struct json_at *at, json_t *resolved, sc_element_fn decode, size_t *count)
{
	json_t *from = json_object_get(resolved, at->key);
	_cleanup_json_ json_t *to = json_array();
	size_t n = json_array_size(from);

	for (size_t i = 0; to && i < n; i++) {
		_cleanup_json_ json_t *element = NULL;
		int r;

		*count = i + 1;
		r = decode(sc, i, tables, json_array_get(from, i), &AT_INDEX(at, i), &element);
		if (r < 0)
			return r;
		if (json_array_append(to, element))
			return json_fail_memory(at);
	}
	if (!to || json_object_set(resolved, at->key, to))
		return json_fail_memory(at);
	return 0;
}

/* Is the array at @at of a size in @min..@max? Then *ret has room for its elements. */
int sc_open_array(const struct json_at *at, const json_t *resolved, size_t min, size_t max,
		  size_t size, void *ret)
{
	const json_t *v = json_object_get(resolved, at->key);
	char shown[JSON_SHOW_MAX];
	void *elements;

	if (!json_is_array(v))
		return json_fail(at, "%s has the wrong type; expected an array of %zu..%zu %s",
				 json_show(shown, v), min, max, at->key);
	if (json_array_size(v) < min || json_array_size(v) > max)
		return json_fail(at, "there are %zu; expected %zu..%zu %s", json_array_size(v), min,
				 max, at->key);
	/* One more: calloc(3) may return NULL for none. */
	elements = calloc(json_array_size(v) + 1, size);
	if (!elements)
		return json_fail_memory(at);
	memcpy(ret, &elements, sizeof(elements));
	return 0;
}

int sc_decode_files(struct scenario *sc, const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "files");
	int r = sc_open_array(&at, resolved, 1, SC_MAX_FILES, sizeof(*sc->files), &sc->files);

	return r < 0 ? r : sc_decode_array(sc, NULL, &at, resolved, decode_file, &sc->nfiles);
}

int sc_decode_workers(struct scenario *sc, const struct scenario_tables *tables,
		      const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "workers");
	int r = sc_open_array(&at, resolved, 1, SC_MAX_WORKERS, sizeof(*sc->workers), &sc->workers);

	return r < 0 ? r : sc_decode_array(sc, tables, &at, resolved, decode_worker, &sc->nworkers);
}

int sc_decode_faults(struct scenario *sc, const struct scenario_tables *tables,
		     const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "faults");
	int r = sc_open_array(&at, resolved, 0, RUN_FAULTS, sizeof(*sc->faults), &sc->faults);

	return r < 0 ? r : sc_decode_array(sc, tables, &at, resolved, decode_fault, &sc->nfaults);
}

/* @object without "type", which has been read, through the type's own table. */
static int decode_target_options(struct scenario *sc, const struct json_at *at,
				 const json_t *object, json_t *resolved)
{
	_cleanup_json_ json_t *own = NULL;
	int r = decode_block(sc->target.type->options, sc->target.type->options_size, "type",
			     object, at, &sc->target.options, &own);

	if (r < 0)
		return r;
	return json_object_update(resolved, own) ? json_fail_memory(at) : 0;
}

static int check_target(const struct scenario *sc, const struct json_at *at)
{
	const char *key = "type";
	struct err e = { "" };

	if (!sc->target.type->check || sc->target.type->check(sc->target.options, &key, &e) == 0)
		return 0;
	return json_fail(&AT_KEY(at, key), "%s", e.text);
}

int sc_decode_target(struct scenario *sc, const struct scenario_tables *tables,
		     const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "target");
	const json_t *object = json_object_get(resolved, "target");
	_cleanup_json_ json_t *only_type = json_object(), *to = NULL;
	json_t *type = json_object_get(object, "type");
	struct sc_target_keys keys = { 0 };
	char shown[JSON_SHOW_MAX];
	int r;

	if (!json_is_object(object))
		return json_fail(&at, "%s has the wrong type; expected an object {\"type\": ...}",
				 json_show(shown, object));
	if (!only_type || (type && json_object_set(only_type, "type", type)))
		return json_fail_memory(&at);
	r = option_decode(sc_target_options, NULL, only_type, &keys, &at, &to);
	if (r == 0)
		r = find_type(&at, "target", (const void *const *)tables->targets, keys.type);
	option_free(sc_target_options, &keys);
	if (r < 0)
		return r;
	sc->target.type = tables->targets[r];
	r = decode_target_options(sc, &at, object, to);
	if (r == 0)
		r = check_target(sc, &at);
	if (r == 0 && json_object_set(resolved, "target", to))
		r = json_fail_memory(&at);
	return r;
}
