// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who writes which half of a file: direct writers beside cached dirtiers of the same file get zones
 * of their own, for what the two make of one page is undefined (open(2), NOTES on O_DIRECT).
 */
#include "scenario/internal.h"

#include "base/units.h"

#define CACHED (WORKER_DIRTIES | WORKER_MAPS | WORKER_RESHAPES)

/* The largest folio: in a large folio one dirty page is everybody's. */
#define ZONE_BYTES (2 * MIB)

bool sc_changes(const struct sc_worker *w, size_t file, unsigned int flags)
{
	return w->type->flags & flags &&
	       (w->file < 0 || (size_t)w->file == file || w->type->flags & WORKER_ACROSS);
}

u64 sc_zone_bytes(const struct scenario *sc, size_t file)
{
	bool direct = false, cached = false;
	u64 writers = 0;

	for (size_t k = 0; k < sc->nworkers; k++) {
		const struct sc_worker *w = &sc->workers[k];

		direct |= sc_changes(w, file, WORKER_DIRECT_WRITES);
		cached |= sc_changes(w, file, CACHED);
		if (sc_changes(w, file, CACHED | WORKER_DIRECT_WRITES))
			writers += w->count;
	}
	/* One process alone does one thing at a time: direct and cached may then meet. */
	return direct && cached && writers > 1 ? ZONE_BYTES : 0;
}

/* A worker that could only wait must not pass for one that found nothing. */
int sc_check_zones(const struct scenario *sc, const struct json_at *workers)
{
	char size[UNITS_MAX], least[UNITS_MAX];

	for (size_t i = 0; i < sc->nworkers; i++) {
		const struct sc_worker *w = &sc->workers[i];
		const struct sc_file *f = w->file >= 0 ? &sc->files[w->file] : NULL;
		struct json_at at = AT_INDEX(workers, i);

		if (!f || !(w->type->flags & WORKER_DIRECT_WRITES) || w->type->flags & CACHED ||
		    !sc_zone_bytes(sc, (size_t)w->file) || f->max_bytes > ZONE_BYTES)
			continue;
		return json_fail(&AT_KEY(&at, "file"),
				 "others write \"%s\" through the page cache, and direct writers "
				 "get every second %s of it: of %s none; expected a larger file, "
				 "or one of its own",
				 f->name, format_size(least, ZONE_BYTES),
				 format_size(size, f->max_bytes));
	}
	return 0;
}
