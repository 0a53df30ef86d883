/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is the machine as it was? Asked of its knobs, its devices and the mounts of all its processes,
 * never of stressd: what is armed, mounted, attached or frozen, whoever believes what. For a guest
 * that nobody else uses: nothing of anybody else is told apart.
 */
#ifndef STRESSD_SWEEP_MACHINE_H
#define STRESSD_SWEEP_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WHY_MAX 300

/* The knobs as they are now are how they must be. */
void machine_remember(void);
/* Nothing is armed, mounted, attached or frozen, and no process has @state as its
 * STRESSD_STATE_DIR. @why says what there is. */
bool machine_is_clean(const char *state, char why[WHY_MAX]);
/* A process with @state in its environment and that name, or 0. NULL: any name. */
pid_t machine_process(const char *state, const char *comm);

#endif
