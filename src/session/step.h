/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered steps of a run, for the kill test: with STRESSD_KILL="WHO:N" in the environment, WHO
 * ("coordinator", "janitor", "both": everybody, or a worker's name) gets SIGKILL at step N. Without
 * it a step costs one comparison.
 */
#ifndef STRESSD_STEP_H
#define STRESSD_STEP_H

/* Reached the next step. @name is for `STRESSD_KILL=list`, which prints them to stderr. */
void step(const char *name);
/* Tell who can be killed by name, as processes come to be. */
void step_register(const char *who, int pid);

#endif
