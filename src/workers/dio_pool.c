// SPDX-License-Identifier: GPL-2.0-or-later
/* The pool of direct requests: psync has one, the others as many as they are told. */
#include "workers/dio_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int dio_pool_open(struct dio_pool *p, enum engine_kind kind, u64 depth, size_t size, u64 buf_bytes,
		  struct err *e)
{
	u64 n = kind == ENGINE_PSYNC ? 1 : depth;
	char *requests = calloc(n, size);

	p->kind = kind;
	p->buf_bytes = buf_bytes;
	p->idle = calloc(n, sizeof(*p->idle));
	if (!requests || !p->idle)
		return err_set(e, -ENOMEM, "no memory for %llu requests in flight",
			       (unsigned long long)n);
	for (u64 i = 0; i < n; i++) {
		struct dio_request *q = (struct dio_request *)(void *)(requests + i * size);

		q->io.buf = mmap(NULL, buf_bytes, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (q->io.buf == MAP_FAILED)
			return err_set(e, -ENOMEM, "no memory for a request of %llu bytes",
				       (unsigned long long)buf_bytes);
		p->idle[p->nidle++] = q;
	}
	return engine_open(kind, (unsigned int)n, &p->engine, e);
}

void dio_pool_close(struct worker *w, struct dio_pool *p)
{
	dio_pool_drain(w, p);
	engine_close(p->engine);
}

int dio_pool_submit(struct worker *w, struct dio_pool *p, struct dio_request *q)
{
	int r;

	p->nidle--;
	q->held = hold_arm_direct(w->actor.hold, q->io.write ? HOLD_SOURCE_FAULT : HOLD_DEST_FAULT,
				  q->io.buf, q->io.len);
	r = engine_submit(p->engine, &q->io);
	return r < 0 ? err_set(&w->err, r, "%s cannot submit: %s", engine_names[p->kind],
			       strerror(-r))
		     : 0;
}

int dio_pool_reap(struct worker *w, struct dio_pool *p)
{
	struct engine_io *io;
	struct dio_request *q;
	int r = engine_reap(p->engine, &io);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_set(&w->err, r, "%s cannot reap: %s", engine_names[p->kind],
			       strerror(-r));
	q = (struct dio_request *)io;
	if (q->held)
		hold_disarm(w->actor.hold);
	p->end(w, q, io->result);
	p->idle[p->nidle++] = q;
	return 0;
}

void dio_pool_drain(struct worker *w, struct dio_pool *p)
{
	while (dio_pool_reap(w, p) == 0)
		;
}
