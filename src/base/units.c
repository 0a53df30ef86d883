// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes, times and ranges: one table of suffixes each, one parser, one formatter. */
#include "base/units.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *suffix;
	u64 factor;
};

/* Largest first: the formatter takes the first that divides the value. */
static const struct unit size_units[] = {
	{ "T", GIB * 1024 }, { "G", GIB }, { "M", MIB }, { "K", KIB }, { "", 1 },
};
static const struct unit time_units[] = {
	{ "h", 3600 * NSEC_PER_SEC }, { "m", 60 * NSEC_PER_SEC }, { "s", NSEC_PER_SEC },
	{ "ms", NSEC_PER_MSEC },      { "us", NSEC_PER_USEC },	  { "ns", 1 },
};

int err_set(struct err *e, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return ret;
}

static int parse_number(const char **s, u64 *ret)
{
	u64 v = 0;

	if (**s < '0' || **s > '9')
		return -EINVAL;
	for (; **s >= '0' && **s <= '9'; (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (u64)(**s - '0'), &v))
			return -ERANGE;
	*ret = v;
	return 0;
}

static int parse_with(const char *s, const struct unit *units, size_t n, u64 *ret)
{
	u64 v;
	int r = parse_number(&s, &v);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s, units[i].suffix))
			return __builtin_mul_overflow(v, units[i].factor, ret) ? -ERANGE : 0;
	return -EINVAL;
}

int parse_size(const char *s, u64 *ret_bytes)
{
	return parse_with(s, size_units, ARRAY_SIZE(size_units), ret_bytes);
}

int parse_time(const char *s, u64 *ret_ns)
{
	if (!strcmp(s, "0")) {
		*ret_ns = 0;
		return 0;
	}
	return parse_with(s, time_units, ARRAY_SIZE(time_units), ret_ns);
}

int parse_count(const char *s, u64 *ret)
{
	int r = parse_number(&s, ret);

	return r < 0 ? r : *s ? -EINVAL : 0;
}

int parse_range(const char *s, int (*parse)(const char *, u64 *), struct range *ret)
{
	const char *dots = strstr(s, "..");
	char lo[UNITS_MAX];
	int r;

	if (!dots) {
		r = parse(s, &ret->lo);
		ret->hi = ret->lo;
		return r;
	}
	if ((size_t)(dots - s) >= sizeof(lo))
		return -EINVAL;
	memcpy(lo, s, (size_t)(dots - s));
	lo[dots - s] = '\0';
	r = parse(lo, &ret->lo);
	if (r == 0)
		r = parse(dots + 2, &ret->hi);
	if (r == 0 && ret->lo > ret->hi)
		r = -EINVAL;
	return r;
}

static const char *format_with(char *buf, u64 v, const struct unit *units, size_t n)
{
	size_t i = 0;

	if (v == 0)
		i = n - 1;
	while (i < n - 1 && v % units[i].factor)
		i++;
	snprintf(buf, UNITS_MAX, "%llu%s", (unsigned long long)(v / units[i].factor),
		 units[i].suffix);
	return buf;
}

const char *format_size(char buf[UNITS_MAX], u64 bytes)
{
	return format_with(buf, bytes, size_units, ARRAY_SIZE(size_units));
}

const char *format_time(char buf[UNITS_MAX], u64 ns)
{
	return format_with(buf, ns, time_units, ARRAY_SIZE(time_units));
}
