// SPDX-License-Identifier: GPL-2.0-or-later
/* Naming what is wrong, from the most telling sign to the least. */
#include "verdict.h"

#include <stdio.h>
#include <string.h>

#define FLIP_BITS_MAX 16 /* "a few bits": up to two bytes of damage */
#define PREFILL_LINE  64
#define TORN_LOOKBACK 64 /* generations before the oldest legal one that may be part of a tear */

static u32 words_from(const struct explained *x)
{
	return x->from / 8;
}

static u32 words_to(const struct explained *x)
{
	return (x->to + 7) / 8;
}

void explain_by(struct explained *x, const u8 *want)
{
	for (u32 i = x->from; i < x->to; i++)
		x->byte[i] |= x->bytes[i] == want[i];
	/* Edge words of a range are compared in the bytes that belong to the range. */
	for (u32 w = words_from(x); w < words_to(x); w++) {
		u32 from = MAX(x->from, w * 8), to = MIN(x->to, w * 8 + 8);

		x->word[w] |= !memcmp(x->bytes + from, want + from, to - from);
	}
}

void explain_by_zeros(struct explained *x)
{
	static const u8 zeros[CELL_MAX];

	explain_by(x, zeros);
}

void explain_by_generation(struct explained *x, const struct shadow *sh,
			   const struct shadow_file *f, u64 cell, u32 gen)
{
	struct stamp id = { .run = sh->run, .gen = gen, .file = (u16)f->index, .cell = cell };
	_Alignas(64) u8 want[CELL_MAX];

	for (id.writer = 1; id.writer < SHADOW_WRITERS; id.writer++) {
		if (!strcmp(shadow_writer(sh, id.writer), "nobody"))
			continue;
		stamp_fill(want, f->cell_bytes, &id);
		explain_by(x, want);
	}
}

bool explained_bytes(const struct explained *x)
{
	return !memchr(x->byte + x->from, 0, x->to - x->from);
}

bool explained_words(const struct explained *x)
{
	return !memchr(x->word + words_from(x), 0, words_to(x) - words_from(x));
}

bool prefill_in(const u8 *bytes, u32 from, u32 to, u64 *ret_where)
{
	u32 line = (u32)ROUND_UP(from, PREFILL_LINE);

	return line < to && prefill_found(bytes + line, to - line, ret_where);
}

static u32 bits_apart(const u8 *a, const u8 *b, u32 from, u32 to)
{
	u32 n = 0;

	for (u32 i = from; i < to && n <= FLIP_BITS_MAX; i++)
		n += (u32)__builtin_popcount((unsigned int)(a[i] ^ b[i]));
	return n;
}

static bool flipped(const struct shadow *sh, const struct shadow_file *f, u64 cell, const u8 *bytes,
		    u32 from, u32 to, const struct bounds *b, u64 *ret_where)
{
	const struct cell_view views[] = { b->s, b->e };
	_Alignas(64) u8 want[CELL_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		if (!verify_expected(sh, f, cell, views[i], want))
			continue;
		if (bits_apart(bytes, want, from, to) > FLIP_BITS_MAX)
			continue;
		for (*ret_where = from; bytes[*ret_where] == want[*ret_where]; (*ret_where)++)
			;
		return true;
	}
	return false;
}

/* One generation of this place that is not legal now. */
static int generation_verdict(const struct bounds *b, u32 gen)
{
	if (gen > b->first)
		return FINDING_PHANTOM;
	if (CELL_KIND(b->s.settled) == CELL_ZERO || CELL_KIND(b->e.settled) == CELL_ZERO)
		return FINDING_RESURRECTED;
	if (CELL_KIND(b->e.settled) == CELL_CUT && gen == CUT_GEN(b->e.origin))
		return FINDING_RESURRECTED; /* whole, where a part was zeroed */
	return FINDING_LOST_WRITE;
}

/* Words of several generations of this place, none of which may be mixed now; or all of one, in
 * a range that does not show its header. */
static int torn_or_zeroed(const struct shadow *sh, const struct shadow_file *f, u64 cell,
			  const u8 *bytes, u32 from, u32 to, const struct bounds *b)
{
	struct explained x = { .bytes = bytes, .from = from, .to = to };
	u32 oldest = b->first > TORN_LOOKBACK ? b->first - TORN_LOOKBACK : 1;
	u32 newest = MIN(b->last, b->first + TORN_LOOKBACK);
	_Alignas(64) u8 want[CELL_MAX];

	if (verify_expected(sh, f, cell, b->s, want))
		explain_by(&x, want);
	if (verify_expected(sh, f, cell, b->e, want))
		explain_by(&x, want);
	explain_by_zeros(&x);
	if (explained_words(&x))
		return FINDING_ZEROED;
	for (u32 g = oldest; g <= newest && !explained_words(&x); g++) {
		struct explained one = { .bytes = bytes, .from = from, .to = to };

		explain_by_generation(&one, sh, f, cell, g);
		if (explained_words(&one))
			return generation_verdict(b, g);
		/* What was zeroed may come back in part, from any byte on. */
		explain_by_zeros(&one);
		if (generation_verdict(b, g) == FINDING_RESURRECTED && explained_bytes(&one))
			return FINDING_RESURRECTED;
		explain_by_generation(&x, sh, f, cell, g);
	}
	return explained_words(&x) ? FINDING_TORN : FINDING_STALE_EXPOSURE;
}

static int stamp_verdict(const struct shadow *sh, const struct shadow_file *f, u64 cell,
			 const struct stamp *id, const struct bounds *b)
{
	if (id->run != sh->run)
		return FINDING_STALE_EXPOSURE;
	if (id->file != f->index)
		return FINDING_FOREIGN;
	if (id->cell != cell)
		return FINDING_MISPLACED;
	return generation_verdict(b, id->gen);
}

void verdict_name(const struct shadow *sh, const struct shadow_file *f, u64 cell, const u8 *bytes,
		  u32 from, u32 to, const struct bounds *b, struct verdict *ret)
{
	bool whole = from == 0 && to == f->cell_bytes;

	if (whole)
		verify_describe(sh, f, bytes, f->cell_bytes, ret->what, sizeof(ret->what));
	else
		snprintf(ret->what, sizeof(ret->what), "bytes %u to %u of it are wrong", from, to);
	ret->has_id = whole && stamp_intact(bytes, to, &ret->id);
	if (prefill_in(bytes, from, to, &ret->where))
		ret->kind = FINDING_STALE_EXPOSURE;
	else if (ret->has_id)
		ret->kind = stamp_verdict(sh, f, cell, &ret->id, b);
	else if (bytes_zero(bytes + from, to - from))
		ret->kind = FINDING_ZEROED;
	else if (flipped(sh, f, cell, bytes, from, to, b, &ret->where))
		ret->kind = FINDING_BIT_FLIP;
	else
		ret->kind = torn_or_zeroed(sh, f, cell, bytes, from, to, b);
}

void verify_describe(const struct shadow *sh, const struct shadow_file *f, const u8 *bytes, u32 len,
		     char *buf, size_t buf_len)
{
	struct stamp id;
	u64 at;

	if (bytes_zero(bytes, len)) {
		snprintf(buf, buf_len, "zeros");
	} else if (stamp_intact(bytes, len, &id) && id.run != sh->run) {
		snprintf(buf, buf_len, "a cell of another run (key %016llx)",
			 (unsigned long long)id.run);
	} else if (stamp_intact(bytes, len, &id)) {
		const char *where = id.file < sh->nfiles ? sh->files[id.file].name : "?";
		int n = snprintf(buf, buf_len, "generation %u by %s", id.gen,
				 shadow_writer(sh, id.writer));

		if (n > 0 && (size_t)n < buf_len && id.file != f->index)
			snprintf(buf + n, buf_len - (size_t)n, " of %s cell %llu", where,
				 (unsigned long long)id.cell);
	} else if (prefill_found(bytes, len, &at)) {
		snprintf(buf, buf_len, "prefill of device offset %llu", (unsigned long long)at);
	} else if (stamp_header_intact(bytes, &id) && id.run == sh->run) {
		snprintf(buf, buf_len, "header of generation %u by %s, other words behind it",
			 id.gen, shadow_writer(sh, id.writer));
	} else {
		const u8 *odd = bytes; /* leading zeros tell nothing */

		while (odd < bytes + len - 4 && !*odd)
			odd++;
		snprintf(buf, buf_len,
			 "bytes that stressd never wrote (%02x %02x %02x %02x at +%u)", odd[0],
			 odd[1], odd[2], odd[3], (u32)(odd - bytes));
	}
}
