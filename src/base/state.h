/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapped state of a run: shadow, control block, histories. Each is a file of the run directory,
 * so that a dead run can be read; in a guest it is a part of the arena, so that the run of a dead
 * kernel can. Who maps state asks here and does not see which of the two it is.
 */
#ifndef STRESSD_STATE_H
#define STRESSD_STATE_H

#include "base/base.h"

enum state_how {
	STATE_READ,
	STATE_WRITE,
	STATE_COPY, /* writable, and nobody sees it; of files only */
};

/* From here on, in this process and those that it forks, state is in the arena that @path is, under
 * the last component of its path. Futexes in it need bells: they are set up, too. 0 or -errno. */
int state_use_arena(const char *path);
/* Is that so? Then this is a guest, and its death is seen by its host. */
bool state_in_arena(void);

/* New state at @path, @len bytes of zeros. 0 or -errno; nothing is left then. */
int state_create(const char *path, u64 len, void **ret);
/* State that is there. -errno. */
int state_open(const char *path, enum state_how how, void **ret, size_t *ret_len);
void state_close(void *map, size_t len);
int state_remove(const char *path);

#endif
