// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stamps and prefill. The pattern is an arithmetic sequence of 64-bit words from the seal: four
 * words a step in vector registers, so that filling and checking run at the speed of memory,
 * and any 8-byte word alone still says which generation it belongs to. Pure; no I/O.
 */
#include "stamp.h"

#include <string.h>

#define SEAL_KEY      0x7374726573736421ULL /* "stressd!": constant, so that seals of any run check */
#define PATTERN_STEP  0x9e3779b97f4a7c15ULL /* odd: no word repeats within a cell */
#define PREFILL_MAGIC 0x6c6c696665727053ULL /* "Sprefill" in memory */
#define PREFILL_LINE  64

/* Unaligned, may alias anything: buffers come from mappings, direct reads and the stack. */
typedef u64 v4u64 __attribute__((vector_size(32), aligned(1), may_alias));

static u64 stamp_seal(const struct stamp *id)
{
	u64 who = (u64)id->gen | (u64)id->file << 32 | (u64)id->writer << 48;

	return mix64(mix64(mix64(id->run ^ SEAL_KEY) ^ who) ^ id->cell);
}

static const v4u64 pattern_first = {PATTERN_STEP * 1, PATTERN_STEP * 2, PATTERN_STEP * 3,
				    PATTERN_STEP * 4};

void stamp_fill(void *dst, size_t len, const struct stamp *id)
{
	struct stamp_header h = {.id = *id, .seal = stamp_seal(id)};
	v4u64 v = pattern_first + h.seal;
	char *p = dst;

	memcpy(p, &h, sizeof(h));
	for (size_t i = sizeof(h); i < len; i += sizeof(v), v += 4 * PATTERN_STEP)
		*(v4u64 *)(p + i) = v;
}

/* Differences are gathered and looked at once: no branch in the loop for the usual, good cell. */
static bool body_equal(const char *p, size_t len, u64 seal)
{
	v4u64 v = pattern_first + seal, diff = {0};

	for (size_t i = sizeof(struct stamp_header); i < len; i += sizeof(v)) {
		diff |= *(const v4u64 *)(p + i) ^ v;
		v += 4 * PATTERN_STEP;
	}
	return !(diff[0] | diff[1] | diff[2] | diff[3]);
}

bool stamp_equal(const void *src, size_t len, const struct stamp *id)
{
	struct stamp_header h = {.id = *id, .seal = stamp_seal(id)};

	return !memcmp(src, &h, sizeof(h)) && body_equal(src, len, h.seal);
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
	struct stamp_header h;

	if (!stamp_header_intact(src, ret))
		return false;
	memcpy(&h, src, sizeof(h));
	return body_equal(src, len, h.seal);
}

bool bytes_zero(const void *src, size_t len)
{
	const char *p = src;
	v4u64 any = {0};

	for (; len >= sizeof(any); p += sizeof(any), len -= sizeof(any))
		any |= *(const v4u64 *)p;
	for (; len; p++, len--)
		any[0] |= (u64)(unsigned char)*p;
	return !(any[0] | any[1] | any[2] | any[3]);
}

void prefill_fill(void *dst, size_t len, u64 offset)
{
	u64 *w = dst;

	for (size_t at = 0; at < len; at += PREFILL_LINE, w += PREFILL_LINE / 8) {
		w[0] = PREFILL_MAGIC;
		w[1] = offset + at;
		for (size_t i = 2; i < PREFILL_LINE / 8; i++)
			w[i] = w[i - 1] + PREFILL_MAGIC;
	}
}

bool prefill_found(const void *src, size_t len, u64 *ret_offset)
{
	const char *p = src;

	for (size_t at = 0; at + PREFILL_LINE <= len; at += PREFILL_LINE) {
		u64 line[PREFILL_LINE / 8], want[PREFILL_LINE / 8];

		memcpy(line, p + at, sizeof(line));
		prefill_fill(want, sizeof(want), line[1]);
		if (!memcmp(line, want, sizeof(line))) {
			*ret_offset = line[1];
			return true;
		}
	}
	return false;
}
