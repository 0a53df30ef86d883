// SPDX-License-Identifier: GPL-2.0-or-later
/* The futex calls, which glibc has no names for. See futex.h. */
#include "base/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Bells are words in memory that the kernel can wait for. Who waits remembers the bell, looks at
 * the word, and waits for the bell to change; who wakes has changed the word, then rings. Words
 * that share a bell wake each other for nothing, which callers expect of a futex.
 */
#define BELLS 64

struct bell {
	_Alignas(64) _Atomic u32 rings;
};
static struct bell *bells;

int futex_use_bells(void)
{
	void *map = mmap(NULL, BELLS * sizeof(*bells), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return -errno;
	bells = map;
	return 0;
}

static _Atomic u32 *bell_of(const _Atomic u32 *word)
{
	return &bells[mix64((u64)(uintptr_t)word) % BELLS].rings;
}

static int wait_for(_Atomic u32 *word, u32 value, u64 timeout_ns)
{
	struct timespec ts = { (time_t)(timeout_ns / NSEC_PER_SEC),
			       (long)(timeout_ns % NSEC_PER_SEC) };

	if (syscall(SYS_futex, word, FUTEX_WAIT, value, timeout_ns ? &ts : NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

int futex_wait(_Atomic u32 *word, u32 value, u64 timeout_ns)
{
	u32 rings;

	if (!bells)
		return wait_for(word, value, timeout_ns);
	rings = atomic_load(bell_of(word));
	if (atomic_load(word) != value)
		return -EAGAIN;
	return wait_for(bell_of(word), rings, timeout_ns);
}

void futex_wake_all(_Atomic u32 *word)
{
	if (bells) {
		word = bell_of(word);
		atomic_fetch_add(word, 1);
	}
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}
