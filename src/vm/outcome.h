/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the end of a guest means for the scenario that ran in it: the guest's own result when it
 * came to one, otherwise one that is made here of what the console said.
 */
#ifndef STRESSD_VM_OUTCOME_H
#define STRESSD_VM_OUTCOME_H

#include "vm/watch.h"

/* Of a guest that panicked: because its filesystem is mounted to do so when it meets an error, and
 * a fault of the scenario makes errors? */
bool outcome_panic_asked(const struct watch *w);
/* Write the reports of every scenario that has none, print what a person needs of them to the
 * options' streams; returns the exit status of it all, and fills in @e where no run can be blamed.
 */
int outcome_settle(struct watch *w, int end, struct err *e);

#endif
