// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device that layer "log" writes its log to: a file of its own beside the image, on a loop
 * device. The file outlives the layer, as it is read when the run is over; in the journal both are
 * what the run made, so that nothing of a run that died is left.
 */
#include "target/disk.h"
#include "target/loop.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/loopdev.h"

#include <fcntl.h>
#include <string.h>

/* Sparse: most runs use little of it. */
static int make_file(struct target *t, u64 bytes, int *ret_fd, struct err *e)
{
	const char *run = strrchr(t->run_dir, '/');
	int r = path_set(t->log, sizeof(t->log), "%s/stressd-%s-writes.img", t->run_dir,
			 run ? run + 1 : "run");

	if (r < 0)
		return err_set(e, r, "%s: path too long", t->run_dir);
	t->undo_log = undo_record(t->undo, UNDO_FILE, t->log, NULL, NULL);
	if (t->undo_log < 0)
		return err_set(e, t->undo_log, "%s: %s", undo_path(t->undo),
			       strerror(-t->undo_log));
	*ret_fd = open(t->log, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*ret_fd < 0 || ftruncate(*ret_fd, (off_t)bytes) < 0)
		return err_set(e, -errno, "%s: %s", t->log, strerror(errno));
	return 0;
}

int logdev_make(struct target *t, u64 bytes, struct err *e)
{
	_cleanup_close_ int fd = -1;
	int r = make_file(t, bytes, &fd, e);

	return r < 0 ? r : target_loop_bind(t->undo, t->log, fd, bytes, true, &t->log_loop, e);
}

int logdev_release(struct target *t, struct err *e)
{
	return target_loop_release(t->undo, t->log, &t->log_loop, e);
}

int target_drop_log(struct target *t, bool keep)
{
	if (t->undo_log < 0)
		return 0;
	if (!keep && unlink(t->log) < 0 && errno != ENOENT)
		return -errno;
	return undo_forget(t->undo, t->undo_log);
}
