/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the targets of a guest's scenarios want on its kernel's command line. */
#ifndef STRESSD_VM_BOOT_WORDS_H
#define STRESSD_VM_BOOT_WORDS_H

#include "vm/vm.h"

/* Each kind of target once, with a blank before it and the largest of its numbers behind it; "" if
 * none wants any. 0 or -ENAMETOOLONG. */
int boot_words(const struct vm_options *o, char *buf, size_t size);

#endif
