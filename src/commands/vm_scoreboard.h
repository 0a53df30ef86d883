/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of `stressd vm` that a scoreboard has besides those of a guest. For vm.c only.
 */
#ifndef STRESSD_COMMANDS_VM_SCOREBOARD_H
#define STRESSD_COMMANDS_VM_SCOREBOARD_H

#include "vm/scoreboard.h"

extern const char vm_scoreboard_help[];

/* Rows of the table of getopt_long(3). */
#define VM_SCOREBOARD_OPTIONS                                                                      \
	{ "kernel", required_argument, NULL, 'k' },                                                \
		{ "scoreboard", required_argument, NULL, 'B' },                                    \
		{ "repeat", required_argument, NULL, 'N' },                                        \
		{ "limit", required_argument, NULL, 'L' },                                         \
		{ "silence-time", required_argument, NULL, 'S' },                                  \
		{ "only", required_argument, NULL, 'O' },                                          \
	{                                                                                          \
		"fast", no_argument, NULL, 'Q'                                                     \
	}

bool vm_scoreboard_takes(int c);
/* One option; 0, or the exit status. */
int vm_scoreboard_option(struct scoreboard_options *o, int c, char *value);
/* When all are read: defaults, and what does not go together. 0, or the exit status. */
int vm_scoreboard_settle(struct scoreboard_options *o, int nscenarios);

#endif
