// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control language: one command a line, "KIND FILE OFFSET LENGTH [TIMES] [KEY=VALUE ...]",
 * or "none", or "release". Only parses and says what is wrong; lie.c tells.
 */
#include "liarfs.h"
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16

static int refuse(struct lies *ls, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct lies *ls, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ls->error, sizeof(ls->error), fmt, ap);
	va_end(ap);
	return ret;
}

/* By the C library's names, so that there is no list to fall behind. */
static int parse_errno(const char *s, int *ret)
{
	for (int e = 1; e < 134; e++) {
		const char *name = strerrorname_np(e);

		if (name && strcmp(name, s) == 0) {
			*ret = e;
			return 0;
		}
	}
	return -EINVAL;
}

/* In the order of the bits of enum lie_moment. */
static int parse_moment(const char *s, unsigned int *ret)
{
	static const char *const names[] = { "read",	"write",    "now",	"fsync",
					     "getattr", "truncate", "allocate", "beside" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], s) == 0) {
			*ret = 1U << i;
			return 0;
		}
	return -EINVAL;
}

static int parse_delta(const char *s, s64 *ret)
{
	u64 v;
	int err = parse_size(s + (*s == '-'), &v);

	if (err || v > INT64_MAX)
		return -EINVAL;
	*ret = *s == '-' ? -(s64)v : (s64)v;
	return 0;
}

static int parse_path(const char *s, char ret[LIE_PATH_MAX])
{
	int len = snprintf(ret, LIE_PATH_MAX, "%s", s);

	return len > 0 && len < LIE_PATH_MAX && s[0] != '/' ? 0 : -EINVAL;
}

/* 0..255, decimal or 0x.., as pattern bytes are written. */
static int parse_byte(const char *s, u64 *ret)
{
	char *end;

	*ret = strtoull(s, &end, 0);
	return *s && !*end && *ret < 256 ? 0 : -EINVAL;
}

static int set_key(struct lie *l, enum lie_key key, const char *value)
{
	switch (key) {
	case KEY_AT:
		return parse_moment(value, &l->at);
	case KEY_ERRNO:
		return parse_errno(value, &l->error);
	case KEY_BIT:
		return parse_count(value, &l->bit) || l->bit > 7 ? -EINVAL : 0;
	case KEY_CELL:
		return parse_size(value, &l->cell_bytes) || l->cell_bytes < 16 ? -EINVAL : 0;
	case KEY_DELTA:
		return parse_delta(value, &l->delta);
	case KEY_MS:
		return parse_count(value, &l->hold_ms) || l->hold_ms > 3600000 ? -EINVAL : 0;
	case KEY_OTHER:
		return parse_path(value, l->other);
	case KEY_WITH:
		return parse_size(value, &l->with);
	case KEY_BYTE:
		return parse_byte(value, &l->byte);
	case KEY_RANDOM:
		return parse_count(value, &l->random);
	}
	return -EINVAL;
}

/* In the order of the bits of enum lie_key. */
static const char *const key_names[] = { "at", "errno", "bit",	"cell", "delta",
					 "ms", "other", "with", "byte", "random" };

static int parse_option(struct lies *ls, struct lie *l, char *word)
{
	char *value = strchr(word, '=');
	unsigned int allowed = l->kind->keys | KEY_AT;

	if (!value)
		return refuse(ls, -EINVAL, "%s: expected key=value", word);
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++) {
		enum lie_key key = 1U << i;

		if (strcmp(key_names[i], word) != 0 || !(allowed & key))
			continue;
		if (set_key(l, key, value) < 0)
			return refuse(ls, -EINVAL, "%s=%s: not a value that it takes", word, value);
		l->keys |= key;
		return 0;
	}
	return refuse(ls, -EINVAL, "%s: not an option of %s: %s", word, l->kind->name,
		      l->kind->help);
}

static const struct lie_kind *kind_by_name(const char *name)
{
	for (const struct lie_kind *k = lie_kinds; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

/* KIND FILE OFFSET LENGTH [TIMES] [KEY=VALUE ...] */
static int parse_lie(struct lies *ls, char *const *words, size_t n, struct lie *ret)
{
	u64 len;
	size_t i = 4;

	*ret = (struct lie){ .kind = kind_by_name(words[0]),
			     .left = 1,
			     .error = EIO,
			     .cell_bytes = 512,
			     .byte = 0xa5 };
	if (!ret->kind)
		return refuse(ls, -EINVAL, "%s: no such lie", words[0]);
	ret->at = ret->kind->default_moment;
	if (n < 4 || parse_path(words[1], ret->path) || parse_size(words[2], &ret->offset) ||
	    parse_size(words[3], &len))
		return refuse(ls, -EINVAL, "expected: %s FILE OFFSET LENGTH [TIMES] [KEY=VALUE]",
			      words[0]);
	ret->end = len && len < UINT64_MAX - ret->offset ? ret->offset + len : UINT64_MAX;
	if (n > 4 && !strchr(words[4], '=')) {
		if (parse_count(words[4], &ret->left) || !ret->left)
			return refuse(ls, -EINVAL, "%s: expected how many times, from 1", words[4]);
		i++;
	}
	for (; i < n; i++)
		if (parse_option(ls, ret, words[i]) < 0)
			return -EINVAL;
	if (ret->at & ~ret->kind->moments)
		return refuse(ls, -EINVAL, "%s cannot be told at that moment: %s", words[0],
			      ret->kind->help);
	if (ret->kind->required & ~ret->keys)
		return refuse(ls, -EINVAL, "%s lacks an option: %s", words[0], ret->kind->help);
	return 0;
}

static int arm(struct liarfs *fs, const struct lie *l)
{
	struct lies *ls = &fs->lies;

	for (size_t i = 0; i < LIES_MAX; i++)
		if (!ls->slots[i].kind) {
			ls->slots[i] = *l;
			return 0;
		}
	return refuse(ls, -EBUSY, "%d lies are armed already; say \"none\" first", LIES_MAX);
}

int lies_command(struct liarfs *fs, const char *line, size_t len, struct lie_change *ret_change)
{
	char text[1024], *words[WORDS_MAX], *save = NULL;
	struct lies *ls = &fs->lies;
	struct lie l;
	size_t n = 0;
	int ret;

	ls->error[0] = '\0';
	if (len >= sizeof(text))
		return refuse(ls, -EINVAL, "the command is longer than %zu bytes", sizeof(text));
	memcpy(text, line, len);
	text[len] = '\0';
	for (char *w = strtok_r(text, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) {
		if (n == WORDS_MAX)
			return refuse(ls, -EINVAL, "more than %d words", WORDS_MAX);
		words[n++] = w;
	}
	if (n == 1 && (strcmp(words[0], "none") == 0 || strcmp(words[0], "release") == 0)) {
		/* "none" releases too: nothing is left waiting for a lie that is gone. */
		if (words[0][0] == 'n')
			memset(ls->slots, 0, sizeof(ls->slots));
		lies_release(ls);
		return 0;
	}
	ret = n ? parse_lie(ls, words, n, &l) : refuse(ls, -EINVAL, "an empty command");
	if (ret < 0)
		return ret;
	if (l.at != AT_NOW)
		return arm(fs, &l);
	ret = lies_tell_now(fs, &l, ret_change);
	return ret < 0 ? refuse(ls, ret, "%s of %s: %s", l.kind->name, l.path,
				ret == -ENODATA ? "nothing would change" : strerror(-ret))
		       : 0;
}

size_t lies_status(const struct lies *ls, char *buf, size_t size)
{
	u64 armed = 0;
	int len;

	for (size_t i = 0; i < LIES_MAX; i++)
		armed += ls->slots[i].kind ? ls->slots[i].left : 0;
	len = snprintf(buf, size,
		       "armed %" PRIu64 " told %" PRIu64 " last-offset %" PRIu64
		       " last-length %" PRIu64 " held %u\n%s%s%s",
		       armed, ls->told, ls->last_offset, ls->last_len, ls->held,
		       ls->error[0] ? "error " : "", ls->error, ls->error[0] ? "\n" : "");
	return MIN((size_t)len, size - 1);
}
