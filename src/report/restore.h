/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A finished run out of its result.json: the struct run_result that json.c wrote, so that its
 * reports can be made again. All that a report shows of a result is in that file; what is no UTF-8
 * comes back as the \xNN that stands there.
 */
#ifndef STRESSD_REPORT_RESTORE_H
#define STRESSD_REPORT_RESTORE_H

#include "base/json_at.h"
#include "report/report.h"

struct restored {
	struct run_result r;
	struct scenario bare; /* r.sc of a run whose scenario nobody has: its name and what it
				 expects */
	json_t *doc;	      /* holds names that r points to */
};

/*
 * Read the result at @path; @sc, the scenario that was run, stays the caller's and may be NULL.
 * Owned by the caller. -EINVAL where the file is none that this stressd could have written, or
 * -errno where it cannot be read; @e says it in a line.
 */
int result_restore(const char *path, const struct scenario *sc, struct restored **ret,
		   struct err *e);
void restored_free(struct restored *restored);

/* restore_finding.c: one of "findings". *into: owned, to be released by finding_free(), filled or
 * not. */
int finding_restore(const struct json_at *at, const json_t *v, void *into);

#endif
