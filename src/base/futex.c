// SPDX-License-Identifier: GPL-2.0-or-later
/* The futex calls, which glibc has no names for. See futex.h. */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int futex_wait(_Atomic u32 *word, u32 value, u64 timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / NSEC_PER_SEC),
			       (long)(timeout_ns % NSEC_PER_SEC) };

	if (syscall(SYS_futex, word, FUTEX_WAIT, value, timeout_ns ? &ts : NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

void futex_wake_all(_Atomic u32 *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}
