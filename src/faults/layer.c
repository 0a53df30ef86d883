// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of a target's layers: recorded, given, taken back. The swap is the driver's, in one ioctl:
 * no process can die while a device is suspended. */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int layer_check(const struct scenario *sc, enum layer layer, struct err *e)
{
	if (layers_wanted(sc, layer))
		return 0;
	return err_set(e, -EINVAL,
		       "/target has no device-mapper layer for it; expected \"layers\": [\"%s\"] "
		       "in /target",
		       layer_names[layer]);
}

int layer_probe(enum layer layer, struct err *e)
{
	return layers_probe(1ULL << layer, e);
}

int layer_save(struct fault *f, enum layer layer, struct err *e)
{
	const struct target_layer *l = layer_of(f, layer);

	if (l->undo < 0)
		return err_set(e, -ENODEV, "the target has no layer %s", layer_names[layer]);
	return fault_save(f, UNDO_DM_TABLE, l->name, l->uuid, l->table, e);
}

static int give(const struct fault *f, enum layer layer, const char *table, struct err *e)
{
	const struct target_layer *l = layer_of(f, layer);
	int r = dmdev_reload(l->name, table);

	return r < 0 ? err_set(e, r, "%s cannot be given the table \"%s\": %s", l->name, table,
			       strerror(-r))
		     : 0;
}

int layer_arm(const struct fault *f, enum layer layer, const char *table, struct err *e)
{
	return give(f, layer, table, e);
}

int layer_disarm(const struct fault *f, enum layer layer, struct err *e)
{
	return give(f, layer, layer_of(f, layer)->table, e);
}

bool layer_is_armed(const struct fault *f, enum layer layer)
{
	const struct target_layer *l = layer_of(f, layer);
	char table[DMDEV_TABLE_MAX], type[32] = "";

	/* One whose table cannot be read for length has more than one target. */
	int r = dmdev_table(l->name, false, table, sizeof(table));

	if (r < 0)
		return r == -EFBIG;
	return strchr(table, '\n') || sscanf(table, "%*u %*u %31s", type) != 1 ||
	       strcmp(type, "linear") != 0;
}
