/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults that are another table, or a message, for a device-mapper layer of the target
 * ("target": { "layers": [...] }). The layer passes everything until then and after.
 */
#ifndef STRESSD_FAULT_LAYER_H
#define STRESSD_FAULT_LAYER_H

#include "faults/fault.h"

/* Parameters of flakey: not a second up, and then down for as long as it is armed. */
#define FLAKEY_ALWAYS_DOWN "0 4294967295"

/* Does the target ask for that layer? As fault_type.check. */
int layer_check(const struct scenario *sc, enum layer layer, struct err *e);
/* Driver and target type are here. As fault_type.probe. */
int layer_probe(enum layer layer, struct err *e);
/* The layer's table into the journal. */
int layer_save(struct fault *f, enum layer layer, struct err *e);
/* Give it @table, in force when this returns. */
int layer_arm(const struct fault *f, enum layer layer, const char *table, struct err *e);
int layer_disarm(const struct fault *f, enum layer layer, struct err *e);
/* Does it have another table than the linear one? The driver says so. */
bool layer_is_armed(const struct fault *f, enum layer layer);

static inline const struct target_layer *layer_of(const struct fault *f, enum layer layer)
{
	return &f->target->layers[layer];
}

#endif
