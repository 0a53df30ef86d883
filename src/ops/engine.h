/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O engines for direct reads and writes: one struct of functions each (psync, libaio, io_uring).
 * An engine moves bytes and knows nothing of shadows, leases or judgement; those are the caller's
 * before the submission and after the reaping.
 */
#ifndef STRESSD_ENGINE_H
#define STRESSD_ENGINE_H

#include "base/base.h"
#include "oplog.h"

#include <libaio.h>

enum engine_kind { ENGINE_PSYNC, ENGINE_LIBAIO, ENGINE_URING };
extern const char *const engine_names[];   /* NULL-terminated, in that order */
extern const char *const engine_kconfig[]; /* likewise: what a kernel needs for each */

/* One transfer. The owner fills it, keeps it and its buffer until it is reaped. */
struct engine_io {
	int fd;
	bool write;
	void *buf;
	u64 len, offset; /* bytes */
	s64 result;	 /* bytes or -errno, once reaped */
	struct engine_io *next;
	struct iocb iocb;
};

struct engine;

/* What the history calls a read / a write by this engine. */
enum op_kind engine_op(enum engine_kind kind, bool write);

/* An engine for up to @depth transfers in flight. 0, or -errno with text in @e. */
int engine_open(enum engine_kind kind, unsigned int depth, struct engine **ret, struct err *e);
/* Nothing may be in flight. NULL is fine. */
void engine_close(struct engine *e);
/* Start a transfer. A transfer that the kernel refuses is reaped with its errno; -errno only
 * when the engine itself can go no further. */
int engine_submit(struct engine *e, struct engine_io *io);
/* Wait for one to end. -ENOENT when none is in flight. */
int engine_reap(struct engine *e, struct engine_io **ret);
unsigned int engine_in_flight(const struct engine *e);

#endif
