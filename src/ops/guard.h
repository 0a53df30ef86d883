/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores that may meet SIGBUS or SIGSEGV: the signal becomes an outcome. (mmap(2)) */
#ifndef STRESSD_GUARD_H
#define STRESSD_GUARD_H

#include <setjmp.h>

extern sigjmp_buf guard_jump;
extern volatile int guard_armed;

/* Install the handlers; once per process. An unguarded fault still kills with a core. */
void guard_install(void);

/* Do @body; if it faults, do @on_fault instead of the rest of it. */
#define GUARDED(on_fault, body)                                                                    \
	do {                                                                                       \
		if (sigsetjmp(guard_jump, 0) == 0) {                                               \
			guard_armed = 1;                                                           \
			body;                                                                      \
		} else {                                                                           \
			on_fault;                                                                  \
		}                                                                                  \
		guard_armed = 0;                                                                   \
	} while (0)

#endif
