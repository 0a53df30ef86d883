// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * requeue: a null_blk device takes a request back, as a driver does that has no room just now: by
 * turns it says so to who hands it the request, or puts it back into the queue itself. Nothing
 * fails; what is tested is that each request is served once, in spite of it. (Linux 6.4;
 * Documentation/block/null_blk.rst, fault-injection.rst)
 */
#include "faults/fault.h"

#include "base/nullblk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIR	    "requeue_inject/" /* of the device, in configfs */
#define PROBABILITY DIR "probability"
#define TIMES	    DIR "times"

struct requeue {
	u64 probability, interval, times;
};

struct requeue_state {
	bool set;
	u64 injected; /* of past armings */
};

static const struct opt_def options[] = {
	OPT(struct requeue, probability, OPT_PERCENT, .def = "100", .min = "1",
	    .help = "of each chance that interval leaves"),
	OPT(struct requeue, interval, OPT_COUNT, .def = "10", .min = "1", .max = "1000000000",
	    .help = "only every so many chances"),
	OPT(struct requeue, times, OPT_COUNT, .def = "1000", .min = "1", .max = "1000000",
	    .help = "at most, each time it is armed"),
	{ 0 },
};

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	(void)block;
	(void)f;
	if (strcmp(sc->target.type->name, "null_blk"))
		return err_set(e, -EINVAL,
			       "it is told to a null_blk device; expected /target/type null_blk");
	return 0;
}

/* The target's probe has asked for all but what only its device shows. */
static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	(void)e;
	return 0;
}

/* The other attributes do nothing without it, and go with the device. */
static int save(struct fault *f, struct err *e)
{
	char now[32];
	int r = nullblk_read(f->target->own, PROBABILITY, now, sizeof(now));

	if (r < 0)
		return err_set(e, -EOPNOTSUPP,
			       "this null_blk takes no request back when it is told to (%s: %s); "
			       "boot Linux 6.4 or later with "
			       "CONFIG_BLK_DEV_NULL_BLK_FAULT_INJECTION and "
			       "CONFIG_FAULT_INJECTION_CONFIGFS; nothing was armed",
			       PROBABILITY, strerror(-r));
	return fault_save(f, UNDO_NULL_BLK_ATTR, f->target->own, PROBABILITY, now, e);
}

static int set(const struct fault *f, const char *attr, u64 value, struct err *e)
{
	char text[24];
	int r;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	r = nullblk_write(f->target->own, attr, text);
	return r < 0 ? err_set(e, r, "%s of %s: %s", attr, f->target->own, strerror(-r)) : 0;
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(requeue, f);
	FAULT_STATE(requeue_state, f);
	int r = set(f, DIR "interval", o->interval, e);

	if (r == 0)
		r = set(f, DIR "verbose", 0, e);
	if (r == 0)
		r = set(f, TIMES, o->times, e);
	st->set = r == 0;
	return r < 0 ? r : set(f, PROBABILITY, o->probability, e);
}

static long left(const struct fault *f)
{
	char text[32];

	return nullblk_read(f->target->own, TIMES, text, sizeof(text)) == 0 ? strtol(text, NULL, 0)
									    : 0;
}

static u64 used(const struct fault *f)
{
	FAULT_OPTIONS(requeue, f);
	FAULT_STATE(requeue_state, f);

	return st->set ? o->times - MIN((u64)MAX(left(f), 0L), o->times) : 0;
}

static int disarm(struct fault *f, struct err *e)
{
	FAULT_STATE(requeue_state, f);
	int r = set(f, PROBABILITY, 0, e);

	st->injected += used(f);
	st->set = false;
	return r;
}

static bool is_armed(const struct fault *f)
{
	char text[32];

	return nullblk_read(f->target->own, PROBABILITY, text, sizeof(text)) == 0 &&
	       strtol(text, NULL, 0) > 0 && left(f);
}

static u64 injected(const struct fault *f)
{
	FAULT_STATE(requeue_state, f);

	return st->injected + used(f);
}

extern const struct fault_type fault_requeue;
const struct fault_type fault_requeue = {
	.name = "requeue",
	.help = "a null_blk device takes requests back and serves them later: nothing fails",
	.options = options,
	.options_size = sizeof(struct requeue),
	.state_size = sizeof(struct requeue_state),
	.kconfig = "BLK_DEV_NULL_BLK BLK_DEV_NULL_BLK_FAULT_INJECTION FAULT_INJECTION_CONFIGFS",
	.flags = FAULT_NEEDS_MOUNT,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.injected = injected,
	.source = "requeue_inject/times: the kernel counts it down once a request",
};
