// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report.html: one page that needs nothing else, reads without its script, and is for somebody who
 * never saw one. This file has the page and its order; the parts are in html_*.c.
 */
#include "report/html.h"

#include "base/cleanup.h"
#include "report/chars.h"
#include "report/mail.h"
#include "report/people.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define FULL 12 /* findings with all their evidence; of the others the sentence */

static const struct {
	const char *title, *says;
} verdicts[VERDICTS] = {
	[VERDICT_PASS] = { "PASS", "Nothing was found" },
	[VERDICT_FAIL] = { "FAIL", "" },
	[VERDICT_ERROR] = { "ERROR", "stressd or the scenario failed, so this says nothing of the "
				     "kernel" },
	[VERDICT_INCOMPLETE] = { "INCOMPLETE",
				 "Nothing was found, but not everything could be seen: no pass" },
	[VERDICT_SKIP] = { "SKIP", "Not run: this machine lacks something" },
};

void html_text(FILE *out, const char *s)
{
	put_text(out, s, MEDIUM_HTML);
}

void html_number(FILE *out, const char *key, u64 value, const char *text)
{
	fprintf(out, "<data data-key=\"%s\" value=\"%llu\">%s</data>", key,
		(unsigned long long)value, text);
}

void html_percent(FILE *out, const char *attribute, double part)
{
	fprintf(out, " %s=\"%.3f%%\"", attribute, part * 100);
}

static const char *name_of(const struct run_result *r)
{
	return r->sc && r->sc->name ? r->sc->name : "stressd";
}

/* Names and log lines are foreign: should one of them slip through as markup, no script in it runs,
 * for it does not know the number of this page. (W3C, Content Security Policy, "nonce-source") */
static void put_head(const struct run_result *r, const char *nonce, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n",
	      out);
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'nonce-%s'\"/>\n",
		nonce);
	fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>",
	      out);
	fprintf(out, "%s ", verdicts[r->verdict].title);
	html_text(out, name_of(r));
	if (r->nfindings)
		fprintf(out, ": %s", finding_infos[r->findings[0]->kind].name);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n", html_page_css);
}

static void put_when(const struct run_result *r, FILE *out)
{
	char text[40];
	struct tm tm;

	if (!r->started.tv_sec || !gmtime_r(&r->started.tv_sec, &tm))
		return;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fprintf(out, " \xc2\xb7 %s", text);
}

static void put_header(const struct run_result *r, FILE *out)
{
	char took[PEOPLE_MAX];

	fprintf(out, "<header>\n<h1><span class=\"verdict %s\">%s</span> ",
		verdict_names[r->verdict], verdicts[r->verdict].title);
	html_text(out, name_of(r));
	fputs("</h1>\n<p class=\"soft\">", out);
	if (*r->fs)
		html_text(out, r->fs);
	fputs(*r->fs ? " on Linux " : "Linux ", out);
	html_text(out, r->kernel);
	fprintf(out, " \xc2\xb7 ran %s", people_time(took, (u64)(MAX(r->duration_s, 0.0) * 1e9)));
	put_when(r, out);
	fputs(" \xc2\xb7 seed <data data-key=\"seed\"", out);
	fprintf(out, " value=\"%llu\">%llu</data></p>\n", (unsigned long long)r->seed,
		(unsigned long long)r->seed);
	if (r->sc && r->sc->description) {
		fputs("<p class=\"aim\"><b>What this scenario looks for.</b> ", out);
		html_text(out, r->sc->description);
		fputs("</p>\n", out);
	}
	fputs("</header>\n", out);
}

/* One sentence for a run without findings. */
static void put_nothing(const struct run_result *r, FILE *out)
{
	char took[PEOPLE_MAX], n[PEOPLE_MAX];

	fputs("<p class=\"sentence\">", out);
	html_text(out, verdicts[r->verdict].says);
	if (r->verdict == VERDICT_PASS) {
		fprintf(out, " in %s: ", people_time(took, (u64)(MAX(r->duration_s, 0.0) * 1e9)));
		fprintf(out, "%s operations", people_count(n, r->ops));
		fprintf(out, " by %zu workers, ", r->nworkers);
		fprintf(out, "%s checks of cells, kernel log %s.",
			people_count(n, r->cells_checked),
			r->klog_watched ? "watched throughout" : "not watched");
	} else if (*r->reason) {
		fputs(": ", out);
		html_text(out, r->reason);
		fputc('.', out);
	} else {
		fputc('.', out);
	}
	fputs("</p>\n", out);
}

static void put_findings(const struct run_result *r, FILE *out)
{
	size_t full = MIN(r->nfindings, (size_t)FULL);

	if (r->nfindings > 1) {
		fputs("<nav aria-label=\"findings\"><p>", out);
		html_number(out, "counts.findings", r->nfindings, "");
		fprintf(out, "%zu findings, the first of them in time first:</p>\n<ol>\n",
			r->nfindings);
		for (size_t i = 0; i < r->nfindings; i++) {
			char when[PEOPLE_MAX];

			fprintf(out, "<li>");
			if (i < full)
				fprintf(out, "<a href=\"#finding-%zu\">", i + 1);
			fprintf(out, "<b>%s</b> at %s", finding_infos[r->findings[i]->kind].name,
				people_time(when, r->findings[i]->time_ns));
			fputs(i < full ? "</a> " : " ", out);
			html_text(out, r->findings[i]->sentence);
			fputs("</li>\n", out);
		}
		fputs("</ol></nav>\n", out);
	}
	for (size_t i = 0; i < full; i++)
		html_finding(r, i, out);
	if (full < r->nfindings)
		fprintf(out, "<p>The evidence of the other %zu is in result.json.</p>\n",
			r->nfindings - full);
	if (r->findings_lost) {
		fputs("<p>", out);
		html_number(out, "counts.findings_lost", r->findings_lost, "");
		fprintf(out, "%llu more were seen and not kept.</p>\n",
			(unsigned long long)r->findings_lost);
	}
}

static void put_reproduce(const struct run_result *r, FILE *out)
{
	if (!*r->reproduce)
		return;
	fputs("<section>\n<h2>Run it again</h2>\n<pre class=\"copy\" tabindex=\"0\">", out);
	html_text(out, r->reproduce);
	fputs("</pre>\n", out);
	if (r->nfindings && r->sc && r->sc->path &&
	    strncmp(r->reproduce, "stressd run ", 12) == 0) {
		fputs("<p class=\"soft\">The same seed draws the same operations, not the same "
		      "moments. Until it hits:</p>\n<pre class=\"copy\" tabindex=\"0\">stressd "
		      "repro ",
		      out);
		html_text(out, r->sc->path);
		fputs("</pre>\n", out);
	}
	fputs("</section>\n", out);
}

static int put_mail(const struct run_result *r, FILE *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *mem = r->nfindings ? open_memstream(&text, &len) : NULL;

	if (!mem)
		return r->nfindings ? -errno : 0;
	report_mail(r, mem);
	if (fclose(mem) != 0)
		return -errno;
	fputs("<section>\n<h2>For a mail</h2>\n<p class=\"soft\">Plain text for a kernel list; "
	      "scripts/get_maintainer.pl says which.</p>\n<pre class=\"copy mail\" tabindex=\"0\">",
	      out);
	html_text(out, text);
	fputs("</pre>\n</section>\n", out);
	return 0;
}

static void make_nonce(char nonce[33])
{
	u64 n[2] = { 0 };

	/* Without random bytes there is no script: 0 is not told to anybody. */
	if (getrandom(n, sizeof(n), 0) != sizeof(n))
		n[0] = n[1] = 0;
	snprintf(nonce, 33, "%016llx%016llx", (unsigned long long)n[0], (unsigned long long)n[1]);
}

static int write_html(const struct run_result *r, FILE *out)
{
	char nonce[33];
	int err;

	make_nonce(nonce);
	put_head(r, nonce, out);
	fputs("<body>\n", out);
	put_header(r, out);
	fputs("<main>\n", out);
	if (r->nfindings)
		put_findings(r, out);
	else
		put_nothing(r, out);
	put_reproduce(r, out);
	html_work(r, out);
	html_environment(r, out);
	err = put_mail(r, out);
	fprintf(out,
		"</main>\n<footer class=\"soft\">stressd %s. The run directory has everything: "
		"result.json, kernel.log, scenario.json.</footer>\n<script "
		"nonce=\"%s\">\n%s</script>\n"
		"</body>\n</html>\n",
		STRESSD_VERSION, nonce, html_page_js);
	return err < 0 ? err : report_flush(out);
}

const struct report_format report_format_html = {
	.name = "html",
	.help = "a page for people, with a timeline",
	.file = "report.html",
	.write = write_html,
};
