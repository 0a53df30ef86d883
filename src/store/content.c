// SPDX-License-Identifier: GPL-2.0-or-later
/* The hash that names a run. */
#include "store/content.h"

#include <stdio.h>

XXH3_state_t *content_new(void)
{
	XXH3_state_t *hash = XXH3_createState();

	if (hash)
		XXH3_128bits_reset(hash);
	return hash;
}

void content_free(XXH3_state_t **hash)
{
	XXH3_freeState(*hash);
}

void content_name(const XXH3_state_t *hash, char buf[STORE_CONTENT_MAX])
{
	XXH128_hash_t h = XXH3_128bits_digest(hash);

	snprintf(buf, STORE_CONTENT_MAX, "%016llx%016llx", (unsigned long long)h.high64,
		 (unsigned long long)h.low64);
}
