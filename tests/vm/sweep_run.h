/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running the stressd of the guest, and commands of the host's files, for the kill sweep. */
#ifndef STRESSD_SWEEP_RUN_H
#define STRESSD_SWEEP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SWEEP_HOME   "/tmp/sweep"
#define SWEEP_OUTPUT SWEEP_HOME "/output" /* of the last stressd */
#define RUN_S	     90.0

double now_s(void);
void pause_ms(long ms);
/* A command of the shell, formatted. True if it exits with 0. */
bool shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* stressd with @argv (from argv[1] on, NULL-terminated), @state as its state directory and @plan as
 * STRESSD_KILL. */
pid_t start_stressd(const char *state, const char *plan, const char *const argv[]);
/* Until it stops or ends. The status as of waitpid(2); -1: neither, it was killed for that. */
int await(pid_t pid, double limit_s);
/* Both. The process is still there if it was stopped. */
int run_stressd(const char *state, const char *plan, const char *const argv[], pid_t *ret_pid);
void print_output(void);

#endif
