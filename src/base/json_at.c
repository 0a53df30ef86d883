// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one place that writes an error about a JSON document. Everything that came from outside
 * (path, pointer, quoted values) is escaped and shortened here, so no caller can forget it.
 */
#include "base/json_at.h"

#include "base/escape.h"
#include "base/json_locate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_MAX 560
#define POINTER_MAX 130
#define PATH_SHOWN  260

/* path, line, pointer and message fit an err together: none of them can push out another. */
_Static_assert(MESSAGE_MAX + POINTER_MAX + PATH_SHOWN + 32 <= sizeof(((struct err *)0)->text),
	       "an error line fits struct err");

static void write_error(const struct json_doc *doc, size_t line, const char *pointer,
			const char *message)
{
	char path[PATH_SHOWN], where[POINTER_MAX], what[MESSAGE_MAX];

	text_escape(path, sizeof(path), doc->path, strlen(doc->path));
	text_escape(where, sizeof(where), pointer, strlen(pointer));
	text_escape(what, sizeof(what), message, strlen(message));
	err_set(doc->e, 0, "%s:%zu: %s: %s", path, line, *where ? where : "/", what);
}

static void put_pointer(FILE *out, const struct json_at *at)
{
	if (!at->up)
		return;
	put_pointer(out, at->up);
	fputc('/', out);
	if (!at->key)
		fprintf(out, "%zu", at->index);
	for (const char *p = at->key; p && *p; p++)
		if (*p == '~' || *p == '/')
			fputs(*p == '~' ? "~0" : "~1", out);
		else
			fputc(*p, out);
}

/* Exact, however long: it is looked up in the text. NULL when out of memory. */
static char *make_pointer(const struct json_at *at)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	put_pointer(out, at);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void fail_at(const struct json_at *at, const char *message)
{
	_cleanup_free_ char *pointer = make_pointer(at);
	const char *p = pointer ? pointer : "";
	size_t line = json_line_of(at->doc->text, at->doc->len, p);

	/* A default that was filled in has no line: the object that lacks it stands for it. */
	for (; line == 0 && at->up; at = at->up) {
		_cleanup_free_ char *up = make_pointer(at->up);

		line = json_line_of(at->doc->text, at->doc->len, up ? up : "");
	}
	write_error(at->doc, line, p, message);
}

int json_fail(const struct json_at *at, const char *fmt, ...)
{
	char message[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	fail_at(at, message);
	return -EINVAL;
}

int json_fail_memory(const struct json_at *at)
{
	fail_at(at, "out of memory; expected enough to hold the scenario");
	return -ENOMEM;
}

int json_fail_read(const struct json_doc *doc, int ret, const char *fmt, ...)
{
	char message[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	write_error(doc, 1, "", message);
	return ret;
}

int json_fail_syntax(const struct json_doc *doc, const json_error_t *error)
{
	static const struct {
		int code;
		const char *expected;
	} rows[] = {
		{ json_error_stack_overflow, "values nested less deeply" },
		{ json_error_invalid_utf8, "UTF-8 text" },
		{ json_error_premature_end_of_input, "the rest of the document" },
		{ json_error_end_of_input_expected, "nothing after the document's last brace" },
		{ json_error_null_character, "a string without NUL" },
		{ json_error_null_byte_in_key, "a key without NUL" },
		{ json_error_duplicate_key, "every key once" },
		{ json_error_numeric_overflow, "a number that fits 64 bits" },
		{ json_error_invalid_syntax, "JSON as RFC 8259 has it" },
	};
	const char *expected = "JSON as RFC 8259 has it";
	char pointer[POINTER_MAX * 2], message[MESSAGE_MAX];
	int code = json_error_code(error);
	size_t pos = error->position > 0 ? (size_t)error->position : 0;

	if (code == json_error_out_of_memory)
		return json_fail_memory(&(struct json_at){ .doc = doc });
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].code == code)
			expected = rows[i].expected;
	snprintf(message, sizeof(message), "%s; expected %s", error->text, expected);
	json_pointer_at(doc->text, doc->len, pos, pointer, sizeof(pointer));
	write_error(doc, json_line_at(doc->text, doc->len, pos), pointer, message);
	return -EINVAL;
}

const char *json_show(char buf[JSON_SHOW_MAX], const json_t *v)
{
	char text[JSON_SHOW_MAX - 2];

	switch (json_typeof(v)) {
	case JSON_STRING:
		text_escape(text, sizeof(text), json_string_value(v), json_string_length(v));
		snprintf(buf, JSON_SHOW_MAX, "\"%s\"", text);
		return buf;
	case JSON_INTEGER:
		snprintf(buf, JSON_SHOW_MAX, "%lld", (long long)json_integer_value(v));
		return buf;
	case JSON_REAL:
		snprintf(buf, JSON_SHOW_MAX, "%.17g (not an integer)", json_real_value(v));
		return buf;
	case JSON_TRUE:
		return strcpy(buf, "true");
	case JSON_FALSE:
		return strcpy(buf, "false");
	case JSON_NULL:
		return strcpy(buf, "null");
	case JSON_OBJECT:
		return strcpy(buf, "an object");
	case JSON_ARRAY:
		return strcpy(buf, "an array");
	}
	return strcpy(buf, "nothing");
}
