// SPDX-License-Identifier: GPL-2.0-or-later
/* Picking the operations of a timeline: the nearest to the finding, in place before time. */
#include "session/scene.h"

#include <stdlib.h>
#include <string.h>

#define PAGE	      4096
#define NEIGHBOURHOOD 65536		   /* bytes: the largest folio that is usual */
#define AROUND_NS     (50 * NSEC_PER_MSEC) /* before it, of what is near in place */
#define BESIDE_NS     (1 * NSEC_PER_MSEC)  /* of what is near in time alone */
#define OLD_OPS	      4			   /* of one process, of the same cell and long before */
#define LANE_OPS      24 /* of one process: a busy one shall not push the others out */

/* How near an operation is; 0 is not on the timeline. */
enum nearness { FAR, OLD, IN_TIME, IN_FOLIO, IN_PAGE, IN_CELL, NAMED };

struct pick {
	enum nearness near;
	u8 role;
	struct deed deed;
};

struct picks {
	const struct scene *s;
	struct pick *p;
	size_t n, room, lane_first, lane_old;
	u16 lane;
	u64 left_out;
	bool no_memory;
};

static bool is_deed(const struct deed *a, const struct deed *b)
{
	return a && a->who == b->who && a->op.start_ns == b->op.start_ns;
}

static u8 role_of(const struct scene *s, const struct deed *d)
{
	if (d->who == s->who && d->op.start_ns == s->begin_ns)
		return ROLE_FINDER;
	if (is_deed(s->suspect, d))
		return ROLE_SUSPECT;
	return is_deed(s->write, d) ? ROLE_WRITE : ROLE_NONE;
}

static bool is_fs_wide(const struct op_record *r)
{
	return op_infos[r->op].effect == 'A' || r->op == OP_SYNCFS || r->op == OP_DROP_CACHES ||
	       r->op == OP_RECLAIM;
}

static enum nearness nearness_of(const struct scene *s, const struct deed *d)
{
	const struct op_record *r = &d->op;
	u64 end = r->end_ns ? r->end_ns : UINT64_MAX;
	bool overlaps = r->start_ns <= s->end_ns && end >= s->begin_ns;
	bool recent = end + AROUND_NS > s->begin_ns;
	u64 page = ROUND_DOWN(s->from, (u64)PAGE), folio = ROUND_DOWN(s->from, (u64)NEIGHBOURHOOD);

	if (role_of(s, d))
		return NAMED;
	if (r->start_ns > s->end_ns || r->op == OP_STAT)
		return FAR;
	if (!s->has_cell)
		return d->who == s->who ? IN_PAGE : end + BESIDE_NS > s->begin_ns ? IN_TIME : FAR;
	/* Other reads only show that it was busy. */
	if (op_infos[r->op].effect == 'R')
		return overlaps ? IN_TIME : FAR;
	if (is_fs_wide(r))
		return recent ? IN_FOLIO : FAR;
	if (op_touches(r, s->file, s->from, s->to))
		return recent ? IN_CELL : OLD;
	if (recent && op_touches(r, s->file, page, page + PAGE))
		return IN_PAGE;
	if (recent && op_touches(r, s->file, folio, folio + NEIGHBOURHOOD))
		return IN_FOLIO;
	return overlaps ? IN_TIME : FAR;
}

static bool grow(struct picks *q)
{
	size_t room = q->room ? 2 * q->room : 256;
	struct pick *grown = reallocarray(q->p, room, sizeof(*grown));

	if (!grown)
		return false;
	q->p = grown;
	q->room = room;
	return true;
}

static int nearest_first(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	if (x->near != y->near)
		return x->near < y->near ? 1 : -1;
	return (x->deed.op.start_ns < y->deed.op.start_ns) -
	       (x->deed.op.start_ns > y->deed.op.start_ns);
}

/* Of the process that was gathered last, keep the nearest. */
static void end_lane(struct picks *q)
{
	size_t n = q->n - q->lane_first;

	if (n > LANE_OPS) {
		qsort(q->p + q->lane_first, n, sizeof(*q->p), nearest_first);
		q->n = q->lane_first + LANE_OPS;
		q->left_out += n - LANE_OPS;
	}
	q->lane_first = q->n;
	q->lane_old = 0;
}

static bool gather(void *ctx, const struct deed *d)
{
	struct picks *q = ctx;
	enum nearness near = nearness_of(q->s, d);

	if (d->who != q->lane) {
		end_lane(q);
		q->lane = d->who;
	}
	if (near == FAR)
		return true;
	/* The newest come first. */
	if (near == OLD && ++q->lane_old > OLD_OPS) {
		q->left_out++;
		return true;
	}
	if (q->n == q->room && !grow(q)) {
		q->no_memory = true;
		return false;
	}
	q->p[q->n++] = (struct pick){ near, role_of(q->s, d), *d };
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct pick *x = a, *y = b;

	return (x->deed.op.start_ns > y->deed.op.start_ns) -
	       (x->deed.op.start_ns < y->deed.op.start_ns);
}

static u64 since(const struct scene *s, u64 ns)
{
	return ns > s->run_ns ? ns - s->run_ns : 0;
}

static void add_op(struct timeline *t, const struct scene *s, const struct pick *p)
{
	const struct op_record *r = &p->deed.op;
	int lane = timeline_lane(t, shadow_writer(s->sh, p->deed.who));
	u64 page = ROUND_DOWN(s->from, (u64)PAGE);
	bool here = s->has_cell && r->file == s->file && !is_fs_wide(r);
	struct timeline_op *o = &t->ops[t->nops];

	if (lane < 0) {
		t->left_out++;
		return;
	}
	*o = (struct timeline_op){
		.lane = (u16)lane,
		.role = p->role,
		.effect = op_infos[r->op].effect,
		.failed = r->end_ns && r->result < 0,
		.in_file = here,
		.on_cell = here && r->len && r->offset < s->to && r->offset + r->len > s->from,
		.on_page = here && r->len && r->offset < page + PAGE && r->offset + r->len > page,
		.offset = r->offset,
		.len = r->len,
		.start_ns = since(s, r->start_ns),
		.end_ns = since(s, r->end_ns),
	};
	op_describe(r, o->text, sizeof(o->text));
	t->nops++;
}

struct timeline *scene_timeline(const struct scene *s)
{
	struct picks q = { .s = s };
	struct timeline *t;

	history_each(s->history, gather, &q);
	end_lane(&q);
	t = q.n && !q.no_memory ? calloc(1, sizeof(*t)) : NULL;
	if (t && q.n > TIMELINE_OPS) {
		qsort(q.p, q.n, sizeof(*q.p), nearest_first);
		q.left_out += q.n - TIMELINE_OPS;
		q.n = TIMELINE_OPS;
	}
	if (t) {
		t->left_out = q.left_out;
		qsort(q.p, q.n, sizeof(*q.p), by_start);
		for (size_t i = 0; i < q.n; i++)
			add_op(t, s, &q.p[i]);
	}
	free(q.p);
	return t;
}
