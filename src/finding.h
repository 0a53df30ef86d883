/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings: what can be wrong, by its one name, and the account of one that was seen. Filled by
 * the verifier, the kernel-log reader and the coordinator; read by the reports. Knows nobody.
 */
#ifndef STRESSD_FINDING_H
#define STRESSD_FINDING_H

#include "base/base.h"
#include "scenario.h"
#include "timeline.h"

enum finding_kind {
#define X(id, name, help) FINDING_##id,
#include "findings.def"
#undef X
	FINDING_KINDS
};

struct finding_info {
	const char *name, *help;
};
extern const struct finding_info finding_infos[FINDING_KINDS];

/* Index of the kind called @name, or -1. */
int finding_by_name(const char *name);

enum layer_state { LAYER_NOT_READ, LAYER_GOOD, LAYER_BAD, LAYER_UNAVAILABLE, LAYER_STATES };
extern const char *const layer_state_names[LAYER_STATES]; /* "not-read", ... */

/* What one layer returned for the cell, after the first mismatch. */
struct finding_layer {
	int state;     /* enum layer_state */
	char text[96]; /* what it held: "generation 31 by mmap_writer.0", "zeros", ... */
};

/* One operation of the history that touched the cell's page around the time of the finding. */
struct finding_op {
	char actor[32];	      /* "mmap_writer.0" */
	char text[160];	      /* "pwrite(4096 bytes at 8192) = 4096" */
	u64 start_ns, end_ns; /* since the start of the run; end 0: still in flight */
};

#define FINDING_OPS   16
#define FINDING_LINES 64
#define FINDING_BYTES 4096

struct finding {
	int kind;	    /* enum finding_kind */
	char sentence[512]; /* the account, one sentence */
	char title[160];    /* of what the kernel log said, the same in each run; or "" */
	u64 time_ns;	    /* since the start of the run */
	char file[64];	    /* scenario file name, "" where there is none */
	bool has_cell;
	u64 cell, offset; /* offset in bytes of the cell in the file */
	u64 cell_bytes;
	char writer[32]; /* who wrote what should be there, or what was found: "mmap_writer.0" */
	char finder[32]; /* who saw it: "dio_reader.1", "verify", "kernel-log" */
	char expected_text[160], found_text[96]; /* of the cell, in words; "" where it has none */
	struct finding_layer layers[LAYERS];
	u8 found[FINDING_BYTES], expected[FINDING_BYTES]; /* cell_bytes of each when has_cell */
	struct finding_op ops[FINDING_OPS];
	size_t nops;
	char *log[FINDING_LINES]; /* kernel log lines around it, or the splat; owned */
	size_t nlog;
	struct timeline *timeline; /* owned; NULL: nothing is known of the time around it */
	u64 repeats;		   /* further sightings of the same thing, not kept in full */
};

void finding_free(struct finding *f);

#endif
