// SPDX-License-Identifier: GPL-2.0-or-later
/* Sentences and evidence. */
#include "session/account.h"

#include "session/scene.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define AROUND_NS     (50 * NSEC_PER_MSEC) /* operations this long before a sighting are evidence */
#define NEIGHBOURHOOD 65536		   /* bytes: the largest folio that is usual */

/* What is gathered in one walk through the history. */
struct search {
	const struct sighting *s;
	const struct shadow_file *sf;
	u64 from, to;	   /* bytes of the cell */
	u16 writer;	   /* of the expected content, or 0 */
	bool any_writer;   /* it is not known: any will do */
	struct deed write; /* the last write of that writer that covers the cell */
	bool has_write;
	u64 good_ns; /* start of the last read that found the cell good */
	struct deed suspect;
	int suspect_rank;
	struct deed around[FINDING_OPS];
	size_t naround;
};

static bool covers(const struct op_record *r, u32 file, u64 from, u64 to)
{
	return r->file == file && r->offset < to && r->offset + r->len > from;
}

/* The read that saw it first of all, then what touched the cell itself, then its neighbours. */
static int closeness(const struct search *q, const struct deed *d)
{
	if (q->s && d->who == q->s->finder && d->op.start_ns == q->s->start_ns)
		return 2;
	return q->s && covers(&d->op, q->s->file, q->from, q->to);
}

static bool less_telling(const struct search *q, const struct deed *a, const struct deed *b)
{
	int x = closeness(q, a), y = closeness(q, b);

	return x != y ? x < y : a->op.start_ns < b->op.start_ns;
}

/* Keep the FINDING_OPS operations that tell most: the closest, and of these the latest. */
static void keep_around(struct search *q, const struct deed *d)
{
	size_t least = 0;

	if (q->naround < FINDING_OPS) {
		q->around[q->naround++] = *d;
		return;
	}
	for (size_t i = 1; i < q->naround; i++)
		if (less_telling(q, &q->around[i], &q->around[least]))
			least = i;
	if (less_telling(q, &q->around[least], d))
		q->around[least] = *d;
}

static bool gather(void *ctx, const struct deed *d)
{
	struct search *q = ctx;
	const struct op_record *r = &d->op;
	char effect = op_infos[r->op].effect;
	bool over = covers(r, q->s->file, q->from, q->to);

	if (r->start_ns > q->s->time_ns)
		return true;
	if (over && effect == 'W' && (q->any_writer || d->who == q->writer) &&
	    r->result != -EBUSY && (!q->has_write || r->start_ns > q->write.op.start_ns)) {
		q->write = *d;
		q->has_write = true;
	}
	if (over && effect == 'R' && r->end_ns && r->end_ns < q->s->start_ns && r->result > 0)
		q->good_ns = MAX(q->good_ns, r->start_ns);
	/* Of the reads only the one that saw it is evidence. */
	if (effect == 'R' && (d->who != q->s->finder || r->start_ns != q->s->start_ns))
		return true;
	if (op_touches(r, q->s->file, ROUND_DOWN(q->from, NEIGHBOURHOOD),
		       ROUND_DOWN(q->from, NEIGHBOURHOOD) + NEIGHBOURHOOD) &&
	    (!r->end_ns || r->end_ns + AROUND_NS > q->s->start_ns))
		keep_around(q, d);
	return true;
}

/* How likely an operation is what took the bytes away: short or failed writes over the range
 * first, then what zeroes or moves, then other writes. */
static int rank(const struct search *q, const struct deed *d)
{
	const struct op_record *r = &d->op;
	char effect = op_infos[r->op].effect;
	bool overlaps_read = !r->end_ns || r->end_ns >= q->s->start_ns;

	if (d->who == q->s->finder || effect == 'R')
		return 0;
	if (q->has_write && r->end_ns && r->end_ns < q->write.op.start_ns)
		return 0;
	if (effect == 'W' && covers(r, q->s->file, q->from, q->to) && r->result < (s64)r->len &&
	    r->end_ns)
		return 5;
	if (effect == 'W' && overlaps_read && covers(r, q->s->file, q->from, q->to))
		return 4;
	/* What it writes elsewhere in the page makes blocks and folios of this cell, too. */
	if ((effect == 'Z' || effect == 'M' || (effect == 'W' && overlaps_read)) &&
	    op_touches(r, q->s->file, q->from & ~4095ULL, (q->from & ~4095ULL) + 4096))
		return 3;
	if ((overlaps_read && effect == 'W') || r->op == OP_UNSHARE)
		return 2;
	return 1;
}

static void choose_suspect(struct search *q)
{
	for (size_t i = 0; i < q->naround; i++) {
		int r = rank(q, &q->around[i]);

		if (r > q->suspect_rank || (r && r == q->suspect_rank &&
					    q->around[i].op.start_ns > q->suspect.op.start_ns)) {
			q->suspect = q->around[i];
			q->suspect_rank = r;
		}
	}
}

static int by_time(const void *a, const void *b)
{
	const struct deed *x = a, *y = b;

	return (x->op.start_ns > y->op.start_ns) - (x->op.start_ns < y->op.start_ns);
}

static void add_ops(struct finding *f, const struct shadow *sh, struct search *q, u64 start_ns)
{
	qsort(q->around, q->naround, sizeof(q->around[0]), by_time);
	for (size_t i = 0; i < q->naround; i++) {
		struct finding_op *o = &f->ops[f->nops++];
		const struct op_record *r = &q->around[i].op;

		snprintf(o->actor, sizeof(o->actor), "%s", shadow_writer(sh, q->around[i].who));
		op_describe(r, o->text, sizeof(o->text));
		o->start_ns = r->start_ns > start_ns ? r->start_ns - start_ns : 0;
		o->end_ns = r->end_ns > start_ns ? r->end_ns - start_ns : 0;
	}
}

/* After a crash: what was there for certain, be it the settled state or one before it. */
static bool say_synced(const struct shadow *sh, const struct sighting *s, char *buf, size_t len)
{
	const struct shadow_file *f = &sh->files[s->file];
	struct durable d = shadow_durable(f, shadow_view(shadow_cell(sh, f, s->cell)));

	if (s->kind != FINDING_NOT_DURABLE || d.exact)
		return false;
	snprintf(buf, len, "generation %u, which was synced, or a later one", d.gen);
	return true;
}

static void say_expected(const struct shadow *sh, const struct sighting *s, char *buf, size_t len)
{
	u32 gen = CELL_GEN(s->view.settled), last = CELL_GEN(s->view.flight);
	const char *who = shadow_writer(sh, CELL_WHO(s->view.settled));
	int n;

	if (say_synced(sh, s, buf, len))
		return;
	switch (CELL_KIND(s->view.settled)) {
	case CELL_ZERO:
		n = snprintf(buf, len,
			     gen ? "zeros (generation %u by %s)" : "zeros (never written)", gen,
			     who);
		break;
	case CELL_MOVED:
		n = snprintf(buf, len, "generation %u of %s cell %u, moved here by %s",
			     ORIGIN_GEN(s->view.origin),
			     sh->files[ORIGIN_FILE(s->view.origin) % sh->nfiles].name,
			     ORIGIN_CELL(s->view.origin), who);
		break;
	case CELL_CUT:
		n = snprintf(buf, len, "generation %u by %s with bytes %u to %u zeroed",
			     CUT_GEN(s->view.origin), who, CUT_FROM(s->view.origin),
			     CUT_TO(s->view.origin));
		break;
	default:
		n = sh->files[s->file].conflict
			    ? snprintf(buf, len, "a generation from %u on", gen)
			    : snprintf(buf, len, "generation %u by %s", gen, who);
	}
	if (s->kind == FINDING_NOT_DURABLE && n > 0 && (size_t)n < len)
		n += snprintf(buf + n, len - (size_t)n, ", which was synced,");
	if (s->view.flight & CELL_PENDING && n > 0 && (size_t)n < len && last != gen)
		snprintf(buf + n, len - (size_t)n, " or what generation %u in flight brings", last);
}

static void say_cell(struct finding *f, const struct shadow *sh, const struct sighting *s,
		     const struct search *q, u64 start_ns)
{
	char expected[160], op[160], tail[256] = "", more[48] = "";
	bool concurrent =
		q->suspect_rank && (!q->suspect.op.end_ns || q->suspect.op.end_ns >= s->start_ns);

	say_expected(sh, s, expected, sizeof(expected));
	snprintf(f->expected_text, sizeof(f->expected_text), "%s", expected);
	snprintf(f->found_text, sizeof(f->found_text), "%s", s->verdict.what);
	if (s->more)
		snprintf(more, sizeof(more), " and %llu more", (unsigned long long)s->more);
	if (q->suspect_rank > 1) {
		op_describe(&q->suspect.op, op, sizeof(op));
		snprintf(tail, sizeof(tail), "; %s's %s %s", shadow_writer(sh, q->suspect.who), op,
			 concurrent ? "overlapped the read" : "came between");
	}
	if (q->good_ns && q->has_write && q->good_ns > q->write.op.start_ns) {
		size_t n = strlen(tail);

		snprintf(tail + n, sizeof(tail) - n, "; it was last seen in place at %.3f ms",
			 (double)(q->good_ns - MIN(q->good_ns, start_ns)) / 1e6);
	}
	int n = snprintf(f->sentence, sizeof(f->sentence),
			 "%s cell %llu (offset %llu)%s: %s by %s found %s where %s must be%s",
			 sh->files[s->file].name, (unsigned long long)s->cell,
			 (unsigned long long)f->offset, more, op_infos[s->op].name, f->finder,
			 s->verdict.what, expected, tail);

	if (n >= (int)sizeof(f->sentence)) /* cut off: let it show */
		memcpy(f->sentence + sizeof(f->sentence) - 4, "...", 4);
}

/* Whose bytes are the matter: where they do not belong, of whoever wrote them; where they were
 * once right, of whoever wrote what is missing. 0 when the shadow does not say. */
static u16 writer_of(const struct shadow *sh, const struct sighting *s)
{
	bool strange = s->verdict.has_id && s->verdict.id.run == sh->run;

	if (strange && s->kind != FINDING_LOST_WRITE)
		return s->verdict.id.writer;
	if (sh->files[s->file].conflict)
		return 0; /* `settled` names none, and the lease counts */
	if (CELL_WHO(s->view.settled) == 0 && s->view.flight & CELL_PENDING)
		return CELL_WHO(s->view.flight);
	return CELL_WHO(s->view.settled);
}

static void add_timeline(struct finding *f, const struct shadow *sh, const struct history *h,
			 const struct search *q, u64 start_ns)
{
	struct scene scene = { .sh = sh,
			       .history = h,
			       .run_ns = start_ns,
			       .who = q->s->finder,
			       .begin_ns = q->s->start_ns,
			       .end_ns = q->s->time_ns,
			       .has_cell = true,
			       .file = q->s->file,
			       .from = q->from,
			       .to = q->to,
			       .write = q->has_write ? &q->write : NULL,
			       .suspect = q->suspect_rank > 1 ? &q->suspect : NULL };

	f->timeline = scene_timeline(&scene);
}

static void fill_cell(struct finding *f, const struct shadow *sh, const struct history *h,
		      const struct sighting *s, u64 start_ns)
{
	const struct shadow_file *sf = &sh->files[s->file];
	struct search q = { .s = s, .sf = sf };

	f->has_cell = true;
	f->cell = s->cell;
	f->offset = s->cell << sf->cell_shift;
	f->cell_bytes = sf->cell_bytes;
	memcpy(f->found, s->found, sf->cell_bytes);
	verify_expected(sh, sf, s->cell, s->view, f->expected);
	memcpy(f->layers, s->layers, sizeof(f->layers));
	q.from = f->offset;
	q.to = f->offset + f->cell_bytes;
	q.writer = writer_of(sh, s);
	q.any_writer = q.writer == 0 && CELL_KIND(s->view.settled) != CELL_ZERO;
	history_each(h, gather, &q);
	choose_suspect(&q);
	/* A hole has no writer; the one who was writing there just then is the one to name. Where
	 * writers share the cell, it is the last of them. */
	if (q.writer == 0 && q.has_write)
		q.writer = q.write.who;
	else if (q.writer == 0 && q.suspect_rank > 1)
		q.writer = q.suspect.who;
	snprintf(f->writer, sizeof(f->writer), "%s", shadow_writer(sh, q.writer));
	add_ops(f, sh, &q, start_ns);
	add_timeline(f, sh, h, &q, start_ns);
	say_cell(f, sh, s, &q, start_ns);
}

static void say_errno(struct finding *f, const struct sighting *s, const char *file)
{
	struct op_record r = { .op = (u8)s->op,
			       .offset = s->offset,
			       .len = s->len,
			       .result = s->result,
			       .end_ns = 1 };
	char op[160];

	op_describe(&r, op, sizeof(op));
	snprintf(f->sentence, sizeof(f->sentence), "%s: %s's %s, and nothing explains that error",
		 file, f->finder, op);
}

struct finding *account_make(const struct shadow *sh, const struct history *h,
			     const struct sighting *s, u64 start_ns)
{
	struct finding *f = calloc(1, sizeof(*f));
	const char *file = s->file < sh->nfiles ? sh->files[s->file].name : "";

	if (!f)
		return NULL;
	f->kind = s->kind;
	f->time_ns = s->time_ns - MIN(s->time_ns, start_ns);
	snprintf(f->file, sizeof(f->file), "%s", file);
	snprintf(f->finder, sizeof(f->finder), "%s", shadow_writer(sh, s->finder));
	if (s->has_cell)
		fill_cell(f, sh, h, s, start_ns);
	else if (s->kind == FINDING_SIZE_MISMATCH)
		snprintf(f->sentence, sizeof(f->sentence),
			 "%s: %s of %s says the file ends at %lld, but its size must be "
			 "%s%llu%s%.0llu",
			 file, op_infos[s->op].name, f->finder, (long long)s->result,
			 s->size_lo == s->size_hi ? "" : "from ", (unsigned long long)s->size_lo,
			 s->size_lo == s->size_hi ? "" : " to ",
			 (unsigned long long)(s->size_lo == s->size_hi ? 0 : s->size_hi));
	else if (s->text[0])
		snprintf(f->sentence, sizeof(f->sentence), "%s", s->text);
	else
		say_errno(f, s, file[0] ? file : "target");
	return f;
}

struct finding *account_plain(enum finding_kind kind, const char *finder, u64 time_ns,
			      const char *fmt, ...)
{
	struct finding *f = calloc(1, sizeof(*f));
	va_list ap;

	if (!f)
		return NULL;
	f->kind = kind;
	f->time_ns = time_ns;
	snprintf(f->finder, sizeof(f->finder), "%s", finder);
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
	return f;
}

struct join {
	u16 who;
	u64 time_ns;
	struct search q;
};

static bool gather_of(void *ctx, const struct deed *d)
{
	struct join *j = ctx;

	if (d->who == j->who && d->op.start_ns <= j->time_ns + AROUND_NS)
		keep_around(&j->q, d);
	return d->who == j->who && j->q.naround < FINDING_OPS;
}

void account_join(struct finding *f, const struct shadow *sh, const struct history *h, u16 who,
		  u64 time_ns, u64 start_ns)
{
	struct join j = { .who = who, .time_ns = time_ns };
	struct scene scene = { .sh = sh,
			       .history = h,
			       .run_ns = start_ns,
			       .who = who,
			       .begin_ns = time_ns,
			       .end_ns = time_ns };

	f->timeline = scene_timeline(&scene);
	if (!who)
		return;
	snprintf(f->writer, sizeof(f->writer), "%s", shadow_writer(sh, who));
	history_each(h, gather_of, &j);
	add_ops(f, sh, &j.q, start_ns);
}
