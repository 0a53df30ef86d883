// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd store prune: run directories that are old or too many go, findings do not. */
#include "store/prune.h"

#include "base/fsutil.h"
#include "base/units.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/store.h"
#include "report/chars.h"
#include "report/report.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define DAY_S 86400

static const char usage[] =
	"usage: stressd store prune [OPTIONS] [DIR...]\n"
	"Remove run directories below each DIR (default: those of the state directory), oldest "
	"first.\n"
	"The store still knows what they came to. Runs with findings stay, and incomplete ones, "
	"those\n"
	"that run, those that are not in the store, and those with a file called keep.\n";

struct prune_command {
	const char *store, *older_than, *larger_than;
	bool json, dry_run, incomplete, findings;
	struct prune_limits limits;
};

/* Why the rest stays, as a person reads it. */
static const char *const stay_texts[PRUNE_ENDS] = {
	[PRUNE_WITHIN] = "within the limits",
	[PRUNE_FINDING] = "with findings",
	[PRUNE_INCOMPLETE] = "incomplete",
	[PRUNE_NO_RESULT] = "without a result: they run, or died (stressd verify)",
	[PRUNE_NOT_STORED] = "not in the store (stressd store import)",
	[PRUNE_KEPT] = "with a file called keep",
	[PRUNE_BUSY] = "in use",
	[PRUNE_FAILED] = "that could not be removed",
};

/* "1.5G": to be read, not to be parsed. */
static const char *show_size(char buf[UNITS_MAX], u64 bytes)
{
	static const char units[] = "BKMGT";
	double value = (double)bytes;
	int i = 0;

	for (; value >= 1024 && units[i + 1]; i++)
		value /= 1024;
	snprintf(buf, UNITS_MAX, i && value < 10 ? "%.1f%c" : "%.0f%c", value, units[i]);
	return buf;
}

static void on_run(void *ctx, const struct prune_run *r)
{
	const struct prune_command *c = ctx;
	char at[STORE_TIME_MAX], size[UNITS_MAX];

	if (c->json) {
		put_json_line(json_pack("{ss ss so so so sI sI}", "type", "run", "end",
					prune_end_names[r->end], "dir", json_text(r->dir),
					"verdict", json_text(r->verdict), "text",
					json_text(r->text), "ended", (json_int_t)r->ended_s,
					"bytes", (json_int_t)r->bytes));
	} else if (r->end == PRUNE_REMOVED) {
		put_text(stdout, r->dir, MEDIUM_TERMINAL);
		printf(": %s", c->limits.dry_run ? "would be removed" : "removed");
		put_field(": ", r->verdict);
		printf(", %s, %s\n", store_time(at, r->ended_s), show_size(size, r->bytes));
	}
	if (r->end != PRUNE_FAILED)
		return;
	fputs("stressd: ", stderr);
	put_text(stderr, r->dir, MEDIUM_TERMINAL);
	fputs(": cannot be removed: ", stderr);
	put_text(stderr, r->text, MEDIUM_TERMINAL);
	fputc('\n', stderr);
}

static void put_sums(const struct prune_command *c, const struct prune_sums *s)
{
	u64 runs = 0, bytes = 0;
	char size[UNITS_MAX];
	const char *sep = ": ";

	for (int i = PRUNE_REMOVED + 1; i < PRUNE_ENDS; i++) {
		runs += s->runs[i];
		bytes += s->bytes[i];
	}
	printf("%llu runs %s, %s %s; ", (unsigned long long)s->runs[PRUNE_REMOVED],
	       c->limits.dry_run ? "would be removed" : "removed",
	       show_size(size, s->bytes[PRUNE_REMOVED]),
	       c->limits.dry_run ? "would be free" : "are free");
	printf("%llu stay, %s", (unsigned long long)runs, show_size(size, bytes));
	for (int i = PRUNE_REMOVED + 1; i < PRUNE_ENDS; i++) {
		if (!s->runs[i])
			continue;
		printf("%s%llu %s", sep, (unsigned long long)s->runs[i], stay_texts[i]);
		printf(", %s", show_size(size, s->bytes[i]));
		sep = "; ";
	}
	putchar('\n');
	if (s->nights)
		printf("%llu nights had no run left, and are removed, too\n",
		       (unsigned long long)s->nights);
}

static void put_sums_json(const struct prune_sums *s)
{
	json_t *o = json_pack("{ss sb sI}", "type", "result", "too_large", s->too_large, "nights",
			      (json_int_t)s->nights);

	for (int i = 0; o && i < PRUNE_ENDS; i++)
		json_object_set_new(o, prune_end_names[i],
				    json_pack("{sI sI}", "runs", (json_int_t)s->runs[i], "bytes",
					      (json_int_t)s->bytes[i]));
	put_json_line(o);
}

static int prune(struct prune_command *c, char *const *dirs, size_t ndirs)
{
	struct prune_sums sums;
	struct store *store;
	struct err e = { "" };
	int r = store_open_at(c->store, c->limits.dry_run ? STORE_READ : STORE_WRITE, &store, &e);

	if (r == 0) {
		r = store_prune(store, dirs, ndirs, &c->limits, on_run, c, &sums, &e);
		store_close(store);
	}
	if (r < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return r == -ENOENT || r == -EINVAL ? EXIT_USAGE : EXIT_TROUBLE;
	}
	if (c->json)
		put_sums_json(&sums);
	else
		put_sums(c, &sums);
	if (sums.too_large)
		fputs("stressd: that is still more than --larger-than: what stays may not go; "
		      "--findings and --incomplete would let it\n",
		      stderr);
	return sums.runs[PRUNE_FAILED] || sums.too_large ? EXIT_TROUBLE : EXIT_FINE;
}

/* Where runs are made when nobody says otherwise. */
static int prune_state(struct prune_command *c)
{
	static const char *const names[] = { "runs", "nights", "daemon/runs" };
	char paths[ARRAY_SIZE(names)][PATH_MAX], state[400], *dirs[ARRAY_SIZE(names)];
	struct err e = { "" };
	size_t n = 0;

	if (state_dir(state, sizeof(state), &e) < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_TROUBLE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (path_set(paths[n], sizeof(paths[n]), "%s/%s", state, names[i]) == 0 &&
		    access(paths[n], F_OK) == 0) {
			dirs[n] = paths[n];
			n++;
		}
	return prune(c, dirs, n);
}

/* Days, as retention counts, or a time as it is written everywhere. */
static int take_age(struct prune_command *c, const char *value)
{
	char number[24];
	u64 n;

	if (*value && value[strlen(value) - 1] == 'd' && strlen(value) < sizeof(number)) {
		snprintf(number, sizeof(number), "%.*s", (int)strlen(value) - 1, value);
		if (parse_count(number, &n) == 0 && n <= INT_MAX) {
			c->limits.older_than_s = (s64)n * DAY_S;
			return 0;
		}
	} else if (parse_time(value, &n) == 0) {
		c->limits.older_than_s = (s64)(n / NSEC_PER_SEC);
		return 0;
	}
	return usage_error("store prune", "--older-than %s: expected a time like 30d or 12h",
			   value);
}

static int take_limits(struct prune_command *c)
{
	struct prune_limits *l = &c->limits;

	*l = (struct prune_limits){ .older_than_s = -1,
				    .findings = c->findings,
				    .incomplete = c->incomplete,
				    .dry_run = c->dry_run };
	if (!c->older_than && !c->larger_than)
		return usage_error("store prune", "expected --older-than, --larger-than or both");
	if (c->larger_than && (parse_size(c->larger_than, &l->larger_than) < 0 || !l->larger_than))
		return usage_error("store prune", "--larger-than %s: expected a size like 50G",
				   c->larger_than);
	return c->older_than ? take_age(c, c->older_than) : 0;
}

int cmd_store_prune(int argc, char **argv)
{
#define AT(member) offsetof(struct prune_command, member)
	static const struct cmd_option options[] = {
		{ "older-than", "TIME", AT(older_than), "those that ended before that: 30d, 12h" },
		{ "larger-than", "SIZE", AT(larger_than),
		  "until all run directories there together take no more: 50G" },
		{ "dry-run", NULL, AT(dry_run), "say what would go; nothing is touched" },
		{ "incomplete", NULL, AT(incomplete),
		  "incomplete ones that hold no finding may go, too" },
		{ "findings", NULL, AT(findings), "those with findings may go, too" },
		{ "store", "FILE", AT(store), "which (default: store.db in the state directory)" },
		{ "json", NULL, AT(json), "JSON lines on stdout, nothing else there" },
		{ 0 },
	};
#undef AT
	struct prune_command c = { 0 };
	int status = command_options("store prune", usage, options, argc, argv, &c);

	if (status != CMD_GO_ON)
		return status;
	status = take_limits(&c);
	if (status)
		return status;
	return optind < argc ? prune(&c, argv + optind, (size_t)(argc - optind)) : prune_state(&c);
}
