/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct requests in flight: what dio_reader and dio_writer have in common. Each request has a
 * buffer of its own, mapped alone so that a hold can take a page of it away. Whoever uses the pool
 * embeds struct dio_request first in a request of its own, and ends it in a function that the pool
 * calls for each transfer that it reaps.
 */
#ifndef STRESSD_DIO_POOL_H
#define STRESSD_DIO_POOL_H

#include "ops/engine.h"
#include "workers/worker.h"

struct dio_request {
	struct engine_io io; /* first: the engine hands it back; the pool sets buf */
	bool held;	     /* a page of the buffer is away */
};

struct dio_pool {
	struct engine *engine;
	enum engine_kind kind;
	struct dio_request **idle;
	u64 nidle;
	u64 buf_bytes; /* of each request */
	/* What came of @q: leases, judgement. */
	void (*end)(struct worker *w, struct dio_request *q, s64 result);
};

/* Up to @depth requests (psync: one) of @size bytes each, zeroed but for io.buf, which is
 * @buf_bytes long; p->end is set before. 0, or -errno with text in @e; a worker's
 * memory goes with its process. */
int dio_pool_open(struct dio_pool *p, enum engine_kind kind, u64 depth, size_t size, u64 buf_bytes,
		  struct err *e);
/* Nothing is left in flight. */
void dio_pool_close(struct worker *w, struct dio_pool *p);

/* The request that goes next; NULL when all are in flight. It stays idle until it is submitted. */
static inline struct dio_request *dio_pool_idle(const struct dio_pool *p)
{
	return p->nidle ? p->idle[p->nidle - 1] : NULL;
}

/* Start the transfer in @q->io, of the request that dio_pool_idle() gave. 0, or -errno with text
 * in the worker's error. */
int dio_pool_submit(struct worker *w, struct dio_pool *p, struct dio_request *q);
/* Wait for one and end it. -ENOENT when none is in flight; else as dio_pool_submit(). */
int dio_pool_reap(struct worker *w, struct dio_pool *p);
/* Wait for all. */
void dio_pool_drain(struct worker *w, struct dio_pool *p);

#endif
