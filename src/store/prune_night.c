// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A night that has no run left: its records say nothing that the store does not, and go as a whole.
 * Only one that has come to its end, and that holds nothing but what stressd puts there.
 */
#include "store/prune_walk.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

/* Names of stressd-matrix(5); a trailing slash: a directory. */
static const char *const night_names[] = {
	"night.json", "matrix.json", "night.html",   "lock",	     "cells/",
	"pending",    "parallel.sh", "parallel.log", "slurm.sbatch", "slurm-*-*.out",
};
static const char *const cell_names[] = {
	"cell.json", "scenario.json", "lock", "started-*.json", "ended-*.json",
};

static bool is_named(const char *name, bool dir, const char *const *names, size_t n)
{
	char full[NAME_MAX + 2];

	snprintf(full, sizeof(full), "%s%s", name, dir ? "/" : "");
	for (size_t i = 0; i < n; i++)
		if (fnmatch(names[i], full, 0) == 0)
			return true;
	return false;
}

/* Nothing in the directory @fd but regular files and directories of these names. */
static bool holds_only(int fd, const char *const *names, size_t n)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = again < 0 ? NULL : fdopendir(again);

	for (struct dirent *de; d && (de = readdir(d));) {
		struct stat st;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
		    !is_named(de->d_name, S_ISDIR(st.st_mode), names, n))
			return false;
	}
	return d;
}

/* The number of cells, or -1: something else is there, such as a run. */
static s64 count_cells(int night)
{
	_cleanup_close_ int cells = prune_open(night, "cells");
	int again = cells < 0 ? -1 : openat(cells, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = again < 0 ? NULL : fdopendir(again);
	s64 n = 0;

	for (struct dirent *de; d && (de = readdir(d));) {
		_cleanup_close_ int cell = -1;

		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		cell = prune_open(cells, de->d_name);
		if (cell < 0 || !holds_only(cell, cell_names, ARRAY_SIZE(cell_names)))
			return -1;
		n++;
	}
	return d ? n : -1;
}

static json_t *load_night(int night)
{
	int fd = openat(night, PRUNE_NIGHT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	return f ? json_loadf(f, 0, NULL) : NULL;
}

int prune_night_is_over(struct store *s, int night, struct err *e)
{
	json_t *o = load_night(night);
	const char *name = json_string_value(json_object_get(o, "name"));
	s64 cells = count_cells(night);
	sqlite3_stmt *stmt;
	int r = 0;

	if (name && cells > 0 && holds_only(night, night_names, ARRAY_SIZE(night_names))) {
		stmt = store_bind(s, QUERY_NIGHT_LEFT, e, "s", name);
		r = stmt ? store_step(s, stmt, e) : -EIO;
	}
	/* Every cell has a run, and all of these are removed. */
	if (r > 0) {
		r = sqlite3_column_int64(stmt, 0) == cells && !sqlite3_column_int64(stmt, 1);
		sqlite3_reset(stmt);
	}
	json_decref(o);
	return r;
}
