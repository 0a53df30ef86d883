// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd compare: two nights of the store, or two directories of run directories. */
#include "store/compare.h"

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/night_page.h"
#include "commands/options.h"
#include "commands/store.h"
#include "report/chars.h"
#include "report/report.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <sys/stat.h>

#define NIGHT "night" /* what a directory is called in a store of its own */

static const char usage[] =
	"usage: stressd compare [OPTIONS] A B\n"
	"What is new in B, fixed, still there, or flaky; exit status 1 for new findings alone.\n"
	"A, B: nights of the store (`stressd store nights`), or directories of run directories\n";

struct side {
	const char *name;
	bool stored; /* a night of the store, with what was before it */
	struct night night;
};

struct compare {
	const char *path, *html;
	bool json;
	struct store *store; /* NULL: not needed, or there is none */
	struct side a, b;
	struct err e;
};

static void put_place(const struct place *p)
{
	put_field("  ", p->scenario);
	put_field(" on ", p->target);
	put_field(", kernel ", p->label);
}

static json_t *row_json(const struct compare_row *row)
{
	const struct night_hit *h = row->b ? row->b : row->a;

	return json_pack("{ss ss so so so so so so so sI sI sI sI sf si sI so so}", "type",
			 "finding", "change", compare_change_names[row->change], "scenario",
			 json_text(h->place.scenario), "target", json_text(h->place.target),
			 "kernel", json_text(h->place.label), "fingerprint", json_text(h->hash),
			 "kind", json_text(h->kind), "title", json_text(h->title), "fs",
			 json_text(h->fs), "hits_a", (json_int_t)row->hits_a, "tries_a",
			 (json_int_t)row->tries_a, "hits_b", (json_int_t)row->hits_b, "tries_b",
			 (json_int_t)row->tries_b, "p", row->p, "trend", row->trend, "needed",
			 (json_int_t)row->needed, "sentence", json_text(h->sentence), "dir",
			 json_text(h->dir));
}

static const char *note_of(const struct compare_row *row, char *buf, size_t size)
{
	buf[0] = '\0';
	if (row->change == CHANGE_NEW && row->p > COMPARE_P && row->tries_a)
		snprintf(buf, size, "; may have been missed in A");
	else if (row->change == CHANGE_NEW && !row->tries_a)
		snprintf(buf, size, "; not run in A");
	else if (row->change == CHANGE_STILL && row->trend)
		snprintf(buf, size, "; %s often", row->trend > 0 ? "more" : "less");
	else if (row->change == CHANGE_FLAKY && row->needed)
		snprintf(buf, size, "; %llu silent runs in a row would show that it is gone",
			 (unsigned long long)row->needed);
	else if (row->change == CHANGE_FLAKY)
		snprintf(buf, size, "; seen before A");
	return buf;
}

static void put_row(const struct compare_row *row)
{
	const struct night_hit *h = row->b ? row->b : row->a;
	char note[96];

	put_place(&h->place);
	put_field(": ", h->kind);
	put_field(": ", h->title);
	printf("\n    %s: %llu of %llu, then %llu of %llu (p %.2g)%s\n", h->hash,
	       (unsigned long long)row->hits_a, (unsigned long long)row->tries_a,
	       (unsigned long long)row->hits_b, (unsigned long long)row->tries_b, row->p,
	       note_of(row, note, sizeof(note)));
	put_wrapped(stdout, "    ", 4, h->sentence);
	if (*h->dir)
		put_wrapped(stdout, "    ", 4, h->dir);
}

static void put_side(const char *which, const struct side *s)
{
	printf("%s: ", which);
	put_text(stdout, s->name, MEDIUM_TERMINAL);
	printf(": %llu complete runs, %llu with findings\n", (unsigned long long)s->night.runs,
	       (unsigned long long)s->night.failed);
}

static void show_text(const struct compare *c, const struct comparison *r)
{
	static const char *const titles[CHANGES] = {
		[CHANGE_NEW] = "new",
		[CHANGE_FIXED] = "fixed",
		[CHANGE_STILL] = "still there",
		[CHANGE_FLAKY] = "flaky: the difference may be chance",
		[CHANGE_NOT_RUN] = "found in A, and not run to the end in B",
	};
	int last = -1;

	put_side("A", &c->a);
	put_side("B", &c->b);
	for (size_t i = 0; i < r->nrows; i++) {
		if (r->rows[i].change != last)
			printf("\n%s (%llu)\n", titles[r->rows[i].change],
			       (unsigned long long)r->counts[r->rows[i].change]);
		last = r->rows[i].change;
		put_row(&r->rows[i]);
	}
	if (r->nspeeds)
		printf("\noperations a second (%zu changed)\n", r->nspeeds);
	for (size_t i = 0; i < r->nspeeds; i++) {
		const struct compare_speed *s = &r->speeds[i];

		put_place(s->place);
		printf(": %.4g, then %.4g (%+.0f %%, p %.2g)\n", s->median_a, s->median_b,
		       100 * (s->median_b / s->median_a - 1), s->p);
	}
	printf("\n%llu new, %llu fixed, %llu still there, %llu flaky\n",
	       (unsigned long long)r->counts[CHANGE_NEW],
	       (unsigned long long)r->counts[CHANGE_FIXED],
	       (unsigned long long)r->counts[CHANGE_STILL],
	       (unsigned long long)r->counts[CHANGE_FLAKY]);
}

static void show_json(const struct compare *c, const struct comparison *r, int exit)
{
	json_t *counts = json_object();

	for (size_t i = 0; i < r->nrows; i++)
		put_json_line(row_json(&r->rows[i]));
	for (size_t i = 0; i < r->nspeeds; i++) {
		const struct compare_speed *s = &r->speeds[i];

		put_json_line(json_pack("{ss so so so sf sf sf sI sI}", "type", "speed", "scenario",
					json_text(s->place->scenario), "target",
					json_text(s->place->target), "kernel",
					json_text(s->place->label), "ops_per_s_a", s->median_a,
					"ops_per_s_b", s->median_b, "p", s->p, "runs_a",
					(json_int_t)s->n_a, "runs_b", (json_int_t)s->n_b));
	}
	for (int i = 0; counts && i < CHANGES; i++)
		json_object_set_new(counts, compare_change_names[i],
				    json_integer((json_int_t)r->counts[i]));
	put_json_line(json_pack("{ss s{so sI} s{so sI} so si}", "type", "result", "a", "name",
				json_text(c->a.name), "runs", (json_int_t)c->a.night.runs, "b",
				"name", json_text(c->b.name), "runs", (json_int_t)c->b.night.runs,
				"counts", counts, "exit", exit));
}

static void on_import(void *ctx, const char *dir, enum store_imported how, const char *text)
{
	(void)ctx;
	if (how == STORE_BROKEN)
		fprintf(stderr, "stressd: %s: left out: %s\n", dir, text);
}

/* A directory is a store in memory, for as long as it is looked at. */
static int load_directory(struct side *s, struct err *e)
{
	struct store *store;
	int r = store_open(":memory:", STORE_WRITE, &store, e);

	if (r < 0)
		return r;
	r = store_import(store, s->name, NIGHT, on_import, NULL, e);
	if (r == 0)
		r = night_load(store, NIGHT, &s->night, e);
	if (r == 0)
		r = night_load_places(store, &s->night, e);
	store_close(store);
	return r == -ENOENT ? err_set(e, r, "%s: holds no run that can be compared", s->name) : r;
}

static int load_side(struct compare *c, struct side *s)
{
	struct stat st;
	int r = c->store ? night_load(c->store, s->name, &s->night, &c->e) : -ENOENT;

	s->stored = r == 0;
	if (r == 0 && c->html)
		r = night_load_places(c->store, &s->night, &c->e);
	if (r != -ENOENT)
		return r;
	if (stat(s->name, &st) == 0 && S_ISDIR(st.st_mode))
		return load_directory(s, &c->e);
	return err_set(
		&c->e, -ENOENT,
		"%.200s: neither a directory nor a night; `stressd store nights` lists those "
		"that are stored",
		s->name);
}

/* The page is beside the output, and does not keep it from anybody. */
static int show(struct compare *c, const struct comparison *r)
{
	const struct night_join page = { c->b.name, c->a.name, &c->b.night, r, c->b.stored, 0 };
	int status = r->counts[CHANGE_NEW] ? EXIT_FINDING : EXIT_FINE;

	if (c->html && night_page_write(&page, c->html, &c->e) < 0) {
		fprintf(stderr, "stressd: %s\n", c->e.text);
		status = EXIT_TROUBLE;
	}
	if (c->json)
		show_json(c, r, status);
	else
		show_text(c, r);
	return status;
}

static int compare(struct compare *c)
{
	struct comparison r = { 0 };
	int status, ret = store_open_at(c->path, STORE_READ, &c->store, &c->e);

	/* Directories need none; one that is asked for, or damaged, is another matter. */
	if (ret == -ENOENT && !c->path)
		ret = 0;
	if (ret == 0)
		ret = load_side(c, &c->a);
	if (ret == 0)
		ret = load_side(c, &c->b);
	if (ret == 0)
		ret = compare_nights(&c->a.night, &c->b.night, c->b.stored ? store_known : NULL,
				     &(struct store_known){ c->store, c->b.night.first_s, &c->e },
				     &r);
	if (ret == 0) {
		status = show(c, &r);
	} else {
		status = ret == -ENOENT || ret == -ENODATA ? EXIT_USAGE : EXIT_TROUBLE;
		fprintf(stderr, "stressd: %s\n", ret == -ENOMEM ? "out of memory" : c->e.text);
	}
	comparison_free(&r);
	night_free(&c->a.night);
	night_free(&c->b.night);
	if (c->store)
		store_close(c->store);
	return status;
}

static const struct cmd_option options[] = {
	{ "store", "FILE", offsetof(struct compare, path),
	  "which (default: store.db in the state directory)" },
	{ "html", "FILE", offsetof(struct compare, html),
	  "a page of B beside that: what is new first, then its matrix" },
	{ "json", NULL, offsetof(struct compare, json),
	  "JSON lines on stdout, nothing else there" },
	{ 0 },
};

int cmd_compare(int argc, char **argv)
{
	struct compare c = { .path = NULL };
	int status = command_options("compare", usage, options, argc, argv, &c);

	if (status != CMD_GO_ON)
		return status;
	if (argc - optind != 2)
		return usage_error("compare", "expected two nights or directories");
	c.a.name = argv[optind];
	c.b.name = argv[optind + 1];
	return compare(&c);
}
