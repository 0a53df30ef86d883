/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run could leave behind on the machine, looked for from outside: processes, mounts in any
 * namespace, loop devices, journals, changed sysctls. All are told by the test's own state
 * directory, so that other runs on the machine do not count.
 */
#ifndef STRESSD_TEST_TRACES_H
#define STRESSD_TEST_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes with e2e_base as STRESSD_STATE_DIR, at most @max of them. */
size_t traces_processes(pid_t *pids, size_t max);
/* No process, mount, loop device, journal or changed sysctl of ours. @why (256 bytes) says which
 * there is. Remembers the sysctls at its first call. */
bool traces_none(char *why);
/* Wait for that at most @limit_s; fails the test, naming @what. */
void traces_assert_none(const char *what, double limit_s);
/* Wait until no process is left: what they held is then for `stressd recover`. */
void traces_assert_no_process(const char *what, double limit_s);

#endif
