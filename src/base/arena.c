// SPDX-License-Identifier: GPL-2.0-or-later
/* Parts are given out one behind the other and never moved; a removed one loses its name only. */
#include "base/arena.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC 0x31616e6572615373ULL /* "sSarena1" */

void arena_format(struct arena *a, u64 len)
{
	a->len = len;
	atomic_store(&a->nparts, 0);
	a->magic = MAGIC;
}

int arena_map(const char *path, struct arena **ret)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	struct arena *a;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((u64)st.st_size < ARENA_HEAD)
		return -EBADMSG;
	a = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (a == MAP_FAILED)
		return -errno;
	if (a->magic != MAGIC || a->len != (u64)st.st_size) {
		munmap(a, (size_t)st.st_size);
		return -EBADMSG;
	}
	*ret = a;
	return 0;
}

static struct arena_part *find(struct arena *a, const char *name)
{
	u32 n = MIN(atomic_load(&a->nparts), (u32)ARENA_PARTS);

	for (u32 i = 0; i < n; i++)
		if (!strcmp(a->parts[i].name, name))
			return &a->parts[i];
	return NULL;
}

int arena_add(struct arena *a, const char *name, u64 len, void **ret)
{
	u32 n = atomic_load(&a->nparts);
	struct arena_part *last = n ? &a->parts[n - 1] : NULL;
	u64 at = last ? ROUND_UP(last->offset + last->len, ARENA_PAGE) : ARENA_HEAD;

	if (strlen(name) >= ARENA_NAME)
		return -ENAMETOOLONG;
	if (find(a, name))
		return -EEXIST;
	if (n == ARENA_PARTS || len > a->len || at > a->len - len)
		return -ENOSPC;
	a->parts[n] = (struct arena_part){ .offset = at, .len = len };
	strcpy(a->parts[n].name, name);
	/* Last: whoever looks meanwhile sees a part that is whole, or none. */
	atomic_store_explicit(&a->nparts, n + 1, memory_order_release);
	*ret = (char *)a + at;
	return 0;
}

int arena_find(struct arena *a, const char *name, void **ret, u64 *ret_len)
{
	struct arena_part *p = *name ? find(a, name) : NULL;

	if (!p)
		return -ENOENT;
	*ret = (char *)a + p->offset;
	*ret_len = p->len;
	return 0;
}

int arena_remove(struct arena *a, const char *name)
{
	struct arena_part *p = *name ? find(a, name) : NULL;

	if (!p)
		return -ENOENT;
	p->name[0] = '\0';
	return 0;
}

int arena_part(const struct arena *a, u64 len, u32 i, struct arena_part *ret)
{
	if (i >= MIN(atomic_load(&a->nparts), (u32)ARENA_PARTS))
		return -ENOENT;
	/* Copied first: the guest may still write to it. */
	memcpy(ret, &a->parts[i], sizeof(*ret));
	if (!ret->name[0])
		return -ENOENT;
	if (!memchr(ret->name, 0, sizeof(ret->name)) || ret->name[0] == '.' ||
	    strchr(ret->name, '/') || ret->offset < ARENA_HEAD || ret->offset > len ||
	    ret->len > len - ret->offset)
		return -EBADMSG;
	return 0;
}
