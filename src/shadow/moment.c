// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Order is everything here. Before: files first, then cells, so that a sync that ends meanwhile is
 * claimed for no cell. After: cells and files in any order, as both can only allow more.
 */
#include "shadow/moment.h"

#include <errno.h>
#include <stdlib.h>

static u64 count_cells(const struct shadow *sh)
{
	u64 n = 0;

	for (u32 i = 0; i < sh->nfiles; i++)
		n += sh->files[i].ncells;
	return n;
}

u64 moment_bytes(const struct shadow *sh)
{
	return 2 * (count_cells(sh) * sizeof(struct shadow_cell) +
		    sh->nfiles * sizeof(struct shadow_file));
}

/* Word by word, as others store them. */
static void copy_files(const struct shadow *sh, struct shadow_file *to)
{
	for (u32 i = 0; i < sh->nfiles; i++) {
		struct shadow_file *from = &sh->files[i];
		struct size_view size = size_view(from);

		to[i] = *from;
		atomic_store(&to[i].durable_epoch, atomic_load(&from->durable_epoch));
		atomic_store(&to[i].lost, atomic_load(&from->lost));
		atomic_store(&to[i].unsynced.lo, atomic_load(&from->unsynced.lo));
		atomic_store(&to[i].unsynced.hi, atomic_load(&from->unsynced.hi));
		atomic_store(&to[i].size_lo, size.lo);
		atomic_store(&to[i].size_hi, size.hi);
		atomic_store(&to[i].size_seq, size.seq);
	}
}

static void copy_cells(const struct shadow *sh, struct shadow_cell *to)
{
	u64 n = count_cells(sh);

	for (u64 i = 0; i < n; i++) {
		struct cell_view v = shadow_view(&sh->cells[i]);

		atomic_store_explicit(&to[i].settled, v.settled, memory_order_relaxed);
		atomic_store_explicit(&to[i].flight, v.flight, memory_order_relaxed);
		atomic_store_explicit(&to[i].origin, v.origin, memory_order_relaxed);
		atomic_store_explicit(&to[i].epoch, v.epoch, memory_order_relaxed);
		atomic_store_explicit(&to[i].durable, v.durable, memory_order_relaxed);
	}
}

int moment_before(const struct shadow *sh, struct shadow_moment *ret)
{
	u64 cells = count_cells(sh);

	*ret = (struct shadow_moment){
		.before_ns = now_ns(),
		.before_files = calloc(sh->nfiles, sizeof(struct shadow_file)),
		.after_files = calloc(sh->nfiles, sizeof(struct shadow_file)),
		.before = calloc(cells, sizeof(struct shadow_cell)),
		.after = calloc(cells, sizeof(struct shadow_cell)),
	};
	if (!ret->before_files || !ret->after_files || !ret->before || !ret->after) {
		moment_free(ret);
		return -ENOMEM;
	}
	copy_files(sh, ret->before_files);
	atomic_thread_fence(memory_order_seq_cst);
	copy_cells(sh, ret->before);
	return 0;
}

void moment_after(const struct shadow *sh, struct shadow_moment *m)
{
	atomic_thread_fence(memory_order_seq_cst);
	copy_cells(sh, m->after);
	copy_files(sh, m->after_files);
	m->after_ns = now_ns();
}

void moment_free(struct shadow_moment *m)
{
	free(m->before_files);
	free(m->after_files);
	free(m->before);
	free(m->after);
	*m = (struct shadow_moment){ 0 };
}

/* A size that changed once in between is one of two. Of more changes not all were seen: a file that
 * nobody shrinks was never shorter than before. */
static void open_sizes(struct shadow_file *f, const struct shadow_file *to)
{
	struct size_view s = size_view(f), e = size_view(to);
	u64 lo, hi;

	if (s.seq == e.seq)
		return;
	lo = MIN(MIN(s.lo, e.lo), MIN(atomic_load(&f->unsynced.lo), atomic_load(&to->unsynced.lo)));
	hi = MAX(MAX(s.hi, e.hi), MAX(atomic_load(&f->unsynced.hi), atomic_load(&to->unsynced.hi)));
	if (e.seq - s.seq > 2 && f->reshaped) {
		lo = 0;
		hi = f->max_bytes;
	}
	atomic_store(&f->unsynced.lo, lo);
	atomic_store(&f->unsynced.hi, hi);
}

int moment_shadow(const struct shadow *sh, const struct shadow_moment *from,
		  const struct shadow_moment *to, struct shadow *ret)
{
	struct shadow_file *files = calloc(sh->nfiles, sizeof(*files));

	if (!files)
		return -ENOMEM;
	*ret = *sh;
	ret->files = files;
	ret->cells = to->after;
	ret->begun = from->before;
	ret->crashed = true;
	for (u32 i = 0; i < sh->nfiles; i++) {
		files[i] = from->before_files[i];
		open_sizes(&files[i], &to->after_files[i]);
	}
	return 0;
}

void moment_shadow_free(struct shadow *sh)
{
	free(sh->files);
	sh->files = NULL;
}
