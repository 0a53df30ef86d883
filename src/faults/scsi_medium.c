// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scsi_medium: a stretch of a scsi_debug disk cannot be read for as long as it is armed, with the
 * MEDIUM ERROR of a worn surface, while writes to it succeed. Another stretch each time, or more
 * often. Through the page cache that is EIO; who reads directly is told ENODATA.
 */
#include "faults/blocks.h"
#include "faults/scsi.h"

#include "base/fsutil.h"
#include "base/scsidebug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECTORS (FAULT_BLOCK / 512) /* of a block */
#define START	SCSIDEBUG_PARAMETERS "/medium_error_start"
#define COUNT	SCSIDEBUG_PARAMETERS "/medium_error_count"

struct scsi_medium {
	u64 blocks, move;
	int where;
};

static const struct opt_def options[] = {
	OPT(struct scsi_medium, blocks, OPT_COUNT, .def = "16", .min = "1", .max = "100000",
	    .help = "blocks of 4 KiB in a row"),
	OPT(struct scsi_medium, move, OPT_TIME, .def = "20ms", .max = "1h",
	    .help = "how often another place is drawn; 0ms: each time that it is armed"),
	OPT(struct scsi_medium, where, OPT_ENUM, .def = "files", .choices = block_wheres,
	    .help = BLOCK_WHERE_HELP),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct scsi_medium *o = block;
	int r = scsi_check(block, sc, f, e);

	return r < 0 ? r : block_check(sc, o->where, e);
}

static int save(struct fault *f, struct err *e)
{
	int r = scsi_count(f, "ioerr_cnt", e);

	if (r == 0)
		r = fault_save_attr(f, START, e);
	if (r == 0)
		r = fault_save_attr(f, COUNT, e);
	return r < 0 ? r : scsi_save_opts(f, e);
}

static int draw(struct fault *f)
{
	FAULT_OPTIONS(scsi_medium, f);
	char start[24], count[24];
	int r;

	snprintf(start, sizeof(start), "%llu",
		 (unsigned long long)draw_block(f, o->where) * SECTORS);
	snprintf(count, sizeof(count), "%llu", (unsigned long long)o->blocks * SECTORS);
	r = attr_write(START, start);
	return r < 0 ? r : attr_write(COUNT, count);
}

static int arm(struct fault *f, struct err *e)
{
	int r = draw(f);

	return r < 0 ? err_set(e, r, "%s: %s", START, strerror(-r))
		     : scsi_opts(SCSI_OPT_MEDIUM, true, e);
}

static void move(struct fault *f)
{
	draw(f);
}

static u64 move_ns(const struct fault *f)
{
	FAULT_OPTIONS(scsi_medium, f);

	return o->move;
}

static int disarm(struct fault *f, struct err *e)
{
	(void)f;
	return scsi_opts(SCSI_OPT_MEDIUM, false, e);
}

/* The last to be asked while the disk is there: the count is taken. */
static bool is_armed(const struct fault *f)
{
	scsi_injected(f);
	return scsi_has_opts(SCSI_OPT_MEDIUM);
}

extern const struct fault_type fault_scsi_medium;
const struct fault_type fault_scsi_medium = {
	.name = "scsi_medium",
	.help = "a stretch of a scsi_debug disk cannot be read: MEDIUM ERROR",
	.options = options,
	.options_size = sizeof(struct scsi_medium),
	.state_size = sizeof(struct scsi_state),
	SCSI_FAILS,
	.kind = scsi_counted,
	.check = check,
	.save = save,
	.arm = arm,
	.step = move,
	.step_ns = move_ns,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = scsi_injected,
	.source = "ioerr_cnt of the disk: commands that ended in an error",
};
