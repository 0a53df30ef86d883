// SPDX-License-Identifier: GPL-2.0-or-later
/* `stressd recover`: every journal below a state directory whose run is dead. Goes through the
 * public face of the journal only; whether a run is dead is what its lock says. */
#include "undo/undo.h"
#include "base/cleanup.h"
#include "base/fsutil.h"

#include <limits.h>
#include <string.h>

static int recover_one(const char *path, FILE *out)
{
	struct undo *u;
	struct err e;
	int failed, r = undo_open(path, &u, &e);

	/* Another process finished it between our look into the directory and now. */
	if (r == -ESTALE || r == -ENOENT)
		return 0;
	if (r < 0) {
		fprintf(out, "%s\n", e.text);
		return r == -EAGAIN ? 0 : 1;
	}
	failed = undo_all_to(u, out, &e);
	undo_close(u);
	return failed;
}

/* Its run died before the journal had its name, and so before it changed anything. */
static void remove_unborn(const char *path)
{
	struct undo *u;
	struct err e;

	/* Locked, it is one that is being made. */
	if (undo_open(path, &u, &e) < 0)
		return;
	undo_close(u);
}

int undo_recover(const char *state_dir, FILE *out)
{
	_cleanup_closedir_ DIR *d = NULL;
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent *de;
	int failed = 0;

	if (path_set(path, sizeof(path), "%s/undo", state_dir) < 0)
		return 1;
	/* The canonical name: it is what tells our own open journals from dead ones. */
	if (realpath(path, dir))
		d = opendir(dir);
	if (!d && errno == ENOENT)
		return 0;
	if (!d) {
		fprintf(out, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((de = readdir(d))) {
		const char *dot = strrchr(de->d_name, '.');

		if (!dot || path_set(path, sizeof(path), "%s/%s", dir, de->d_name) < 0)
			continue;
		if (!strcmp(dot, ".journal"))
			failed += recover_one(path, out);
		else if (!strcmp(dot, ".new"))
			remove_unborn(path);
	}
	return failed;
}
