/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A moment of a run, so that what the device held then can be judged later: the shadow as it was
 * shortly before it, which says what was durable by then, and as it was shortly after, which says
 * what had been issued by then. Writers go on meanwhile; what they did in between is as open as
 * what overlaps a read.
 */
#ifndef STRESSD_SHADOW_MOMENT_H
#define STRESSD_SHADOW_MOMENT_H

#include "shadow/shadow.h"

struct shadow_moment {
	u64 before_ns, after_ns; /* CLOCK_MONOTONIC */
	struct shadow_file *before_files, *after_files;
	struct shadow_cell *before, *after;
};

/* Memory that one moment of @sh takes. */
u64 moment_bytes(const struct shadow *sh);
/* The state before: 0 or -ENOMEM. Then moment_after(), or moment_free(). */
int moment_before(const struct shadow *sh, struct shadow_moment *ret);
void moment_after(const struct shadow *sh, struct shadow_moment *m);
void moment_free(struct shadow_moment *m);

/*
 * The shadow of a device that holds all that was durable before @from and nothing that was issued
 * after @to, which may be the same moment: @sh with files (the caller's, one for each, freed with
 * it) and cells of these. It is judged as after a crash.
 */
int moment_shadow(const struct shadow *sh, const struct shadow_moment *from,
		  const struct shadow_moment *to, struct shadow *ret);
void moment_shadow_free(struct shadow *sh);

#endif
