// SPDX-License-Identifier: GPL-2.0-or-later
/* Two places for state; which one is decided once, before anything is made. */
#include "base/state.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/futex.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct arena *arena;

int state_use_arena(const char *path)
{
	int r = arena_map(path, &arena);

	return r < 0 ? r : futex_use_bells();
}

bool state_in_arena(void)
{
	return arena;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int state_create(const char *path, u64 len, void **ret)
{
	_cleanup_close_ int fd = -1;
	void *map;
	int r;

	if (arena)
		return arena_add(arena, name_of(path), len, ret);
	r = create_allocated(path, len, &fd);
	if (r < 0)
		return r;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		r = -errno;
		unlink(path);
		return r;
	}
	*ret = map;
	return 0;
}

static int open_file(const char *path, enum state_how how, void **ret, size_t *ret_len)
{
	_cleanup_close_ int fd =
		open(path, (how == STATE_WRITE ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return -EBADMSG;
	map = mmap(NULL, (size_t)st.st_size, how == STATE_READ ? PROT_READ : PROT_READ | PROT_WRITE,
		   how == STATE_COPY ? MAP_PRIVATE : MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*ret = map;
	*ret_len = (size_t)st.st_size;
	return 0;
}

int state_open(const char *path, enum state_how how, void **ret, size_t *ret_len)
{
	int r;

	if (!arena)
		return open_file(path, how, ret, ret_len);
	r = how == STATE_COPY ? -ENOENT : arena_find(arena, name_of(path), ret, ret_len);
	/* That of another run, to be looked at. */
	return r == -ENOENT ? open_file(path, how, ret, ret_len) : r;
}

void state_close(void *map, size_t len)
{
	if (!arena || (u64)((char *)map - (char *)arena) >= arena->len)
		munmap(map, len);
}

int state_remove(const char *path)
{
	if (arena)
		return arena_remove(arena, name_of(path));
	return unlink(path) < 0 ? -errno : 0;
}
