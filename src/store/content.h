/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What names a run in the store: the hash of the bytes of result.json and verify/result.json. */
#ifndef STRESSD_STORE_CONTENT_H
#define STRESSD_STORE_CONTENT_H

#include "base/base.h"

#include <xxhash.h>

#define STORE_CONTENT_MAX  40
#define STORE_RESULT_BYTES (64 * MIB)

/* A hash that has begun, or NULL; content_free() through scope. */
XXH3_state_t *content_new(void);
void content_free(XXH3_state_t **hash);
void content_name(const XXH3_state_t *hash, char buf[STORE_CONTENT_MAX]);

#endif
