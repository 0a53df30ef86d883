// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dm_delay: each request waits before it goes to the device: reads, writes and flushes each their
 * time. Nothing may fail for it. Windows between submission and completion are as long as the
 * delay. (Documentation/admin-guide/device-mapper/delay.rst)
 */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>

struct dm_delay {
	struct range read, write, flush;
};

static const struct opt_def options[] = {
	OPT(struct dm_delay, read, OPT_TIME_RANGE, .def = "1ms..20ms", .max = "5s",
	    .help = "each read, drawn anew when it is armed; in whole milliseconds"),
	OPT(struct dm_delay, write, OPT_TIME_RANGE, .def = "1ms..20ms", .max = "5s",
	    .help = "each write, likewise"),
	OPT(struct dm_delay, flush, OPT_TIME_RANGE, .def = "1ms..20ms", .max = "5s",
	    .help = "each flush, likewise"),
	{ 0 },
};

/* What is less than the driver's unit would be no delay, and nobody would see that. */
static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	const struct dm_delay *o = block;
	const struct range *each[] = { &o->read, &o->write, &o->flush };
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		any = any || each[i]->hi;
		if (each[i]->hi && each[i]->hi < NSEC_PER_MSEC)
			return err_set(e, -EINVAL,
				       "the delay of %s is less than the driver's unit; expected "
				       "0ms, or up to 1ms and more",
				       i == 0	? "reads"
				       : i == 1 ? "writes"
						: "flushes");
	}
	if (!any)
		return err_set(e, -EINVAL,
			       "nothing is delayed; expected one of read, write and flush");
	return layer_check(block, sc, f, e);
}

static unsigned long long draw_ms(struct fault *f, struct range of)
{
	return rng_in(&f->rng, of) / NSEC_PER_MSEC;
}

static void table(struct fault *f, const struct target_layer *l, char text[DMDEV_TABLE_MAX])
{
	FAULT_OPTIONS(dm_delay, f);

	snprintf(text, DMDEV_TABLE_MAX, "0 %llu delay %s 0 %llu %s 0 %llu %s 0 %llu",
		 (unsigned long long)l->sectors, l->below, draw_ms(f, o->read), l->below,
		 draw_ms(f, o->write), l->below, draw_ms(f, o->flush));
}

static const struct layer_kind kind = { .layer = DM_LAYER_DELAY, .table = table };

extern const struct fault_type fault_dm_delay;
const struct fault_type fault_dm_delay = {
	.name = "dm_delay",
	.help = "requests to the device take longer: layer delay",
	.options = options,
	.options_size = sizeof(struct dm_delay),
	.kconfig = "BLK_DEV_DM DM_DELAY",
	.flags = FAULT_NEEDS_MOUNT,
	LAYER_FUNCTIONS(&kind),
	.check = check,
	.save = layer_save,
	.source = "times that it was armed; a delay is no error",
};
