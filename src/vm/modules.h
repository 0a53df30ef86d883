/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that a distribution's kernel needs before it can see the host's files; all others the
 * guest's kernel asks modprobe(8) for, which is on the host. (modules.dep(5))
 */
#ifndef STRESSD_VM_MODULES_H
#define STRESSD_VM_MODULES_H

#include "vm/initramfs.h"

/* Add what /lib/modules/@release has of them, and the order to load them in. A release without
 * modules has all built in: 0. -errno with text in @e when they are there and cannot be read. */
int modules_add(struct cpio *c, const char *release, struct err *e);
/* The same for the directory @dir. */
int modules_add_from(struct cpio *c, const char *dir, struct err *e);

#endif
