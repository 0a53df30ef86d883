/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history: each worker appends one fixed-size record an operation to a ring of its own, in a
 * shared file mapping in the run directory. A record is sealed twice, before the system call and
 * after it, so that kill -9 at any point leaves it whole, in flight, or recognisably absent.
 */
#ifndef STRESSD_OPLOG_H
#define STRESSD_OPLOG_H

#include "base/base.h"

#include <stdatomic.h>

enum op_kind {
	OP_NONE,
#define X(id, name, effect) OP_##id,
#include "ops.def"
#undef X
	OP_KINDS
};

struct op_info {
	const char *name;
	char effect; /* see ops.def */
};
extern const struct op_info op_infos[OP_KINDS];

struct op_record {
	u64 start_ns, end_ns; /* CLOCK_MONOTONIC; end 0 while in flight */
	u64 offset, len;      /* bytes */
	u64 arg;	      /* source offset of a move, mode of a sync, ... */
	s64 result;	      /* bytes or 0, or -errno */
	u32 gen;	      /* generation of the first cell, 0 for none */
	u8 op;		      /* enum op_kind */
	u8 file;
	u16 how; /* flags of the call; source file of a move */
	u32 begin_seal, end_seal;
};
_Static_assert(sizeof(struct op_record) == 64, "one cache line a record");

/* Records that each writer of a run keeps. */
#define OPLOG_SLOTS 16384

struct oplog {
	struct oplog_header *h;
	struct op_record *ring;
	u64 slots;
	size_t map_len;
};

/* What a ring of @slots takes. */
u64 oplog_bytes(u64 slots);
/* Make a ring of @slots (a power of two) at @path for the writer @name. 0 or -errno. */
int oplog_create(const char *path, const char *name, u64 slots, struct oplog *ret, struct err *e);
/* Map the one that is there to go on with it: workers, in rings that the coordinator made. */
int oplog_open_writable(const char *path, struct oplog *ret, struct err *e);
/* Map one read-only; -EBADMSG when it is not a history. */
int oplog_open(const char *path, struct oplog *ret, struct err *e);
void oplog_close(struct oplog *log);
const char *oplog_name(const struct oplog *log);

/* Record that @op begins; start_ns is set. The record stays valid until `slots` more. */
struct op_record *oplog_begin(struct oplog *log, const struct op_record *op);
void oplog_end(struct op_record *rec, s64 result);
/* Begun and ended at once: for what has no duration worth telling. */
void oplog_note(struct oplog *log, const struct op_record *op, s64 result);

/* Number of records ever begun, and the oldest that the ring still holds. */
u64 oplog_count(const struct oplog *log);
u64 oplog_oldest(const struct oplog *log);
/* Copy record @i. 1: whole; 0: in flight (end_ns is 0); -EBADMSG: torn or overwritten. */
int oplog_read(const struct oplog *log, u64 i, struct op_record *ret);

/* "pwrite(4096 bytes at 8192) = 4096" */
void op_describe(const struct op_record *r, char *buf, size_t len);

#endif
