/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The account of a finding: one sentence, then the evidence. A sighting says what bytes were
 * where they cannot be; the history says who wrote what should be there, until when it was
 * seen in place, and which operation came between.
 */
#ifndef STRESSD_ACCOUNT_H
#define STRESSD_ACCOUNT_H

#include "finding.h"
#include "run.h"
#include "session/history.h"

/* Make the finding of a sighting; @start_ns is the run's start (CLOCK_MONOTONIC). Owned by the
 * caller. NULL without memory. */
struct finding *account_make(const struct shadow *sh, const struct history *h,
			     const struct sighting *s, u64 start_ns);
/* A finding that has no cell: @kind with @sentence. */
struct finding *account_plain(enum finding_kind kind, const char *finder, u64 time_ns,
			      const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The operations around @time_ns (CLOCK_MONOTONIC), for kernel-log findings: those of process @who
 * foremost; 0: the log names none. */
void account_join(struct finding *f, const struct shadow *sh, const struct history *h, u16 who,
		  u64 time_ns, u64 start_ns);

#endif
