// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers for people: a table of steps for each kind, one function that takes a step. */
#include "report/people.h"

#include <stdio.h>

struct step {
	u64 from; /* smallest value that is written in this unit */
	double unit;
	const char *suffix;
};

/* Largest first. Counts stay exact to 9999: people compare those with what they configured. */
static const struct step count_steps[] = {
	{ 999500000000ULL, 1e12, " T" },
	{ 999500000ULL, 1e9, " G" },
	{ 999500, 1e6, " M" },
	{ 10000, 1e3, " k" },
	{ 0, 1, "" },
};
static const struct step byte_steps[] = {
	{ GIB * 1024, 1024.0 * GIB, " TiB" },
	{ GIB, GIB, " GiB" },
	{ MIB, MIB, " MiB" },
	{ KIB, KIB, " KiB" },
	{ 0, 1, " B" },
};
static const struct step time_steps[] = {
	{ NSEC_PER_SEC, 1e9, " s" },
	{ NSEC_PER_MSEC, 1e6, " ms" },
	{ NSEC_PER_USEC, 1e3, " us" },
	{ 0, 1, " ns" },
};

/* @digits after the point below ten of a unit, none from there on. */
static const char *put_step(char *buf, const struct step *s, u64 v, int digits)
{
	double x;

	while (v < s->from)
		s++;
	x = (double)v / s->unit;
	if (s->from == 0 || x >= 9.95)
		digits = digits > 1 && s->from ? digits - 1 : 0;
	snprintf(buf, PEOPLE_MAX, "%.*f%s", digits, x, s->suffix);
	return buf;
}

const char *people_count(char buf[PEOPLE_MAX], u64 n)
{
	return put_step(buf, count_steps, n, 1);
}

const char *people_bytes(char buf[PEOPLE_MAX], u64 bytes)
{
	return put_step(buf, byte_steps, bytes, 1);
}

const char *people_time(char buf[PEOPLE_MAX], u64 ns)
{
	u64 s = ns / NSEC_PER_SEC;

	if (s < 60)
		return put_step(buf, time_steps, ns, 3);
	if (s < 3600)
		snprintf(buf, PEOPLE_MAX, "%u m %02u s", (unsigned int)(s / 60),
			 (unsigned int)(s % 60));
	else
		snprintf(buf, PEOPLE_MAX, "%llu h %02u m", (unsigned long long)(s / 3600),
			 (unsigned int)(s / 60 % 60));
	return buf;
}

const char *people_against(char buf[PEOPLE_MAX], u64 ns, u64 zero_ns)
{
	char t[PEOPLE_MAX];

	if (ns == zero_ns)
		snprintf(buf, PEOPLE_MAX, "0");
	else
		snprintf(buf, PEOPLE_MAX, "%c%.30s", ns < zero_ns ? '-' : '+',
			 people_time(t, ns < zero_ns ? zero_ns - ns : ns - zero_ns));
	return buf;
}

const char *people_rate(char buf[PEOPLE_MAX], u64 n, double seconds)
{
	return people_count(buf, seconds > 0 ? (u64)((double)n / seconds) : 0);
}
