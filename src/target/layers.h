/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device-mapper layers between a target's block device and its filesystem: which there are,
 * and which of them a target has. Each passes everything until a fault gives it another table.
 */
#ifndef STRESSD_LAYERS_H
#define STRESSD_LAYERS_H

#include "base/dmdev.h"
#include "scenario.h"

enum layer {
#define X(id, name, harm, kconfig) DM_LAYER_##id,
#include "target/layers.def"
#undef X
	/* Over all others where there is a log; no scenario asks for it. See layers_drain(). */
	DM_LAYER_GATE,
	DM_LAYERS
};

/* In order, without the gate, NULL-terminated: OPT_ENUM_SET choices. */
extern const char *const layer_names[];
extern const char *const layer_kconfig[]; /* likewise: what a kernel needs for each */

/* A layer of a target that is set up. */
struct target_layer {
	char name[DMDEV_ID_MAX], uuid[DMDEV_ID_MAX];
	char below[64], device[64]; /* what it lies on; its own node */
	u64 sectors;
	char table[DMDEV_TABLE_MAX]; /* that passes everything */
	int undo;		     /* journal entry, -1: not there */
};

/* Does the scenario's target ask for that layer? */
bool layers_wanted(const struct scenario *sc, enum layer layer);
/* Rights, driver, target types of @layers (bits). 0, -EACCES or -EOPNOTSUPP with the option. */
int layers_probe(u64 layers, struct err *e);

struct target;

/* Make those that t->options ask for on t->device, which becomes the topmost one; t->base keeps
 * what it was. On failure what was made is in the journal: layers_remove(). */
int layers_make(struct target *t, u64 layers, struct err *e);
/*
 * With layer "log": returns when every request that was in flight has ended, and so is in the log.
 * A write is logged with the first flush after it, when that flush ends; another flush that covers
 * it, too, may end sooner. So of what a sync has made durable the log says so only when the flushes
 * that were under way then are over. (drivers/md/dm-log-writes.c, log_writes_map())
 */
int layers_drain(const struct target *t);
/* Nothing is mounted: remove them from the top; t->device is t->base again. */
int layers_remove(struct target *t, struct err *e);

#endif
