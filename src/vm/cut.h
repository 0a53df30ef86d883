/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A power cut that was asked for: what it can be asked of, and `stressd verify` after it, as a
 * process of its own. When the power goes is watch.c's.
 */
#ifndef STRESSD_VM_CUT_H
#define STRESSD_VM_CUT_H

#include "vm/vm.h"

/* Can what is left be checked? 0, or -EINVAL with a line in @e. */
int cut_check(const struct vm_options *o, struct err *e);
/* The guest is gone and its state is in the run directory; @status is what was known before.
 * Returns the exit status of it all; what verify prints goes to @o->out. */
int cut_verify(const struct vm_options *o, int status, struct err *e);

#endif
