/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered points of a run, for the kill tests. A step is a stage of the run; a change is one
 * single thing that it did to the machine or to its journal: what can be left half done is so
 * between two of them. With STRESSD_KILL="WHO:N" in the environment WHO ("coordinator", "janitor",
 * "both": everybody, or a worker's name) gets SIGKILL at step N; "WHO:change:N" is change N; WHO
 * "pause" stops the coordinator there with SIGSTOP, for a test that does the rest. Without it a
 * point costs one comparison. Only the process that reaches the first step counts.
 */
#ifndef STRESSD_STEP_H
#define STRESSD_STEP_H

/* Reached the next step. @name is for `STRESSD_KILL=list`, which prints them to stderr. */
void step(const char *name);
/* Made a change: @verb happened to @what. */
void change(const char *verb, const char *what);
/* Tell who can be killed by name, as processes come to be. */
void step_register(const char *who, int pid);

#endif
