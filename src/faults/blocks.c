// SPDX-License-Identifier: GPL-2.0-or-later
/* Where files are is what FIEMAP says. */
#include "faults/blocks.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *const block_wheres[] = { "files", "device", NULL };

int block_check(const struct scenario *sc, int where, struct err *e)
{
	const char *fs = target_fs_to_make(sc);

	if (fs && !strcmp(fs, "btrfs") && where == BLOCK_IN_FILES)
		return err_set(e, -EINVAL,
			       "btrfs does not say where its files are; expected "
			       "\"where\": \"device\"");
	return 0;
}

/* A block of a file of the run, if it has one where we look. */
static int draw_in_files(struct fault *f, u64 *ret_block)
{
	const struct scenario *sc = f->target->sc;
	u64 which = rng_in(&f->rng, (struct range){ 0, sc->nfiles - 1 });
	const struct sc_file *file = &sc->files[which];
	u64 offset = rng_in(&f->rng, (struct range){ 0, file->max_bytes });
	_cleanup_close_ int fd = -1;
	char path[1200];
	u64 address = 0;
	int r;

	path_set(path, sizeof(path), "%s/%s", f->target->root, file->name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = target_map(f->target, fd, ROUND_DOWN(offset, FAULT_BLOCK), &address);
	*ret_block = address / FAULT_BLOCK;
	return r;
}

u64 draw_block(struct fault *f, int where)
{
	_cleanup_close_ int fd = open(f->target->device, O_RDONLY | O_CLOEXEC);
	u64 bytes = 0, blocks, block = 0;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes) < 0 || bytes < FAULT_BLOCK)
		return 0;
	blocks = bytes / FAULT_BLOCK;
	if (where == BLOCK_IN_FILES && draw_in_files(f, &block) == 0 && block < blocks)
		return block;
	return rng_in(&f->rng, (struct range){ 0, blocks - 1 });
}
