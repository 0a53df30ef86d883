// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device that keeps its writes in order holds the newer bytes. What the log makes of it is no
 * state that a cut of the power could have left, so the cell may be either. It is over with the
 * next newer write of the cell.
 */
#include "session/replay_order.h"

#include "base/cleanup.h"
#include "stamp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK MIB

static int add(struct replay_order *o, const struct stamp *older)
{
	struct swapped *grown = o->swapped;

	if (!(o->n & (o->n - 1)))
		grown = reallocarray(o->swapped, o->n ? 2 * o->n : 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	o->swapped = grown;
	grown[o->n++] = (struct swapped){ older->cell, older->gen, older->file };
	o->seen++;
	return 0;
}

static void drop_older(struct replay_order *o, const struct stamp *now)
{
	for (size_t i = 0; i < o->n;)
		if (o->swapped[i].file == now->file && o->swapped[i].cell == now->cell &&
		    o->swapped[i].gen < now->gen)
			o->swapped[i] = o->swapped[--o->n];
		else
			i++;
}

/* Each line of @now, which is to be put over @before, may be the head of a cell. */
static int compare(struct replay_order *o, u64 run, const u8 *now, const u8 *before, size_t len)
{
	struct stamp new, old;
	int r = 0;

	for (size_t at = 0; at + CELL_MIN <= len && r == 0; at += CELL_MIN) {
		if (!stamp_header_intact(now + at, &new) || new.run != run)
			continue;
		drop_older(o, &new);
		if (stamp_header_intact(before + at, &old) && old.run == run &&
		    old.file == new.file &&old.cell == new.cell &&old.gen > new.gen)
			r = add(o, &new);
	}
	return r;
}

int order_look(struct replay_order *o, u64 run, const struct writelog *log,
	       const struct writelog_entry *entry, int image)
{
	_cleanup_free_ u8 *now = NULL, *before = NULL;
	int r = 0;

	if (!writelog_has_data(entry))
		return 0;
	now = malloc((size_t)MIN(entry->len, CHUNK));
	before = malloc((size_t)MIN(entry->len, CHUNK));
	if (!now || !before)
		return -ENOMEM;
	for (u64 at = 0; at < entry->len && r == 0; at += CHUNK) {
		size_t len = (size_t)MIN(CHUNK, entry->len - at);

		if (pread(log->fd, now, len, (off_t)(entry->data + at)) != (ssize_t)len ||
		    pread(image, before, len, (off_t)(entry->offset + at)) != (ssize_t)len)
			return -EIO;
		r = compare(o, run, now, before, len);
	}
	return r;
}

void order_forgive(const struct replay_order *o, struct shadow *then)
{
	for (size_t i = 0; i < o->n; i++) {
		const struct swapped *w = &o->swapped[i];
		const struct shadow_file *f;
		struct shadow_cell *c;
		struct durable d;

		if (w->file >= then->nfiles || w->cell >= then->files[w->file].ncells)
			continue;
		f = &then->files[w->file];
		c = &then->begun[f->first_cell + w->cell];
		d = shadow_durable(f, shadow_view(c));
		atomic_store(&c->durable, MIN(d.gen, w->gen));
		atomic_store(&c->epoch, UINT32_MAX); /* no sync covers it */
		atomic_fetch_or(&c->settled, CELL_SINCE(CELL_STAMP));
	}
}

void order_free(struct replay_order *o)
{
	free(o->swapped);
	*o = (struct replay_order){ 0 };
}
