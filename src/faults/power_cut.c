// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * power_cut: from one moment on nothing that is written reaches the device, which says that it
 * does: what a cut of the power leaves behind, with all flushes before it kept. That ends the run.
 * The filesystem is unmounted while its writes are still dropped, and mounted anew: it must recover
 * by itself, its checker must be content, and everything must be there that a sync which returned
 * before had made durable. (dm-flakey.rst, drop_writes)
 *
 * Nothing of it is in the journal: the layer is, and who gave the writes back to a mounted
 * filesystem that lost some would destroy it.
 */
#include "faults/layer.h"

#include <errno.h>
#include <stdio.h>

static const struct opt_def options[] = { { 0 } };

static int check(const void *block, const struct scenario *sc, const struct sc_fault *f,
		 struct err *e)
{
	if (f->for_ns || f->every_ns)
		return err_set(e, -EINVAL, "power_cut ends the run; expected \"after\" alone");
	return layer_check(block, sc, f, e);
}

static int save(struct fault *f, struct err *e)
{
	if (layer_of(f)->undo < 0)
		return err_set(e, -ENODEV, "the target has no layer flakey");
	return 0;
}

static void table(struct fault *f, const struct target_layer *l, char text[DMDEV_TABLE_MAX])
{
	(void)f;
	snprintf(text, DMDEV_TABLE_MAX, "0 %llu flakey %s 0 " FLAKEY_ALWAYS_DOWN " 1 drop_writes",
		 (unsigned long long)l->sectors, l->below);
}

static const struct layer_kind kind = { .layer = DM_LAYER_FLAKEY, .table = table };

static const int errnos[] = { EIO, 0 };

extern const struct fault_type fault_power_cut;
const struct fault_type fault_power_cut = {
	.name = "power_cut",
	.help = "nothing more reaches the device, and the run ends: layer flakey",
	.options = options,
	.options_size = 1,
	.kconfig = "BLK_DEV_DM DM_FLAKEY",
	.flags = FAULT_NEEDS_MOUNT | FAULT_LOSES_WRITES | FAULT_ENDS_FS | FAULT_CUTS,
	.errnos = errnos,
	.log = fault_log_device_errors,
	.log_after = fault_log_device_failed,
	LAYER_FUNCTIONS(&kind),
	.check = check,
	.save = save,
	.source = "the cut",
};
