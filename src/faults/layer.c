// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of a target's layers: recorded, given, taken back. The swap is the driver's, in one ioctl:
 * no process can die while a device is suspended. */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct layer_kind *kind_of(const struct fault *f)
{
	return f->type->kind;
}

const struct target_layer *layer_of(const struct fault *f)
{
	return &f->target->layers[kind_of(f)->layer];
}

int layer_check(const void *options, const struct scenario *sc, const struct sc_fault *f,
		struct err *e)
{
	const struct layer_kind *k = f->type->kind;

	(void)options;
	/* A layer has one table, and who takes his fault back gives it the one without. */
	for (size_t i = 0; i < sc->nfaults; i++) {
		const struct fault_type *other = sc->faults[i].type;

		if (&sc->faults[i] != f && other && other->disarm == layer_disarm &&
		    ((const struct layer_kind *)other->kind)->layer == k->layer)
			return err_set(e, -EINVAL,
				       "%s changes the layer \"%s\", too; expected one fault of a "
				       "layer",
				       other->name, layer_names[k->layer]);
	}
	if (layers_wanted(sc, k->layer))
		return 0;
	return err_set(e, -EINVAL,
		       "/target has no device-mapper layer for it; expected \"layers\": [\"%s\"] "
		       "in /target",
		       layer_names[k->layer]);
}

int layer_probe(const struct fault *f, struct err *e)
{
	return layers_probe(1ULL << kind_of(f)->layer, e);
}

int layer_save(struct fault *f, struct err *e)
{
	const struct target_layer *l = layer_of(f);

	if (l->undo < 0)
		return err_set(e, -ENODEV, "the target has no layer %s",
			       layer_names[kind_of(f)->layer]);
	return fault_save(f, UNDO_DM_TABLE, l->name, l->uuid, l->table, e);
}

static int give(const struct target_layer *l, const char *table, struct err *e)
{
	int r = dmdev_reload(l->name, table);

	return r < 0 ? err_set(e, r, "%s cannot be given the table \"%s\": %s", l->name, table,
			       strerror(-r))
		     : 0;
}

int layer_arm(struct fault *f, struct err *e)
{
	const struct target_layer *l = layer_of(f);
	const struct layer_kind *k = kind_of(f);
	char table[DMDEV_TABLE_MAX];
	int r;

	k->table(f, l, table);
	r = give(l, table, e);
	return r < 0 || !k->tell ? r : k->tell(f, l, e);
}

int layer_disarm(struct fault *f, struct err *e)
{
	const struct target_layer *l = layer_of(f);

	return give(l, l->table, e);
}

bool layer_is_armed(const struct fault *f)
{
	char table[DMDEV_TABLE_MAX], type[32] = "";

	/* One whose table cannot be read for length has more than one target. */
	int r = dmdev_table(layer_of(f)->name, false, table, sizeof(table));

	if (r < 0)
		return r == -EFBIG;
	return strchr(table, '\n') || sscanf(table, "%*u %*u %31s", type) != 1 ||
	       strcmp(type, "linear") != 0;
}
