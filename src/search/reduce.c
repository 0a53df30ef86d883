// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of reductions. Values of options are not known one by one: what an object or an array
 * holds is proposed, and the parser says what may go. */
#include "search/reduce.h"

#include "base/cleanup.h"
#include "base/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTER	   256
#define LEAST_FILE (64 * KIB)
#define LEAST_DISK (16 * MIB)
#define LEAST_RUN  (500 * NSEC_PER_MSEC)

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* "worker 3 (reader on data)" */
static const char *worker_name(const json_t *w, size_t i, char *buf, size_t size)
{
	const char *file = text_of(w, "file");

	snprintf(buf, size, "worker %zu (%s%s%s)", i, text_of(w, "type"), *file ? " on " : "",
		 file);
	return buf;
}

static void propose_workers(const json_t *form, struct edits *to)
{
	const json_t *rows = json_object_get(form, "workers");
	char pointer[POINTER], name[128];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *w = json_array_get(rows, i);

		if (!json_is_object(w))
			continue;
		snprintf(pointer, sizeof(pointer), "/workers/%zu", i);
		edits_add(to, pointer, json_null(), "%s", worker_name(w, i, name, sizeof(name)));
	}
}

/* Halves, as often as it goes. */
static void propose_processes(const json_t *form, struct edits *to)
{
	const json_t *rows = json_object_get(form, "workers");
	char pointer[POINTER], name[128];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *w = json_array_get(rows, i);
		json_int_t n = json_integer_value(json_object_get(w, "count"));

		if (n < 2)
			continue;
		snprintf(pointer, sizeof(pointer), "/workers/%zu/count", i);
		edits_add(to, pointer, n / 2 == 1 ? json_null() : json_integer(n / 2),
			  "%s: %lld of %lld processes", worker_name(w, i, name, sizeof(name)),
			  (long long)(n - n / 2), (long long)n);
	}
}

static void propose_races(const json_t *form, struct edits *to)
{
	const json_t *races = json_object_get(form, "races");
	char pointer[POINTER];

	for (size_t i = 0; i < json_array_size(races); i++) {
		const json_t *race = json_array_get(races, i);

		if (!json_is_object(race))
			continue;
		snprintf(pointer, sizeof(pointer), "/races/%zu", i);
		edits_add(to, pointer, json_null(), "race %s: its actors run free",
			  text_of(race, "name"));
	}
}

static void propose_actors(const json_t *form, struct edits *to)
{
	const json_t *races = json_object_get(form, "races");
	const json_t *rows = json_object_get(form, "workers");
	char pointer[POINTER], name[128];

	for (size_t i = 0; i < json_array_size(races); i++) {
		const json_t *race = json_array_get(races, i);
		const json_t *actors = json_object_get(race, "actors");

		for (size_t k = 0; k < json_array_size(actors); k++) {
			const json_t *a = json_array_get(actors, k);
			size_t row = (size_t)json_integer_value(json_object_get(a, "row"));
			const json_t *w = json_array_get(rows, row);

			/* Of two, none can go without the race. */
			if (!json_is_object(a) || !json_is_object(w) || json_array_size(actors) < 3)
				continue;
			snprintf(pointer, sizeof(pointer), "/races/%zu/actors/%zu", i, k);
			edits_add(to, pointer, json_null(), "race %s: %s runs free",
				  text_of(race, "name"), worker_name(w, row, name, sizeof(name)));
		}
	}
}

static void propose_faults(const json_t *form, struct edits *to)
{
	const json_t *rows = json_object_get(form, "faults");
	char pointer[POINTER];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *fault = json_array_get(rows, i);

		if (!json_is_object(fault))
			continue;
		snprintf(pointer, sizeof(pointer), "/faults/%zu", i);
		edits_add(to, pointer, json_null(), "fault %zu (%s)", i, text_of(fault, "type"));
	}
}

/* A value for a person: a string as it is, the rest as JSON, shortened. */
static void show(const json_t *v, char *buf, size_t size)
{
	_cleanup_free_ char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	snprintf(buf, size, "%.60s", json_is_string(v) ? json_string_value(v) : text ? text : "");
}

/* The elements of an array, and the members of an object (weights), one by one. */
static void propose_inside(const json_t *at, const char *pointer, const char *name,
			   struct edits *to)
{
	char below[POINTER], shown[64];
	const char *key;
	json_t *value;

	for (size_t i = 0; i < json_array_size(at); i++) {
		value = json_array_get(at, i);
		if (json_is_null(value))
			continue;
		show(value, shown, sizeof(shown));
		snprintf(below, sizeof(below), "%s/%zu", pointer, i);
		edits_add(to, below, json_null(), "%s: %s", name, shown);
	}
	json_object_foreach ((json_t *)at, key, value) {
		if (json_is_null(value))
			continue;
		snprintf(below, sizeof(below), "%s/%s", pointer, key);
		edits_add(to, below, json_null(), "%s: %s", name, key);
	}
}

/* The members of an object whose values are back at their defaults without them. @but: not these,
 * in a list that ends with NULL. */
static void propose_members(const json_t *at, const char *pointer, const char *name,
			    const char *const *but, struct edits *to)
{
	char below[POINTER], shown[64];
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)at, key, value) {
		bool skip = json_is_null(value);

		for (const char *const *b = but; b && *b; b++)
			skip |= !strcmp(*b, key);
		if (skip)
			continue;
		show(value, shown, sizeof(shown));
		snprintf(below, sizeof(below), "%s/%s", pointer, key);
		edits_add(to, below, json_null(), "%s: %s %s", name, key, shown);
	}
}

/* Call @fn for each element of the array @key of the form that is still there. */
typedef void element_fn(const json_t *element, const char *pointer, const char *name,
			struct edits *to);

static void each(const json_t *form, const char *key, const char *label, element_fn *fn,
		 struct edits *to)
{
	const json_t *rows = json_object_get(form, key);
	char pointer[POINTER], name[128];

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *own = text_of(row, "name");

		if (!json_is_object(row))
			continue;
		snprintf(pointer, sizeof(pointer), "/%s/%zu", key, i);
		if (!strcmp(key, "workers"))
			worker_name(row, i, name, sizeof(name));
		else if (*own)
			snprintf(name, sizeof(name), "%s %.64s", label, own);
		else
			snprintf(name, sizeof(name), "%s %zu", label, i);
		fn(row, pointer, name, to);
	}
}

static void steps_of(const json_t *row, const char *pointer, const char *name, struct edits *to)
{
	char below[POINTER], what[256];
	const char *key;
	json_t *value;

	json_object_foreach (json_object_get(row, "options"), key, value) {
		snprintf(below, sizeof(below), "%s/options/%s", pointer, key);
		snprintf(what, sizeof(what), "%s: %s", name, key);
		propose_inside(value, below, what, to);
	}
}

static void propose_steps(const json_t *form, struct edits *to)
{
	each(form, "workers", "worker", steps_of, to);
}

/* Arrays went element by element already. */
static void options_of(const json_t *row, const char *pointer, const char *name, struct edits *to)
{
	static const char *const but[] = { "type",   "file",   "options",  "count", "name",
					   "actors", "layout", "optional", NULL };
	json_t *single = json_object(), *value;
	char below[POINTER];
	const char *key;

	propose_members(row, pointer, name, but, to);
	json_object_foreach (json_object_get(row, "options"), key, value)
		if (!json_is_array(value))
			json_object_set(single, key, value);
	snprintf(below, sizeof(below), "%s/options", pointer);
	propose_members(single, below, name, NULL, to);
	json_decref(single);
}

static void actor_options_of(const json_t *race, const char *pointer, const char *name,
			     struct edits *to)
{
	static const char *const but[] = { "row", "process", NULL };
	const json_t *actors = json_object_get(race, "actors");
	char below[POINTER], what[192];

	for (size_t i = 0; i < json_array_size(actors); i++) {
		snprintf(below, sizeof(below), "%s/actors/%zu", pointer, i);
		snprintf(what, sizeof(what), "%s, actor %zu", name, i);
		propose_members(json_array_get(actors, i), below, what, but, to);
	}
}

static void propose_options(const json_t *form, struct edits *to)
{
	each(form, "workers", "worker", options_of, to);
	each(form, "faults", "fault", options_of, to);
	each(form, "races", "race", options_of, to);
	each(form, "races", "race", actor_options_of, to);
}

/* Of the target, of files and of the run. */
static void propose_surroundings(const json_t *form, struct edits *to)
{
	static const char *const target[] = { "type",  "fs",	"size", "path",
					      "where", "mount", "mkfs", NULL };
	static const char *const file[] = { "name", "size", "max", NULL };
	const json_t *t = json_object_get(form, "target"), *files = json_object_get(form, "files");
	char pointer[POINTER], name[128];

	propose_members(json_object_get(form, "verify"), "/verify", "verify", NULL, to);
	propose_members(json_object_get(form, "kernel_log"), "/kernel_log", "kernel_log", NULL, to);
	propose_members(t, "/target", "target", target, to);
	propose_inside(json_object_get(t, "mount"), "/target/mount", "mount option", to);
	/* Options of mkfs come in pairs: all of them, as single ones could mean another thing. */
	if (json_array_size(json_object_get(t, "mkfs")))
		edits_add(to, "/target/mkfs", json_null(), "options of mkfs");
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);

		snprintf(pointer, sizeof(pointer), "/files/%zu", i);
		snprintf(name, sizeof(name), "file %.64s", text_of(f, "name"));
		propose_members(f, pointer, name, file, to);
	}
}

static void propose_files(const json_t *form, struct edits *to)
{
	const json_t *files = json_object_get(form, "files");
	char pointer[POINTER];

	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *f = json_array_get(files, i);

		if (!json_is_object(f))
			continue;
		snprintf(pointer, sizeof(pointer), "/files/%zu", i);
		edits_add(to, pointer, json_null(), "file %.64s", text_of(f, "name"));
	}
}

static bool size_of(const json_t *v, u64 *ret)
{
	*ret = (u64)json_integer_value(v);
	if (json_is_integer(v))
		return true;
	return json_is_string(v) && parse_size(json_string_value(v), ret) == 0;
}

static json_t *size_json(u64 bytes)
{
	char buf[UNITS_MAX];

	return json_string(format_size(buf, bytes));
}

/* A quarter, as often as it goes: a file and what it may grow to, together. */
static void propose_file_size(const json_t *file, const char *pointer, const char *name,
			      struct edits *to)
{
	char below[POINTER], was[UNITS_MAX], is[UNITS_MAX];
	u64 size, max;

	if (!size_of(json_object_get(file, "size"), &size) || size / 4 < LEAST_FILE)
		return;
	format_size(was, size);
	format_size(is, size / 4);
	snprintf(below, sizeof(below), "%s/size", pointer);
	edits_add(to, below, size_json(size / 4), "%s: size %s, not %s", name, is, was);
	if (!size_of(json_object_get(file, "max"), &max))
		return;
	snprintf(below, sizeof(below), "%s/max", pointer);
	edits_also(to, below, size_json(MAX(max / 4, size / 4)));
}

static void propose_sizes(const json_t *form, struct edits *to)
{
	char was[UNITS_MAX], is[UNITS_MAX];
	u64 size;

	each(form, "files", "file", propose_file_size, to);
	if (!size_of(form_at(form, "/target/size"), &size) || size / 2 < LEAST_DISK)
		return;
	edits_add(to, "/target/size", size_json(size / 2), "target: size %s, not %s",
		  format_size(is, size / 2), format_size(was, size));
}

/* The parser gives it 30 s where there is none. */
static void propose_duration(const json_t *form, struct edits *to)
{
	const char *given = text_of(form, "duration");
	char was[UNITS_MAX], is[UNITS_MAX];
	u64 ns = 30 * NSEC_PER_SEC;

	if ((*given && parse_time(given, &ns) < 0) || ns / 4 < LEAST_RUN)
		return;
	format_time(was, ns);
	format_time(is, ns / 4);
	edits_add(to, "/duration", json_string(is), "duration: %s, not %s", is, was);
}

const struct reduction reductions[] = {
	{ .name = "duration", .propose = propose_duration, .again = true, .late = true },
	{ .name = "workers", .propose = propose_workers },
	{ .name = "processes", .propose = propose_processes, .again = true },
	{ .name = "faults", .propose = propose_faults },
	{ .name = "races", .propose = propose_races },
	{ .name = "actors", .propose = propose_actors },
	{ .name = "files", .propose = propose_files },
	{ .name = "steps", .propose = propose_steps },
	{ .name = "options", .propose = propose_options },
	{ .name = "surroundings", .propose = propose_surroundings },
	{ .name = "sizes", .propose = propose_sizes, .again = true },
	{ 0 },
};
