// SPDX-License-Identifier: GPL-2.0-or-later
/* The page of a night: places as rows and columns, changes as news, run directories as links. */
#include "commands/night_page.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_at.h"
#include "report/link.h"
#include "report/night.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#define REPORT "report.html"

typedef int order_fn(const void *a, const void *b);

/* What the page points into. */
struct sheet {
	const struct night_join *j;
	char dir[PATH_MAX]; /* of the page */
	const struct place **rows, **columns;
	const char **row_names;
	char **column_names, **texts;
	size_t ntexts;
	struct night_field *fields;
	struct night_finding *findings;
	u8 *history;
	struct night_page page;
};

static int order_rows(const void *a, const void *b)
{
	const struct place *const *x = a, *const *y = b;

	return strcmp((*x)->scenario, (*y)->scenario);
}

static int order_columns(const void *a, const void *b)
{
	const struct place *const *x = a, *const *y = b;
	int c = strcmp((*x)->label, (*y)->label);

	return c ? c : strcmp((*x)->target, (*y)->target);
}

/* Sort @list and keep one of each; how many that are. */
static size_t distinct(const struct place **list, size_t n, order_fn *order)
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), order);
	for (size_t i = 0; i < n; i++)
		if (!kept || order(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	return kept;
}

static size_t find(const struct place *p, const struct place *const *list, size_t n,
		   order_fn *order)
{
	const struct place *const *at = bsearch(&p, list, n, sizeof(*list), order);

	return (size_t)(at - list);
}

static size_t find_field(const struct sheet *s, const struct place *p)
{
	return find(p, s->rows, s->page.nrows, order_rows) * s->page.ncolumns +
	       find(p, s->columns, s->page.ncolumns, order_columns);
}

/* A string that lives as long as the sheet, which has room for it. */
static char *keep(struct sheet *s, char *text)
{
	return text ? s->texts[s->ntexts++] = text : NULL;
}

__attribute__((format(printf, 2, 3))) static char *keep_text(struct sheet *s, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	return keep(s, r < 0 ? NULL : text);
}

/* Of a run that has a page; NULL: it has none, or it is gone. */
static char *link_to(struct sheet *s, const char *dir)
{
	char path[PATH_MAX];

	if (path_set(path, sizeof(path), "%s/%s", dir, REPORT) < 0 || access(path, F_OK) < 0)
		return NULL;
	return keep(s, report_link(s->dir, dir, REPORT));
}

/* Rows and columns are those of this night, and of what was found in the other. */
static int make_axes(struct sheet *s)
{
	const struct night *n = s->j->night;
	const struct comparison *c = s->j->comparison;
	size_t max = n->nplaces + c->nrows;

	s->rows = calloc(max + 1, sizeof(*s->rows));
	s->columns = calloc(max + 1, sizeof(*s->columns));
	s->row_names = calloc(max + 1, sizeof(*s->row_names));
	s->column_names = calloc(max + 1, sizeof(*s->column_names));
	s->texts = calloc(2 * max + c->nrows + 1, sizeof(*s->texts));
	if (!s->rows || !s->columns || !s->row_names || !s->column_names || !s->texts)
		return -ENOMEM;
	for (size_t i = 0; i < n->nplaces; i++)
		s->rows[i] = &n->places[i].place;
	for (size_t i = 0; i < c->nrows; i++)
		s->rows[n->nplaces + i] = &(c->rows[i].b ? c->rows[i].b : c->rows[i].a)->place;
	memcpy(s->columns, s->rows, max * sizeof(*s->rows));
	s->page.nrows = distinct(s->rows, max, order_rows);
	s->page.ncolumns = distinct(s->columns, max, order_columns);
	for (size_t i = 0; i < s->page.nrows; i++)
		s->row_names[i] = s->rows[i]->scenario;
	for (size_t i = 0; i < s->page.ncolumns; i++) {
		const struct place *p = s->columns[i];

		s->column_names[i] = keep_text(s, "%s%s%s", p->label,
					       *p->label && *p->target ? ", " : "", p->target);
		if (!s->column_names[i])
			return -ENOMEM;
	}
	return 0;
}

/* In per cent, and one that failed is never none. */
static u8 rate(u64 failed, u64 tries)
{
	return tries ? (u8)((100 * failed + tries - 1) / tries) : NIGHT_NOT_RUN;
}

static int make_fields(struct sheet *s)
{
	const struct night *n = s->j->night;

	s->fields = calloc(s->page.nrows * s->page.ncolumns + 1, sizeof(*s->fields));
	s->history = calloc(n->nplaces * n->nhistory + 1, sizeof(*s->history));
	if (!s->fields || !s->history)
		return -ENOMEM;
	for (size_t i = 0; i < n->nplaces; i++) {
		const struct night_place *p = &n->places[i];
		u8 *history = s->history + i * n->nhistory;

		for (size_t k = 0; k < n->nhistory; k++)
			history[k] = rate(p->history[k].failed, p->history[k].tries);
		s->fields[find_field(s, &p->place)] = (struct night_field){
			.runs = p->runs,
			.failed = p->failed,
			.skipped = p->skipped,
			.lost = p->lost,
			.report = link_to(s, p->dir),
			.history = history,
			.nhistory = n->nhistory,
		};
	}
	return 0;
}

/* What there is to say before the figures, and after them. */
static const char *lead_of(const struct sheet *s, const struct compare_row *row)
{
	switch (row->change) {
	case CHANGE_NEW:
		return row->seen       ? "seen before, and more often now"
		       : s->j->stored  ? "never seen before"
		       : s->j->against ? "not in the other night"
				       : "";
	case CHANGE_FLAKY:
		return row->b ? "seen in earlier nights" : "";
	case CHANGE_STILL:
		return row->trend > 0 ? "more often now" : row->trend < 0 ? "less often now" : "";
	default:
		return "";
	}
}

static const char *tail_of(const struct compare_row *row, char *buf, size_t size)
{
	buf[0] = '\0';
	if (row->change == CHANGE_FLAKY && row->needed)
		snprintf(buf, size, "; %llu silent runs in a row would show that it is gone",
			 (unsigned long long)row->needed);
	return buf;
}

static char *reason_of(struct sheet *s, const struct compare_row *row)
{
	const char *lead = lead_of(s, row);
	char before[96] = "the other night did not run it", tail[96];

	/* Where nothing is claimed there is no chance to speak of. */
	if (!s->j->against)
		before[0] = '\0';
	else if (row->change == CHANGE_NOT_RUN || (row->change == CHANGE_STILL && !row->trend))
		snprintf(before, sizeof(before), "the other night: %llu of %llu runs",
			 (unsigned long long)row->hits_a, (unsigned long long)row->tries_a);
	else if (row->tries_a)
		snprintf(before, sizeof(before), "the other night: %llu of %llu runs; p = %.2g",
			 (unsigned long long)row->hits_a, (unsigned long long)row->tries_a, row->p);
	return keep_text(s, "%s%s%s%s", lead, *lead && *before ? "; " : "", before,
			 tail_of(row, tail, sizeof(tail)));
}

static int make_findings(struct sheet *s)
{
	static const enum night_news news[CHANGES] = {
		[CHANGE_NEW] = NEWS_NEW,	 [CHANGE_FIXED] = NEWS_FIXED,
		[CHANGE_STILL] = NEWS_KNOWN,	 [CHANGE_FLAKY] = NEWS_FLAKY,
		[CHANGE_NOT_RUN] = NEWS_NOT_RUN,
	};
	const struct comparison *c = s->j->comparison;

	s->findings = calloc(c->nrows + 1, sizeof(*s->findings));
	if (!s->findings)
		return -ENOMEM;
	for (size_t i = 0; i < c->nrows; i++) {
		const struct compare_row *row = &c->rows[i];
		const struct night_hit *h = row->b ? row->b : row->a;
		size_t field = find_field(s, &h->place);

		s->findings[i] = (struct night_finding){
			.news = news[row->change],
			.row = field / s->page.ncolumns,
			.column = field % s->page.ncolumns,
			.kind = h->kind,
			.sentence = h->sentence,
			.reason = reason_of(s, row),
			.report = link_to(s, h->dir),
			.hits = row->hits_b,
			.runs = row->tries_b,
		};
		if (!s->findings[i].reason)
			return -ENOMEM;
	}
	return 0;
}

static int make_sheet(struct sheet *s)
{
	const struct night *n = s->j->night;
	int r = make_axes(s);

	if (r == 0)
		r = make_fields(s);
	if (r == 0)
		r = make_findings(s);
	s->page.name = s->j->name;
	s->page.against = s->j->against;
	s->page.started.tv_sec = n->started_s;
	s->page.took_s = (double)(n->ended_s - n->started_s);
	s->page.left = s->j->left;
	s->page.rows = s->row_names;
	s->page.columns = (const char *const *)s->column_names;
	s->page.fields = s->fields;
	s->page.findings = s->findings;
	s->page.nfindings = s->j->comparison->nrows;
	return r;
}

static void free_sheet(struct sheet *s)
{
	for (size_t i = 0; i < s->ntexts; i++)
		free(s->texts[i]);
	free(s->texts);
	free(s->rows);
	free(s->columns);
	free(s->row_names);
	free(s->column_names);
	free(s->fields);
	free(s->findings);
	free(s->history);
}

static int write_sheet(const struct sheet *s, const char *path)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return -ENOMEM;
	r = night_html(&s->page, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	return r < 0 ? r : write_file_atomic(path, text, len, 0644);
}

int night_page_write(const struct night_join *j, const char *path, struct err *e)
{
	struct sheet s = { .j = j };
	_cleanup_free_ char *copy = strdup(path);
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && !realpath(dirname(copy), s.dir))
		r = -errno;
	if (r == 0)
		r = make_sheet(&s);
	if (r == 0)
		r = write_sheet(&s, path);
	free_sheet(&s);
	return r < 0 ? err_set(e, r, "%.300s: the page cannot be written: %s", path, strerror(-r))
		     : 0;
}

int night_page_of(struct store *s, const char *name, u64 left, const char *path, struct err *e)
{
	struct night a = { 0 }, b = { 0 };
	_cleanup_free_ char *against = NULL;
	struct comparison c = { 0 };
	int r = night_load(s, name, &b, e);

	if (r == 0)
		r = night_load_places(s, &b, e);
	if (r == 0) {
		r = night_before(s, &b, &against, e);
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0 && against)
		r = night_load(s, against, &a, e);
	if (r == 0)
		r = compare_nights(&a, &b, store_known, &(struct store_known){ s, b.first_s, e },
				   &c);
	if (r == 0)
		r = night_page_write(&(struct night_join){ name, against, &b, &c, true, left },
				     path, e);
	comparison_free(&c);
	night_free(&a);
	night_free(&b);
	return r;
}

/* The name is that under which it began, whatever it is called now. */
int night_page_at(struct store *s, const char *dir, u64 left, struct err *e)
{
	_cleanup_json_ json_t *night = NULL;
	char path[PATH_MAX];
	const char *name;
	int r = path_set(path, sizeof(path), "%s/night.json", dir);

	if (r == 0)
		night = json_load_file(path, 0, NULL);
	name = json_string_value(json_object_get(night, "name"));
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/night.html", dir);
	if (r < 0 || !name)
		return err_set(e, r < 0 ? r : -EBADMSG, "%.300s: night.json has no name", dir);
	return night_page_of(s, name, left, path, e);
}
