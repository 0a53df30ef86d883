/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scenarios of configs/faults, cut down to what arms each fault once, as fast as can be. */
#ifndef STRESSD_SWEEP_SCENARIO_H
#define STRESSD_SWEEP_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#define SCENARIOS_MAX 64
#define SC_NAME_MAX   64

/* Names of the files in @dir without their suffix, sorted. Returns how many. */
size_t scenario_names(const char *dir, char names[SCENARIOS_MAX][SC_NAME_MAX]);
/* Write the small one of @dir/@name.json to @path. False with a line on stdout: it cannot be. */
bool scenario_cut_down(const char *dir, const char *name, const char *path);

#endif
