// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd store: import run directories, list nights, check the file. */
#include "commands/store.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "commands/commands.h"
#include "commands/night_page.h"
#include "commands/options.h"
#include "matrix/matrix.h"
#include "report/chars.h"
#include "report/report.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

static const char usage[] =
	"usage: stressd store import [OPTIONS] DIR...\n"
	"       stressd store nights [OPTIONS]\n"
	"       stressd store check [OPTIONS]\n"
	"       stressd store prune ...\n"
	"import: store the runs below each directory; those that are there already stay as they "
	"are\n"
	"nights: which there are, the newest first\n"
	"check: is the file in order?\n"
	"prune: remove run directories that are old or too many; see stressd store prune --help\n";

struct store_command {
	const char *path, *night;
	bool json, page;
	struct store *store;
	u64 counts[STORE_IMPORTED_ENDS];
};

static const struct cmd_option options[] = {
	{ "store", "FILE", offsetof(struct store_command, path),
	  "which (default: store.db in the state directory)" },
	{ "night", "NAME", offsetof(struct store_command, night),
	  "import: the runs are of this night (default: as the directory says)" },
	{ "page", NULL, offsetof(struct store_command, page),
	  "import: of a night's directory, write its night.html, too" },
	{ "json", NULL, offsetof(struct store_command, json),
	  "JSON lines on stdout, nothing else there" },
	{ 0 },
};

int store_open_at(const char *path, enum store_mode mode, struct store **ret, struct err *e)
{
	char dir[400], file[512];
	int r;

	if (path)
		return store_open(path, mode, ret, e);
	r = state_dir(dir, sizeof(dir), e);
	if (r == 0)
		r = path_set(file, sizeof(file), "%s/store.db", dir);
	return r < 0 ? r : store_open(file, mode, ret, e);
}

const char *store_time(char buf[STORE_TIME_MAX], s64 seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&t, &tm) || !strftime(buf, STORE_TIME_MAX, "%F %T", &tm))
		strcpy(buf, "-");
	return buf;
}

void put_json_line(json_t *o)
{
	if (!o)
		return;
	json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(o);
}

void put_field(const char *before, const char *text)
{
	if (!*text)
		return;
	fputs(before, stdout);
	put_text(stdout, text, MEDIUM_TERMINAL);
}

static void on_import(void *ctx, const char *dir, enum store_imported how, const char *text)
{
	static const char *const names[] = { "added", "known", "broken" };
	struct store_command *c = ctx;

	c->counts[how]++;
	if (c->json)
		put_json_line(json_pack("{ss ss so so}", "type", "run", "import", names[how], "dir",
					json_text(dir), "text", json_text(text)));
	if (how != STORE_BROKEN)
		return;
	fputs("stressd: ", stderr);
	put_text(stderr, dir, MEDIUM_TERMINAL);
	fputs(": not stored: ", stderr);
	put_text(stderr, text, MEDIUM_TERMINAL);
	fputc('\n', stderr);
}

/* Cells of a night that are still to be run. */
static u64 cells_left(const char *dir)
{
	_cleanup_closedir_ DIR *list = NULL;
	char cells[PATH_MAX], path[PATH_MAX];
	struct cell_outcome o;
	struct err e;
	u64 n = 0;

	if (path_set(cells, sizeof(cells), "%s/cells", dir) == 0)
		list = opendir(cells);
	for (struct dirent *de; list && (de = readdir(list));)
		n += de->d_name[0] != '.' &&
		     path_set(path, sizeof(path), "%s/%s", cells, de->d_name) == 0 &&
		     cell_look(path, &o, &e) == 0 &&
		     (o.state == CELL_LEFT || o.state == CELL_RUNNING);
	return n;
}

/* No run of it may be its own: others had them before. */
static int put_page(struct store_command *c, const char *dir, struct err *e)
{
	_cleanup_free_ char *real = realpath(dir, NULL);
	int r = real ? night_page_at(c->store, real, cells_left(real), e) : -errno;

	return r == -ENOENT ? 0 : r;
}

static int import(struct store_command *c, int argc, char **argv, struct err *e)
{
	int r = 0;

	for (int i = 0; i < argc && r == 0; i++) {
		r = store_import(c->store, argv[i], c->night ? c->night : "", on_import, c, e);
		if (r == 0 && c->page)
			r = put_page(c, argv[i], e);
	}
	if (r < 0)
		return r;
	if (c->json)
		put_json_line(json_pack("{ss sI sI sI}", "type", "result", "added",
					(json_int_t)c->counts[STORE_ADDED], "known",
					(json_int_t)c->counts[STORE_KNOWN], "broken",
					(json_int_t)c->counts[STORE_BROKEN]));
	else
		printf("%llu runs stored, %llu were there already, %llu cannot be stored\n",
		       (unsigned long long)c->counts[STORE_ADDED],
		       (unsigned long long)c->counts[STORE_KNOWN],
		       (unsigned long long)c->counts[STORE_BROKEN]);
	return c->counts[STORE_BROKEN] ? EXIT_TROUBLE : EXIT_FINE;
}

static int on_night(void *ctx, const struct store_night *n)
{
	const struct store_command *c = ctx;
	char first[STORE_TIME_MAX], last[STORE_TIME_MAX];

	store_time(first, n->first_s);
	store_time(last, n->last_s);
	if (c->json) {
		put_json_line(json_pack("{ss so sI sI sI sI}", "type", "night", "name",
					json_text(n->name), "runs", (json_int_t)n->runs, "failed",
					(json_int_t)n->failed, "first", (json_int_t)n->first_s,
					"last", (json_int_t)n->last_s));
		return 0;
	}
	put_text(stdout, n->name, MEDIUM_TERMINAL);
	printf(": %llu runs, %llu with findings, %s to %s\n", (unsigned long long)n->runs,
	       (unsigned long long)n->failed, first, last);
	return 0;
}

static int nights(struct store_command *c, int argc, char **argv, struct err *e)
{
	(void)argc;
	(void)argv;
	return store_nights(c->store, on_night, c, e);
}

static int check(struct store_command *c, int argc, char **argv, struct err *e)
{
	int r = store_check(c->store, e);

	(void)argc;
	(void)argv;
	if (r == 0 && !c->json)
		puts("the store is in order");
	return r;
}

static const struct action {
	const char *name;
	enum store_mode mode;
	bool takes_dirs;
	int (*fn)(struct store_command *c, int argc, char **argv, struct err *e);
} actions[] = {
	{ "import", STORE_WRITE, true, import },
	{ "nights", STORE_READ, false, nights },
	{ "check", STORE_READ, false, check },
};

static int act(struct store_command *c, int argc, char **argv)
{
	const struct action *a = actions;
	struct err e = { "" };
	int r;

	while (a < actions + ARRAY_SIZE(actions) && (!argc || strcmp(a->name, argv[0]) != 0))
		a++;
	if (a == actions + ARRAY_SIZE(actions))
		return usage_error("store", "expected import, nights, check or prune");
	if (a->takes_dirs != (argc > 1))
		return usage_error("store",
				   a->takes_dirs ? "%s: expected run directories"
						 : "%s: unexpected argument",
				   a->takes_dirs ? a->name : argv[1]);
	r = store_open_at(c->path, a->mode, &c->store, &e);
	if (r == 0) {
		r = a->fn(c, argc - 1, argv + 1, &e);
		store_close(c->store);
	}
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	return r == -ENOENT || r == -ENODATA ? EXIT_USAGE : r < 0 ? EXIT_TROUBLE : r;
}

int cmd_store(int argc, char **argv)
{
	struct store_command c = { 0 };
	int status;

	if (argc > 1 && !strcmp(argv[1], "prune"))
		return cmd_store_prune(argc - 1, argv + 1);
	status = command_options("store", usage, options, argc, argv, &c);
	return status != CMD_GO_ON ? status : act(&c, argc - optind, argv + optind);
}
