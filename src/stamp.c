// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stamps and prefill. The pattern is an arithmetic sequence of 64-bit words from the seal: a line
 * a step in vector registers, so that filling and checking run at the speed of memory, and any
 * 8-byte word alone still says which generation it belongs to. Pure; no I/O.
 */
#include "stamp.h"

#include <string.h>

#define PATTERN_STEP  0x9e3779b97f4a7c15ULL /* odd: no word repeats within a cell */
#define PREFILL_MAGIC 0x6c6c696665727053ULL /* "Sprefill" in memory */
#define LINE	      64		    /* bytes a step */

/* Unaligned, may alias anything: buffers come from mappings, direct reads and the stack. 16 bytes,
 * since every machine has registers of that size: wider ones gcc keeps on the stack where the
 * machine lacks them, and a loop then waits for its own stores. */
typedef u64 v2u64 __attribute__((vector_size(16), aligned(1), may_alias));

/* Four words of the pattern, half of a 64-byte line: the body of a cell is an odd number of them,
 * the first beside the header, then two a line. */
struct half {
	v2u64 lo, hi;
};

static inline u64 seal_of(u64 key, u64 who, u64 cell)
{
	return mix64(mix64(key ^ who) ^ cell);
}

static u64 stamp_seal(const struct stamp *id)
{
	return seal_of(stamp_key(id->run), stamp_who(id), id->cell);
}

static inline struct half half_first(u64 seal)
{
	return (struct half){ (v2u64){ PATTERN_STEP * 1, PATTERN_STEP * 2 } + seal,
			      (v2u64){ PATTERN_STEP * 3, PATTERN_STEP * 4 } + seal };
}

static inline struct half half_after(struct half h, u64 words)
{
	u64 more = words * PATTERN_STEP;

	return (struct half){ h.lo + more, h.hi + more };
}

static inline void half_store(char *p, struct half h)
{
	*(v2u64 *)p = h.lo;
	*(v2u64 *)(p + sizeof(v2u64)) = h.hi;
}

static inline v2u64 half_diff(const char *p, struct half h)
{
	return (*(const v2u64 *)p ^ h.lo) | (*(const v2u64 *)(p + sizeof(v2u64)) ^ h.hi);
}

static void fill_narrow(char *p, size_t len, u64 run, u64 who, u64 cell, u64 seal)
{
	struct half first = half_first(seal), a = half_after(first, 4), b = half_after(first, 8);

	half_store(p, (struct half){ { run, who }, { cell, seal } });
	half_store(p + LINE / 2, first);
	for (size_t i = LINE; i < len; i += LINE) {
		half_store(p + i, a);
		half_store(p + i + LINE / 2, b);
		a = half_after(a, 8);
		b = half_after(b, 8);
	}
}

/* Differences are gathered and looked at once: no branch in the loop for the usual, good cell. Two
 * sums, so that neither waits for the other. */
static bool equal_narrow(const char *p, size_t len, u64 run, u64 who, u64 cell, u64 seal)
{
	struct half first = half_first(seal), a = half_after(first, 4), b = half_after(first, 8);
	v2u64 diff = half_diff(p, (struct half){ { run, who }, { cell, seal } });
	v2u64 diff2 = half_diff(p + LINE / 2, first);

	for (size_t i = LINE; i < len; i += LINE) {
		diff |= half_diff(p + i, a);
		diff2 |= half_diff(p + i + LINE / 2, b);
		a = half_after(a, 8);
		b = half_after(b, 8);
	}
	diff |= diff2;
	return !(diff[0] | diff[1]);
}

static bool wide; /* the machine has registers of half a line, and they are used */

#ifdef __x86_64__
/* The same twice as fast where there is AVX2. Chosen by a branch and not by an ifunc: its resolver
 * would run before the sanitizers' own start. */
#define WIDE __attribute__((target("avx2")))
typedef u64 v4u64 __attribute__((vector_size(32), aligned(1), may_alias));

WIDE static inline v4u64 wide_first(u64 seal)
{
	v4u64 steps = { PATTERN_STEP * 1, PATTERN_STEP * 2, PATTERN_STEP * 3, PATTERN_STEP * 4 };

	return steps + seal;
}

WIDE static inline void fill_wide(char *p, size_t len, u64 run, u64 who, u64 cell, u64 seal)
{
	v4u64 head = { run, who, cell, seal }, first = wide_first(seal);
	v4u64 a = first + 4 * PATTERN_STEP, b = first + 8 * PATTERN_STEP;

	*(v4u64 *)p = head;
	*(v4u64 *)(p + LINE / 2) = first;
	for (size_t i = LINE; i < len; i += LINE) {
		*(v4u64 *)(p + i) = a;
		*(v4u64 *)(p + i + LINE / 2) = b;
		a += 8 * PATTERN_STEP;
		b += 8 * PATTERN_STEP;
	}
}

WIDE static inline bool equal_wide(const char *p, size_t len, u64 run, u64 who, u64 cell, u64 seal)
{
	v4u64 head = { run, who, cell, seal }, first = wide_first(seal);
	v4u64 a = first + 4 * PATTERN_STEP, b = first + 8 * PATTERN_STEP;
	v4u64 diff = *(const v4u64 *)p ^ head, diff2 = *(const v4u64 *)(p + LINE / 2) ^ first;

	for (size_t i = LINE; i < len; i += LINE) {
		diff |= *(const v4u64 *)(p + i) ^ a;
		diff2 |= *(const v4u64 *)(p + i + LINE / 2) ^ b;
		a += 8 * PATTERN_STEP;
		b += 8 * PATTERN_STEP;
	}
	diff |= diff2;
	return !(diff[0] | diff[1] | diff[2] | diff[3]);
}

bool stamp_use_wide(bool want)
{
	return wide = want && __builtin_cpu_supports("avx2");
}
#else
#define fill_wide  fill_narrow
#define equal_wide equal_narrow

bool stamp_use_wide(bool want)
{
	(void)want;
	return false;
}
#endif

__attribute__((constructor)) static void choose_width(void)
{
	stamp_use_wide(true);
}

/* Six words, so that all of them travel in registers. */
void stamp_fill_words(void *dst, size_t len, u64 key, u64 run, u64 who, u64 cell)
{
	u64 seal = seal_of(key, who, cell);

	if (wide)
		fill_wide(dst, len, run, who, cell, seal);
	else
		fill_narrow(dst, len, run, who, cell, seal);
}

bool stamp_equal_words(const void *src, size_t len, u64 key, u64 run, u64 who, u64 cell)
{
	u64 seal = seal_of(key, who, cell);

	return wide ? equal_wide(src, len, run, who, cell, seal)
		    : equal_narrow(src, len, run, who, cell, seal);
}

bool stamp_header_intact(const void *src, struct stamp *ret)
{
	struct stamp_header h;

	memcpy(&h, src, sizeof(h));
	*ret = h.id;
	return h.id.run != 0 && h.seal == stamp_seal(&h.id);
}

bool stamp_intact(const void *src, size_t len, struct stamp *ret)
{
	return stamp_header_intact(src, ret) && stamp_equal(src, len, ret);
}

bool bytes_zero(const void *src, size_t len)
{
	const char *p = src;
	v2u64 any = { 0 }, any2 = { 0 };

	for (; len >= 2 * sizeof(any); p += 2 * sizeof(any), len -= 2 * sizeof(any)) {
		any |= *(const v2u64 *)p;
		any2 |= *(const v2u64 *)(p + sizeof(any));
	}
	any |= any2;
	for (; len; p++, len--)
		any[0] |= (u64)(unsigned char)*p;
	return !(any[0] | any[1]);
}

void prefill_fill(void *dst, size_t len, u64 offset)
{
	u64 *w = dst;

	for (size_t at = 0; at < len; at += LINE, w += LINE / 8) {
		w[0] = PREFILL_MAGIC;
		w[1] = offset + at;
		for (size_t i = 2; i < LINE / 8; i++)
			w[i] = w[i - 1] + PREFILL_MAGIC;
	}
}

bool prefill_found(const void *src, size_t len, u64 *ret_offset)
{
	const char *p = src;

	for (size_t at = 0; at + LINE <= len; at += LINE) {
		u64 line[LINE / 8], want[LINE / 8];

		memcpy(line, p + at, sizeof(line));
		prefill_fill(want, sizeof(want), line[1]);
		if (!memcmp(line, want, sizeof(line))) {
			*ret_offset = line[1];
			return true;
		}
	}
	return false;
}
