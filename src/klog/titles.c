// SPDX-License-Identifier: GPL-2.0-or-later
/* Titles: the rule's template, its groups with everything that varies taken out, and the
 * function at fault, which is the first in the stack that only this bug would have there. */
#include "klog/titles.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FUNC_MAX 96

static const char *const generic[] = {
#include "klog/generic.def"
};

static bool is_generic(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(generic); i++) {
		const char *star = strrchr(generic[i], '*');

		if (star && !star[1] ? !strncmp(name, generic[i], (size_t)(star - generic[i]))
				     : !strcmp(name, generic[i]))
			return true;
	}
	return false;
}

static bool is_symbol(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/*
 * The next "name+0x12/0x34" of @line goes to @name without what the compiler hung on (".isra.0",
 * ".cold"). Returns where to go on, or NULL. Frames marked "?" are leftovers of the stack.
 */
static const char *next_symbol(const char *line, char name[FUNC_MAX])
{
	const char *plus = line;

	while ((plus = strstr(plus, "+0x"))) {
		const char *start = plus, *slash = plus + 3 + strspn(plus + 3, "0123456789abcdef");

		while (start > line && is_symbol(start[-1]))
			start--;
		plus = slash;
		if (start == slash || strncmp(slash, "/0x", 3) || !is_symbol(*start))
			continue;
		if (start - line >= 2 && !strncmp(start - 2, "? ", 2))
			continue;
		snprintf(name, FUNC_MAX, "%.*s", (int)strcspn(start, ".+"), start);
		return slash + 3;
	}
	return NULL;
}

/* Take the first symbol of @line that is not generic; the first at all is kept in @fallback. */
static bool culprit_in(const char *line, char name[FUNC_MAX], char fallback[FUNC_MAX])
{
	while ((line = next_symbol(line, name))) {
		if (!*name)
			continue;
		if (!is_generic(name))
			return true;
		if (!*fallback)
			snprintf(fallback, FUNC_MAX, "%s", name);
	}
	return false;
}

static bool is_pc(const char *line)
{
	return (!strncmp(line, "RIP: ", 5) && !strstr(line, "0033:")) || !strncmp(line, "pc : ", 5);
}

/* "at fs/xfs/xfs_inode.c:97" names no function, but a file that stays the same. */
static bool file_in(const char *anchor, char name[FUNC_MAX])
{
	const char *dot = strstr(anchor, ".c:"), *start = dot;

	if (!dot)
		return false;
	while (start > anchor && (is_symbol(start[-1]) || start[-1] == '/' || start[-1] == '-'))
		start--;
	snprintf(name, FUNC_MAX, "%.*s", (int)(dot + 2 - start), start);
	return true;
}

/* False, and @name says so in words, where the splat names no function. */
static bool culprit(const struct splat *s, char name[FUNC_MAX])
{
	char fallback[FUNC_MAX] = "";
	bool trace = false;

	if (culprit_in(s->anchor, name, fallback))
		return true;
	for (size_t i = 0; i < s->nlines; i++)
		if (is_pc(s->lines[i]) && culprit_in(s->lines[i], name, fallback))
			return true;
	for (size_t i = 0; i < s->nlines; i++) {
		trace |= !strncasecmp(s->lines[i], "Call trace", 10);
		if (trace && culprit_in(s->lines[i], name, fallback))
			return true;
	}
	/* KCSAN and KFENCE print frames without a heading. */
	for (size_t i = 0; i < s->nlines && !trace; i++)
		if (isblank((unsigned char)s->lines[i][0]) &&
		    culprit_in(s->lines[i], name, fallback))
			return true;
	if (*fallback)
		snprintf(name, FUNC_MAX, "%s", fallback);
	if (*fallback || file_in(s->anchor, name))
		return true;
	snprintf(name, FUNC_MAX, "an unknown function");
	return false;
}

/* Length of an address, "0x" and digits or eight and more hex digits with one that is decimal:
 * words such as "defaced" are none. */
static size_t address_len(const char *p)
{
	size_t prefix = !strncmp(p, "0x", 2) ? 2 : 0;
	size_t n = prefix + strspn(p + prefix, "0123456789abcdef");

	if (is_symbol(p[n]) || (prefix ? n < 3 : n < 8))
		return 0;
	if (!prefix && strspn(p, "abcdef") == n)
		return 0;
	return n;
}

static void put(char *buf, size_t len, size_t *at, char c)
{
	bool doubled = c == ' ' && *at && buf[*at - 1] == ' ';

	if (*at + 1 < len && !doubled)
		buf[(*at)++] = isprint((unsigned char)c) ? c : '?';
}

/* Copy up to @end, or all of @p for NULL, without offsets ("+0x1a/0x40") and addresses. */
static void put_group(char *buf, size_t len, size_t *at, const char *p, const char *end)
{
	end = end ? end : p + strlen(p);
	while (p < end) {
		size_t n = 0;

		if (!strncmp(p, "+0x", 3))
			n = 1 + strspn(p + 1, "0123456789abcdefx/");
		else if (*at == 0 || !is_symbol(buf[*at - 1]))
			n = address_len(p);
		if (!n)
			put(buf, len, at, *p++);
		else if (*p != '+')
			put(buf, len, at, 'N');
		p += n;
	}
}

static void put_culprit(char *buf, size_t len, size_t *at, const struct splat *s, bool optional)
{
	char func[FUNC_MAX];
	bool known = culprit(s, func);

	if (optional && !known)
		return;
	if (optional)
		put_group(buf, len, at, " in ", NULL);
	put_group(buf, len, at, func, NULL);
}

void title_of(const struct rules *r, const struct splat *s, char *buf, size_t len)
{
	regmatch_t m[RULE_GROUPS];
	size_t at = 0;

	if (!rules_groups(r, s->rule, s->anchor, m))
		memset(m, -1, sizeof(m));
	for (const char *t = klog_rules[s->rule].title; *t; t++) {
		if (*t != '%' || !t[1]) {
			put(buf, len, &at, *t);
		} else if (*++t == 'f' || *t == 'i') {
			put_culprit(buf, len, &at, s, *t == 'i');
		} else if (*t > '0' && *t < '0' + RULE_GROUPS && m[*t - '0'].rm_so >= 0) {
			put_group(buf, len, &at, s->anchor + m[*t - '0'].rm_so,
				  s->anchor + m[*t - '0'].rm_eo);
		}
	}
	while (at && strchr(" :,", buf[at - 1]))
		at--;
	buf[at] = '\0';
}
