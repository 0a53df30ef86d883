/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes ("64K"), times ("200us") and ranges ("a..b") as people write them, both ways.
 */
#ifndef STRESSD_UNITS_H
#define STRESSD_UNITS_H

#include "base/base.h"

/* Parse all of @s; powers of 1024 with K, M, G, T. Returns 0, -EINVAL (not a size) or -ERANGE. */
int parse_size(const char *s, u64 *ret_bytes);
/* Parse all of @s: a number with ns, us, ms, s, m or h. A bare number is -EINVAL, but for 0. */
int parse_time(const char *s, u64 *ret_ns);
/* Parse "a" or "a..b" with @parse for each end; -EINVAL too when a > b. */
int parse_range(const char *s, int (*parse)(const char *, u64 *), struct range *ret);
/* Parse all of @s as an unsigned decimal number. Returns 0, -EINVAL or -ERANGE. */
int parse_count(const char *s, u64 *ret);

#define UNITS_MAX 32
/* The shortest exact writing of a value, in @buf, which is returned. */
const char *format_size(char buf[UNITS_MAX], u64 bytes);
const char *format_time(char buf[UNITS_MAX], u64 ns);

#endif
