/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An arena: memory that two machines share, a guest and its host, and that the host still has when
 * the guest is dead. A table of named parts at its start, then the parts. One process adds
 * parts; whoever reads it from outside believes nothing of it. Knows no file and no QEMU.
 */
#ifndef STRESSD_ARENA_H
#define STRESSD_ARENA_H

#include "base/base.h"

#include <stdatomic.h>

#define ARENA_PARTS 400
#define ARENA_NAME  32
#define ARENA_PAGE  4096ULL

struct arena_part {
	char name[ARENA_NAME]; /* "": removed */
	u64 offset, len;       /* bytes from the start of the arena */
};

struct arena {
	u64 magic, len;
	_Atomic u32 nparts;
	_Atomic u32 taken; /* by the host: scenarios whose parts it has copied */
	struct arena_part parts[ARENA_PARTS];
};
#define ARENA_HEAD ROUND_UP(sizeof(struct arena), ARENA_PAGE)

/* Make @mem, @len bytes of zeros, an arena without parts. */
void arena_format(struct arena *a, u64 len);
/* Map the arena that @path is: a file, or the memory of a PCI device. 0 or -errno; -EBADMSG: it is
 * something else. */
int arena_map(const char *path, struct arena **ret);
/* A new part, of zeros. 0 with *ret, or -EEXIST, -ENOSPC, -ENAMETOOLONG. */
int arena_add(struct arena *a, const char *name, u64 len, void **ret);
/* 0 with *ret and *ret_len, or -ENOENT. */
int arena_find(struct arena *a, const char *name, void **ret, u64 *ret_len);
int arena_remove(struct arena *a, const char *name);
/* Part @i as it may be believed, of an arena of @len bytes: its name is one component, its bytes
 * lie in the arena. 0; -ENOENT: there is none; -EBADMSG: it cannot be. */
int arena_part(const struct arena *a, u64 len, u32 i, struct arena_part *ret);

#endif
