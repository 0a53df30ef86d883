/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kernels are compressed with, taken apart as a stream: nothing of the size of a kernel is
 * held. Knows formats; nothing of images or configurations.
 */
#ifndef STRESSD_VM_UNPACK_H
#define STRESSD_VM_UNPACK_H

#include "base/base.h"

/* One chunk. 0: go on; 1: enough, which is no error; -errno: give up. */
typedef int unpack_fn(void *ctx, const u8 *data, size_t len);

/* The name of what @data is compressed with, or NULL where it is nothing known. */
const char *unpack_kind(const u8 *data, size_t len);
/* What follows the compressed bytes is ignored. 0, or -errno of @fn, or with one line in @e:
 * -ENOTSUP names a compressor that is not read here, -EBADMSG: damaged or cut short. */
int unpack(const u8 *data, size_t len, unpack_fn *fn, void *ctx, struct err *e);

#endif
