// SPDX-License-Identifier: GPL-2.0-or-later
/* Sightings: filled on the spot, because a transient error is gone a moment later. */
#include "ops/sight.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/mman.h>

static struct sighting *take(struct actor *a, enum finding_kind kind, const struct afile *f,
			     const struct op_record *rec)
{
	struct sighting *s = sighting_take(a->run);

	if (!s)
		return NULL;
	s->kind = (u16)kind;
	s->finder = a->id;
	s->file = f ? (u16)f->sf->index : UINT16_MAX;
	s->time_ns = now_ns();
	if (rec) {
		s->op = rec->op;
		s->start_ns = rec->start_ns;
		s->offset = rec->offset;
		s->len = rec->len;
		s->result = rec->result;
	}
	return s;
}

/* What one layer holds of the cell right now, and whether that is legal right now. */
static void look(struct actor *a, struct afile *f, u64 cell, int fd, struct finding_layer *l)
{
	_Alignas(4096) u8 bounce[2 * CELL_MAX];
	const struct shadow_file *sf = f->sf;
	u64 offset = cell << sf->cell_shift, unit = MAX(f->block, sf->cell_bytes);
	u64 from = ROUND_DOWN(offset, unit);
	struct cell_view before = shadow_view(shadow_cell(a->sh, sf, cell));
	struct verdict v;
	ssize_t n;

	if (fd < 0 || unit > sizeof(bounce)) {
		l->state = LAYER_UNAVAILABLE;
		return;
	}
	n = pread(fd, bounce, unit, (off_t)from);
	if (n < (ssize_t)(offset - from + sf->cell_bytes)) {
		snprintf(l->text, sizeof(l->text), n < 0 ? "%s" : "past the end of the file",
			 n < 0 ? strerrorname_np(errno) : "");
		l->state = LAYER_UNAVAILABLE;
		return;
	}
	verify_describe(a->sh, sf, bounce + (offset - from), sf->cell_bytes, l->text,
			sizeof(l->text));
	l->state = verify_cell(a->sh, sf, cell, bounce + (offset - from), 0, sf->cell_bytes, before,
			       &v) == JUDGED_WRONG
			   ? LAYER_BAD
			   : LAYER_GOOD;
}

struct sighting *sight_cell(struct actor *a, struct afile *f, const struct op_record *rec, u64 cell,
			    const u8 *bytes, u32 from, u32 to, struct cell_view before,
			    const struct verdict *v, enum sc_layer layer)
{
	struct sighting *s = take(a, (enum finding_kind)v->kind, f, rec);

	if (!s)
		return NULL;
	s->has_cell = true;
	s->cell = cell;
	s->from = from;
	s->to = to;
	s->view = before;
	s->verdict = *v;
	s->layer = (u16)layer;
	memcpy(s->found + from, bytes + from, to - from);
	/* The cache first: the direct read writes it back and so changes what the others hold. */
	look(a, f, cell, f->fd, &s->layers[LAYER_CACHE]);
	look(a, f, cell, f->dfd, &s->layers[LAYER_DIRECT]);
	s->layers[layer].state = LAYER_BAD;
	snprintf(s->layers[layer].text, sizeof(s->layers[layer].text), "%s", v->what);
	return s;
}

void sight_close(struct actor *a, struct sight_run *run)
{
	if (run->open)
		sighting_post(a->run, run->open);
	run->open = NULL;
}

void sight_more(struct actor *a, struct sight_run *run, struct afile *f,
		const struct op_record *rec, u64 cell, const u8 *bytes, u32 from, u32 to,
		struct cell_view before, const struct verdict *v, enum sc_layer layer)
{
	if (run->open && run->open->kind == v->kind) {
		run->open->more++;
		return;
	}
	sight_close(a, run);
	run->open = sight_cell(a, f, rec, cell, bytes, from, to, before, v, layer);
}

void sight_errno(struct actor *a, struct afile *f, const struct op_record *rec, int err)
{
	bool reading = op_infos[rec->op].effect == 'R';
	struct sighting *s =
		take(a, reading ? FINDING_READ_ERROR : FINDING_UNEXPECTED_ERRNO, f, rec);

	if (!s)
		return;
	s->result = -err;
	sighting_post(a->run, s);
}

void sight_size(struct actor *a, struct afile *f, const struct op_record *rec, u64 got, u64 lo,
		u64 hi)
{
	struct sighting *s = take(a, FINDING_SIZE_MISMATCH, f, rec);

	if (!s)
		return;
	s->result = (s64)got;
	s->size_lo = lo;
	s->size_hi = hi;
	sighting_post(a->run, s);
}

void sight_text(struct actor *a, enum finding_kind kind, const char *text)
{
	struct sighting *s = take(a, kind, NULL, NULL);

	if (!s)
		return;
	snprintf(s->text, sizeof(s->text), "%s", text);
	sighting_post(a->run, s);
}
