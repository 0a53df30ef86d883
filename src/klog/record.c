// SPDX-License-Identifier: GPL-2.0-or-later
/* /dev/kmsg records and console prefixes. Whatever the bytes are, nothing is read past them. */
#include "klog/record.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int field_u64(char **p, u64 *ret)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	errno = 0;
	*ret = strtoull(*p, &end, 10);
	if (errno || (*end != ',' && *end != ';'))
		return -EINVAL;
	*p = *end == ',' ? end + 1 : end;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The kernel writes bytes below 32, above 126 and the backslash as \xNN. */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		int hi, lo;

		if (s[0] == '\\' && s[1] == 'x' && (hi = hex_digit(s[2])) >= 0 &&
		    (lo = hex_digit(s[3])) >= 0) {
			/* A NUL would hide the rest of the line from every rule. */
			*to++ = hi || lo ? (char)(hi << 4 | lo) : '?';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

int kmsg_parse(char *buf, size_t len, struct kmsg_record *ret)
{
	char *semi, *end, *p = buf, *caller;
	u64 prefix;

	buf[len] = '\0';
	*ret = (struct kmsg_record){ 0 };
	semi = memchr(buf, ';', len);
	if (!semi)
		return -EINVAL;
	if (field_u64(&p, &prefix) < 0 || field_u64(&p, &ret->seq) < 0 ||
	    field_u64(&p, &ret->usec) < 0)
		return -EINVAL;
	ret->level = (int)(prefix & 7);
	ret->facility = (int)(prefix >> 3 & 0xffff);

	/* The flag, and fields that a later kernel may add, tell us nothing we need. */
	*semi = '\0';
	caller = strstr(p, "caller=");
	if (caller) {
		caller += strlen("caller=");
		snprintf(ret->caller, sizeof(ret->caller), "%.*s", (int)strcspn(caller, ","),
			 caller);
	}
	ret->text = semi + 1;
	end = memchr(ret->text, '\n', (size_t)(buf + len - ret->text));
	if (end)
		*end = '\0';
	unescape(ret->text);
	return 0;
}

static const char *skip_level(const char *line)
{
	size_t n;

	if (line[0] != '<')
		return line;
	n = strspn(line + 1, "0123456789");
	return n && line[n + 1] == '>' ? line + n + 2 : line;
}

const char *console_strip(const char *line, u64 *usec, char caller[CALLER_MAX])
{
	const char *p = skip_level(line), *close;
	unsigned long long sec;
	unsigned int frac;
	int n = 0;

	/* "%5lu.%06lu": exactly six digits, or it is no time stamp (print_time() in printk.c). */
	if (p[0] != '[' || sscanf(p, "[%20llu.%6u]%n", &sec, &frac, &n) != 2 || !n)
		return p;
	*usec = (u64)sec * 1000000 + frac;
	p += n;
	if (p[0] == '[' && (close = strchr(p, ']')) && close - p < CALLER_MAX) {
		const char *id = p + 1 + strspn(p + 1, " ");

		if ((*id == 'T' || *id == 'C') && isdigit((unsigned char)id[1])) {
			snprintf(caller, CALLER_MAX, "%.*s", (int)(close - id), id);
			p = close + 1;
		}
	}
	return *p == ' ' ? p + 1 : p;
}
