// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scsi_command: the next so many reads, writes or flushes of a scsi_debug disk fail before anything
 * is done, or are never answered: the driver keeps a list of such orders for each disk, with what
 * is left of each. Reads, writes and flushes told apart, exactly as often as asked for. (Linux 6.7;
 * drivers/scsi/scsi_debug.c, sdebug_error_write())
 */
#include "faults/scsi.h"

#include "base/debugfs.h"
#include "base/fsutil.h"
#include "base/scsidebug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX (64 * KIB)

/* Orders, by the driver's numbers. */
enum order { ORDER_LOSE = 0, ORDER_FAIL = 2 };

static const char *const command_names[] = { "read", "write", "flush", NULL };
/* Of ten bytes and of sixteen, for large disks. (SBC-4) */
static const unsigned int opcodes[][2] = { { 0x28, 0x88 }, { 0x2a, 0x8a }, { 0x35, 0x91 } };
_Static_assert(ARRAY_SIZE(command_names) == ARRAY_SIZE(opcodes) + 1, "a name for every command");

static const char *const answer_names[] = { "aborted", "medium", "space", "lost", NULL };
/* Host byte, driver byte, status CHECK CONDITION; sense key and its two further codes. (SPC-5) */
static const char *const senses[] = {
	"0 0 2 b 0 0",	/* ABORTED COMMAND */
	"0 0 2 3 c 2",	/* MEDIUM ERROR: write error, reallocation failed */
	"0 0 2 7 27 7", /* DATA PROTECT: space allocation failed, as of thin provisioning */
	NULL,
};
_Static_assert(ARRAY_SIZE(answer_names) == ARRAY_SIZE(senses) + 1, "a sense for every answer");

struct scsi_command {
	u64 commands; /* bits of command_names */
	int answer;
	u64 times, retries, patience;
};

struct scsi_command_state {
	struct scsi_state scsi; /* of past armings: injected */
	bool set;
	char list[96];
};

static const struct opt_def options[] = {
	OPT(struct scsi_command, commands, OPT_ENUM_SET, .def = "write", .choices = command_names,
	    .help = "which of them"),
	OPT(struct scsi_command, answer, OPT_ENUM, .def = "aborted", .choices = answer_names,
	    .help = "ABORTED COMMAND, MEDIUM ERROR, no space left on a thin disk, or none"),
	OPT(struct scsi_command, times, OPT_COUNT, .def = "3", .min = "1", .max = "1000000",
	    .help = "of each of them, each time that it is armed"),
	OPT(struct scsi_command, retries, OPT_COUNT, .def = "0", .max = "5",
	    .help = "of a command before its request fails; the kernel's own are 5"),
	OPT(struct scsi_command, patience, OPT_TIME, .def = "200ms", .min = "10ms", .max = "1s",
	    .help = "after which a command has timed out; the kernel's own is 30s"),
	{ 0 },
};

static enum order order_of(const struct scsi_command *o)
{
	return senses[o->answer] ? ORDER_FAIL : ORDER_LOSE;
}

/* Call @fn for each opcode that is asked for, until one fails. */
static int each_opcode(struct fault *f, struct err *e,
		       int (*fn)(struct fault *f, unsigned int opcode, struct err *e))
{
	FAULT_OPTIONS(scsi_command, f);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++)
		for (size_t k = 0; k < 2 && r == 0 && o->commands >> i & 1; k++)
			r = fn(f, opcodes[i][k], e);
	return r;
}

/* What takes an order back is known before it is given. */
static int save_order(struct fault *f, unsigned int opcode, struct err *e)
{
	FAULT_OPTIONS(scsi_command, f);
	FAULT_STATE(scsi_command_state, f);
	char text[32];

	snprintf(text, sizeof(text), "- %d %x", order_of(o), opcode);
	return fault_save(f, UNDO_SCSI_ORDER, st->list, text, NULL, e);
}

static int tell(const struct fault *f, const char *text, struct err *e)
{
	FAULT_STATE(scsi_command_state, f);
	int r = debugfs_write(st->list, text);

	return r < 0 ? err_set(e, r, "cannot write '%s' to %s in debugfs: %s", text, st->list,
			       strerror(-r))
		     : 0;
}

static int save(struct fault *f, struct err *e)
{
	FAULT_STATE(scsi_command_state, f);
	char address[64];
	int r = scsidebug_address(f->target->base, address, sizeof(address));

	if (r == 0)
		r = path_set(st->list, sizeof(st->list), "scsi_debug/%s/error", address);
	if (r == 0)
		r = debugfs_may_write(st->list);
	if (r < 0)
		return err_set(e, -EOPNOTSUPP,
			       "scsi_debug takes no orders for single commands (%s in debugfs: "
			       "%s); boot Linux 6.7 or later with CONFIG_DEBUG_FS; nothing was "
			       "armed",
			       st->list, strerror(-r));
	r = scsi_save_patience(f, e);
	return r < 0 ? r : each_opcode(f, e, save_order);
}

/* A count below zero is one that is counted up to zero; above it has no end. */
static int give_order(struct fault *f, unsigned int opcode, struct err *e)
{
	FAULT_OPTIONS(scsi_command, f);
	char text[80];

	snprintf(text, sizeof(text), "%d -%llu %x %s", order_of(o), (unsigned long long)o->times,
		 opcode, senses[o->answer] ? senses[o->answer] : "");
	return tell(f, text, e);
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(scsi_command, f);
	FAULT_STATE(scsi_command_state, f);
	int r = scsi_set_patience(f, o->retries, o->patience, e);

	if (r < 0)
		return r;
	st->set = true;
	return each_opcode(f, e, give_order);
}

/* What is left of all orders, and how many there are: a disk of the run's own has no others. */
static u64 left(const struct fault *f, u64 *ret_orders)
{
	FAULT_STATE(scsi_command_state, f);
	char *text = NULL, *save_ptr = NULL;
	u64 sum = 0;

	*ret_orders = 0;
	if (debugfs_read_all(st->list, LIST_MAX, &text) < 0)
		return 0;
	for (char *l = strtok_r(text, "\n", &save_ptr); l; l = strtok_r(NULL, "\n", &save_ptr)) {
		long count;

		if (sscanf(l, "%*d %ld", &count) != 1)
			continue;
		sum += count < 0 ? (u64)-count : 0;
		++*ret_orders;
	}
	free(text);
	return sum;
}

static u64 used(const struct fault *f)
{
	FAULT_OPTIONS(scsi_command, f);
	FAULT_STATE(scsi_command_state, f);
	u64 orders = 0, still = st->set ? left(f, &orders) : 0;

	return orders * o->times - MIN(still, orders * o->times);
}

/* One that is not there any more is what was wanted. */
static int take_order(struct fault *f, unsigned int opcode, struct err *e)
{
	FAULT_OPTIONS(scsi_command, f);
	char text[32];
	int r;

	snprintf(text, sizeof(text), "- %d %x", order_of(o), opcode);
	r = tell(f, text, e);
	return r == -EINVAL ? 0 : r;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_STATE(scsi_command_state, f);

	st->scsi.injected += used(f);
	st->set = false;
	return each_opcode(f, e, take_order);
}

static bool is_armed(const struct fault *f)
{
	u64 orders;

	return left(f, &orders) > 0;
}

static u64 injected(const struct fault *f)
{
	FAULT_STATE(scsi_command_state, f);

	return st->scsi.injected + used(f);
}

extern const struct fault_type fault_scsi_command;
const struct fault_type fault_scsi_command = {
	.name = "scsi_command",
	.help = "the next reads, writes or flushes of a scsi_debug disk fail, or are never "
		"answered",
	.options = options,
	.options_size = sizeof(struct scsi_command),
	.state_size = sizeof(struct scsi_command_state),
	SCSI_FAILS,
	.check = scsi_check,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "the driver's list of orders: it counts each one down",
};
