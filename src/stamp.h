/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stamps: what the bytes of a cell must be, as a function of (run key, file, cell, generation,
 * writer). A 32-byte header names all five and seals them; words of a pattern seeded by the seal
 * follow. Also the prefill pattern of a device. Pure functions; no state, no I/O.
 */
#ifndef STRESSD_STAMP_H
#define STRESSD_STAMP_H

#include "base/base.h"

#define CELL_MIN 64
#define CELL_MAX 4096

struct stamp {
	u64 run;    /* key of the run, never 0 */
	u32 gen;    /* generation of the cell, from 1 */
	u16 file;   /* index of the file in the scenario */
	u16 writer; /* worker id */
	u64 cell;   /* index of the cell in the file */
};

/* First bytes of every stamped cell, little-endian as the machine has it. */
struct stamp_header {
	struct stamp id;
	u64 seal; /* of id; a constant key, so that another run's cells are recognised too */
};
_Static_assert(sizeof(struct stamp_header) == 32, "header is 32 bytes, half of the least cell");

/* Generation, file and writer as the one word that they are in the header. */
static inline u64 stamp_who(const struct stamp *id)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (u64)id->gen | (u64)id->file << 32 | (u64)id->writer << 48;
#else
	return (u64)id->gen << 32 | (u64)id->file << 16 | (u64)id->writer;
#endif
}

/* "stressd!": a constant, so that the seals of any run check. */
#define SEAL_KEY 0x7374726573736421ULL

/* The part of a seal that is the same for every cell of a run. */
static inline u64 stamp_key(u64 run)
{
	return mix64(run ^ SEAL_KEY);
}

/* stamp_fill() and stamp_equal() with the names in registers: a struct that the caller fills in
 * parts and the callee loads whole costs, for each cell, a wait until the parts have reached the
 * cache. @key is stamp_key(run), for loops to take out. */
void stamp_fill_words(void *dst, size_t len, u64 key, u64 run, u64 who, u64 cell);
bool stamp_equal_words(const void *src, size_t len, u64 key, u64 run, u64 who, u64 cell)
	__attribute__((pure));
/* For tests: whether the widest registers of the machine may be used. Returns if they are now. */
bool stamp_use_wide(bool want);

/* Write the @len bytes of the cell (64..4096, a multiple of 64) to @dst. */
static inline void stamp_fill(void *dst, size_t len, const struct stamp *id)
{
	stamp_fill_words(dst, len, stamp_key(id->run), id->run, stamp_who(id), id->cell);
}

/* True when @src holds exactly that stamp. */
static inline bool stamp_equal(const void *src, size_t len, const struct stamp *id)
{
	return stamp_equal_words(src, len, stamp_key(id->run), id->run, stamp_who(id), id->cell);
}

/* True when @src holds an intact stamp, of any run; it goes to *ret. */
bool stamp_intact(const void *src, size_t len, struct stamp *ret);
/* True when the header alone is intact; the body may be anything. */
bool stamp_header_intact(const void *src, struct stamp *ret);
bool bytes_zero(const void *src, size_t len);

/* Fill @len bytes (a multiple of 64) with the pattern that says "device offset @offset, before
 * mkfs". Every 64-byte line names its place. */
void prefill_fill(void *dst, size_t len, u64 offset);
/* True when some 64-byte line of @src is prefill; its device offset goes to *ret_offset. */
bool prefill_found(const void *src, size_t len, u64 *ret_offset);

#endif
