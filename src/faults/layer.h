/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults that are another table, or a message, for a device-mapper layer of the target
 * ("target": { "layers": [...] }). The layer passes everything until then and after. Such a fault
 * says in a struct layer_kind what its table is; all else is done here.
 */
#ifndef STRESSD_FAULT_LAYER_H
#define STRESSD_FAULT_LAYER_H

#include "faults/fault.h"

/* Parameters of flakey: not a second up, and then down for as long as it is armed. */
#define FLAKEY_ALWAYS_DOWN "0 4294967295"

/* fault_type.kind of such a fault. */
struct layer_kind {
	enum layer layer;
	/* The table that does harm, over @l. */
	void (*table)(struct fault *f, const struct target_layer *l, char table[DMDEV_TABLE_MAX]);
	/* The table is in force: what else the target is to be told. Optional. */
	int (*tell)(struct fault *f, const struct target_layer *l, struct err *e);
};

/* Does the target ask for the layer, and no other fault for its table? To be called last by a check
 * that asks for more. */
int layer_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
		struct err *e);
int layer_probe(const struct fault *f, struct err *e);
int layer_save(struct fault *f, struct err *e);
int layer_arm(struct fault *f, struct err *e);
int layer_disarm(struct fault *f, struct err *e);
bool layer_is_armed(const struct fault *f);

/* In a fault_type: what the kind decides. */
#define LAYER_FUNCTIONS(of)                                                                        \
	.kind = of, .probe = layer_probe, .arm = layer_arm, .disarm = layer_disarm,                \
	.is_armed = layer_is_armed

/* In a fault_type: of those that make requests fail. */
#define LAYER_FAILS                                                                                \
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS,                           \
	.log = fault_log_device_errors, .log_after = fault_log_device_failed,                      \
	.source = "times that it was armed; device-mapper does not count"

const struct target_layer *layer_of(const struct fault *f);

#endif
