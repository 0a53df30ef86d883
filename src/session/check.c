// SPDX-License-Identifier: GPL-2.0-or-later
/* Sweeps through the layers: page cache, direct, after a drop, after a remount, the raw device. */
#include "session/check.h"

#include "ops/sight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEP (1 * MIB)

/* An error of the sync is judged as any worker's. */
static void drop(struct check *c)
{
	for (u32 i = 0; i < c->actor->nfiles; i++) {
		struct afile *f = &c->actor->files[i];

		op_sync(c->actor, f, OP_FSYNC);
		/* Mapped pages are not dropped: the mapping goes for the time of the call. */
		madvise(f->map, f->map_len, MADV_DONTNEED);
		posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	}
}

static int remount(struct check *c, struct err *e)
{
	int r;

	actor_close(c->actor);
	for (u32 i = 0; i < c->actor->nfiles; i++) {
		struct shadow_file *sf = c->actor->files[i].sf;

		if (atomic_load(&sf->lost))
			size_after_loss(c->actor->sh, sf);
	}
	r = c->target->type->remount_cycle(c->target, e);
	if (r == 0)
		r = actor_open(c->actor, false, e);
	return r;
}

/* Read from the device what the file's extents name, block by block; what has none is zeros. */
static s64 read_blocks(struct check *c, struct afile *f, u64 offset, u8 *buf, u64 len)
{
	u64 block = c->target->block_bytes; /* extents begin and end on blocks */

	for (u64 at = 0; at < len;) {
		ssize_t n = target_read_device(c->target, f->fd, offset + at, buf + at, len - at);

		if (n == -ENODATA) {
			n = (ssize_t)MIN(block, len - at);
			memset(buf + at, 0, (size_t)n);
		}
		if (n <= 0)
			return n ? n : -EIO;
		at += (u64)n;
	}
	return (s64)len;
}

static s64 read_layer(struct check *c, struct afile *f, enum sc_layer layer, u64 offset, u64 len)
{
	u8 *buf = c->actor->buf;
	ssize_t n;

	if (layer == LAYER_DEVICE)
		return read_blocks(c, f, offset, buf, len);
	n = pread(layer == LAYER_DIRECT ? f->dfd : f->fd, buf, len, (off_t)offset);
	return n < 0 ? -errno : n;
}

static void judge(struct check *c, struct afile *f, enum sc_layer layer, u64 offset, u64 len)
{
	struct actor *a = c->actor;
	struct op_record rec = { .op = layer == LAYER_DIRECT ? OP_DIRECT_PREAD : OP_PREAD,
				 .file = (u8)f->sf->index,
				 .offset = offset,
				 .len = len,
				 .start_ns = now_ns() };
	struct sight_run wrong = { NULL };
	u64 first = cells_in(f, offset), cells = cells_in(f, len + f->sf->cell_bytes - 1);

	for (u64 i = 0; i < cells; i++) {
		u64 at = i << f->sf->cell_shift;
		u32 to = (u32)MIN((u64)f->sf->cell_bytes, len - at);
		struct cell_view view = shadow_view_begun(a->sh, f->sf, first + i);
		struct verdict v;

		if (verify_plain(a->sh, f->sf, first + i, a->buf + at, 0, to, view.settled))
			continue;
		switch (verify_cell(a->sh, f->sf, first + i, a->buf + at, 0, to, view, &v)) {
		case JUDGED_WRONG:
			sight_more(a, &wrong, f, &rec, first + i, a->buf + at, 0, to, view, &v,
				   layer);
			break;
		case JUDGED_OPEN:
			c->open++;
			break;
		case JUDGED_LEGAL:
			break;
		}
	}
	sight_close(a, &wrong);
	c->cells += cells;
}

static void sweep_file(struct check *c, struct afile *f, enum sc_layer layer, u64 size)
{
	for (u64 offset = 0; offset < size; offset += SWEEP) {
		u64 want = MIN(SWEEP, size - offset);
		u64 unit = layer == LAYER_CACHE ? 1 : MAX(f->block, 4096U);
		s64 got = read_layer(c, f, layer, offset, ROUND_UP(want, unit));

		if (got < 0 && layer == LAYER_DEVICE) {
			snprintf(c->notes[layer], sizeof(c->notes[layer]),
				 "%s: the device cannot be read behind this file (%s)", f->sf->name,
				 strerrorname_np((int)-got));
			return;
		}
		if (got < 0) {
			struct op_record rec = { .op = OP_PREAD,
						 .offset = offset,
						 .len = want,
						 .file = (u8)f->sf->index,
						 .result = got };

			sight_errno(c->actor, f, &rec, (int)-got);
			return;
		}
		judge(c, f, layer, offset, MIN((u64)got, want));
		c->progress(c->ctx);
		if ((u64)got < want)
			return;
	}
}

static void sweep(struct check *c, enum sc_layer layer)
{
	for (u32 i = 0; i < c->actor->nfiles; i++) {
		struct afile *f = &c->actor->files[i];
		struct stat st;

		if (layer == LAYER_DIRECT && f->dfd < 0) {
			snprintf(c->notes[layer], sizeof(c->notes[layer]),
				 "this filesystem has no O_DIRECT");
			return;
		}
		op_stat(c->actor, f);
		/* What is past the shadow's size was told by op_stat already. */
		if (fstat(f->fd, &st) == 0)
			sweep_file(c, f, layer, MIN((u64)st.st_size, f->sf->max_bytes));
	}
	c->done |= 1ULL << layer;
}

static bool possible(struct check *c, enum sc_layer layer)
{
	const char *why = NULL;

	if (layer == LAYER_REMOUNTED && !c->target->mounted)
		why = "the mount is not stressd's own";
	if (layer == LAYER_DEVICE && !c->target->device[0])
		why = "there is no block device under this target";
	if (why)
		snprintf(c->notes[layer], sizeof(c->notes[layer]), "%s", why);
	return !why;
}

void check_after_down(struct check *c)
{
	for (int layer = 0; layer < LAYER_REMOUNTED; layer++)
		if (c->layers >> layer & 1)
			snprintf(c->notes[layer], sizeof(c->notes[layer]),
				 "the filesystem was down until it was mounted again");
	c->layers &= ~((1ULL << LAYER_REMOUNTED) - 1);
	c->layers |= 1ULL << LAYER_REMOUNTED;
}

int check_all(struct check *c, struct err *e)
{
	int r = 0;

	for (int layer = 0; layer < LAYERS && r == 0; layer++) {
		if (!(c->layers >> layer & 1) || !possible(c, (enum sc_layer)layer))
			continue;
		if (layer == LAYER_DROPPED)
			drop(c);
		else if (layer == LAYER_REMOUNTED)
			r = remount(c, e);
		else if (layer == LAYER_DEVICE)
			drop(c);
		if (r == 0)
			sweep(c, (enum sc_layer)layer);
		c->progress(c->ctx);
	}
	return r;
}

void check_layers_of(struct check *c, struct finding *f)
{
	struct actor *a = c->actor;

	for (u32 i = 0; i < a->nfiles; i++) {
		struct afile *af = &a->files[i];
		u64 unit = MAX(MAX(af->block, 4096U), af->sf->cell_bytes);
		u64 from = ROUND_DOWN(f->offset, unit);

		if (!f->has_cell || strcmp(af->sf->name, f->file))
			continue;
		for (int layer = 0; layer < LAYERS; layer++) {
			struct cell_view v = shadow_view_begun(a->sh, af->sf, f->cell);
			struct finding_layer *l = &f->layers[layer];
			u8 *bytes = a->buf + (f->offset - from);
			struct verdict verdict;
			s64 got;

			if (l->state != LAYER_NOT_READ || !(c->done >> layer & 1))
				continue;
			got = read_layer(c, af, (enum sc_layer)layer, from, unit);
			l->state = LAYER_UNAVAILABLE;
			if (got < (s64)(f->offset - from + f->cell_bytes))
				continue;
			verify_describe(a->sh, af->sf, bytes, af->sf->cell_bytes, l->text,
					sizeof(l->text));
			l->state = verify_cell(a->sh, af->sf, f->cell, bytes, 0, af->sf->cell_bytes,
					       v, &verdict) == JUDGED_WRONG
					   ? LAYER_BAD
					   : LAYER_GOOD;
		}
	}
}
