// SPDX-License-Identifier: GPL-2.0-or-later
/* From what was seen to what is said: findings, explanations, verdict. */
#include "session/session.h"

#include "base/mounts.h"
#include "base/stats.h"
#include "session/account.h"
#include "session/faults.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FINDINGS_KEPT 100

static char *__attribute__((format(printf, 1, 0))) format(const char *fmt, va_list ap)
{
	char *text = NULL;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

void judge_note(struct session *s, const char *fmt, ...)
{
	char **grown = reallocarray(s->result.notes, s->result.nnotes + 1, sizeof(char *));
	va_list ap;

	if (!grown)
		return;
	s->result.notes = grown;
	va_start(ap, fmt);
	grown[s->result.nnotes] = format(fmt, ap);
	va_end(ap);
	if (grown[s->result.nnotes])
		s->result.nnotes++;
}

int judge_drop(struct session *s, const char *name, const char *why)
{
	struct run_result *r = &s->result;
	char **grown = reallocarray(r->dropped, r->ndropped + 1, sizeof(char *));

	if (!grown)
		return -ENOMEM;
	r->dropped = grown;
	if (asprintf(&grown[r->ndropped], "%s: %s", name, why) < 0)
		return -ENOMEM;
	r->ndropped++;
	return 0;
}

void judge_trouble(struct session *s, const char *fmt, ...)
{
	char text[sizeof(s->result.reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!s->hopeless)
		memcpy(s->result.reason, text, sizeof(text));
	else
		judge_note(s, "%s", text);
	s->hopeless = true;
}

/* The same thing seen again: one finding, counted. So are further cells of the same file that the
 * same process found wrong in the same way, once some were kept: a thousand say no more. */
#define LIKE_KEPT 8

static struct finding *same(const struct session *s, const struct finding *f)
{
	size_t like = 0;

	for (size_t i = 0; i < s->result.nfindings; i++) {
		struct finding *g = s->result.findings[i];

		if (g->kind != f->kind || strcmp(g->file, f->file) || g->has_cell != f->has_cell)
			continue;
		if (f->has_cell ? g->cell == f->cell : !strcmp(g->sentence, f->sentence))
			return g;
		if (f->has_cell && !strcmp(g->finder, f->finder) && ++like == LIKE_KEPT)
			return g;
	}
	return NULL;
}

static void merge_layers(struct finding *into, const struct finding *f)
{
	for (int i = 0; i < LAYERS; i++)
		if (into->layers[i].state == LAYER_NOT_READ || f->layers[i].state == LAYER_BAD)
			into->layers[i] = f->layers[i];
}

void judge_add(struct session *s, struct finding *f)
{
	struct finding *known, **grown;

	if (!f)
		return;
	known = same(s, f);
	if (!known && s->result.nfindings >= FINDINGS_KEPT) {
		s->result.findings_lost++;
		finding_free(f);
		return;
	}
	if (known) {
		known->repeats++;
		if (known->has_cell && known->cell == f->cell)
			merge_layers(known, f);
		finding_free(f);
		return;
	}
	grown = reallocarray(s->result.findings, s->result.nfindings + 1, sizeof(f));
	if (!grown) {
		s->result.findings_lost++;
		finding_free(f);
		return;
	}
	s->result.findings = grown;
	grown[s->result.nfindings++] = f;
	live_event(s->live, f, f->sentence);
}

static bool logged(const struct session *s, const char *const *rules)
{
	for (size_t i = 0; i < klog_count(s->klog); i++)
		for (const char *const *r = rules; *r; r++)
			if (!strcmp(klog_event(s->klog, i)->rule, *r))
				return true;
	return false;
}

/* Filesystems whose direct reads can meet a delayed allocation. */
static bool delays_allocation(const struct session *s)
{
	return !strcmp(s->target.fs, "xfs") ||
	       (!strcmp(s->target.fs, "ext4") && !mounted_with(s->target.root, "nodelalloc"));
}

/* Lines of a device that fails: what is documented of caches explains nothing then. */
static const char *const real_errors[] = { "block-io", "buffer-io", "loop-write", NULL };

/* A direct read beside cached dirtiers may meet a delayed allocation: EIO, with a line in the log
 * that says so (fs/iomap/direct-io.c). The line is rate-limited for the whole machine, so its
 * absence proves nothing; a real I/O error has lines of its own, which are not limited so. */
static bool direct_read_explained(struct session *s, const struct sighting *si)
{
	static const char *const collision[] = { "dio-collision", NULL };

	if (si->kind != FINDING_READ_ERROR || si->result != -EIO ||
	    (si->op != OP_DIRECT_PREAD && si->op != OP_DIRECT_AIO_READ &&
	     si->op != OP_DIRECT_URING_READ))
		return false;
	if (s->klog && !logged(s, collision) && (!delays_allocation(s) || logged(s, real_errors)))
		return false;
	s->explained_direct_eio++;
	return true;
}

/* Clean pages that are being read cannot be taken out of btrfs's cache, so that each direct write
 * there may leave some. (fs/btrfs/extent_io.c, try_release_extent_state()) */
static bool keeps_clean_pages(const struct session *s, const struct sighting *si)
{
	return !strcmp(s->target.fs, "btrfs") && si->file < s->shadow.nfiles &&
	       s->shadow.files[si->file].zone_bytes;
}

/* A direct write that leaves a page behind in the cache makes the next sync of the file fail, and
 * says so in the log: after it, and ten times a day on the whole machine, so that where it is
 * common its absence proves nothing. (mm/filemap.c, dio_warn_stale_pagecache()) */
static bool stale_cache_explained(struct session *s, const struct sighting *si)
{
	static const char *const stale[] = { "dio-stale-cache", NULL };

	if (si->kind != FINDING_UNEXPECTED_ERRNO || si->result != -EIO ||
	    op_infos[si->op].effect != 'S' || !s->klog || logged(s, real_errors) ||
	    !(logged(s, stale) || keeps_clean_pages(s, si)))
		return false;
	s->explained_stale_cache++;
	return true;
}

static bool explained(struct session *s, const struct sighting *si)
{
	bool is_errno = si->kind == FINDING_READ_ERROR || si->kind == FINDING_UNEXPECTED_ERRNO;

	if (is_errno && s->klog)
		judge_klog(s);
	return direct_read_explained(s, si) || stale_cache_explained(s, si);
}

static void add_log(struct session *s, struct finding *f, u64 time_ns)
{
	const char *lines[FINDING_LINES];
	u64 times[FINDING_LINES], from, to;
	size_t n;

	if (!s->klog)
		return;
	n = klog_lines_between(s->klog, time_ns - MIN(time_ns, 50 * NSEC_PER_MSEC),
			       time_ns + 10 * NSEC_PER_MSEC, lines, times, ARRAY_SIZE(lines));
	if (f->timeline)
		timeline_span(f->timeline, &from, &to);
	for (size_t i = 0; i < n; i++) {
		u64 at = times[i] - MIN(times[i], s->run->start_ns);

		f->log[f->nlog++] = strdup(lines[i]);
		if (f->timeline && at >= from && at <= to)
			timeline_mark(f->timeline, MARK_LOG, at, at, lines[i]);
	}
}

/* An actor counts its own sightings as hits. What anybody else sees is laid to every race. */
static void hit_races(struct session *s, const struct crew *finder)
{
	for (u32 i = 0; i < s->run->nraces && !(finder && finder->plan.w.race); i++)
		race_hit(&s->run->races[i]);
}

static const struct crew *crew_by_id(const struct session *s, u16 id)
{
	for (size_t i = 0; i < s->ncrew; i++)
		if (s->crew[i].plan.id == id)
			return &s->crew[i];
	return NULL;
}

size_t judge_sightings(struct session *s)
{
	size_t before = s->result.nfindings;

	for (size_t i = 0; i < RUN_SIGHTINGS; i++) {
		struct sighting *si = &s->run->board[i];
		struct finding *f;

		if (atomic_load_explicit(&si->state, memory_order_acquire) != 2)
			continue;
		/* Seen after the death of the run: evidence is what came last in its life. */
		if (s->died_ns)
			si->start_ns = si->time_ns = s->died_ns;
		f = explained(s, si) ? NULL
				     : account_make(&s->shadow, &s->history, si, s->run->start_ns);
		if (f) {
			hit_races(s, crew_by_id(s, si->finder));
			ledger_name_loss(s, f);
			add_log(s, f, si->time_ns);
			faults_mark(s, f->timeline);
			judge_add(s, f);
		}
		atomic_store_explicit(&si->state, 0, memory_order_release);
	}
	return s->result.nfindings - before;
}

static void take_event(struct session *s, const struct klog_event *ev)
{
	struct crew *c = crew_by_pid(s, ev->pid);
	u64 start_ns = s->run ? s->run->start_ns : s->started_ns;
	struct finding *f;

	if (ev->foreign && ev->severity >= s->sc->kernel_log.fail_at)
		judge_note(s, "the kernel log has, of a device that is not of this run: %s",
			   ev->lines[0]);
	if (!ev->foreign)
		ledger_event(s, ev->rule, ev->time_ns);
	if (ev->allowed)
		s->result.klog_allowed++;
	if (ev->allowed || ev->severity < s->sc->kernel_log.fail_at)
		return;
	f = account_plain((enum finding_kind)ev->finding, "kernel-log",
			  ev->time_ns - MIN(ev->time_ns, start_ns), "%s%s%s", ev->title,
			  c ? ", in " : "", c ? c->name : "");
	if (!f)
		return;
	snprintf(f->title, sizeof(f->title), "%s", ev->title);
	for (size_t i = 0; i < ev->nlines && f->nlog < FINDING_LINES; i++)
		f->log[f->nlog++] = strdup(ev->lines[i]);
	if (c && c->plan.w.race)
		race_hit(c->plan.w.race);
	else if (s->run)
		hit_races(s, NULL);
	account_join(f, &s->shadow, &s->history, c ? c->plan.id : 0, ev->time_ns, start_ns);
	if (f->timeline)
		timeline_mark(f->timeline, MARK_LOG, f->time_ns, f->time_ns, ev->title);
	faults_mark(s, f->timeline);
	judge_add(s, f);
}

void judge_klog(struct session *s)
{
	int r;

	if (!s->klog)
		return;
	r = klog_read(s->klog);
	if (r < 0 && r != -EAGAIN)
		judge_note(s, "kernel log: %s", strerror(-r));
	owed_read(s);
	for (; s->klog_seen < klog_count(s->klog); s->klog_seen++)
		take_event(s, klog_event(s->klog, s->klog_seen));
}

u64 klog_count_safe(const struct session *s)
{
	return s->klog ? klog_count(s->klog) : 0;
}

static void count_workers(struct session *s)
{
	struct run_result *r = &s->result;

	r->workers = calloc(s->ncrew + 1, sizeof(*r->workers));
	for (size_t i = 0; r->workers && i < s->ncrew; i++) {
		struct worker_result *w = &r->workers[r->nworkers++];
		const struct slot *slot = &s->run->slots[s->crew[i].plan.id];

		snprintf(w->name, sizeof(w->name), "%s", s->crew[i].name);
		snprintf(w->type, sizeof(w->type), "%s", s->crew[i].type);
		snprintf(w->state, sizeof(w->state), "%s",
			 slot_state_names[atomic_load(&slot->state) % (SLOT_DEAD + 1)]);
		memcpy(w->error, slot->error, sizeof(w->error));
		w->ops = atomic_load(&slot->ops);
		w->bytes = atomic_load(&slot->bytes);
		w->failed = atomic_load(&slot->failed);
		w->busy = atomic_load(&slot->busy);
		w->cells_checked = atomic_load(&slot->cells_checked);
		w->cells_open = atomic_load(&slot->cells_open);
		w->cpu_s = s->crew[i].cpu_s;
		r->ops += w->ops;
		r->cells_checked += w->cells_checked;
		r->cells_open += w->cells_open;
	}
}

static void count_races(struct session *s)
{
	struct run_result *r = &s->result;
	u32 n = s->run ? s->run->nraces : 0;

	r->races = calloc(n + 1, sizeof(*r->races));
	for (u32 i = 0; r->races && i < n; i++) {
		struct race *race = &s->run->races[i];
		struct race_result *to = &r->races[r->nraces++];

		race_finish(race);
		snprintf(to->name, sizeof(to->name), "%s", race->name);
		to->actors = race->nactors;
		to->attempts = atomic_load(&race->attempts);
		to->overlaps = atomic_load(&race->overlaps);
		to->hits = atomic_load(&race->hits);
		to->first_hit = atomic_load(&race->first_hit);
		to->held = atomic_load(&race->held);
		rate_interval(to->hits, to->attempts, &to->rate_lo, &to->rate_hi);
	}
}

/* A race whose actors never were at work together says nothing of the kernel. */
static const struct race_result *not_exercised(const struct run_result *r)
{
	for (size_t i = 0; i < r->nraces; i++)
		if (!r->races[i].overlaps)
			return &r->races[i];
	return NULL;
}

void judge_result(struct session *s)
{
	const struct race_result *race;
	struct run_result *r = &s->result;

	count_workers(s);
	count_races(s);
	/* The log may have told of the device since a finding was made. */
	for (size_t i = 0; i < r->nfindings; i++)
		ledger_name_loss(s, r->findings[i]);
	ledger_result(s);
	if (s->run)
		r->findings_lost += atomic_load(&s->run->sightings_lost);
	if (s->explained_direct_eio)
		judge_note(s,
			   "%llu direct reads failed with EIO beside delayed allocations, which "
			   "open(2) warns of: no finding%s",
			   (unsigned long long)s->explained_direct_eio,
			   s->klog ? ""
				   : "; nobody watched for the log line that would confirm it");
	if (s->explained_stale_cache)
		judge_note(
			s,
			"%llu syncs failed with EIO after direct writes that left dirty pages in "
			"the cache, as documented",
			(unsigned long long)s->explained_stale_cache);
	if (s->klog) {
		r->klog_lost = klog_lost(s->klog);
		r->klog_events = klog_count(s->klog);
	}
	if (r->nfindings) {
		r->verdict = VERDICT_FAIL;
		r->exit = 1;
		if (!s->hopeless)
			snprintf(r->reason, sizeof(r->reason), "%s", r->findings[0]->sentence);
	} else if (s->lacks) {
		r->verdict = VERDICT_SKIP;
		r->exit = 4;
	} else if (s->hopeless) {
		r->verdict = VERDICT_ERROR;
		r->exit = 3;
	} else if (r->findings_lost) {
		r->verdict = VERDICT_INCOMPLETE;
		r->exit = 3;
		snprintf(r->reason, sizeof(r->reason),
			 "%llu sightings were lost, and all others explained: the board was full",
			 (unsigned long long)r->findings_lost);
	} else if (r->klog_lost) {
		r->verdict = VERDICT_INCOMPLETE;
		r->exit = 3;
		snprintf(r->reason, sizeof(r->reason),
			 "the kernel log overran: %llu records were lost before they were read",
			 (unsigned long long)r->klog_lost);
	} else if (!r->ops) {
		r->verdict = VERDICT_INCOMPLETE;
		r->exit = 3;
		snprintf(r->reason, sizeof(r->reason), "no operation was done");
	} else if (ledger_idle(s, r->reason, sizeof(r->reason))) {
		r->verdict = VERDICT_INCOMPLETE;
		r->exit = 3;
	} else if ((race = not_exercised(r))) {
		r->verdict = VERDICT_INCOMPLETE;
		r->exit = 3;
		snprintf(r->reason, sizeof(r->reason),
			 "not-exercised: race %s, its actors were at work together in none of %llu "
			 "attempts",
			 race->name, (unsigned long long)race->attempts);
	}
}
