/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a fault is to be armed and disarmed: "after", "for" and "every" of a scenario. Pure; times
 * are nanoseconds since the start of the run. */
#ifndef STRESSD_SCHEDULE_H
#define STRESSD_SCHEDULE_H

#include "scenario.h"

#define SCHEDULE_NEVER UINT64_MAX

/* The first time to arm at or after @now; what was missed is left out, not made up for. With
 * @armed_before a fault without "every" is armed no more. */
static inline u64 schedule_arm(const struct sc_fault *f, u64 now, bool armed_before)
{
	u64 periods;

	if (!armed_before && now <= f->after_ns)
		return f->after_ns;
	if (!f->every_ns)
		return armed_before ? SCHEDULE_NEVER : f->after_ns;
	periods = (now - MIN(now, f->after_ns) + f->every_ns - 1) / f->every_ns;
	return f->after_ns + periods * f->every_ns;
}

/* When to disarm what was armed at @armed; SCHEDULE_NEVER: at the end of the run. */
static inline u64 schedule_disarm(const struct sc_fault *f, u64 armed)
{
	return f->for_ns ? armed + f->for_ns : SCHEDULE_NEVER;
}

#endif
