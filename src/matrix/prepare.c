// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directory of a night. A cell is there when its cell.json is, which is written last; so
 * whoever is killed meanwhile is gone on after by making what is missing.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "base/units.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>

int matrix_write(const char *dir, const char *name, const json_t *o, struct err *e)
{
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
	char path[PATH_MAX];
	int r = text ? path_set(path, sizeof(path), "%s/%s", dir, name) : -ENOMEM;

	if (r == 0)
		r = write_file_atomic(path, text, strlen(text), 0600);
	return r < 0 ? err_set(e, r, "%s/%s: cannot be written: %s", dir, name, strerror(-r)) : 0;
}

int cell_dir(const char *night_dir, const struct cell *c, char *buf, size_t size)
{
	return path_set(buf, size, "%s/cells/%s", night_dir, c->id);
}

static int add(json_t *argv, const char *option, const char *value)
{
	return json_array_append_new(argv, json_string(option)) ||
			       json_array_append_new(argv, json_string(value))
		       ? -ENOMEM
		       : 0;
}

/* What runs an attempt, but for --run-dir and the scenario. */
static json_t *command_of(const struct matrix *m, const struct cell *c)
{
	const struct matrix_guest *g = &m->guest;
	char number[24], size[UNITS_MAX], timeout[UNITS_MAX], silence[UNITS_MAX];
	json_t *argv = json_array();
	int r;

	if (!c->kernel->image) {
		r = json_array_append_new(argv, json_string("run")) ||
		    json_array_append_new(argv, json_string("--quiet"));
	} else {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)g->cpus);
		r = json_array_append_new(argv, json_string("vm"));
		r = r ? r : add(argv, "--kernel", c->kernel->image);
		r = r ? r : add(argv, "--cpus", number);
		r = r ? r : add(argv, "--memory", format_size(size, g->memory_bytes));
		r = r ? r : add(argv, "--accel", g->accel);
		r = r ? r : add(argv, "--silence", format_time(silence, g->silence_ns));
		if (g->timeout_ns)
			r = r ? r : add(argv, "--timeout", format_time(timeout, g->timeout_ns));
		if (c->kernel->append)
			r = r ? r : add(argv, "--append", c->kernel->append);
	}
	if (!r)
		return argv;
	json_decref(argv);
	return NULL;
}

static int write_cell(const struct matrix *m, const struct cell *c, const char *dir, struct err *e)
{
	const struct matrix_kernel *k = c->kernel;
	_cleanup_json_ json_t *o =
		json_pack("{si ss ss ss ss sI ss ss ss sI so}", "version", 1, "id", c->id,
			  "scenario", c->scenario->name, "target", c->target->name, "kernel",
			  k->name, "seed", (json_int_t)c->seed, "image", k->hash, "config",
			  k->config, "commit", k->commit ? k->commit : "", "attempts",
			  (json_int_t)m->attempts, "command", command_of(m, c));

	char path[PATH_MAX];
	_cleanup_json_ json_t *there = NULL;

	/* The same cell may be asked for in another way: its image has moved, say. */
	if (o && path_set(path, sizeof(path), "%s/" CELL_FILE, dir) == 0)
		there = json_load_file(path, 0, NULL);
	return there && json_equal(there, o) ? 0 : matrix_write(dir, CELL_FILE, o, e);
}

static int prepare_cell(const struct matrix *m, const struct cell *c, const char *night_dir,
			struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];
	int r = cell_dir(night_dir, c, dir, sizeof(dir));

	if (r == 0)
		r = mkdir_p(dir, 0700);
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/" CELL_SCENARIO, dir);
	/* Its id is the hash of it: what is there is the same. */
	if (r == 0 && access(path, F_OK) < 0)
		r = write_file_atomic(path, c->text, strlen(c->text), 0600);
	if (r < 0)
		return err_set(e, r, "%s: cannot be made: %s", dir, strerror(-r));
	return write_cell(m, c, dir, e);
}

static int write_night(const char *dir, const char *night, struct err *e)
{
	_cleanup_json_ json_t *o = json_pack("{si ss}", "version", 1, "name", night);
	char path[PATH_MAX];
	int r = path_set(path, sizeof(path), "%s/night.json", dir);

	return r < 0 || access(path, F_OK) == 0 ? r : matrix_write(dir, "night.json", o, e);
}

int matrix_prepare(const struct matrix *m, const char *dir, const char *night, struct err *e)
{
	int r = write_night(dir, night, e);

	if (r == 0)
		r = matrix_write(dir, "matrix.json", m->resolved, e);
	for (size_t i = 0; i < m->ncells && r == 0; i++)
		r = prepare_cell(m, &m->cells[i], dir, e);
	return r;
}

int matrix_lock(const char *dir, int *ret_fd, struct err *e)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int r = path_set(path, sizeof(path), "%s/lock", dir);

	if (r == 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		r = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	}
	if (r == -EWOULDBLOCK)
		return err_set(e, -EBUSY, "%s: another stressd matrix is at work there", dir);
	if (r < 0)
		return err_set(e, r, "%s: cannot be locked: %s", path, strerror(-r));
	*ret_fd = take_fd(&fd);
	return 0;
}
