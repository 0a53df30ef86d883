// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fault ledger: errors injected, as their source counts them, against errors that somebody was
 * told of, and what is missing. An error that nobody hears of is in order as long as nothing is
 * missing: requests of readahead, of the log and of metadata are tried again, and data that failed
 * may be written anew. What is missing and nobody was told of is the worst finding there is.
 */
#include "session/faults.h"

#include "ops/told.h"
#include "session/account.h"
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Lines that say that dirty data of the device did not get there. */
static const char *const loss_rules[] = {
	"writeback-error", "buffer-io",	 "block-io",  "xfs-discard",  "ext4-warning",
	"ext4-data-loss",  "jbd2-error", "jbd2-data", "btrfs-device", NULL
};

static bool listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

bool ledger_fs_down(const struct session *s)
{
	return s->run && atomic_load(&s->run->fs_down_ns);
}

void ledger_event(struct session *s, const char *rule, u64 time_ns)
{
	u64 none = 0;

	if (!s->run || !listed(fault_log_fs_ends, rule))
		return;
	for (u32 i = 0; i < s->run->nfaults; i++) {
		u64 first = atomic_load(&s->run->faults[i].first_ns);

		if (s->run->faults[i].ends_fs && first && time_ns >= first &&
		    atomic_compare_exchange_strong(&s->run->fs_down_ns, &none, time_ns))
			risk_begin(&s->shadow);
	}
}

bool ledger_down_now(const struct session *s)
{
	return ledger_fs_down(s) && !s->died_ns;
}

/* Readers of a filesystem that is down read errors; after a remount all that was synced is there
 * again. Of a run that died nobody is left who could have been told. Otherwise a descriptor that is
 * opened now is told of what nobody heard yet. */
void ledger_settle(struct session *s)
{
	for (u32 i = 0; i < s->actor.nfiles; i++) {
		struct shadow_file *f = &s->shadow.files[i];

		if (ledger_down_now(s)) {
			sync_failed(f);
		} else if (s->died_ns && atomic_load(&f->risk_to)) {
			sync_failed(f);
			size_after_loss(&s->shadow, f);
		} else if (s->nfaults) {
			op_sync(&s->actor, &s->actor.files[i], OP_FSYNC);
		}
	}
	faults_unpin(s);
	judge_sightings(s);
}

static const char *errno_name(const struct run_fault *f, int column)
{
	const char *name = column < RUN_FAULT_ERRNOS && f->errnos[column]
				   ? strerrorname_np((int)f->errnos[column])
				   : NULL;

	return name ? name : "other";
}

/* "fsync EIO 3, pwrite EIO 12", or "nobody". */
static void say_told(const struct run_fault *f, char *buf, size_t size)
{
	size_t n = 0;

	snprintf(buf, size, "nobody");
	for (int op = 0; op < OP_KINDS; op++)
		for (int c = 0; c <= RUN_FAULT_ERRNOS; c++) {
			u64 told = atomic_load(&f->told[op][c]);

			if (told && n < size)
				n += (size_t)snprintf(buf + n, size - n, "%s%s %s %llu",
						      n ? ", " : "", op_infos[op].name,
						      errno_name(f, c), (unsigned long long)told);
		}
}

static u64 events_of(const struct session *s, const char *rule)
{
	u64 n = 0;

	for (size_t i = 0; s->klog && i < klog_count(s->klog); i++) {
		const struct klog_event *ev = klog_event(s->klog, i);

		if (!strcmp(ev->rule, rule) && !ev->foreign)
			n += ev->repeats + 1;
	}
	return n;
}

static u64 injected_by(const struct session *s, const struct fault_run *r)
{
	const struct fault_type *t = r->fault.type;

	if (t->counted_by_rule)
		return events_of(s, t->counted_by_rule);
	return t->injected ? t->injected(&r->fault) : r->armings;
}

static bool counts(const struct session *s, const struct fault_run *r)
{
	return r->fault.type->injected || (r->fault.type->counted_by_rule && s->klog);
}

/* What shows that writes to the device failed: the ledger, or else the kernel log. */
static bool loss_evidence(const struct session *s, char *buf, size_t size)
{
	for (size_t i = 0; i < s->nfaults; i++) {
		const struct fault_run *r = &s->faults[i];
		u64 n = r->armings && r->shared->loses_writes ? injected_by(s, r) : 0;

		if (n) {
			snprintf(buf, size, "%s made %llu requests fail", r->fault.type->name,
				 (unsigned long long)n);
			return true;
		}
	}
	for (size_t i = 0; s->klog && i < klog_count(s->klog); i++) {
		const struct klog_event *ev = klog_event(s->klog, i);

		if (!ev->foreign && listed(loss_rules, ev->rule)) {
			snprintf(buf, size, "the kernel logged \"%.100s\"", ev->lines[0]);
			return true;
		}
	}
	return false;
}

/* Older bytes than must be there. Bytes of another place or owner, or flipped, are another story:
 * no error that was told makes them legal. */
static bool is_loss(int kind)
{
	return kind == FINDING_LOST_WRITE || kind == FINDING_ZEROED ||
	       kind == FINDING_RESURRECTED || kind == FINDING_TORN;
}

static const struct shadow_file *file_called(const struct session *s, const char *name)
{
	for (u32 i = 0; i < s->shadow.nfiles; i++)
		if (!strcmp(s->shadow.files[i].name, name))
			return &s->shadow.files[i];
	return NULL;
}

/* Where a told error could explain the bytes they were legal, and this is no finding: whoever was
 * told of an error of this file was told of an earlier or a later one. */
void ledger_name_loss(struct session *s, struct finding *f)
{
	char why[160], was[sizeof(f->sentence)];
	const struct shadow_file *sf = file_called(s, f->file);
	bool told = sf && atomic_load(&sf->lost);

	if (!f->has_cell || !is_loss(f->kind))
		return;
	if (ledger_fs_down(s)) {
		memcpy(was, f->sentence, sizeof(was));
		f->kind = FINDING_NOT_DURABLE;
		snprintf(f->sentence, sizeof(f->sentence),
			 "synced data is missing after the filesystem went down and was mounted "
			 "again: %.420s",
			 was);
		return;
	}
	if (!loss_evidence(s, why, sizeof(why)))
		return;
	memcpy(was, f->sentence, sizeof(was));
	f->kind = FINDING_UNREPORTED_LOSS;
	snprintf(f->sentence, sizeof(f->sentence),
		 "%s, and no descriptor was told of this loss%s: the last sync since returned 0; "
		 "%.220s",
		 why, told ? " (what was told of the file is of another time)" : "", was);
}

static void add_told(struct fault_result *to, const struct run_fault *f)
{
	for (int op = 0; op < OP_KINDS; op++)
		for (int c = 0; c <= RUN_FAULT_ERRNOS; c++) {
			u64 n = atomic_load(&f->told[op][c]);
			struct told_result *grown;

			if (!n)
				continue;
			grown = reallocarray(to->told, to->ntold + 1, sizeof(*grown));
			if (!grown)
				return;
			to->told = grown;
			grown[to->ntold++] =
				(struct told_result){ op_infos[op].name, errno_name(f, c), n };
		}
}

/* What it is said to have been told of may be another's; where the kernel's count is exact, that
 * counts alone. */
static bool did_something(const struct session *s, const struct fault_run *r)
{
	if (!r->armings)
		return false;
	return !counts(s, r) || injected_by(s, r) ||
	       (r->fault.type->counted_by_rule && told_count(r->shared));
}

/* May @q have caused what is laid to @r: its error @column, told by operation @op? A signal names
 * no error. */
static bool may_be_of(const struct session *s, const struct fault_run *q, const struct fault_run *r,
		      int op, int column)
{
	if (q == r || q->dropped || !did_something(s, q) || column == RUN_FAULT_ERRNOS)
		return false;
	for (int i = 0; i < RUN_FAULT_ERRNOS && q->shared->errnos[i]; i++)
		if (op == OP_STORE || op == OP_LOAD ||
		    q->shared->errnos[i] == r->shared->errnos[column])
			return true;
	return false;
}

/* Nobody who is told learns whose an error is; told_explains() takes the first that names it. */
static bool others_explain(const struct session *s, const struct fault_run *r)
{
	for (int op = 0; op < OP_KINDS; op++)
		for (int c = 0; c <= RUN_FAULT_ERRNOS; c++) {
			bool explained = !atomic_load(&r->shared->told[op][c]);

			for (size_t i = 0; i < s->nfaults && !explained; i++)
				explained = may_be_of(s, &s->faults[i], r, op, c);
			if (!explained)
				return false;
		}
	return true;
}

/* Told of errors, though none was injected: they are somebody else's. Lines of the kernel log are a
 * lower bound (XFS prints ten in five seconds, of all runs of a boot together), so that none of
 * them does not mean that nothing was injected. Direct writes that leave dirty pages are told by
 * the next sync as well, fault or none, and the log has a line for it. */
static void check_balance(struct session *s, const struct fault_run *r, u64 injected)
{
	char told[800];

	if (injected || !counts(s, r) || r->fault.type->counted_by_rule || !told_count(r->shared) ||
	    ledger_fs_down(s) || events_of(s, "dio-stale-cache") || others_explain(s, r))
		return;
	say_told(r->shared, told, sizeof(told));
	judge_add(s, account_plain(FINDING_UNEXPECTED_ERRNO, "ledger", now_ns() - s->run->start_ns,
				   "errors were told (%s) while %s was armed, which injected none",
				   told, r->fault.type->name));
}

static void balance(struct fault_result *to, const struct session *s, const struct fault_run *r)
{
	char told[800];

	if (r->dropped) {
		snprintf(to->balance, sizeof(to->balance), "dropped: this machine lacks it");
	} else if (!r->armings) {
		snprintf(to->balance, sizeof(to->balance), "never armed%s%s",
			 r->error[0] ? ": " : "", r->error);
	} else {
		say_told(r->shared, told, sizeof(told));
		snprintf(to->balance, sizeof(to->balance), "told: %s%s", told,
			 s->result.nfindings ? ""
			 : r->shared->loses_writes && to->injected > told_count(r->shared)
				 ? "; the others were tried again or of data written anew: nothing "
				   "is missing"
				 : "; nothing is missing");
	}
}

void ledger_result(struct session *s)
{
	struct run_result *res = &s->result;

	res->faults = calloc(s->nfaults + 1, sizeof(*res->faults));
	for (size_t i = 0; res->faults && i < s->nfaults; i++) {
		const struct fault_run *r = &s->faults[i];
		struct fault_result *to = &res->faults[res->nfaults++];

		to->type = r->fault.type->name;
		to->source = r->fault.type->source;
		to->dropped = r->dropped;
		to->armings = r->armings;
		to->armed_s = (double)r->armed_ns_total / 1e9;
		if (r->armings) {
			to->counted = counts(s, r) || !r->fault.type->counted_by_rule;
			to->injected = injected_by(s, r);
			add_told(to, r->shared);
			check_balance(s, r, to->injected);
		}
		balance(to, s, r);
	}
	if (ledger_fs_down(s)) {
		u64 at = atomic_load(&s->run->fs_down_ns);
		const char *name = strerrorname_np((int)atomic_load(&s->run->fs_down_errno));

		bool cut = atomic_load(&s->run->cut_ns);

		snprintf(res->expected_end, sizeof(res->expected_end),
			 "%s %s%s%s at %.3f s%s; what had been synced was checked after mounting "
			 "it again",
			 s->target.fs, cut ? "lost its device" : "gave up (",
			 cut					       ? ""
			 : atomic_load(&s->run->fs_down_errno) && name ? name
								       : "see the kernel log",
			 cut ? "" : ")", (double)(at - MIN(at, s->run->start_ns)) / 1e9,
			 cut ? "" : ", with faults armed");
	}
}

bool ledger_idle(const struct session *s, char *buf, size_t size)
{
	for (size_t i = 0; i < s->nfaults; i++) {
		const struct fault_run *r = &s->faults[i];

		if (r->dropped || did_something(s, r))
			continue;
		snprintf(buf, size,
			 "not-exercised: fault %s was armed %llu times and injected "
			 "nothing%s%s",
			 r->fault.type->name, (unsigned long long)r->armings,
			 r->error[0] ? "; " : "", r->error);
		return true;
	}
	return false;
}
