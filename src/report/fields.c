// SPDX-License-Identifier: GPL-2.0-or-later
/* See fields.h. What is in the file may have been written by anybody: nothing is believed. */
#include "report/fields.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX 9e9 /* that nanoseconds of a u64 hold */

static const char *const expected[FIELD_TYPES] = {
	[FIELD_TEXT] = "a string",
	[FIELD_NAME] = "a string",
	[FIELD_BOOL] = "true or false",
	[FIELD_INT] = "a number from 0",
	[FIELD_U32] = "a number from 0",
	[FIELD_U64] = "a number from 0",
	[FIELD_REAL] = "a number of seconds",
	[FIELD_MS] = "a number of milliseconds",
};

void fields_text(char *buf, size_t size, const char *s)
{
	size_t n = strlen(s);

	if (n >= size) {
		n = size - 1;
		while (n && (s[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(buf, s, n);
	buf[n] = '\0';
}

static bool is_real(const json_t *v, double max)
{
	double x = json_number_value(v);

	return json_is_number(v) && isfinite(x) && x >= 0 && x <= max;
}

static bool is_integer(const json_t *v, json_int_t max)
{
	return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= max;
}

/* False: @v is none of the type. */
static bool take(const struct field *f, const json_t *v, void *at)
{
	switch (f->type) {
	case FIELD_TEXT:
		if (json_is_string(v))
			fields_text(at, f->size, json_string_value(v));
		return json_is_string(v) || json_is_null(v);
	case FIELD_NAME:
		*(const char **)at = json_string_value(v);
		return json_is_string(v);
	case FIELD_BOOL:
		*(bool *)at = json_is_true(v);
		return json_is_boolean(v);
	case FIELD_INT:
		*(int *)at = is_integer(v, INT_MAX) ? (int)json_integer_value(v) : 0;
		return is_integer(v, INT_MAX);
	case FIELD_U32:
		*(u32 *)at = is_integer(v, UINT32_MAX) ? (u32)json_integer_value(v) : 0;
		return is_integer(v, UINT32_MAX);
	case FIELD_U64:
		*(u64 *)at = is_integer(v, INT64_MAX) ? (u64)json_integer_value(v) : 0;
		return is_integer(v, INT64_MAX);
	case FIELD_REAL:
		*(double *)at = json_number_value(v);
		return is_real(v, SECONDS_MAX);
	default: /* FIELD_MS: of a double of 15 digits, to the nanosecond that it was */
		*(u64 *)at = is_real(v, SECONDS_MAX * 1e3)
				     ? (u64)llround(json_number_value(v) * 1e6)
				     : 0;
		return is_real(v, SECONDS_MAX * 1e3);
	}
}

static int fail(const struct json_at *at, const json_t *v, const char *what)
{
	char shown[JSON_SHOW_MAX];

	return json_fail(at, "%s; expected %s", v ? json_show(shown, v) : "missing", what);
}

int fields_read(const struct json_at *at, const json_t *o, const struct field *rows, void *into)
{
	if (!json_is_object(o))
		return fail(at, o, "an object");
	for (const struct field *f = rows; f->key; f++) {
		const json_t *v = json_object_get(o, f->key);

		if (f->nullable && json_is_null(v))
			continue;
		if (!take(f, v, (char *)into + f->offset))
			return fail(&AT_KEY(at, f->key), v, expected[f->type]);
	}
	return 0;
}

int fields_name(const struct json_at *at, const json_t *o, const char *key,
		const char *const *names, size_t n)
{
	const json_t *v = json_object_get(o, key);
	const char *name = json_string_value(v);

	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return fail(&AT_KEY(at, key), v, "one of the names that this stressd knows");
}

int fields_list(const struct json_at *up, const json_t *o, const char *key, void **into,
		size_t size, size_t max, fields_element_fn *fn, size_t *ret_n)
{
	const struct json_at at = AT_KEY(up, key);
	const json_t *a = json_object_get(o, key);
	size_t n = json_array_size(a);
	int r = 0;

	if (!json_is_array(a))
		return fail(&at, a, "an array");
	if (n > max)
		return json_fail(&at, "%zu elements; expected at most %zu", n, max);
	if (!*into)
		*into = calloc(n + 1, size);
	if (!*into)
		return json_fail_memory(&at);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = fn(&AT_INDEX(&at, i), json_array_get(a, i), (char *)*into + i * size);
		*ret_n = i + 1;
	}
	return r;
}
