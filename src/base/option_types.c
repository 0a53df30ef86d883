// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of option types, bounds and defaults. A default is turned into the JSON that a
 * scenario would have written and takes the same way as any other value: there is one decoder.
 */
#include "base/option_types.h"

#include "base/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_PATTERN "[0-9]+[KMGT]?"
#define TIME_PATTERN "(0|[0-9]+(ns|us|ms|s|m|h))"
#define RANGE_OF(p)  "^" p "(\\.\\." p ")?$"

const struct opt_type_info opt_types[OPT_TYPES] = {
	[OPT_BOOL] = { .name = "bool", .expects = "true or false" },
	[OPT_COUNT] = { .name = "count",
			.expects = "an integer",
			.parse = parse_count,
			.integers = true },
	[OPT_SIZE] = { .name = "size",
		       .expects = "a size such as 4096 or \"64K\"",
		       .parse = parse_size,
		       .integers = true,
		       .pattern = "^" SIZE_PATTERN "$" },
	[OPT_TIME] = { .name = "time",
		       .expects = "a time such as \"5ms\"",
		       .parse = parse_time,
		       .pattern = "^" TIME_PATTERN "$" },
	[OPT_COUNT_RANGE] = { .name = "count range",
			      .expects = "an integer or a range such as \"1..8\"",
			      .parse = parse_count,
			      .range = true,
			      .integers = true,
			      .pattern = RANGE_OF("[0-9]+") },
	[OPT_SIZE_RANGE] = { .name = "size range",
			     .expects = "a size or a range such as \"512..64K\"",
			     .parse = parse_size,
			     .range = true,
			     .integers = true,
			     .pattern = RANGE_OF(SIZE_PATTERN) },
	[OPT_TIME_RANGE] = { .name = "time range",
			     .expects = "a time or a range such as \"0..200us\"",
			     .parse = parse_time,
			     .range = true,
			     .pattern = RANGE_OF(TIME_PATTERN) },
	[OPT_PERCENT] = { .name = "percent",
			  .expects = "an integer",
			  .parse = parse_count,
			  .integers = true,
			  .min = "0",
			  .max = "100" },
	[OPT_ENUM] = { .name = "choice", .expects = "one of" },
	[OPT_ENUM_SET] = { .name = "choices", .expects = "an array without repeats of" },
	[OPT_STRING] = { .name = "string", .expects = "a string" },
	[OPT_STRINGS] = { .name = "strings", .expects = "an array of strings" },
	[OPT_WEIGHTS] = { .name = "weights",
			  .expects = "an object with integers, not all 0, for some of" },
	[OPT_JSON] = { .name = "json", .expects = "a value" },
};

/* Lengths and weights are bounded by plain numbers. */
static bool bound(const struct opt_def *o, const char *own, const char *of_type, u64 *ret)
{
	int (*parse)(const char *, u64 *) = opt_types[o->type].parse;
	const char *text = own ? own : of_type;

	return text && (parse ? parse : parse_count)(text, ret) == 0;
}

bool option_min(const struct opt_def *o, u64 *ret)
{
	return bound(o, o->min, opt_types[o->type].min, ret);
}

bool option_max(const struct opt_def *o, u64 *ret)
{
	return bound(o, o->max, opt_types[o->type].max, ret);
}

bool option_has_default(const struct opt_def *o)
{
	bool left_open = (opt_types[o->type].parse || o->type == OPT_JSON) && o->def && !*o->def;

	return o->def && !o->required && !left_open;
}

/* "a,b" as ["a", "b"]; "" as []. */
static json_t *split(const char *list)
{
	_cleanup_json_ json_t *array = json_array();

	while (array && *list) {
		size_t n = strcspn(list, ",");

		if (json_array_append_new(array, json_stringn(list, n)))
			return NULL;
		list += n + (list[n] == ',');
	}
	return take_ptr(array);
}

static json_t *default_number(const struct opt_def *o)
{
	u64 v;

	if (opt_types[o->type].integers && parse_count(o->def, &v) == 0)
		return json_integer((json_int_t)v);
	return json_string(o->def);
}

/* In "1,rare=0": 0 for "rare", 1 for all others. */
static json_t *default_weight(const char *def, const char *choice)
{
	size_t len = strlen(choice);
	const char *of = def;

	for (const char *at = strchr(def, ','); at; at = strchr(at + 1, ','))
		if (!strncmp(at + 1, choice, len) && at[len + 1] == '=')
			of = at + len + 2;
	return json_integer((json_int_t)strtoull(of, NULL, 10));
}

static json_t *default_weights(const struct opt_def *o)
{
	_cleanup_json_ json_t *object = json_object();

	for (const char *const *c = o->choices; object && *c; c++)
		if (json_object_set_new(object, *c, default_weight(o->def, *c)))
			return NULL;
	return take_ptr(object);
}

json_t *option_default(const struct opt_def *o)
{
	if (!option_has_default(o))
		return NULL;
	if (opt_types[o->type].parse)
		return default_number(o);
	switch (o->type) {
	case OPT_BOOL:
		return json_boolean(!strcmp(o->def, "true"));
	case OPT_ENUM_SET:
	case OPT_STRINGS:
		return split(o->def);
	case OPT_WEIGHTS:
		return default_weights(o);
	case OPT_JSON:
		return json_loads(o->def, JSON_DECODE_ANY, NULL);
	default:
		return json_string(o->def);
	}
}

/* "a, b, c", cut with an ellipsis by the message that it goes into. */
static void list_choices(const char *const *choices, char *buf, size_t size)
{
	size_t used = strlen(buf);

	for (const char *const *c = choices; c && *c && used < size; c++)
		used += (size_t)snprintf(buf + used, size - used, "%s\"%s\"",
					 c == choices ? " " : ", ", *c);
}

const char *option_expected(const struct opt_def *o, char *buf, size_t size)
{
	const struct opt_type_info *info = &opt_types[o->type];
	const char *min = o->min ? o->min : info->min, *max = o->max ? o->max : info->max;
	bool length = o->type == OPT_STRING || o->type == OPT_STRINGS;
	const char *unit = length ? " bytes" : "";
	size_t used;

	if (o->expects) {
		snprintf(buf, size, "%s", o->expects);
		return buf;
	}
	snprintf(buf, size, "%s", o->choices && length ? "one of" : info->expects);
	list_choices(o->choices, buf, size);
	used = strlen(buf);
	if (min && max)
		snprintf(buf + used, size - used, "%s %s..%s%s", length ? " of" : ", in", min, max,
			 unit);
	else if (min || max)
		snprintf(buf + used, size - used, "%s at %s %s%s", length ? " of" : ",",
			 min ? "least" : "most", min ? min : max, unit);
	return buf;
}
