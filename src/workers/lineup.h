/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step of a worker that is an actor of a race. Serves worker.c only. */
#ifndef STRESSD_LINEUP_H
#define STRESSD_LINEUP_H

#include "ops/hold.h"
#include "workers/worker.h"

/* Before rights are dropped: what the hold of this actor needs. */
int lineup_open(struct worker *w, enum hold_kind hold, u64 limit_ns, struct err *e);
/* In place of the type's step. Same returns. */
int lineup_step(struct worker *w);

#endif
