// SPDX-License-Identifier: GPL-2.0-or-later
/* The shadow file: its layout on disk, making and mapping it. Cells are in cell.c. */
#include "shadow/shadow.h"

#include "base/state.h"
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHADOW_MAGIC 0x31776f6461687353ULL /* "Sshadow1" */
#define SHADOW_ALIGN 4096

struct shadow_header {
	u64 magic, run, len;
	u32 nfiles, header_bytes;
	char writers[SHADOW_WRITERS][32];
	struct shadow_file files[SC_MAX_FILES];
};

static size_t cells_offset(void)
{
	return ROUND_UP(sizeof(struct shadow_header), SHADOW_ALIGN);
}

static void attach(struct shadow *sh, void *map, size_t len)
{
	struct shadow_header *h = map;

	*sh = (struct shadow){ .len = len,
			       .h = h,
			       .files = h->files,
			       .cells = (struct shadow_cell *)((char *)map + cells_offset()),
			       .nfiles = h->nfiles,
			       .run = h->run };
}

static u64 file_init(struct shadow_file *f, const struct sc_file *sf, u32 index, u64 first_cell)
{
	snprintf(f->name, sizeof(f->name), "%s", sf->name);
	f->index = index;
	f->cell_bytes = (u32)sf->cell_bytes;
	f->cell_shift = (u32)__builtin_ctzll(sf->cell_bytes);
	f->max_bytes = sf->max_bytes;
	f->ncells = sf->max_bytes >> f->cell_shift;
	f->first_cell = first_cell;
	f->conflict = sf->conflict;
	atomic_init(&f->epoch, 1);
	return f->ncells;
}

u64 shadow_bytes(const struct scenario *sc)
{
	u64 ncells = 0;

	for (size_t i = 0; i < sc->nfiles; i++)
		ncells += sc->files[i].max_bytes / sc->files[i].cell_bytes;
	return cells_offset() + ncells * sizeof(struct shadow_cell);
}

int shadow_create(const char *path, const struct scenario *sc, u64 run, struct shadow *ret,
		  struct err *e)
{
	u64 ncells = 0;

	if (sc->nfiles > SC_MAX_FILES)
		return err_set(e, -EINVAL, "%zu files; at most %d", sc->nfiles, SC_MAX_FILES);
	for (size_t i = 0; i < sc->nfiles; i++) {
		u64 n = sc->files[i].max_bytes / sc->files[i].cell_bytes;

		if (n > SHADOW_CELLS_MAX) /* an origin could not name them */
			return err_set(e, -EINVAL, "%s: %llu cells; at most %llu: use larger cells",
				       sc->files[i].name, (unsigned long long)n, SHADOW_CELLS_MAX);
	}

	size_t len = shadow_bytes(sc);
	void *map;
	int r = state_create(path, len, &map);

	if (r < 0)
		return err_set(e, r, "%s: cannot be made, %zu bytes long: %s", path, len,
			       strerror(-r));

	struct shadow_header *h = map;

	h->run = run;
	h->len = len;
	h->nfiles = (u32)sc->nfiles;
	h->header_bytes = sizeof(*h);
	snprintf(h->writers[SHADOW_LAYOUT], sizeof(h->writers[0]), "layout");
	for (size_t i = 0; i < sc->nfiles; i++)
		ncells += file_init(&h->files[i], &sc->files[i], (u32)i, ncells);
	h->magic = SHADOW_MAGIC; /* last: a file without it was never whole */
	attach(ret, map, len);
	return 0;
}

/* Whoever checks a run that somebody else left behind follows these names: no way out of it. */
static bool names_whole(const struct shadow_header *h)
{
	for (u32 i = 0; i < SHADOW_WRITERS; i++)
		if (!memchr(h->writers[i], 0, sizeof(h->writers[i])))
			return false;
	for (u32 i = 0; i < h->nfiles; i++)
		if (!memchr(h->files[i].name, 0, sizeof(h->files[i].name)) ||
		    strchr(h->files[i].name, '/'))
			return false;
	return true;
}

static int header_check(const struct shadow_header *h, size_t len)
{
	u64 ncells = 0;

	if (len < cells_offset() || h->magic != SHADOW_MAGIC || h->len != len ||
	    h->header_bytes != sizeof(*h) || h->nfiles > SC_MAX_FILES || h->run == 0 ||
	    !names_whole(h))
		return -EBADMSG;
	for (u32 i = 0; i < h->nfiles; i++) {
		const struct shadow_file *f = &h->files[i];

		if (f->cell_bytes < CELL_MIN || f->cell_bytes > CELL_MAX || f->cell_shift > 31 ||
		    f->cell_bytes != 1U << f->cell_shift || f->index != i ||
		    f->first_cell != ncells || f->ncells > SHADOW_CELLS_MAX ||
		    f->ncells != f->max_bytes >> f->cell_shift ||
		    atomic_load(&f->size_lo) > atomic_load(&f->size_hi))
			return -EBADMSG;
		ncells += f->ncells;
	}
	return len == cells_offset() + ncells * sizeof(struct shadow_cell) ? 0 : -EBADMSG;
}

int shadow_open(const char *path, bool writable, struct shadow *ret, struct err *e)
{
	size_t len;
	void *map;
	/* A copy where nothing is to be written: views need no write access, but the same
	 * structures serve both. */
	int r = state_open(path, writable ? STATE_WRITE : STATE_COPY, &map, &len);

	if (r < 0)
		return err_set(e, r, "%s: cannot be opened: %s", path, strerror(-r));
	if (header_check(map, len) < 0) {
		state_close(map, len);
		return err_set(e, -EBADMSG, "%s: not a shadow, or damaged", path);
	}
	attach(ret, map, len);
	return 0;
}

void shadow_close(struct shadow *sh)
{
	if (sh->h)
		state_close(sh->h, sh->len);
	*sh = (struct shadow){ 0 };
}

void shadow_set_writer(struct shadow *sh, u16 id, const char *name)
{
	if (id < SHADOW_WRITERS)
		snprintf(sh->h->writers[id], sizeof(sh->h->writers[0]), "%s", name);
}

const char *shadow_writer(const struct shadow *sh, u16 id)
{
	if (id == 0 || id >= SHADOW_WRITERS || !sh->h->writers[id][0])
		return "nobody";
	return sh->h->writers[id];
}
