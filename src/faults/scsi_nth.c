// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scsi_nth: of the commands to a scsi_debug disk every Nth is answered with an error, or not at
 * all. The driver has done by then what it was asked for, all but what it loses: a write that
 * failed may be there. How often a command is tried again before its request fails is a setting of
 * the disk. (drivers/scsi/scsi_debug.c, every_nth; sd(4))
 */
#include "faults/scsi.h"

#include "base/fsutil.h"
#include "base/scsidebug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define EVERY_NTH  SCSIDEBUG_DRIVER "/every_nth"
#define STATISTICS SCSIDEBUG_DRIVER "/statistics" /* it counts commands from the first N on */

static const char *const answer_names[] = { "aborted", "guard", "recovered", "lost", NULL };
static const struct {
	unsigned int opt;
	const char *counter;
} answers[] = {
	{ SCSI_OPT_TRANSPORT, "ioerr_cnt" },
	{ SCSI_OPT_DIF, "ioerr_cnt" },
	{ SCSI_OPT_RECOVERED, "ioerr_cnt" },
	{ SCSI_OPT_TIMEOUT, "iotmo_cnt" },
};
_Static_assert(ARRAY_SIZE(answer_names) == ARRAY_SIZE(answers) + 1, "a name for every answer");

struct scsi_nth {
	int answer;
	u64 every, retries, patience;
};

static const struct opt_def options[] = {
	OPT(struct scsi_nth, answer, OPT_ENUM, .def = "aborted", .choices = answer_names,
	    .help = "ABORTED COMMAND for trouble of the transport, the same for a bad guard tag, "
		    "RECOVERED ERROR with good data, or none"),
	OPT(struct scsi_nth, every, OPT_COUNT, .def = "50", .min = "1", .max = "1000000",
	    .help = "of so many commands one"),
	OPT(struct scsi_nth, retries, OPT_COUNT, .def = "0", .max = "5",
	    .help = "of a command before its request fails; the kernel's own are 5"),
	OPT(struct scsi_nth, patience, OPT_TIME, .def = "200ms", .min = "10ms", .max = "1s",
	    .help = "after which a command has timed out; the kernel's own is 30s"),
	{ 0 },
};

static int save(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(scsi_nth, f);
	int r = scsi_count(f, answers[o->answer].counter, e);

	if (r == 0)
		r = fault_save_attr(f, STATISTICS, e);
	if (r == 0)
		r = fault_save_attr(f, EVERY_NTH, e);
	if (r == 0)
		r = scsi_save_patience(f, e);
	return r < 0 ? r : scsi_save_opts(f, e);
}

static int set_nth(u64 n, struct err *e)
{
	char text[24];
	int r;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	r = attr_write(EVERY_NTH, text);
	return r < 0 ? err_set(e, r, "cannot write %s to %s: %s", text, EVERY_NTH, strerror(-r))
		     : 0;
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(scsi_nth, f);
	int r = scsi_set_patience(f, o->retries, o->patience, e);

	if (r == 0)
		r = set_nth(o->every, e);
	return r < 0 ? r : scsi_opts(answers[o->answer].opt, true, e);
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(scsi_nth, f);
	int r = scsi_opts(answers[o->answer].opt, false, e);

	return r < 0 ? r : set_nth(0, e);
}

/* The last to be asked while the disk is there: the count is taken. */
static bool is_armed(const struct fault *f)
{
	FAULT_OPTIONS(scsi_nth, f);

	scsi_injected(f);
	return scsi_has_opts(answers[o->answer].opt);
}

extern const struct fault_type fault_scsi_nth;
const struct fault_type fault_scsi_nth = {
	.name = "scsi_nth",
	.help = "every Nth command to a scsi_debug disk is answered with an error, or not at all",
	.options = options,
	.options_size = sizeof(struct scsi_nth),
	.state_size = sizeof(struct scsi_state),
	SCSI_FAILS,
	.kind = scsi_counted,
	.check = scsi_check,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = scsi_injected,
	.source = "ioerr_cnt and iotmo_cnt of the disk: commands that ended in an error, or timed "
		  "out",
};
