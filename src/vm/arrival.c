// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's half: files come to be as the guest says, in one directory and nowhere else. */
#include "vm/mirror.h"

#include "base/fsutil.h"
#include "vm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX GIB /* histories and shadows are smaller; a wild guest is not */

static int place_of(struct arrival *a, u32 id)
{
	for (int i = 0; i < MIRROR_FILES; i++)
		if (a->files[i].id == id + 1)
			return i;
	return -1;
}

static int free_place(const struct arrival *a)
{
	for (int i = 0; i < MIRROR_FILES; i++)
		if (!a->files[i].id)
			return i;
	return -1;
}

/* The note is the host's own: `stressd verify` believes it. */
static bool good_name(const struct frame *f)
{
	const char *name = f->data;

	return f->len && f->len < MIRROR_NAME && name[0] != '.' && !memchr(name, '/', f->len) &&
	       !memchr(name, '\0', f->len) &&
	       (f->len != strlen(GUEST_NOTE) || memcmp(name, GUEST_NOTE, f->len) != 0);
}

static int on_file(struct arrival *a, const struct frame *f)
{
	int i = place_of(a, f->id);

	if (!good_name(f) || f->offset > FILE_BYTES_MAX)
		return -EBADMSG;
	if (i < 0) {
		i = free_place(a);
		if (i < 0)
			return -EBADMSG;
		memcpy(a->files[i].name, f->data, f->len);
		a->files[i].name[f->len] = '\0';
		a->files[i].fd = openat(a->dirfd, a->files[i].name,
					O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (a->files[i].fd < 0)
			return -errno;
		a->files[i].id = f->id + 1;
	}
	return ftruncate(a->files[i].fd, (off_t)f->offset) < 0 ? -errno : 0;
}

static int on_data(struct arrival *a, const struct frame *f)
{
	int i = place_of(a, f->id);

	if (i < 0 || f->offset > FILE_BYTES_MAX)
		return -EBADMSG;
	return pwrite_all(a->files[i].fd, f->data, f->len, f->offset);
}

static int on_gone(struct arrival *a, const struct frame *f)
{
	int i = place_of(a, f->id);

	if (i < 0)
		return -EBADMSG;
	close(a->files[i].fd);
	a->files[i].id = 0;
	return unlinkat(a->dirfd, a->files[i].name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int arrival_take(struct arrival *a, const struct frame *f)
{
	return f->type == FRAME_FILE   ? on_file(a, f)
	       : f->type == FRAME_DATA ? on_data(a, f)
				       : on_gone(a, f);
}

void arrival_close(struct arrival *a)
{
	for (int i = 0; i < MIRROR_FILES; i++)
		if (a->files[i].id) {
			close(a->files[i].fd);
			a->files[i].id = 0;
		}
}
