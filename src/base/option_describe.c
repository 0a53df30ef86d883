// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Option tables for readers: lists for people, the same as JSON, and JSON Schema. Says what the
 * decoder accepts and decides nothing itself.
 */
#include "base/option.h"

#include "base/option_types.h"

#include <string.h>

#define NAME_MAX_LEN 48

/* Edits (insert, delete, replace) that turn @a into @b; both at most NAME_MAX_LEN long. */
static size_t edits(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t least = MIN(row[j], row[j - 1]) + 1;

			least = MIN(least, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = row[j];
			row[j] = least;
		}
	}
	return row[lb];
}

const char *option_nearest(const char *const *names, const char *name)
{
	size_t len = strlen(name), best = 3; /* three edits away is another word */
	const char *nearest = NULL;

	if (len > NAME_MAX_LEN)
		return NULL;
	for (; *names; names++) {
		size_t n = strlen(*names) <= NAME_MAX_LEN ? edits(*names, name) : best;

		if (n < best && n < len) {
			best = n;
			nearest = *names;
		}
	}
	return nearest;
}

void option_describe(const struct opt_def *table, const char *indent, FILE *out)
{
	char expected[512];

	opt_foreach (o, table) {
		fprintf(out, "%s%-14s %-12s %s (%s; ", indent, o->name, opt_types[o->type].name,
			o->help ? o->help : "", option_expected(o, expected, sizeof(expected)));
		if (option_is_required(o))
			fputs("required)\n", out);
		else if (option_has_default(o))
			fprintf(out, "default %s)\n", *o->def ? o->def : "none");
		else
			fputs("optional)\n", out);
	}
}

/* A key with a string, or no key for NULL: json_pack's "s*" would take a failed allocation for
 * the absence. */
static int set_text(json_t *object, const char *key, const char *text)
{
	return text ? json_object_set_new(object, key, json_string(text)) : 0;
}

static json_t *described_option(const struct opt_def *o)
{
	char expected[512];
	_cleanup_json_ json_t *item =
		json_pack("{ss ss ss so sb}", "name", o->name, "type", opt_types[o->type].name,
			  "expects", option_expected(o, expected, sizeof(expected)), "default",
			  option_has_default(o) ? option_default(o) : json_null(), "required",
			  option_is_required(o));

	return item && set_text(item, "help", o->help) == 0 ? take_ptr(item) : NULL;
}

json_t *option_describe_json(const struct opt_def *table)
{
	_cleanup_json_ json_t *list = json_array();

	opt_foreach (o, table)
		if (!list || json_array_append_new(list, described_option(o)))
			return NULL;
	return take_ptr(list);
}

static json_t *choice_list(const struct opt_def *o)
{
	_cleanup_json_ json_t *list = json_array();

	for (const char *const *c = o->choices; list && c && *c; c++)
		if (json_array_append_new(list, json_string(*c)))
			return NULL;
	return take_ptr(list);
}

/* What JSON's integers cannot reach is no bound. */
static int set_bound(json_t *schema, const char *key, bool (*bound)(const struct opt_def *, u64 *),
		     const struct opt_def *o)
{
	u64 v = 0;

	if (!bound(o, &v) || v > INT64_MAX)
		return 0;
	return json_object_set_new(schema, key, json_integer((json_int_t)v));
}

static json_t *integer_schema(const struct opt_def *o)
{
	_cleanup_json_ json_t *schema = json_pack("{ss si}", "type", "integer", "minimum", 0);

	if (!schema || set_bound(schema, "minimum", option_min, o) ||
	    set_bound(schema, "maximum", option_max, o))
		return NULL;
	return take_ptr(schema);
}

/* Integers within the bounds; text by its form, for a schema cannot compare "64K" with "1M". */
static json_t *number_schema(const struct opt_def *o)
{
	const struct opt_type_info *info = &opt_types[o->type];
	_cleanup_json_ json_t *integer = NULL, *text = NULL;

	if (!info->pattern)
		return integer_schema(o);
	text = json_pack("{ss ss}", "type", "string", "pattern", info->pattern);
	if (!info->integers)
		return take_ptr(text);
	integer = integer_schema(o);
	return text && integer ? json_pack("{s[OO]}", "oneOf", integer, text) : NULL;
}

/* A length of one byte is one character too; more bytes may be fewer characters. */
static bool one_byte(const struct opt_def *o, u64 *ret)
{
	return option_min(o, ret) && *ret == 1;
}

static json_t *string_schema(const struct opt_def *o)
{
	_cleanup_json_ json_t *schema = json_pack("{ss}", "type", "string");

	/* A character is at least a byte: the upper bound holds for characters as well. */
	if (!schema || set_text(schema, "pattern", o->pattern) ||
	    set_bound(schema, "maxLength", option_max, o) ||
	    set_bound(schema, "minLength", one_byte, o))
		return NULL;
	if (o->choices && json_object_set_new(schema, "enum", choice_list(o)))
		return NULL;
	return take_ptr(schema);
}

static json_t *weights_schema(const struct opt_def *o)
{
	_cleanup_json_ json_t *weight = integer_schema(o);
	_cleanup_json_ json_t *schema =
		json_pack("{ss si sb s{}}", "type", "object", "minProperties", 1,
			  "additionalProperties", 0, "properties");
	json_t *properties = json_object_get(schema, "properties");

	if (!weight || !schema)
		return NULL;
	for (const char *const *c = o->choices; c && *c; c++)
		if (json_object_set(properties, *c, weight))
			return NULL;
	return take_ptr(schema);
}

static json_t *value_schema(const struct opt_def *o)
{
	switch (o->type) {
	case OPT_BOOL:
		return json_pack("{ss}", "type", "boolean");
	case OPT_ENUM:
		return json_pack("{so}", "enum", choice_list(o));
	case OPT_ENUM_SET:
		return json_pack("{ss sb s{so}}", "type", "array", "uniqueItems", 1, "items",
				 "enum", choice_list(o));
	case OPT_STRING:
		return string_schema(o);
	case OPT_STRINGS:
		return json_pack("{ss so}", "type", "array", "items", string_schema(o));
	case OPT_WEIGHTS:
		return weights_schema(o);
	case OPT_JSON:
		return json_object();
	default:
		return number_schema(o);
	}
}

static json_t *described_schema(const struct opt_def *o)
{
	_cleanup_json_ json_t *schema = value_schema(o);

	if (!schema || set_text(schema, "description", o->help))
		return NULL;
	if (option_has_default(o) && json_object_set_new(schema, "default", option_default(o)))
		return NULL;
	return take_ptr(schema);
}

json_t *option_schema(const struct opt_def *table)
{
	_cleanup_json_ json_t *schema =
		json_pack("{ss sb s{} s[]}", "type", "object", "additionalProperties", 0,
			  "properties", "required");
	json_t *properties = json_object_get(schema, "properties");
	json_t *required = json_object_get(schema, "required");

	if (!schema)
		return NULL;
	opt_foreach (o, table) {
		if (json_object_set_new(properties, o->name, described_schema(o)))
			return NULL;
		if (option_is_required(o) && json_array_append_new(required, json_string(o->name)))
			return NULL;
	}
	return take_ptr(schema);
}
