// SPDX-License-Identifier: GPL-2.0-or-later
/* One job on the page, as an item of a list. What came of it is said first, then what it is. */
#include "daemon/feed.h"
#include "daemon/http.h"
#include "report/html.h"
#include "report/people.h"

#include <string.h>

/* Findings that are shown at once, of a run that has ended, and of one that goes on. */
#define FEW  3
#define MANY 8

static unsigned long long id_of(const struct entry *en)
{
	return (unsigned long long)en->job.id;
}

void page_time(s64 seconds, FILE *out)
{
	time_t t = (time_t)seconds;
	char text[40] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fputs(text, out);
}

static void put_number(const struct entry *en, const char *key, u64 value, const char *text,
		       FILE *out)
{
	char path[64];

	snprintf(path, sizeof(path), "%llu.%s", id_of(en), key);
	html_number(out, path, value, text);
}

static void put_name(const struct entry *en, FILE *out)
{
	fprintf(out, "<b>%llu</b> <b class=\"name\">", id_of(en));
	html_text(out, en->job.spec.name);
	fputs("</b>", out);
	if (en->job.spec.night) {
		fputs(" <span class=\"soft\">", out);
		html_text(out, en->job.spec.night);
		fputs("</span>", out);
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* On which kernel, and what it takes. */
static void put_where(const struct entry *en, FILE *out)
{
	const struct job_spec *s = &en->job.spec;
	char memory[PEOPLE_MAX];

	if (s->matrix) {
		fputs("matrix ", out);
		html_text(out, base_name(s->matrix));
	} else if (s->kernel) {
		fputs("in a guest of ", out);
		html_text(out, base_name(s->kernel));
	} else {
		fputs("on the kernel that is running", out);
	}
	if (s->exclusive)
		fputs(" \xc2\xb7 alone", out);
	if (s->kernel || s->matrix)
		fprintf(out, " \xc2\xb7 %llu processor%s, %s", (unsigned long long)s->cpus,
			s->cpus == 1 ? "" : "s", people_bytes(memory, s->memory_bytes));
}

static void put_who(const struct entry *en, FILE *out)
{
	/* By number: to look up the name may take long. */
	if (en->job.uid != (s64)geteuid())
		fprintf(out, " \xc2\xb7 of user %lld", (long long)en->job.uid);
	if (en->job.attempt > 1)
		fprintf(out, " \xc2\xb7 attempt %llu", (unsigned long long)en->job.attempt);
}

/* Of the attempt before, when it is tried again. */
static void put_failure(const struct entry *en, FILE *out)
{
	const struct job *j = &en->job;

	if (!j->failures)
		return;
	fprintf(out,
		"<p class=\"odd\">Failed %llu of %llu times: ", (unsigned long long)j->failures,
		(unsigned long long)j->spec.attempts);
	html_text(out, j->said);
	if (j->again_s) {
		fputs("; tried again at ", out);
		page_time(j->again_s, out);
	}
	fputs("</p>", out);
}

void page_queued(struct daemon *d, const struct entry *en, FILE *out)
{
	(void)d;
	fprintf(out, "<li id=\"job-%llu\">", id_of(en));
	put_name(en, out);
	fputs("<p class=\"soft\">", out);
	put_where(en, out);
	put_who(en, out);
	fputs(" \xc2\xb7 since ", out);
	page_time(en->job.submitted_s, out);
	fputs("</p>", out);
	put_failure(en, out);
	fputs("</li>\n", out);
}

static void put_some(const struct feed *f, size_t from, size_t to, FILE *out)
{
	fputs("<ul class=\"found\">\n", out);
	for (size_t i = from; i < to; i++) {
		fputs("<li><b>", out);
		html_text(out, f->found[i].what);
		fputs("</b> ", out);
		html_text(out, f->found[i].text);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

/* Findings, or cells with some: a few, and the rest for who asks. */
static void put_found(const struct entry *en, size_t few, FILE *out)
{
	const struct feed *f = en->feed;

	if (!f || !f->nfound)
		return;
	put_some(f, 0, MIN(few, f->nfound), out);
	if (f->findings <= few)
		return;
	fprintf(out, "<details><summary>%llu more</summary>\n",
		(unsigned long long)(f->findings - few));
	put_some(f, few, f->nfound, out);
	if (f->findings > f->nfound)
		fprintf(out, "<p class=\"soft\">The report has the other %llu.</p>\n",
			(unsigned long long)(f->findings - f->nfound));
	fputs("</details>\n", out);
}

static void put_fact(const struct entry *en, const char *name, const char *key, u64 value, bool bad,
		     FILE *out)
{
	char text[PEOPLE_MAX];

	fprintf(out, "<div%s><dt>%s</dt><dd>", bad ? " class=\"bad\"" : "", name);
	put_number(en, key, value, people_count(text, value), out);
	fputs("</dd></div>\n", out);
}

static void put_run_facts(const struct entry *en, FILE *out)
{
	const struct feed *f = en->feed;
	const struct {
		const char *name, *key;
		u64 value;
		bool bad;
	} facts[] = {
		{ "operations/s", "ops_per_s", f->now.ops_per_s, false },
		{ "operations", "ops", f->now.ops, false },
		{ "overlaps", "overlaps", f->now.overlaps, false },
		{ "faults", "faults", f->now.faults, false },
		{ "kernel log", "klog_events", f->now.klog_events, false },
		{ "findings", "findings", f->findings, f->findings > 0 },
	};

	fputs("<dl class=\"facts figures\">\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		put_fact(en, facts[i].name, facts[i].key, facts[i].value, facts[i].bad, out);
	fputs("</dl>\n", out);
}

/* "0:05", "1:02:03": as it moves, it keeps its width. */
static const char *clock_text(char buf[PEOPLE_MAX], double seconds)
{
	u64 s = (u64)seconds;

	if (s < 3600)
		snprintf(buf, PEOPLE_MAX, "%u:%02u", (unsigned int)(s / 60),
			 (unsigned int)(s % 60));
	else
		snprintf(buf, PEOPLE_MAX, "%llu:%02u:%02u", (unsigned long long)(s / 3600),
			 (unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	return buf;
}

static void put_progress(double at, double of, FILE *out)
{
	char a[PEOPLE_MAX], b[PEOPLE_MAX];

	at = MIN(at, of);
	fprintf(out,
		"<p class=\"bar\"><progress value=\"%.0f\" max=\"%.0f\"></progress> %s of %s</p>\n",
		at, MAX(of, 1.0), clock_text(a, at), clock_text(b, of));
}

static void put_run(const struct entry *en, FILE *out)
{
	const struct feed *f = en->feed;

	if (!strcmp(f->phase, "verify"))
		fputs("<p class=\"bar\">Checking what is stored, through all layers.</p>\n", out);
	else
		put_progress(f->now.elapsed_s, f->now.elapsed_s + MAX(f->now.left_s, 0.0), out);
	put_run_facts(en, out);
}

static void put_matrix(const struct entry *en, FILE *out)
{
	const struct feed *f = en->feed;
	u64 done = f->passed + f->failed + f->other;

	fprintf(out,
		"<p class=\"bar\"><progress value=\"%llu\" max=\"%llu\"></progress> %llu of %llu "
		"cells</p>\n<dl class=\"facts figures\">\n",
		(unsigned long long)done, (unsigned long long)MAX(f->cells, 1ULL),
		(unsigned long long)done, (unsigned long long)f->cells);
	put_fact(en, "with findings", "failed", f->failed, f->failed > 0, out);
	put_fact(en, "passed", "passed", f->passed, false, out);
	put_fact(en, "skipped or incomplete", "other", f->other, false, out);
	put_fact(en, "at work", "at_work", f->nrunning, false, out);
	fputs("</dl>\n", out);
	if (f->nrunning)
		fputs("<ul class=\"cells soft\">\n", out);
	for (size_t i = 0; i < f->nrunning; i++) {
		fputs("<li>", out);
		html_text(out, f->running[i].name);
		fputs("</li>\n", out);
	}
	if (f->nrunning)
		fputs("</ul>\n", out);
}

/* Why there are no figures of something that runs. */
static const char *silence(const struct entry *en)
{
	if (!en->child.ours)
		return "A daemon before this one started it; it stops, and is seen to its end.";
	if (en->job.cancelled)
		return "It was cancelled, and stops.";
	if (en->job.spec.matrix)
		return "It is being prepared.";
	return en->job.spec.kernel ? "Its guest boots." : "It is being set up.";
}

void page_running(struct daemon *d, const struct entry *en, FILE *out)
{
	const struct feed *f = en->feed;

	(void)d;
	fprintf(out, "<li id=\"job-%llu\"%s>", id_of(en), f && f->findings ? " class=\"bad\"" : "");
	put_name(en, out);
	if (f && f->cells)
		put_matrix(en, out);
	else if (f && f->progressed)
		put_run(en, out);
	else
		fprintf(out, "<p class=\"bar\">%s</p>\n", silence(en));
	put_found(en, MANY, out);
	fputs("<p class=\"soft\">", out);
	put_where(en, out);
	put_who(en, out);
	fputs(" \xc2\xb7 since ", out);
	page_time(en->job.started_s, out);
	fputs("</p></li>\n", out);
}

/* What a job's end means, as it is for one run: stressd(1), EXIT STATUS. */
static const struct ending {
	int state, exit; /* exit -1: any */
	const char *class, *word, *says;
} endings[] = {
	{ JOB_LOST, -1, "fail", "LOST", "The machine went down under it" },
	{ JOB_FINISHED, 0, "pass", "PASS", "Nothing was found" },
	{ JOB_FINISHED, 1, "fail", "FAIL", "" },
	{ JOB_FINISHED, 2, "error", "ERROR", "It could not be run" },
	{ JOB_FINISHED, 3, "incomplete", "INCOMPLETE", "Not everything could be seen" },
	{ JOB_FINISHED, 4, "skip", "SKIP", "This machine lacks something" },
	{ JOB_FINISHED, EXIT_AGAIN, "error", "ERROR", "The infrastructure failed" },
	{ JOB_INTERRUPTED, -1, "skip", "INTERRUPTED", "It was cut short" },
	{ JOB_CANCELLED, -1, "skip", "CANCELLED", "" },
	{ -1, -1, "error", "ENDED", "It ended without a word" },
};

static const struct ending *ending_of(const struct job *j)
{
	const struct ending *e = endings;

	while (e->state >= 0 && (e->state != j->state || (e->exit >= 0 && e->exit != j->exit)))
		e++;
	return e;
}

static void put_link(struct daemon *d, const struct entry *en, FILE *out)
{
	const char *name = en->job.spec.matrix ? "night.html" : "report.html";
	char dir[PATH_MAX - 16], path[PATH_MAX];

	if (job_run_dir(d->dir, &en->job, dir, sizeof(dir)) < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (access(path, F_OK) == 0)
		fprintf(out, " \xc2\xb7 <a href=\"/jobs/%llu/%s\">%s</a>", id_of(en), name,
			en->job.spec.matrix ? "night" : "report");
}

/* All findings, or one sentence. */
static void put_outcome(const struct entry *en, const struct ending *e, FILE *out)
{
	const struct job *j = &en->job;
	const struct feed *f = en->feed;
	bool found = f && f->nfound && !j->spec.matrix;

	if (found) {
		put_found(en, FEW, out);
		return;
	}
	fputs("<p>", out);
	html_text(out, e->says);
	if (*j->said && (j->exit || j->spec.matrix)) {
		fputs(*e->says ? ": " : "", out);
		html_text(out, j->said);
	} else if (*e->says) {
		fputs(".", out);
	}
	fputs("</p>\n", out);
	if (j->spec.matrix)
		put_found(en, FEW, out);
}

void page_ended(struct daemon *d, const struct entry *en, FILE *out)
{
	const struct job *j = &en->job;
	const struct ending *e = ending_of(j);
	char took[PEOPLE_MAX], ops[PEOPLE_MAX];

	fprintf(out, "<li id=\"job-%llu\"><span class=\"verdict %s\">%s</span> ", id_of(en),
		e->class, e->word);
	put_name(en, out);
	put_outcome(en, e, out);
	fputs("<p class=\"soft\">", out);
	put_where(en, out);
	if (en->feed && en->feed->progressed && en->feed->now.ops) {
		fputs(" \xc2\xb7 ", out);
		put_number(en, "ops", en->feed->now.ops, people_count(ops, en->feed->now.ops), out);
		fputs(" operations", out);
	}
	fputs(" \xc2\xb7 ", out);
	page_time(j->ended_s, out);
	if (j->started_s && j->ended_s > j->started_s)
		fprintf(out, ", took %s", clock_text(took, (double)(j->ended_s - j->started_s)));
	put_link(d, en, out);
	fputs("</p></li>\n", out);
}
