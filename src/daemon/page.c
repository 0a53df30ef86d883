// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The status page: a sentence, what runs, what waits, what came of what has ended, nights. It reads
 * without its script; with it, what changes is put in place of what was (status.js). Foreign text
 * goes through html_text() only.
 */
#include "daemon/feed.h"
#include "daemon/http.h"
#include "report/html.h"
#include "report/people.h"

#include <string.h>

#define QUEUED_SHOWN 50
#define ENDED_SHOWN  20

static bool is_queued(const struct job *j)
{
	return j->state == JOB_QUEUED;
}

static bool is_running(const struct job *j)
{
	return j->state == JOB_RUNNING;
}

static bool is_result(const struct job *j)
{
	return job_ended(j) && !j->spec.matrix;
}

static bool is_night(const struct job *j)
{
	return job_ended(j) && j->spec.matrix;
}

static const struct {
	const char *id, *title, *none;
	bool (*has)(const struct job *j);
	void (*put)(struct daemon *d, const struct entry *en, FILE *out);
	const char *list; /* class of the list */
	size_t shown;
	bool newest_first;
	bool quiet; /* not there at all while there are none */
} sections[] = {
	{ "running", "Running", "Nothing.", is_running, page_running, "jobs", 64, false, false },
	{ "queue", "Queue", "Empty.", is_queued, page_queued, "queue", QUEUED_SHOWN, false, false },
	{ "results", "Results", "None yet. <code>stressd submit SCENARIO</code> makes some.",
	  is_result, page_ended, "results", ENDED_SHOWN, true, false },
	{ "nights", "Nights", "", is_night, page_ended, "results", ENDED_SHOWN, true, true },
};

static void put_section(struct daemon *d, size_t s, FILE *out)
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < d->nentries; i++)
		n += sections[s].has(&d->entries[i]->job);
	if (!n && sections[s].quiet)
		return;
	fprintf(out, "<section id=\"%s\">\n<h2>%s ", sections[s].id, sections[s].title);
	if (n)
		fprintf(out, "<span class=\"soft\">%zu</span>", n);
	fputs("</h2>\n", out);
	if (!n)
		fprintf(out, "<p class=\"soft\">%s</p>\n</section>\n", sections[s].none);
	if (!n)
		return;
	fprintf(out, "<ol class=\"%s\">\n", sections[s].list);
	for (size_t i = 0; i < d->nentries && shown < sections[s].shown; i++) {
		size_t at = sections[s].newest_first ? d->nentries - 1 - i : i;

		if (!sections[s].has(&d->entries[at]->job))
			continue;
		sections[s].put(d, d->entries[at], out);
		shown++;
	}
	fputs("</ol>\n", out);
	if (n > shown)
		fprintf(out,
			"<p class=\"soft\">%zu more: <code>stressd status --limit %zu</code>"
			"</p>\n",
			n - shown, n);
	fputs("</section>\n", out);
}

/* Where things stand, for who looks for a second. */
static void put_sentence(const struct daemon *d, FILE *out)
{
	size_t running = queue_count(d, JOB_RUNNING), queued = queue_count(d, JOB_QUEUED);
	u64 findings = 0;

	for (size_t i = 0; i < d->nentries; i++)
		if (is_running(&d->entries[i]->job) && d->entries[i]->feed)
			findings += d->entries[i]->feed->findings;
	fprintf(out, "<p class=\"sentence%s\" id=\"sentence\" role=\"status\">",
		findings ? " bad" : "");
	if (!running)
		fputs("Nothing is running", out);
	else
		fprintf(out, "%zu job%s running, ", running, running == 1 ? " is" : "s are");
	if (running && findings)
		fprintf(out, "with %llu finding%s so far", (unsigned long long)findings,
			findings == 1 ? "" : "s");
	else if (running)
		fputs("nothing was found so far", out);
	if (queued)
		fprintf(out, "; %zu wait%s", queued, queued == 1 ? "s" : "");
	fputs(".</p>\n", out);
}

void page_main(struct daemon *d, FILE *out)
{
	put_sentence(d, out);
	for (size_t s = 0; s < ARRAY_SIZE(sections); s++)
		put_section(d, s, out);
}

static void put_limits(const struct daemon_config *c, FILE *out)
{
	char memory[PEOPLE_MAX];

	fprintf(out,
		"Jobs may use %llu guest%s, %llu processor%s and %s together: "
		"stressd-daemon(8).",
		(unsigned long long)c->vms, c->vms == 1 ? "" : "s", (unsigned long long)c->cpus,
		c->cpus == 1 ? "" : "s", people_bytes(memory, c->memory_bytes));
}

void page_whole(const struct daemon *d, const char *main, size_t len, FILE *out)
{
	char host[65] = "this machine";

	gethostname(host, sizeof(host) - 1);
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<noscript><meta http-equiv=\"refresh\" content=\"5\"/></noscript>\n"
	      "<link rel=\"icon\" href=\"data:,\"/>\n"
	      "<link rel=\"stylesheet\" href=\"/style.css\"/>\n"
	      "<script src=\"/script.js\" defer=\"defer\"></script>\n<title>stressd on ",
	      out);
	html_text(out, host);
	fputs("</title>\n</head>\n<body>\n<header>\n<h1>stressd on ", out);
	html_text(out, host);
	fputs("</h1>\n<p class=\"soft\" id=\"link\">", out);
	page_time((s64)time(NULL), out);
	fputs("</p>\n</header>\n<main>\n", out);
	fwrite(main, 1, len, out);
	fputs("</main>\n<footer class=\"soft\">", out);
	put_limits(d->config, out);
	fprintf(out, " stressd %s.</footer>\n</body>\n</html>\n", STRESSD_VERSION);
}
