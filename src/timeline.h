/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went on around a finding, on one clock: operations in a lane for each process, faults and
 * lines of the kernel log. Filled by the coordinator, drawn by the reports. Knows neither.
 */
#ifndef STRESSD_TIMELINE_H
#define STRESSD_TIMELINE_H

#include "base/base.h"

#define TIMELINE_LANES 24
#define TIMELINE_OPS   96
#define TIMELINE_MARKS 32

/* What an operation is to the finding. */
enum timeline_role {
	ROLE_NONE,
	ROLE_FINDER,  /* it saw what cannot be */
	ROLE_WRITE,   /* it wrote what should be there */
	ROLE_SUSPECT, /* the sentence names it */
	TIMELINE_ROLES
};
extern const char *const timeline_role_names[TIMELINE_ROLES]; /* "", "finder", ... */

struct timeline_op {
	u16 lane;
	u8 role;     /* enum timeline_role */
	char effect; /* as ops.def has it */
	bool failed;
	bool in_file; /* of the finding's file: offset and len say where */
	bool on_cell, on_page;
	u64 offset, len;      /* bytes; len 0: the whole file, or none */
	u64 start_ns, end_ns; /* since the start of the run; end 0: in flight */
	char text[112];
};

enum timeline_mark_kind { MARK_LOG, MARK_FAULT, TIMELINE_MARK_KINDS };
extern const char *const timeline_mark_names[TIMELINE_MARK_KINDS]; /* "log", "fault" */

struct timeline_mark {
	u8 kind;	      /* enum timeline_mark_kind */
	u64 start_ns, end_ns; /* the same for what has no duration; end 0: still armed */
	char text[160];
};

struct timeline {
	char lanes[TIMELINE_LANES][32]; /* names of processes */
	size_t nlanes;
	struct timeline_op ops[TIMELINE_OPS]; /* by start */
	size_t nops;
	u64 left_out; /* operations that were there and are not told */
	struct timeline_mark marks[TIMELINE_MARKS];
	size_t nmarks;
};

/* Lane of @name, a new one if there is none; -1: no room. */
int timeline_lane(struct timeline *t, const char *name);
/* From the first start to the last end of all operations; [0, 0] without any. */
void timeline_span(const struct timeline *t, u64 *ret_from_ns, u64 *ret_to_ns);
/* A mark, unless there is no room. */
void timeline_mark(struct timeline *t, enum timeline_mark_kind kind, u64 start_ns, u64 end_ns,
		   const char *text);

#endif
