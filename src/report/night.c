// SPDX-License-Identifier: GPL-2.0-or-later
/* The page of a night: a sentence, the findings by how new they are, the grid. */
#include "report/night.h"

#include "report/html.h"
#include "report/people.h"

#include <string.h>

#define SPARK_W 6.0 /* of one night, in pixels */
#define SPARK_H 16.0
#define NIGHTS	14 /* that are shown */

const char *const night_news_names[NEWS_KINDS] = {
	[NEWS_NEW] = "new",	    [NEWS_FLAKY] = "flaky", [NEWS_KNOWN] = "known",
	[NEWS_NOT_RUN] = "not-run", [NEWS_FIXED] = "fixed",
};

static const struct {
	const char *title, *means;
} sections[NEWS_KINDS] = {
	[NEWS_NEW] = { "New", "never seen before, or more often than chance explains" },
	[NEWS_FLAKY] = { "Comes and goes", "in one of the two nights, and that may be chance" },
	[NEWS_KNOWN] = { "Known", "in both nights" },
	[NEWS_NOT_RUN] = { "Not looked for",
			   "known, and nothing that could find it ran to its end" },
	[NEWS_FIXED] = { "Not seen any more", "known, and its silence is no chance" },
};

/* What a field comes to; a finding weighs more than what could not be seen. */
enum outcome { OUT_ABSENT, OUT_PASS, OUT_FAIL, OUT_LOST, OUT_SKIP };
static const struct {
	const char *class, *mark, *word;
} outcomes[] = {
	[OUT_ABSENT] = { "absent", "", "not of this matrix" },
	[OUT_PASS] = { "pass", "\xe2\x9c\x93", "nothing found" },
	[OUT_FAIL] = { "fail", "\xe2\x9c\x97", "findings" },
	[OUT_LOST] = { "lost", "?", "no verdict" },
	[OUT_SKIP] = { "skip", "\xe2\x80\x93", "skipped" },
};

static enum outcome outcome_of(const struct night_field *f)
{
	if (!f->runs)
		return OUT_ABSENT;
	if (f->failed)
		return OUT_FAIL;
	if (f->lost)
		return OUT_LOST;
	return f->skipped == f->runs ? OUT_SKIP : OUT_PASS;
}

static size_t count_news(const struct night_page *n, enum night_news news)
{
	size_t sum = 0;

	for (size_t i = 0; i < n->nfindings; i++)
		sum += n->findings[i].news == news;
	return sum;
}

static void put_sentence(const struct night_page *n, FILE *out)
{
	static const struct {
		enum outcome outcome;
		const char *says;
	} others[] = { { OUT_FAIL, "failed" },
		       { OUT_LOST, "came to no verdict" },
		       { OUT_SKIP, "skipped" } };
	size_t sums[ARRAY_SIZE(outcomes)] = { 0 }, fresh = count_news(n, NEWS_NEW), fields;
	u64 runs = 0;

	for (size_t i = 0; i < n->nrows * n->ncolumns; i++) {
		sums[outcome_of(&n->fields[i])]++;
		runs += n->fields[i].runs;
	}
	fputs("<p class=\"sentence\">", out);
	if (fresh)
		fprintf(out, "%zu new finding%s", fresh, fresh == 1 ? "" : "s");
	else
		fputs(n->nfindings ? "Nothing new" : "Nothing was found", out);
	fields = sums[OUT_PASS] + sums[OUT_FAIL] + sums[OUT_LOST] + sums[OUT_SKIP];
	fprintf(out, ": of %llu run%s in %zu field%s of the matrix, %zu field%s passed",
		(unsigned long long)runs, runs == 1 ? "" : "s", fields, fields == 1 ? "" : "s",
		sums[OUT_PASS], sums[OUT_PASS] == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (sums[others[i].outcome])
			fprintf(out, ", %zu %s", sums[others[i].outcome], others[i].says);
	if (n->left)
		fprintf(out, ". Not over: %llu cell%s left to run", (unsigned long long)n->left,
			n->left == 1 ? " is" : "s are");
	fputs(".</p>\n", out);
}

/* Text, with a link where there is a page. */
static void put_linked(FILE *out, const char *report, const char *text)
{
	if (report) {
		fputs("<a href=\"", out);
		html_text(out, report);
		fputs("\">", out);
	}
	html_text(out, text);
	if (report)
		fputs("</a>", out);
}

static void put_finding(const struct night_page *n, const struct night_finding *f, FILE *out)
{
	fprintf(out, "<li class=\"%s\"><b>", night_news_names[f->news]);
	put_linked(out, f->report, f->kind);
	fputs("</b> in ", out);
	html_text(out, n->rows[f->row]);
	fputs(" on ", out);
	html_text(out, n->columns[f->column]);
	if (f->runs)
		fprintf(out, ": %llu of %llu runs<p>", (unsigned long long)f->hits,
			(unsigned long long)f->runs);
	else
		fputs(": no complete run<p>", out);
	html_text(out, f->sentence);
	fputs("</p>", out);
	if (f->reason) {
		fputs("<p class=\"soft\">", out);
		html_text(out, f->reason);
		fputs("</p>", out);
	}
	fputs("</li>\n", out);
}

static void put_findings(const struct night_page *n, FILE *out)
{
	for (int news = 0; news < NEWS_KINDS; news++) {
		size_t sum = count_news(n, (enum night_news)news);

		if (!sum)
			continue;
		fprintf(out,
			"<section>\n<h2>%s <span class=\"soft\">%zu</span></h2>\n"
			"<p class=\"soft\">%s</p>\n<ul class=\"news\">\n",
			sections[news].title, sum, sections[news].means);
		for (size_t i = 0; i < n->nfindings; i++)
			if ((int)n->findings[i].news == news)
				put_finding(n, &n->findings[i], out);
		fputs("</ul>\n</section>\n", out);
	}
	if (n->nfindings && n->against)
		fputs("<p class=\"soft\">p: how likely chance alone makes a difference as large "
		      "as that to the night compared with.</p>\n",
		      out);
}

/* A bar for each night before this one, as high as runs of it failed; a gap: it was not run. */
static void put_spark(const struct night_field *f, FILE *out)
{
	size_t first = f->nhistory - MIN(f->nhistory, (size_t)NIGHTS);
	size_t shown = f->nhistory - first, failed = 0, ran = 0;

	if (!shown)
		return;
	for (size_t i = first; i < f->nhistory; i++) {
		ran += f->history[i] != NIGHT_NOT_RUN;
		failed += f->history[i] != NIGHT_NOT_RUN && f->history[i];
	}
	fprintf(out,
		"<svg class=\"spark\" role=\"img\" width=\"%.0f\" height=\"%.0f\"><title>failed in "
		"%zu of %zu nights before</title>",
		SPARK_W * (double)shown, SPARK_H, failed, ran);
	for (size_t i = first; i < f->nhistory; i++) {
		double h = MAX(2.0, SPARK_H * MIN(f->history[i], 100) / 100);

		if (f->history[i] != NIGHT_NOT_RUN)
			fprintf(out,
				"<rect class=\"%s\" x=\"%.0f\" y=\"%.1f\" width=\"%.0f\" "
				"height=\"%.1f\"/>",
				f->history[i] ? "fail" : "pass", SPARK_W * (double)(i - first),
				SPARK_H - h, SPARK_W - 2, h);
	}
	fputs("</svg>", out);
}

static void put_field(const struct night_field *f, FILE *out)
{
	enum outcome o = outcome_of(f);
	u64 part = o == OUT_FAIL ? f->failed : o == OUT_LOST ? f->lost : 0;
	char text[64];

	fprintf(out, "<td class=\"%s\">", outcomes[o].class);
	if (o != OUT_ABSENT) {
		fprintf(out,
			"<b title=\"%s: of %llu runs %llu failed, %llu were skipped, %llu came to "
			"no "
			"verdict\">%s</b> ",
			outcomes[o].word, (unsigned long long)f->runs,
			(unsigned long long)f->failed, (unsigned long long)f->skipped,
			(unsigned long long)f->lost, outcomes[o].mark);
		if (part)
			snprintf(text, sizeof(text), "%llu/%llu", (unsigned long long)part,
				 (unsigned long long)f->runs);
		else
			snprintf(text, sizeof(text), "%llu", (unsigned long long)f->runs);
		put_linked(out, f->report, text);
		put_spark(f, out);
	}
	fputs("</td>", out);
}

static void put_grid(const struct night_page *n, FILE *out)
{
	fputs("<section>\n<h2>Matrix</h2>\n<p class=\"soft\">Numbers are runs: \xe2\x9c\x93 "
	      "nothing "
	      "found, \xe2\x9c\x97 so many of them failed, ? so many came to no verdict, "
	      "\xe2\x80\x93 "
	      "skipped. A bar is a night before, the last one on the right: how many of its runs "
	      "failed; none: it was not run.</p>\n<div class=\"scroll\" tabindex=\"0\"><table "
	      "class=\"grid\">\n<thead><tr><th>scenario</th>",
	      out);
	for (size_t c = 0; c < n->ncolumns; c++) {
		fputs("<th scope=\"col\">", out);
		html_text(out, n->columns[c]);
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
	for (size_t r = 0; r < n->nrows; r++) {
		fputs("<tr><th scope=\"row\">", out);
		html_text(out, n->rows[r]);
		fputs("</th>", out);
		for (size_t c = 0; c < n->ncolumns; c++)
			put_field(&n->fields[r * n->ncolumns + c], out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n</section>\n", out);
}

static void put_header(const struct night_page *n, FILE *out)
{
	char when[40] = "", took[PEOPLE_MAX];
	struct tm tm;

	if (n->started.tv_sec && gmtime_r(&n->started.tv_sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC, ", &tm);
	fputs("<header>\n<h1>", out);
	html_text(out, n->name);
	fprintf(out, "</h1>\n<p class=\"soft\">%s%s", when,
		people_time(took, (u64)(MAX(n->took_s, 0.0) * 1e9)));
	if (n->against) {
		fputs("; compared with ", out);
		html_text(out, n->against);
	}
	fputs("</p>\n</header>\n", out);
}

int night_html(const struct night_page *n, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<meta http-equiv=\"Content-Security-Policy\" "
	      "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n<meta "
	      "name=\"viewport\" "
	      "content=\"width=device-width, initial-scale=1\"/>\n<title>stressd: ",
	      out);
	html_text(out, n->name);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", html_page_css);
	put_header(n, out);
	fputs("<main>\n", out);
	put_sentence(n, out);
	put_findings(n, out);
	put_grid(n, out);
	fprintf(out, "</main>\n<footer class=\"soft\">stressd %s</footer>\n</body>\n</html>\n",
		STRESSD_VERSION);
	return report_flush(out);
}
