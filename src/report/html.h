/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of report.html, grouped by the file that each is in. All of them write markup that is
 * HTML and XML alike, and foreign text through html_text() only. For the page's own files.
 */
#ifndef STRESSD_REPORT_HTML_H
#define STRESSD_REPORT_HTML_H

#include "report/axis.h"
#include "report/report.h"

/* page.css and page.js, embedded by the build. */
extern const char html_page_css[], html_page_js[];

/* html.c */
void html_text(FILE *out, const char *s);
/* A number, with the place in result.json that it is from, so that a test can compare: @key is a
 * path like "counts.ops", @text how people read it. */
void html_number(FILE *out, const char *key, u64 value, const char *text);
/* " 79.25%" of the width, for an attribute. */
void html_percent(FILE *out, const char *attribute, double part);

/* html_finding.c: with all its evidence; @i is its index. */
void html_finding(const struct run_result *r, size_t i, FILE *out);
/* html_bytes.c: what differs, line by line. */
void html_bytes(const struct finding *f, FILE *out);
/* html_timeline.c: when; with the same as a table, for who cannot see it. */
void html_timeline(const struct finding *f, size_t i, FILE *out);
/* html_axis.c: behind the lanes of a timeline of @height: labels in the first @top of it, against
 * @zero_ns, and what is cut short. */
void html_axis(const struct axis *a, u64 zero_ns, double top, double height, FILE *out);
/* html_place.c: where in the file. */
void html_place(const struct finding *f, size_t i, FILE *out);
/* html_run.c: what was exercised, and in which surroundings. */
void html_work(const struct run_result *r, FILE *out);
void html_environment(const struct run_result *r, FILE *out);

#endif
