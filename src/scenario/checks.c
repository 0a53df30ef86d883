// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the option tables cannot say: one value against another, one part against the next. Each
 * check is one function that names the place and what would be right; nothing is decoded here.
 */
#include "scenario/internal.h"

#include "base/units.h"

#include <errno.h>
#include <string.h>

static int check_name(const struct scenario *sc, size_t i, const struct json_at *at)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(sc->files[k].name, sc->files[i].name))
			return json_fail(&AT_KEY(at, "name"),
					 "\"%s\" is the name of /files/%zu "
					 "already; expected a name of its own",
					 sc->files[i].name, k);
	return 0;
}

static int check_multiple(const struct sc_file *f, u64 bytes, const struct json_at *at)
{
	char buf[UNITS_MAX], cell[UNITS_MAX];

	if (bytes % f->cell_bytes == 0)
		return 0;
	return json_fail(at, "%s is no multiple of the cell; expected a multiple of %s",
			 format_size(buf, bytes), format_size(cell, f->cell_bytes));
}

/* Shadow memory is paid per cell: large files take large cells. */
static int check_cells(const struct sc_file *f, const struct json_at *at)
{
	u64 cell = f->cell_bytes;
	char most[UNITS_MAX], larger[UNITS_MAX];

	if (f->max_bytes == 0)
		return json_fail(at, "the file has no cells; expected a size or a max above 0");
	if (f->max_bytes / f->cell_bytes <= SC_MAX_CELLS)
		return 0;
	while (cell < 4096 && f->max_bytes / cell > SC_MAX_CELLS)
		cell *= 2;
	format_size(most, cell * SC_MAX_CELLS);
	if (f->max_bytes / cell > SC_MAX_CELLS)
		return json_fail(at,
				 "that is more than %llu cells of any size; expected at most "
				 "%s, with a cell of 4K",
				 SC_MAX_CELLS, most);
	return json_fail(at, "that is more than %llu cells; expected a larger cell, such as %s",
			 SC_MAX_CELLS, format_size(larger, cell));
}

int sc_check_file(const struct scenario *sc, size_t i, const struct json_at *at)
{
	const struct sc_file *f = &sc->files[i];
	struct json_at size = AT_KEY(at, "size"), max = AT_KEY(at, "max"),
		       cell = AT_KEY(at, "cell");
	/* An absent max is the size: what is wrong with it is wrong there. */
	const struct json_at *end = f->max_bytes == f->size_bytes ? &size : &max;
	char buf[UNITS_MAX];
	int r = check_name(sc, i, at);

	if (r == 0 && (f->cell_bytes & (f->cell_bytes - 1)))
		r = json_fail(&cell,
			      "%s is no power of two; expected 64, 128, 256, 512, 1K, 2K "
			      "or 4K",
			      format_size(buf, f->cell_bytes));
	if (r == 0)
		r = check_multiple(f, f->size_bytes, &size);
	if (r == 0 && f->max_bytes < f->size_bytes)
		r = json_fail(&max, "the file starts larger than that; expected at least %s",
			      format_size(buf, f->size_bytes));
	if (r == 0)
		r = check_multiple(f, f->max_bytes, end);
	return r < 0 ? r : check_cells(f, end);
}

/* The shadow of a conflict file holds sets of stamps: only who writes stamps fits into it. */
static int check_conflict(const struct scenario *sc, const struct sc_worker *w, size_t file,
			  const struct json_at *at)
{
	const unsigned int writes = WORKER_DIRECT_WRITES | WORKER_MAPS | WORKER_DIRTIES;
	unsigned int flags = w->type->flags;

	if (!sc->files[file].conflict)
		return 0;
	if (flags & WORKER_RESHAPES)
		return json_fail(at,
				 "%s changes the shape of /files/%zu, which sets \"conflict\"; "
				 "expected a file without it",
				 w->type->name, file);
	if ((flags & writes) && !(flags & WORKER_STAMPS))
		return json_fail(at,
				 "%s writes no stamps and /files/%zu sets \"conflict\"; "
				 "expected a file without it",
				 w->type->name, file);
	return 0;
}

/* The files that a worker works on: its own, or all. */
static int check_conflicts(const struct scenario *sc, const struct sc_worker *w,
			   const struct json_at *at)
{
	int r = 0;

	if (w->file >= 0)
		return check_conflict(sc, w, (size_t)w->file, &AT_KEY(at, "file"));
	if (!(w->type->flags & WORKER_WHOLE_FS))
		return 0;
	for (size_t i = 0; r == 0 && i < sc->nfiles; i++)
		r = check_conflict(sc, w, i, at);
	return r;
}

static int check_mount(const struct scenario *sc, const struct sc_worker *w,
		       const struct json_at *at)
{
	if (!(w->type->flags & WORKER_NEEDS_MOUNT) || strcmp(sc->target.type->name, "directory"))
		return 0;
	return json_fail(&AT_KEY(at, "type"),
			 "%s needs a filesystem that stressd mounted and "
			 "/target is a directory; expected another target, "
			 "such as \"image\"",
			 w->type->name);
}

/* First worker with a flag, or NULL. */
static const struct sc_worker *find_flag(const struct scenario *sc, unsigned int flag)
{
	for (size_t i = 0; i < sc->nworkers; i++)
		if (sc->workers[i].type->flags & flag)
			return &sc->workers[i];
	return NULL;
}

/* umount(2) is EBUSY for ever while a child that cannot be paused has files open. */
static int check_unmounts(const struct scenario *sc, const struct json_at *workers)
{
	const struct sc_worker *unmounts = find_flag(sc, WORKER_UNMOUNTS);
	const struct sc_worker *holds = find_flag(sc, WORKER_HOLDS_FILES);
	struct json_at at, type;

	if (!unmounts || !holds)
		return 0;
	at = AT_INDEX(workers, (size_t)(unmounts - sc->workers));
	type = AT_KEY(&at, "type");
	return json_fail(&type,
			 "%s at %s unmounts, and %s at %s keeps files open; expected only "
			 "one of the two",
			 unmounts->type->name, unmounts->pointer, holds->type->name,
			 holds->pointer);
}

int sc_check_workers(const struct scenario *sc, const struct json_at *root)
{
	struct json_at workers = AT_KEY(root, "workers");
	u64 processes = 0;
	int r;

	for (size_t i = 0; i < sc->nworkers; i++) {
		const struct sc_worker *w = &sc->workers[i];
		struct json_at at = AT_INDEX(&workers, i);

		processes += w->count;
		if (processes > SC_MAX_WORKERS)
			return json_fail(&AT_KEY(&at, "count"),
					 "that makes %llu processes; "
					 "expected at most %d in all",
					 (unsigned long long)processes, SC_MAX_WORKERS);
		r = check_conflicts(sc, w, &at);
		if (r == 0)
			r = check_mount(sc, w, &at);
		if (r < 0)
			return r;
	}
	r = sc_check_zones(sc, &workers);
	return r < 0 ? r : check_unmounts(sc, &workers);
}

static int check_schedule(const struct sc_fault *f, const struct json_at *at)
{
	char buf[UNITS_MAX];

	if (f->type->flags & FAULT_NEEDS_FOR && !f->for_ns)
		return json_fail(&AT_KEY(at, "for"),
				 "%s would last to the end; expected a time, such as \"500ms\"",
				 f->type->name);
	if (f->every_ns && !f->for_ns)
		return json_fail(&AT_KEY(at, "every"), "the fault is never disarmed; expected a "
						       "\"for\" beside \"every\"");
	if (f->every_ns && f->for_ns > f->every_ns)
		return json_fail(&AT_KEY(at, "for"),
				 "that is longer than \"every\"; expected at "
				 "most %s",
				 format_time(buf, f->every_ns));
	return 0;
}

/* Its knobs are there once, for the whole machine or filesystem. */
static int check_once(const struct scenario *sc, size_t i, const struct json_at *at)
{
	for (size_t k = 0; k < i; k++)
		if (sc->faults[k].type == sc->faults[i].type)
			return json_fail(&AT_KEY(at, "type"),
					 "%s is /faults/%zu already; expected each fault once",
					 sc->faults[i].type->name, k);
	return 0;
}

/* What it needs of the target, and of those who unmount it: umount(2) tells nobody of errors. */
static int check_place(const struct scenario *sc, const struct sc_fault *f,
		       const struct json_at *at)
{
	const struct sc_worker *unmounts = find_flag(sc, WORKER_UNMOUNTS);
	const struct sc_worker *program = find_flag(sc, WORKER_HOLDS_FILES);

	if (f->type->flags & FAULT_NEEDS_MOUNT && !strcmp(sc->target.type->name, "directory"))
		return json_fail(&AT_KEY(at, "type"),
				 "%s needs a filesystem that stressd mounted and /target is a "
				 "directory; expected another target, such as \"image\"",
				 f->type->name);
	if (f->type->flags & (FAULT_KEEPS_MOUNTED | FAULT_LOSES_WRITES) && unmounts)
		return json_fail(&AT_KEY(at, "type"),
				 "%s does not go with %s at %s, which unmounts; expected only one "
				 "of the two",
				 f->type->name, unmounts->type->name, unmounts->pointer);
	if (f->type->errnos && program)
		return json_fail(&AT_KEY(at, "type"),
				 "%s makes calls fail, and %s at %s runs a program that fails "
				 "with them; expected only one of the two",
				 f->type->name, program->type->name, program->pointer);
	return 0;
}

int sc_check_fault(const struct scenario *sc, size_t i, const struct json_at *at)
{
	const struct sc_fault *f = &sc->faults[i];
	struct err e = { "" };
	int r = check_schedule(f, at);

	if (r == 0)
		r = check_once(sc, i, at);
	if (r == 0)
		r = check_place(sc, f, at);
	if (r == 0 && f->type->check && f->type->check(f->options, sc, f, &e) < 0)
		r = json_fail(&AT_KEY(at, "options"), "%s", e.text);
	return r;
}
