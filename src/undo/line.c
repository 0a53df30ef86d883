// SPDX-License-Identifier: GPL-2.0-or-later
/* The text form of a journal record. What comes in may be cut or damaged anywhere: the checksum
 * is looked at before anything else is believed. */
#include "undo/line.h"
#include "base/cleanup.h"

#include <string.h>
#include <xxhash.h>

#define SUM_LEN 16

static void escape(FILE *f, const char *s)
{
	if (!s) {
		fputs(" -", f);
		return;
	}
	fputs(" =", f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > ' ' && c < 0x7f && c != '%')
			fputc(c, f);
		else
			fprintf(f, "%%%02X", c);
	}
}

char *undo_line_format(char type, unsigned int number, const char *kind,
		       const char *const arg[UNDO_ARGS])
{
	_cleanup_free_ char *body = NULL;
	char *line = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&body, &len);

	if (!f)
		return NULL;
	fprintf(f, "%c %u %s", type, number, kind);
	for (int i = 0; i < UNDO_ARGS; i++)
		escape(f, arg[i]);
	if (fclose(f) != 0)
		return NULL;
	if (asprintf(&line, "%016llx %s\n", (unsigned long long)XXH64(body, len, 0), body) < 0)
		return NULL;
	return line;
}

static int unescape(const char *s, char **ret)
{
	_cleanup_free_ char *out = NULL;
	size_t n = 0;

	*ret = NULL;
	if (!strcmp(s, "-"))
		return 0;
	if (*s++ != '=')
		return -EBADMSG;
	out = malloc(strlen(s) + 1);
	if (!out)
		return -ENOMEM;
	while (*s) {
		unsigned int c = (unsigned char)*s++;

		if (c == '%') {
			if (strspn(s, "0123456789ABCDEF") < 2 || sscanf(s, "%2x", &c) != 1 || !c)
				return -EBADMSG;
			s += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	*ret = take_ptr(out);
	return 0;
}

void undo_line_free(struct undo_line *l)
{
	for (int i = 0; i < UNDO_ARGS; i++) {
		free(l->arg[i]);
		l->arg[i] = NULL;
	}
}

static bool sum_matches(const char *line, size_t len)
{
	char sum[SUM_LEN + 1];

	if (len <= SUM_LEN + 1 || line[SUM_LEN] != ' ' || memchr(line, '\0', len))
		return false;
	snprintf(sum, sizeof(sum), "%016llx",
		 (unsigned long long)XXH64(line + SUM_LEN + 1, len - SUM_LEN - 1, 0));
	return !memcmp(sum, line, SUM_LEN);
}

static int parse_fields(char *body, struct undo_line *ret)
{
	char *save = NULL, *type = strtok_r(body, " ", &save);
	char *number = strtok_r(NULL, " ", &save), *kind = strtok_r(NULL, " ", &save);

	if (!type || strlen(type) != 1 || !number || !kind || strlen(kind) >= sizeof(ret->kind))
		return -EBADMSG;
	if (sscanf(number, "%9u", &ret->number) != 1)
		return -EBADMSG;
	ret->type = type[0];
	strcpy(ret->kind, kind);
	for (int i = 0; i < UNDO_ARGS; i++) {
		char *field = strtok_r(NULL, " ", &save);
		int r = field ? unescape(field, &ret->arg[i]) : -EBADMSG;

		if (r < 0)
			return r;
	}
	return strtok_r(NULL, " ", &save) ? -EBADMSG : 0;
}

int undo_line_parse(const char *line, size_t len, struct undo_line *ret)
{
	_cleanup_free_ char *body = NULL;
	int r;

	*ret = (struct undo_line){ 0 };
	if (!sum_matches(line, len))
		return -EBADMSG;
	body = strndup(line + SUM_LEN + 1, len - SUM_LEN - 1);
	if (!body)
		return -ENOMEM;
	r = parse_fields(body, ret);
	if (r < 0)
		undo_line_free(ret);
	return r;
}
