/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a word in memory that processes share, and waking who waits. (futex(2)) */
#ifndef STRESSD_FUTEX_H
#define STRESSD_FUTEX_H

#include "base/base.h"

#include <stdatomic.h>

/* Wait while *@word is @value; timeout 0: none. 0 or -errno, -EAGAIN when it was another. */
int futex_wait(_Atomic u32 *word, u32 value, u64 timeout_ns);
void futex_wake_all(_Atomic u32 *word);
/* Words may lie in the memory of a device from here on, which the kernel cannot wait for (EFAULT).
 * For the processes that are forked later; words have the same address in all. 0 or -errno. */
int futex_use_bells(void);

#endif
