// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The JSON Schema of scenarios, from the tables that the parser reads. It holds what a schema can
 * say: keys, types, bounds of numbers. One value against another stays with checks.c.
 */
#include "scenario/internal.h"

#include <string.h>

/* Add @to, which is taken, to what @schema says of the property @key; its description stays. */
static int set_property(json_t *schema, const char *key, json_t *to)
{
	_cleanup_json_ json_t *part = to;
	json_t *properties = json_object_get(schema, "properties");

	return part ? json_object_update(json_object_get(properties, key), part) : -1;
}

static json_t *array_of(json_t *items, size_t min, size_t max)
{
	return json_pack("{ss so sI sI}", "type", "array", "items", items, "minItems",
			 (json_int_t)min, "maxItems", (json_int_t)max);
}

static json_t *stop_schema(void)
{
	_cleanup_json_ json_t *words = json_array();

	for (const char *const *s = sc_stop_names; words && *s; s++)
		if (json_array_append_new(words, json_string(*s)))
			return NULL;
	return json_pack("{s[{sO}o]}", "oneOf", "enum", words, option_schema(sc_attempts_options));
}

enum file_rule { FILE_FREE, FILE_NEEDED, FILE_REFUSED };

/* "if the type is NAME, then these options (and a file, or none)". */
static json_t *type_rule(const char *name, const struct opt_def *table, enum file_rule file)
{
	_cleanup_json_ json_t *options = option_schema(table);
	_cleanup_json_ json_t *then =
		json_pack("{s{sO} s[]}", "properties", "options", options, "required");
	json_t *required = json_object_get(then, "required");

	if (!options || !then)
		return NULL;
	/* An empty object stands for absent options, unless one of them is required. */
	if (json_array_size(json_object_get(options, "required")) &&
	    json_array_append_new(required, json_string("options")))
		return NULL;
	if (file == FILE_NEEDED && json_array_append_new(required, json_string("file")))
		return NULL;
	if (file == FILE_REFUSED &&
	    json_object_set_new(json_object_get(then, "properties"), "file", json_false()))
		return NULL;
	return json_pack("{s{s{s{ss}}} sO}", "if", "properties", "type", "const", name, "then",
			 then);
}

/* Name one more type in @items: in the choices of "type", and with its rule. */
static int add_type(json_t *items, json_t *names, const char *name, json_t *rule)
{
	if (json_array_append_new(json_object_get(items, "allOf"), rule))
		return -1;
	return json_array_append_new(names, json_string(name));
}

/* @fixed with room for types. */
static json_t *typed_items(const struct opt_def *fixed)
{
	_cleanup_json_ json_t *items = option_schema(fixed);

	if (!items || json_object_set_new(items, "allOf", json_array()))
		return NULL;
	return take_ptr(items);
}

static enum file_rule worker_file_rule(const struct worker_type *type)
{
	if (type->flags & WORKER_WHOLE_FS)
		return FILE_FREE;
	return type->flags & WORKER_NEEDS_FILE ? FILE_NEEDED : FILE_REFUSED;
}

static json_t *worker_schema(const struct worker_type *const *types)
{
	_cleanup_json_ json_t *items = typed_items(sc_worker_options);
	_cleanup_json_ json_t *names = json_array();

	if (!items || !names)
		return NULL;
	for (; *types; types++)
		if (add_type(
			    items, names, (*types)->name,
			    type_rule((*types)->name, (*types)->options, worker_file_rule(*types))))
			return NULL;
	if (set_property(items, "type", json_pack("{sO}", "enum", names)))
		return NULL;
	return array_of(take_ptr(items), 1, SC_MAX_WORKERS);
}

static json_t *fault_schema(const struct fault_type *const *types)
{
	_cleanup_json_ json_t *items = typed_items(sc_fault_options);
	_cleanup_json_ json_t *names = json_array();
	/* "allOf" and "enum" may not be empty in a schema. */
	bool any = *types;

	if (!any)
		return array_of(json_object(), 0, 0);
	if (!items || !names)
		return NULL;
	for (; *types; types++)
		if (add_type(items, names, (*types)->name,
			     type_rule((*types)->name, (*types)->options, FILE_FREE)))
			return NULL;
	if (set_property(items, "type", json_pack("{sO}", "enum", names)))
		return NULL;
	return array_of(take_ptr(items), 0, RUN_FAULTS);
}

static json_t *race_schema(void)
{
	_cleanup_json_ json_t *items = option_schema(sc_race_options);

	if (!items || set_property(items, "actors", array_of(sc_actor_schema(), 2, RACE_PARTIES)) ||
	    set_property(items, "hold", sc_hold_schema()))
		return NULL;
	return array_of(take_ptr(items), 0, RACES_MAX);
}

/* A target's options stand beside its type: one whole object for each. */
static json_t *target_schema(const struct target_type *const *types)
{
	_cleanup_json_ json_t *all = json_array();

	for (; all && *types; types++) {
		_cleanup_json_ json_t *one = option_schema((*types)->options);
		json_t *properties = json_object_get(one, "properties");
		json_t *type = json_pack("{ss}", "const", (*types)->name);

		if (json_object_set_new(properties, "type", type))
			return NULL;
		/* The type may only be left out where it is the default. */
		if (strcmp((*types)->name, sc_target_options[0].def) &&
		    json_array_append_new(json_object_get(one, "required"), json_string("type")))
			return NULL;
		if (json_array_append(all, one))
			return NULL;
	}
	return json_pack("{sO}", "oneOf", all);
}

json_t *scenario_schema_with(const struct scenario_tables *tables)
{
	_cleanup_json_ json_t *schema = option_schema(sc_root_options);

	if (!schema ||
	    json_object_set_new(schema, "$schema",
				json_string("https://json-schema.org/draft/2020-12/schema")) ||
	    json_object_set_new(schema, "title", json_string("stressd scenario, version 1")) ||
	    set_property(schema, "stop_on", stop_schema()) ||
	    set_property(schema, "target", target_schema(tables->targets)) ||
	    set_property(schema, "files",
			 array_of(option_schema(sc_file_options), 1, SC_MAX_FILES)) ||
	    set_property(schema, "workers", worker_schema(tables->workers)) ||
	    set_property(schema, "faults", fault_schema(tables->faults)) ||
	    set_property(schema, "races", race_schema()) ||
	    set_property(schema, "verify", option_schema(sc_verify_options)) ||
	    set_property(schema, "kernel_log", option_schema(sc_kernel_log_options)))
		return NULL;
	return take_ptr(schema);
}
