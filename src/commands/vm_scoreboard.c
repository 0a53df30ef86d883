// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd vm --scoreboard: its options. */
#include "commands/vm_scoreboard.h"

#include "base/units.h"
#include "commands/commands.h"

#include <string.h>

#define REPEAT_MAX	1000
#define REPEAT		5
#define LIMIT_NS	(60 * NSEC_PER_SEC)
#define FAST_REPEAT	1
#define FAST_LIMIT_NS	(20 * NSEC_PER_SEC)
#define FAST_SILENCE_NS (10 * NSEC_PER_SEC)
#define HOURS_MAX	(720 * 3600 * NSEC_PER_SEC) /* as a scenario's duration */

const char vm_scoreboard_help[] =
	"With --scoreboard: are the faults of a lab kernel found, how fast, and silence without?\n"
	"  --scoreboard FILE  the list of faults, such as lab/mutants.json\n"
	"  --kernel IMAGE     may be given again: a fault takes the first that has what it needs\n"
	"  --repeat N         attempts of each scenario under each fault (default: 5)\n"
	"  --limit TIME       of an attempt (default: 60s)\n"
	"  --silence-time TIME\n"
	"                     of each scenario without a fault (default: three times its longest\n"
	"                     detection, at least 10s)\n"
	"  --only NAME,...    these faults only, by name or number\n"
	"  --fast             a first look: one attempt, 20s at most, and 10s of silence\n";

bool vm_scoreboard_takes(int c)
{
	return strchr("kBNLSOQ", c) != NULL;
}

static int bad(const char *option, const char *value, const char *expected)
{
	return usage_error("vm", "--%s %s: expected %s", option, value, expected);
}

static bool is_time(const char *value, u64 *ret_ns)
{
	return parse_time(value, ret_ns) == 0 && *ret_ns >= NSEC_PER_MSEC && *ret_ns <= HOURS_MAX;
}

int vm_scoreboard_option(struct scoreboard_options *o, int c, char *value)
{
	switch (c) {
	case 'k':
		if (o->nkernels == SCOREBOARD_KERNELS_MAX)
			return usage_error("vm", "more than %d kernels", SCOREBOARD_KERNELS_MAX);
		o->kernels[o->nkernels++] = value;
		return 0;
	case 'B':
		o->mutants = value;
		return 0;
	case 'N':
		return parse_count(value, &o->repeat) < 0 || !o->repeat || o->repeat > REPEAT_MAX
			       ? bad("repeat", value, "a number from 1 to 1000")
			       : 0;
	case 'L':
		return is_time(value, &o->limit_ns) ? 0 : bad("limit", value, "a time like 60s");
	case 'S':
		return is_time(value, &o->silence_ns)
			       ? 0
			       : bad("silence-time", value, "a time like 10s");
	case 'O':
		o->only = value;
		return 0;
	default:
		o->fast = true;
		return 0;
	}
}

int vm_scoreboard_settle(struct scoreboard_options *o, int nscenarios)
{
	if (!o->nkernels)
		return usage_error("vm", "expected --kernel IMAGE");
	o->vm.kernel = o->kernels[0];
	if (!o->mutants) {
		if (o->repeat || o->limit_ns || o->silence_ns || o->only || o->fast)
			return usage_error("vm", "--repeat, --limit, --silence-time, --only and "
						 "--fast are for --scoreboard");
		return o->nkernels > 1
			       ? usage_error("vm", "more than one kernel; expected --scoreboard")
			       : 0;
	}
	if (nscenarios)
		return usage_error("vm",
				   "with --scoreboard the list of faults names the scenarios; "
				   "expected none");
	if (o->fast && !o->silence_ns)
		o->silence_ns = FAST_SILENCE_NS;
	if (!o->repeat)
		o->repeat = o->fast ? FAST_REPEAT : REPEAT;
	if (!o->limit_ns)
		o->limit_ns = o->fast ? FAST_LIMIT_NS : LIMIT_NS;
	return 0;
}
