// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd history: what the store knows of a scenario, of a finding, or of all of them. */
#include "base/cleanup.h"
#include "base/stats.h"
#include "base/units.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/store.h"
#include "report/chars.h"
#include "report/report.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#define DEFAULT_LIMIT 20

static const char usage[] =
	"usage: stressd history [OPTIONS] [SCENARIO|FINGERPRINT]\n"
	"What the store knows: of a scenario, of a finding by its fingerprint, or of all.\n";

struct history {
	const char *path, *limit_text;
	bool json;
	u64 limit;
	u64 rates, fingerprints, runs; /* that were printed */
};

/* A title once, before the first of its kind. */
static void put_title(const struct history *h, u64 before, const char *title)
{
	if (!before && !h->json)
		printf("%s\n", title);
}

static int on_rate(void *ctx, const struct store_rate *r)
{
	struct history *h = ctx;
	char first[STORE_TIME_MAX], last[STORE_TIME_MAX];
	double lo, hi;

	rate_interval(r->hits, r->tries, &lo, &hi);
	put_title(h, h->rates++, "how often there were findings, of complete runs:");
	if (h->json) {
		put_json_line(json_pack("{ss so so so sI sI s[ff] sI sI}", "type", "rate",
					"scenario", json_text(r->scenario), "target",
					json_text(r->target), "kernel", json_text(r->label), "hits",
					(json_int_t)r->hits, "tries", (json_int_t)r->tries,
					"rate_95", lo, hi, "first", (json_int_t)r->first_s, "last",
					(json_int_t)r->last_s));
		return 0;
	}
	put_field("  ", r->scenario);
	put_field(" on ", r->target);
	put_field(", kernel ", r->label);
	printf(": %llu of %llu (%.1f to %.1f %%), %s to %s\n", (unsigned long long)r->hits,
	       (unsigned long long)r->tries, 100 * lo, 100 * hi, store_time(first, r->first_s),
	       store_time(last, r->last_s));
	return 0;
}

static int on_fingerprint(void *ctx, const struct store_fingerprint *f)
{
	struct history *h = ctx;
	char first[STORE_TIME_MAX], last[STORE_TIME_MAX];

	put_title(h, h->fingerprints++, "findings, those seen last first:");
	if (h->json) {
		put_json_line(json_pack(
			"{ss ss so so so sI sI sI sI so so so so}", "type", "fingerprint",
			"fingerprint", f->hash, "kind", json_text(f->kind), "title",
			json_text(f->title), "fs", json_text(f->fs), "runs", (json_int_t)f->runs,
			"findings", (json_int_t)f->findings, "first", (json_int_t)f->first_s,
			"last", (json_int_t)f->last_s, "first_kernel", json_text(f->first_release),
			"last_kernel", json_text(f->last_release), "first_dir",
			json_text(f->first_dir), "last_dir", json_text(f->last_dir)));
		return 0;
	}
	put_field("  ", f->hash);
	put_field(" ", f->kind);
	put_field(" on ", f->fs);
	put_field(": ", f->title);
	printf("\n    %llu runs; first %s", (unsigned long long)f->runs,
	       store_time(first, f->first_s));
	put_field(", ", f->first_release);
	printf("; last %s", store_time(last, f->last_s));
	put_field(", ", f->last_release);
	put_field("\n    ", f->last_dir);
	putchar('\n');
	return 0;
}

static int on_run(void *ctx, const struct store_run *r)
{
	struct history *h = ctx;
	char at[STORE_TIME_MAX];

	put_title(h, h->runs++, "runs, the newest first:");
	if (h->json) {
		put_json_line(json_pack(
			"{ss so so so so so so so so sI sI sf sI}", "type", "run", "scenario",
			json_text(r->scenario), "target", json_text(r->target), "kernel",
			json_text(r->label), "release", json_text(r->release), "night",
			json_text(r->night), "verdict", json_text(r->verdict), "reason",
			json_text(r->reason), "dir", json_text(r->dir), "seed", (json_int_t)r->seed,
			"started", (json_int_t)r->started_s, "duration_s", r->duration_s, "removed",
			(json_int_t)r->removed_s));
		return 0;
	}
	printf("  %s", store_time(at, r->started_s));
	put_field(" ", r->verdict);
	put_field("  ", r->scenario);
	put_field(" on ", r->target);
	put_field(", kernel ", r->label);
	put_field(", ", r->release);
	printf(", seed %lld", (long long)r->seed);
	put_field(", night ", r->night);
	put_field("\n    ", r->reason);
	put_field("\n    ", r->dir);
	if (r->removed_s)
		printf(" (removed %s)", store_time(at, r->removed_s));
	putchar('\n');
	return 0;
}

static bool is_fingerprint(const char *text)
{
	return strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

static int show_fingerprint(struct history *h, struct store *s, const char *hash, struct err *e)
{
	int r = store_fingerprints(s, "", hash, on_fingerprint, h, e);

	if (r == 0)
		r = store_rates_of_fingerprint(s, hash, on_rate, h, e);
	return r < 0 ? r : store_runs_of_fingerprint(s, hash, h->limit, on_run, h, e);
}

static int show_scenario(struct history *h, struct store *s, const char *scenario, struct err *e)
{
	int r = store_rates_of_scenario(s, scenario, on_rate, h, e);

	if (r == 0)
		r = store_fingerprints(s, scenario, "", on_fingerprint, h, e);
	return r < 0 || !*scenario ? r
				   : store_runs_of_scenario(s, scenario, h->limit, on_run, h, e);
}

static int show(struct history *h, const char *what, struct err *e)
{
	struct store *s;
	int r = store_open_at(h->path, STORE_READ, &s, e);

	if (r < 0)
		return r;
	r = is_fingerprint(what) ? show_fingerprint(h, s, what, e) : show_scenario(h, s, what, e);
	store_close(s);
	if (r == 0 && *what && !h->rates && !h->fingerprints && !h->runs)
		return err_set(e, -ENOENT,
			       "%.200s: no such scenario or fingerprint is stored; `stressd "
			       "history` lists those that are",
			       what);
	return r;
}

static const struct cmd_option options[] = {
	{ "store", "FILE", offsetof(struct history, path),
	  "which (default: store.db in the state directory)" },
	{ "limit", "N", offsetof(struct history, limit_text),
	  "so many runs, the newest first (default: 20)" },
	{ "json", NULL, offsetof(struct history, json),
	  "JSON lines on stdout, nothing else there" },
	{ 0 },
};

int cmd_history(int argc, char **argv)
{
	struct history h = { .limit = DEFAULT_LIMIT };
	int r, status = command_options("history", usage, options, argc, argv, &h);
	struct err e = { "" };

	if (status != CMD_GO_ON)
		return status;
	if (h.limit_text && (parse_count(h.limit_text, &h.limit) < 0 || h.limit > INT64_MAX))
		return usage_error("history", "--limit %s: expected a number", h.limit_text);
	if (argc - optind > 1)
		return usage_error("history", "expected one scenario or fingerprint");
	r = show(&h, optind < argc ? argv[optind] : "", &e);
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	return r == -ENOENT ? EXIT_USAGE : r < 0 ? EXIT_TROUBLE : EXIT_FINE;
}
