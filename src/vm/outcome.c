// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of how a guest can end, and the result of a run that did not come to one. */
#include "vm/outcome.h"

#include "base/fsutil.h"
#include "faults/fault.h"
#include "run.h"
#include "target/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FINDING 1
#define EXIT_TROUBLE 3
#define EXIT_GONE    75 /* EX_TEMPFAIL of sysexits.h: not the guest's doing; try again */

static const struct {
	int exit, verdict, finding; /* finding: enum finding_kind, -1: none */
	const char *word, *text;
} ends[VM_ENDS] = {
	[VM_DONE] = { EXIT_TROUBLE, VERDICT_ERROR, -1, "done",
		      "the guest ended without its result" },
	[VM_NO_BOOT] = { EXIT_TROUBLE, VERDICT_ERROR, -1, "no-boot", "the kernel did not boot" },
	[VM_MUTE] = { EXIT_TROUBLE, VERDICT_ERROR, -1, "mute", "the guest said nothing" },
	[VM_CRASH] = { EXIT_FINDING, VERDICT_FAIL, FINDING_KERNEL_CRASH, "crash",
		       "the guest went down without a word" },
	[VM_HANG] = { EXIT_FINDING, VERDICT_FAIL, FINDING_KERNEL_HANG, "hang",
		      "the guest gave no sign of life" },
	[VM_STUCK] = { EXIT_FINDING, VERDICT_FAIL, FINDING_KERNEL_HANG, "stuck",
		       "tasks of the guest hang, and the run with them" },
	[VM_TIMEOUT] = { EXIT_TROUBLE, VERDICT_INCOMPLETE, -1, "timeout",
			 "the guest lived, and was not at its end when --timeout was over" },
	[VM_GONE] = { EXIT_GONE, VERDICT_ERROR, -1, "killed", "QEMU was killed from outside" },
	[VM_CUT] = { EXIT_TROUBLE, VERDICT_INCOMPLETE, -1, "cut",
		     "the power was cut, as was asked; verify/ has the check of what was left" },
	[VM_PANIC] = { EXIT_TROUBLE, VERDICT_INCOMPLETE, -1, "panic",
		       "the filesystem gave up and took the machine down, as its mount option "
		       "asks; "
		       "verify/ has the check of what was left" },
	[VM_INTERRUPTED] = { EXIT_TROUBLE, VERDICT_INCOMPLETE, -1, "interrupted", "interrupted" },
	[VM_TROUBLE] = { EXIT_TROUBLE, VERDICT_ERROR, -1, "trouble",
			 "the guest could not run the scenario" },
};

/* The event that a crash is named after: the last panic, or the last oops before it. */
static const struct klog_event *gravest(const struct klog *k)
{
	const struct klog_event *best = NULL;

	for (size_t i = 0; i < klog_count(k); i++) {
		const struct klog_event *ev = klog_event(k, i);

		if (!best || ev->severity >= best->severity)
			best = ev;
	}
	return best;
}

static struct finding *finding_new(struct run_result *r, int kind, u64 time_ns, const char *finder)
{
	struct finding **grown = reallocarray(r->findings, r->nfindings + 1, sizeof(*grown)), *f;

	if (!grown)
		return NULL;
	r->findings = grown;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->kind = kind;
	f->time_ns = time_ns;
	snprintf(f->finder, sizeof(f->finder), "%s", finder);
	r->findings[r->nfindings++] = f;
	return f;
}

static void add_lines(struct finding *f, const struct klog_event *ev)
{
	snprintf(f->title, sizeof(f->title), "%s", ev->title);
	for (size_t i = 0; i < ev->nlines && f->nlog < FINDING_LINES; i++) {
		f->log[f->nlog] = strdup(ev->lines[i]);
		f->nlog += f->log[f->nlog] != NULL;
	}
}

static bool named(const char *const *rules, const char *rule)
{
	for (; rules && *rules; rules++)
		if (!strcmp(*rules, rule))
			return true;
	return false;
}

/* When a fault was armed died with the guest: what one of the scenario's may explain is no finding
 * of a guest that was to die. */
static bool of_fault(const struct scenario *sc, const char *rule)
{
	for (size_t i = 0; i < sc->nfaults; i++)
		if (named(sc->faults[i].type->log, rule) ||
		    named(sc->faults[i].type->log_after, rule))
			return true;
	return false;
}

bool outcome_panic_asked(const struct watch *w)
{
	static const char *const words[] = { "panic forced after error",
					     "EXT4-fs panic from previous error", "BTRFS panic (" };
	const struct klog_event *top = gravest(w->klog);
	const struct scenario *sc = w->current < 0 ? NULL : w->o->scenarios[w->current];
	bool may_end = false, said = false;

	for (size_t i = 0; sc && i < sc->nfaults; i++)
		may_end = may_end || sc->faults[i].type->flags & FAULT_ENDS_FS;
	for (size_t i = 0; top && !strcmp(top->rule, "panic") && i < ARRAY_SIZE(words); i++)
		said = said || strstr(top->lines[0], words[i]);
	return may_end && said && target_panics(sc);
}

/* What the console had: the guest's own reader died, or never came to report. */
static void add_events(const struct watch *w, struct run_result *r, const struct klog_event *top,
		       u64 time_ns)
{
	for (size_t i = w->begun_events; i < klog_count(w->klog); i++) {
		const struct klog_event *ev = klog_event(w->klog, i);
		struct finding *f;

		if (ev == top || ev->allowed || ev->severity < r->sc->kernel_log.fail_at ||
		    of_fault(r->sc, ev->rule))
			continue;
		f = finding_new(r, ev->finding, time_ns, "console");
		if (!f)
			return;
		snprintf(f->sentence, sizeof(f->sentence), "%s", ev->title);
		add_lines(f, ev);
	}
}

/* How long it had been running when it was last heard of. */
static u64 lived_ns(const struct watch *w)
{
	return w->begun_ns ? w->beat_ns - MIN(w->beat_ns, w->begun_ns) : 0;
}

/* The end itself, then what else the console had. */
static void add_findings(const struct watch *w, struct run_result *r, int end)
{
	u64 time_ns = end == VM_STUCK ? w->stuck_ns - w->begun_ns : lived_ns(w);
	const struct klog_event *top = end == VM_CRASH	 ? gravest(w->klog)
				       : end == VM_STUCK ? watch_stuck(w)
							 : NULL;
	int kind = end == VM_STUCK ? top->finding : ends[end].finding;
	struct finding *f = finding_new(r, kind, time_ns, "console");

	if (!f)
		return;
	if (top)
		snprintf(f->sentence, sizeof(f->sentence), "%s", top->title);
	else if (end == VM_HANG)
		snprintf(f->sentence, sizeof(f->sentence),
			 "no heartbeat of the guest for %llu s; %s",
			 (unsigned long long)(w->o->silence_ns / NSEC_PER_SEC),
			 w->sysrq_answered ? "console.log has what its tasks were doing"
					   : "nor did it answer SysRq on the console (needs "
					     "CONFIG_MAGIC_SYSRQ_SERIAL)");
	else
		snprintf(f->sentence, sizeof(f->sentence), "%s", ends[end].text);
	if (top)
		add_lines(f, top);
	for (size_t i = 0; top == NULL && i < w->nstuck && f->nlog < FINDING_LINES; i++) {
		f->log[f->nlog] = strdup(w->stuck[i]);
		f->nlog += f->log[f->nlog] != NULL;
	}
	add_events(w, r, top, time_ns);
}

static void free_result(struct run_result *r)
{
	for (size_t i = 0; i < r->nfindings; i++)
		finding_free(r->findings[i]);
	free(r->findings);
}

static void describe(const struct watch *w, struct run_result *r, size_t i, const char *dir)
{
	const struct scenario *sc = w->o->scenarios[i];

	r->sc = sc;
	r->seed = sc->seed;
	clock_gettime(CLOCK_REALTIME, &r->started);
	if (w->begun_ns) {
		u64 age = now_ns() - w->begun_ns;

		r->started.tv_sec -= (time_t)(age / NSEC_PER_SEC);
		r->duration_s = (double)(w->beat_ns - MIN(w->beat_ns, w->begun_ns)) / 1e9;
	}
	snprintf(r->run_dir, sizeof(r->run_dir), "%s", dir);
	snprintf(r->kernel, sizeof(r->kernel), "%s", w->release);
	snprintf(r->machine, sizeof(r->machine), "x86_64");
	snprintf(r->reproduce, sizeof(r->reproduce), "stressd vm --kernel %s %s", w->o->kernel,
		 sc->path);
	if (w->o->output)
		report_ask(w->o->output, &r->formats, &(struct err){ "" });
	r->klog_watched = true;
	r->klog_events = klog_count(w->klog);
}

/* What its workers had counted when they were last heard of. */
static void count_workers(struct run_result *r)
{
	struct run_shared *run;
	char path[600];
	struct err e;

	if (path_set(path, sizeof(path), "%s/control", r->run_dir) < 0 ||
	    run_shared_open(path, &run, &e) < 0)
		return;
	for (size_t i = 0; i < SHADOW_WRITERS; i++) {
		const struct slot *slot = &run->slots[i];

		r->ops += atomic_load(&slot->ops);
		r->cells_checked += atomic_load(&slot->cells_checked);
		r->cells_open += atomic_load(&slot->cells_open);
	}
	run_shared_close(run);
}

/* The result of scenario @i, in which the guest ended. */
static int write_result(struct watch *w, size_t i, const char *dir, int end, struct err *e)
{
	struct run_result r = { .verdict = ends[end].verdict, .exit = ends[end].exit };
	int status;

	describe(w, &r, i, dir);
	count_workers(&r);
	if (ends[end].finding >= 0)
		add_findings(w, &r, end);
	else if (end == VM_TIMEOUT || end == VM_CUT || end == VM_PANIC)
		add_events(w, &r, end == VM_PANIC ? gravest(w->klog) : NULL, lived_ns(w));
	if (r.nfindings) {
		r.verdict = VERDICT_FAIL;
		r.exit = EXIT_FINDING;
	}
	snprintf(r.reason, sizeof(r.reason), "%.500s%s%.500s",
		 r.nfindings ? r.findings[0]->sentence : ends[end].text,
		 w->complaint[0] && !r.nfindings ? ": " : "", r.nfindings ? "" : w->complaint);
	status = r.exit;
	if (report_write_all(&r, e) < 0)
		status = EXIT_TROUBLE;
	else if ((end != VM_CUT && end != VM_PANIC) ||
		 r.nfindings) /* the other half of it is still to come */
		report_text(&r, w->o->out, want_colour(w->o->out));
	free_result(&r);
	return status;
}

/* A finding anywhere is what counts; otherwise the first that was not fine. */
static int worse(int a, int b)
{
	return a == EXIT_FINDING || b == EXIT_FINDING ? EXIT_FINDING : a ? a : b;
}

/* Nothing of it is a result: one line says what happened. */
static int say(const struct watch *w, int end, struct err *e)
{
	const struct klog_event *top = gravest(w->klog);
	bool boot = end == VM_NO_BOOT;
	const char *why = w->complaint[0]	      ? w->complaint
			  : boot && top		      ? top->title
			  : boot && !w->console_bytes ? "nothing came on its console"
						      : "";

	err_set(e, 0, "%s%s%s%s", ends[end].text, *why ? ": " : "", why,
		boot && w->console_bytes ? "; console.log has its messages" : "");
	return ends[end].exit;
}

/* It ended between two scenarios, which a finding of one before would hide. */
static void say_not_begun(const struct watch *w, size_t first, int end, struct err *e)
{
	if (w->o->doubt_ends || end == VM_INTERRUPTED || e->text[0])
		return;
	err_set(e, 0, "scenarios %zu to %zu were not begun: %s", first + 1, w->o->nscenarios,
		end == VM_DONE ? "the guest ended before" : ends[end].text);
}

int outcome_settle(struct watch *w, int end, struct err *e)
{
	int status = 0;

	if (w->current < 0 || w->error)
		return say(w, end, e);
	for (size_t i = 0; i < w->o->nscenarios; i++) {
		char dir[512];
		int r;

		if (w->exits[i] >= 0) {
			status = worse(status, w->exits[i]);
			continue;
		}
		if ((int)i > w->current) {
			say_not_begun(w, i, end, e);
			break;
		}
		if (path_set(dir, sizeof(dir), w->o->nscenarios > 1 ? "%s/%zu" : "%s",
			     w->o->run_dir, i + 1) < 0)
			return EXIT_TROUBLE;
		r = salvage_died(&w->salvage, i, ends[end].word, w->dir_fds[i]);
		if (r < 0)
			err_set(e, r, "%s: what the guest left cannot be kept: %s", dir,
				strerror(-r));
		status = worse(status, r < 0 ? EXIT_TROUBLE : 0);
		status = worse(status, write_result(w, i, dir, end, e));
	}
	return end == VM_DONE || status == EXIT_FINDING ? status : worse(status, ends[end].exit);
}
