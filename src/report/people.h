/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for people: rounded to what an eye takes in, with a unit. base/units.h writes values
 * that are read back; nothing reads these back.
 */
#ifndef STRESSD_REPORT_PEOPLE_H
#define STRESSD_REPORT_PEOPLE_H

#include "base/base.h"

#define PEOPLE_MAX 32

/* "9999", "12 k", "1.2 M". Each returns @buf. */
const char *people_count(char buf[PEOPLE_MAX], u64 n);
/* "512 B", "64 KiB", "4.6 GiB" */
const char *people_bytes(char buf[PEOPLE_MAX], u64 bytes);
/* "850 ns", "12.30 us", "1.204 s", "2 m 03 s", "1 h 02 m" */
const char *people_time(char buf[PEOPLE_MAX], u64 ns);
/* A moment against another: "-1.204 ms", "+20.00 us", "0" */
const char *people_against(char buf[PEOPLE_MAX], u64 ns, u64 zero_ns);
/* Operations a second over @seconds, without the "/s"; "0" for no time at all. */
const char *people_rate(char buf[PEOPLE_MAX], u64 n, double seconds);

#endif
