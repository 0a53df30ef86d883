/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every room may use: integer names, array length, clocks, a small random generator,
 * and error texts. Nothing here knows about filesystems, scenarios or workers.
 */
#ifndef STRESSD_BASE_H
#define STRESSD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/* Each use names its temporaries anew, so that uses may nest. */
#define STRESSD_PICK(a, b, less, id)                                                               \
	({                                                                                         \
		__typeof__(a) id##_l = (a);                                                        \
		__typeof__(b) id##_r = (b);                                                        \
		id##_l less id##_r ? id##_l : id##_r;                                              \
	})
#define STRESSD_PICK_NAMED(a, b, less, id) STRESSD_PICK(a, b, less, id)
#define STRESSD_CONCAT2(a, b)		   a##b
#define STRESSD_CONCAT(a, b)		   STRESSD_CONCAT2(a, b)
#define MIN(a, b)			   STRESSD_PICK_NAMED(a, b, <, STRESSD_CONCAT(pick_, __COUNTER__))
#define MAX(a, b)			   STRESSD_PICK_NAMED(a, b, >, STRESSD_CONCAT(pick_, __COUNTER__))
#define ROUND_DOWN(x, to)		   ((x) / (to) * (to))
#define ROUND_UP(x, to)			   (((x) + (to)-1) / (to) * (to))
#define KIB				   (1024ULL)
#define MIB				   (1024ULL * KIB)
#define GIB				   (1024ULL * MIB)
#define NSEC_PER_USEC			   1000ULL
#define NSEC_PER_MSEC			   1000000ULL
#define NSEC_PER_SEC			   1000000000ULL

/* One error for a person: what failed, why, and what to do next. Library code fills it and
 * returns -errno; only the subcommands print. */
struct err {
	char text[1024];
};

/* Format into @e and return @ret, so that a failing function can end in one statement. */
int err_set(struct err *e, int ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* CLOCK_MONOTONIC in nanoseconds. (clock_gettime(2)) */
static inline u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

/* A range "a..b" as scenarios write it; lo == hi for a plain value. Both ends count. */
struct range {
	u64 lo, hi;
};

/* splitmix64: one multiplication a number, any seed is good, state fits a register. */
struct rng {
	u64 state;
};

static inline u64 mix64(u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline u64 rng_next(struct rng *r)
{
	return mix64(r->state += 0x9e3779b97f4a7c15ULL);
}

/* A number in [0, n); n > 0. The bias of the multiplication is below 2^-32 for n < 2^32. */
static inline u64 rng_below(struct rng *r, u64 n)
{
	return (u64)(((unsigned __int128)rng_next(r) * n) >> 64);
}

static inline u64 rng_in(struct rng *r, struct range range)
{
	return range.lo + (range.hi > range.lo ? rng_below(r, range.hi - range.lo + 1) : 0);
}

#endif
