// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The decoder: a JSON object and an option table into the owner's struct. One function per kind
 * of value; which keys there are and what they may hold is only in the table.
 */
#include "base/option.h"

#include "base/option_types.h"
#include "base/units.h"

#include <assert.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED_MAX 400

/* "X is wrong; expected what the table says". */
static int refuse(const struct json_at *at, const struct opt_def *o, const json_t *v,
		  const char *why)
{
	char shown[JSON_SHOW_MAX], expected[EXPECTED_MAX];

	return json_fail(at, "%s %s; expected %s", json_show(shown, v), why,
			 option_expected(o, expected, sizeof(expected)));
}

/* 0, -EINVAL (another type, or text that is no such number) or -ERANGE. */
static int read_number(const struct opt_type_info *info, const json_t *v, struct range *ret)
{
	if (info->integers && json_is_integer(v)) {
		if (json_integer_value(v) < 0)
			return -ERANGE;
		ret->lo = ret->hi = (u64)json_integer_value(v);
		return 0;
	}
	if (!info->pattern || !json_is_string(v))
		return -EINVAL;
	/* jansson refuses NUL in strings: what strlen() sees is all there is. */
	if (info->range)
		return parse_range(json_string_value(v), info->parse, ret);
	ret->hi = 0;
	return info->parse(json_string_value(v), &ret->lo);
}

static int decode_number(const struct json_at *at, const struct opt_def *o, const json_t *v,
			 void *slot)
{
	const struct opt_type_info *info = &opt_types[o->type];
	struct range value = { 0, 0 };
	u64 min, max;
	int r = read_number(info, v, &value);

	if (r == -EINVAL)
		return refuse(at, o, v, "has the wrong type or form");
	if (!info->range)
		value.hi = value.lo;
	if (r < 0 || (option_min(o, &min) && value.lo < min) ||
	    (option_max(o, &max) && value.hi > max))
		return refuse(at, o, v, "is out of range");
	if (info->range)
		*(struct range *)slot = value;
	else
		*(u64 *)slot = value.lo;
	return 0;
}

static int decode_bool(const struct json_at *at, const struct opt_def *o, const json_t *v,
		       void *slot)
{
	if (!json_is_boolean(v))
		return refuse(at, o, v, "has the wrong type");
	*(bool *)slot = json_is_true(v);
	return 0;
}

static int decode_enum(const struct json_at *at, const struct opt_def *o, const json_t *v,
		       void *slot)
{
	int i = json_is_string(v) ? option_choice(o->choices, json_string_value(v)) : -1;

	if (i < 0)
		return refuse(at, o, v, "is none of the choices");
	*(int *)slot = i;
	return 0;
}

static int decode_enum_set(const struct json_at *at, const struct opt_def *o, const json_t *v,
			   void *slot)
{
	u64 set = 0;

	/* An empty set is good: no layers, no flags. Its owner says where it is not. */
	if (!json_is_array(v))
		return refuse(at, o, v, "has the wrong type");
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);
		int c = json_is_string(item) ? option_choice(o->choices, json_string_value(item))
					     : -1;

		if (c < 0)
			return refuse(&AT_INDEX(at, i), o, item, "is none of the choices");
		assert(c < 64);
		/* Twice is a slip of the hand: the other name was meant to stand there. */
		if (set & 1ULL << c)
			return refuse(&AT_INDEX(at, i), o, item, "is there twice");
		set |= 1ULL << c;
	}
	*(u64 *)slot = set;
	return 0;
}

/* 1 when @s matches, 0 when not, -ENOMEM. Patterns are checked when the tables are tested. */
static int matches(const char *pattern, const char *s)
{
	regex_t re;
	int r;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return -ENOMEM;
	r = regexec(&re, s, 0, NULL, 0) == 0;
	regfree(&re);
	return r;
}

static int check_string(const struct json_at *at, const struct opt_def *o, const json_t *v)
{
	u64 min, max;
	int r;

	if (!json_is_string(v))
		return refuse(at, o, v, "has the wrong type");
	if ((option_min(o, &min) && json_string_length(v) < min) ||
	    (option_max(o, &max) && json_string_length(v) > max))
		return refuse(at, o, v, "is too short or too long");
	if (o->choices && option_choice(o->choices, json_string_value(v)) < 0)
		return refuse(at, o, v, "is none of the choices");
	r = o->pattern ? matches(o->pattern, json_string_value(v)) : 1;
	if (r < 0)
		return json_fail_memory(at);
	return r ? 0 : refuse(at, o, v, "has the wrong form");
}

static int decode_string(const struct json_at *at, const struct opt_def *o, const json_t *v,
			 void *slot)
{
	int r = check_string(at, o, v);

	if (r < 0)
		return r;
	*(char **)slot = strdup(json_string_value(v));
	return *(char **)slot ? 0 : json_fail_memory(at);
}

static int decode_strings(const struct json_at *at, const struct opt_def *o, const json_t *v,
			  void *slot)
{
	char **list;
	int r;

	if (!json_is_array(v))
		return refuse(at, o, v, "has the wrong type");
	list = calloc(json_array_size(v) + 1, sizeof(*list));
	if (!list)
		return json_fail_memory(at);
	/* The block owns what is there so far: option_free() releases it on every path. */
	*(char ***)slot = list;
	for (size_t i = 0; i < json_array_size(v); i++) {
		r = decode_string(&AT_INDEX(at, i), o, json_array_get(v, i), &list[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_weights(const struct json_at *at, const struct opt_def *o, const json_t *v,
			  void *slot)
{
	u64 *weights = slot, sum = 0, min, max;
	char expected[EXPECTED_MAX];
	const char *key;
	json_t *item;

	if (!json_is_object(v))
		return refuse(at, o, v, "has the wrong type");
	json_object_foreach ((json_t *)v, key, item) {
		int c = option_choice(o->choices, key);
		struct json_at there = AT_KEY(at, key);

		if (c < 0)
			return json_fail(&there, "unknown key; expected %s",
					 option_expected(o, expected, sizeof(expected)));
		if (!json_is_integer(item))
			return refuse(&there, o, item, "has the wrong type");
		if (json_integer_value(item) < 0)
			return refuse(&there, o, item, "is out of range");
		weights[c] = (u64)json_integer_value(item);
		if ((option_min(o, &min) && weights[c] < min) ||
		    (option_max(o, &max) && weights[c] > max))
			return refuse(&there, o, item, "is out of range");
		/* The worker draws below the sum: it has to fit. */
		if (__builtin_add_overflow(sum, weights[c], &sum))
			return refuse(&there, o, item, "makes the sum too large");
	}
	return sum ? 0 : refuse(at, o, v, "has no weight above 0");
}

static int decode_nothing(const struct json_at *at, const struct opt_def *o, const json_t *v,
			  void *slot)
{
	(void)at, (void)o, (void)v, (void)slot;
	return 0;
}

typedef int (*decode_fn)(const struct json_at *, const struct opt_def *, const json_t *, void *);

static const decode_fn decoders[OPT_TYPES] = {
	[OPT_BOOL] = decode_bool,	   [OPT_COUNT] = decode_number,
	[OPT_SIZE] = decode_number,	   [OPT_TIME] = decode_number,
	[OPT_COUNT_RANGE] = decode_number, [OPT_SIZE_RANGE] = decode_number,
	[OPT_TIME_RANGE] = decode_number,  [OPT_PERCENT] = decode_number,
	[OPT_ENUM] = decode_enum,	   [OPT_ENUM_SET] = decode_enum_set,
	[OPT_STRING] = decode_string,	   [OPT_STRINGS] = decode_strings,
	[OPT_WEIGHTS] = decode_weights,	   [OPT_JSON] = decode_nothing,
};

int option_choice(const char *const *names, const char *name)
{
	for (int i = 0; names && names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* Names of the table and @extra, NULL-terminated; NULL when out of memory. */
static const char **known_keys(const struct opt_def *table, const char *extra)
{
	size_t n = 0;
	const char **names;

	opt_foreach (o, table)
		n++;
	names = calloc(n + 2, sizeof(*names));
	if (!names)
		return NULL;
	n = 0;
	if (extra)
		names[n++] = extra;
	opt_foreach (o, table)
		names[n++] = o->name;
	return names;
}

static int fail_unknown(const struct json_at *at, const struct opt_def *table, const char *extra)
{
	_cleanup_free_ const char **names = known_keys(table, extra);
	char list[EXPECTED_MAX] = "";
	const char *nearest;
	size_t used = 0;

	if (!names)
		return json_fail_memory(at);
	for (size_t i = 0; names[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "",
					 names[i]);
	nearest = option_nearest(names, at->key);
	if (!names[0])
		return json_fail(at, "unknown key; expected no keys here");
	if (nearest)
		return json_fail(at, "unknown key (did you mean \"%s\"?); expected one of: %s",
				 nearest, list);
	return json_fail(at, "unknown key; expected one of: %s", list);
}

static bool is_known(const struct opt_def *table, const char *extra, const char *key)
{
	opt_foreach (o, table)
		if (!strcmp(o->name, key))
			return true;
	return extra && !strcmp(extra, key);
}

/* Decode one option; a default is decoded like a value. The value goes to @resolved as well. */
static int decode_one(const struct opt_def *o, const json_t *object, void *block,
		      const struct json_at *at, json_t *resolved)
{
	_cleanup_json_ json_t *v = json_incref(json_object_get(object, o->name));
	char expected[EXPECTED_MAX];
	int r;

	if (!v && option_is_required(o))
		return json_fail(at, "key \"%s\" is missing; expected %s", o->name,
				 option_expected(o, expected, sizeof(expected)));
	if (!v && !option_has_default(o))
		return 0;
	if (!v)
		v = option_default(o);
	if (!v)
		return json_fail_memory(at);
	r = decoders[o->type](&AT_KEY(at, o->name), o, v, (char *)block + o->offset);
	if (r < 0)
		return r;
	return json_object_set(resolved, o->name, v) ? json_fail_memory(at) : 0;
}

int option_decode(const struct opt_def *table, const char *extra, const json_t *object, void *block,
		  const struct json_at *at, json_t **ret_resolved)
{
	_cleanup_json_ json_t *resolved = NULL;
	char shown[JSON_SHOW_MAX];
	const char *key;
	json_t *v;

	if (!json_is_object(object))
		return json_fail(at, "%s is not an object; expected an object {...}",
				 json_show(shown, object));
	/* Misspelt keys come first: "count is missing" would hide that it says "cuont". */
	json_object_foreach ((json_t *)object, key, v)
		if (!is_known(table, extra, key))
			return fail_unknown(&AT_KEY(at, key), table, extra);
	resolved = json_object();
	if (!resolved)
		return json_fail_memory(at);
	opt_foreach (o, table) {
		int r = decode_one(o, object, block, at, resolved);

		if (r < 0)
			return r;
	}
	if (ret_resolved)
		*ret_resolved = take_ptr(resolved);
	return 0;
}

void option_free(const struct opt_def *table, void *block)
{
	opt_foreach (o, table) {
		char **slot = block ? (char **)((char *)block + o->offset) : NULL;

		if (!slot || (o->type != OPT_STRING && o->type != OPT_STRINGS))
			continue;
		for (char **s = o->type == OPT_STRINGS ? *(char ***)slot : NULL; s && *s; s++)
			free(*s);
		free(*slot);
		*slot = NULL;
	}
}
