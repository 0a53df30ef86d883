// SPDX-License-Identifier: GPL-2.0-or-later
/* The SIGBUS and SIGSEGV handler. SA_NODEFER: the jump leaves the handler without returning, and
 * saving the mask in sigsetjmp() would cost a system call for every store. */
#include "ops/guard.h"

#include <signal.h>
#include <stddef.h>

sigjmp_buf guard_jump;
volatile int guard_armed;

static void on_fault_signal(int sig)
{
	if (guard_armed)
		siglongjmp(guard_jump, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

void guard_install(void)
{
	struct sigaction sa = { .sa_handler = on_fault_signal, .sa_flags = SA_NODEFER };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}
