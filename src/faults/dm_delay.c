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

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	(void)block;
	(void)f;
	return layer_check(sc, DM_LAYER_DELAY, e);
}

static int probe(const struct fault *f, struct err *e)
{
	(void)f;
	return layer_probe(DM_LAYER_DELAY, e);
}

static int save(struct fault *f, struct err *e)
{
	return layer_save(f, DM_LAYER_DELAY, e);
}

static unsigned long long draw_ms(struct fault *f, struct range of)
{
	return rng_in(&f->rng, of) / NSEC_PER_MSEC;
}

static int arm(struct fault *f, struct err *e)
{
	FAULT_OPTIONS(dm_delay, f);
	const struct target_layer *l = layer_of(f, DM_LAYER_DELAY);
	char table[DMDEV_TABLE_MAX];

	snprintf(table, sizeof(table), "0 %llu delay %s 0 %llu %s 0 %llu %s 0 %llu",
		 (unsigned long long)l->sectors, l->below, draw_ms(f, o->read), l->below,
		 draw_ms(f, o->write), l->below, draw_ms(f, o->flush));
	return layer_arm(f, DM_LAYER_DELAY, table, e);
}

static int disarm(struct fault *f, struct err *e)
{
	return layer_disarm(f, DM_LAYER_DELAY, e);
}

static bool is_armed(const struct fault *f)
{
	return layer_is_armed(f, DM_LAYER_DELAY);
}

extern const struct fault_type fault_dm_delay;
const struct fault_type fault_dm_delay = {
	.name = "dm_delay",
	.help = "requests to the device take longer: layer delay",
	.options = options,
	.options_size = sizeof(struct dm_delay),
	.kconfig = "BLK_DEV_DM DM_DELAY",
	.flags = FAULT_NEEDS_MOUNT,
	.check = check,
	.probe = probe,
	.save = save,
	.arm = arm,
	.disarm = disarm,
	.is_armed = is_armed,
	.source = "times that it was armed; a delay is no error",
};
