// SPDX-License-Identifier: GPL-2.0-or-later
/* submit, status, watch, cancel and results: what people and timers say to the daemon. */
#include "commands/commands.h"
#include "commands/options.h"
#include "commands/store.h"

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/talk.h"
#include "report/chars.h"
#include "report/people.h"
#include "report/report.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char submit_help[] =
	"  --name NAME      for people (default: the scenario's or the matrix's)\n"
	"  --matrix         the file is a matrix\n"
	"  --kernel IMAGE   in a guest; of a matrix NAME=IMAGE\n"
	"  --night NAME     what the store calls it, of a matrix (default: NAME-DATE)\n"
	"  --append ARGS    further words for the command line of the kernel\n"
	"  --accel HOW      kvm, tcg or auto\n"
	"  --vms N          guests at a time, of a matrix\n"
	"  --cpus N         processors\n"
	"  --memory SIZE    memory\n"
	"  --attempts N     while the infrastructure fails (default: 3)\n"
	"  --exclusive      runs alone\n"
	"  --drop           not again when a stop of the daemon cuts it short\n";
static const char limit_help[] =
	"  --limit N        so many that have ended, the newest (default: 20)\n";

struct ask {
	const char *action, *socket;
	bool json, matrix;
	json_t *request; /* what every request has */
	json_t *kernels;
	bool shown; /* a line that the next one takes the place of */
	struct talk talk;
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void show_job(const json_t *job)
{
	const json_t *spec = json_object_get(job, "spec");
	json_int_t exit = json_integer_value(json_object_get(job, "exit"));
	json_int_t again = json_integer_value(json_object_get(job, "again"));
	char at[STORE_TIME_MAX];

	printf("%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(job, "id")));
	put_field(" ", text_of(job, "state"));
	put_field(" ", text_of(spec, "name"));
	if (exit >= 0)
		printf(", exit %" JSON_INTEGER_FORMAT, exit);
	put_field(": ", text_of(job, "said"));
	if (again && !strcmp(text_of(job, "state"), "queued"))
		printf("; tried again at %s", store_time(at, again));
	putchar('\n');
}

static void show_run(const json_t *o)
{
	char at[STORE_TIME_MAX];

	printf("%s", store_time(at, json_integer_value(json_object_get(o, "started"))));
	put_field(" ", text_of(o, "verdict"));
	put_field("  ", text_of(o, "scenario"));
	put_field(", ", text_of(o, "kernel"));
	put_field("\n    ", text_of(o, "reason"));
	put_field("\n    ", text_of(o, "dir"));
	putchar('\n');
}

static u64 count_of(const json_t *o, const char *key)
{
	return (u64)MAX(json_integer_value(json_object_get(o, key)), (json_int_t)0);
}

/* Of what goes on within a job: on a terminal one line that changes, elsewhere nothing. */
static void show_progress(struct ask *c, const json_t *o)
{
	char ops[PEOPLE_MAX], rate[PEOPLE_MAX], overlaps[PEOPLE_MAX];

	if (!live_rewrites(stdout))
		return;
	printf("%llu %.0f s: %s operations, %s/s, overlaps %s, findings %llu",
	       (unsigned long long)count_of(o, "id"),
	       json_number_value(json_object_get(o, "elapsed_s")),
	       people_count(ops, count_of(o, "ops")), people_count(rate, count_of(o, "ops_per_s")),
	       people_count(overlaps, count_of(o, "overlaps")),
	       (unsigned long long)count_of(o, "findings"));
	c->shown = true;
}

static void show_finding(const json_t *o)
{
	printf("%llu", (unsigned long long)count_of(o, "id"));
	put_field(" ", text_of(o, "kind"));
	put_field(": ", text_of(o, "sentence"));
	putchar('\n');
}

static void show_cell(const json_t *o)
{
	printf("%llu", (unsigned long long)count_of(o, "id"));
	put_field(" ", text_of(o, "state"));
	put_field(": ", text_of(o, "name"));
	put_field(": ", text_of(o, "text"));
	putchar('\n');
}

static void show(struct ask *c, const json_t *o)
{
	const char *type = text_of(o, "type");
	const json_t *job = json_object_get(o, "job");

	if (c->shown)
		fputs("\r\033[K", stdout); /* EL: erase the line (ECMA-48) */
	c->shown = false;
	if (c->json) {
		put_json_line(json_incref((json_t *)o));
	} else if (job) {
		show_job(job);
	} else if (!strcmp(type, "progress")) {
		show_progress(c, o);
	} else if (!strcmp(type, "finding")) {
		show_finding(o);
	} else if (!strcmp(type, "cell")) {
		show_cell(o);
	} else if (!strcmp(type, "run")) {
		show_run(o);
	} else if (!strcmp(type, "rate")) {
		put_field("", text_of(o, "scenario"));
		printf(": %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " with findings\n",
		       json_integer_value(json_object_get(o, "hits")),
		       json_integer_value(json_object_get(o, "tries")));
	} else if (!strcmp(type, "error")) {
		fputs("stressd: ", stderr);
		put_text(stderr, text_of(o, "text"), MEDIUM_TERMINAL);
		fputc('\n', stderr);
	}
	fflush(stdout);
}

/* The lines of one answer. The exit status, or -errno. */
static int read_answer(struct ask *c, struct err *e)
{
	for (;;) {
		_cleanup_json_ json_t *o = NULL;
		int r = talk_read(&c->talk, &o, e);
		const char *type = text_of(o, "type");

		if (r < 0)
			return r;
		show(c, o);
		if (!strcmp(type, "error"))
			return (int)json_integer_value(json_object_get(o, "exit"));
		if (!strcmp(type, "result"))
			return EXIT_FINE;
	}
}

static int ask(struct ask *c, struct err *e)
{
	int r = talk_send(&c->talk, c->request, e);

	return r < 0 ? r : read_answer(c, e);
}

static int submit(struct ask *c, int n, char **files, struct err *e)
{
	int status = EXIT_FINE;

	if (c->kernels && c->matrix)
		json_object_set(c->request, "kernels", c->kernels);
	else if (json_array_size(c->kernels) > 1)
		return usage_error("submit", "one --kernel, unless it is a matrix");
	else if (c->kernels)
		json_object_set(c->request, "kernel", json_array_get(c->kernels, 0));
	for (int i = 0; i < n && status == EXIT_FINE; i++) {
		_cleanup_free_ char *real = realpath(files[i], NULL);

		if (!real)
			return usage_error("submit", "%s: %s", files[i], strerror(errno));
		json_object_set_new(c->request, c->matrix ? "matrix" : "scenario",
				    json_string(real));
		status = ask(c, e);
	}
	return status;
}

static int with_id(struct ask *c, int n, char **args, struct err *e)
{
	u64 id;

	if (n && (parse_count(args[0], &id) < 0 || !id || id > INT64_MAX))
		return usage_error(c->action, "%s: expected the number of a job", args[0]);
	if (n)
		json_object_set_new(c->request, "id", json_integer((json_int_t)id));
	return ask(c, e);
}

static int watch(struct ask *c, int n, char **args, struct err *e)
{
	int r = ask(c, e);

	(void)n, (void)args;
	while (r == EXIT_FINE) {
		_cleanup_json_ json_t *o = NULL;

		r = talk_read(&c->talk, &o, e);
		if (r == 0)
			show(c, o);
	}
	return r;
}

static int results(struct ask *c, int n, char **args, struct err *e)
{
	bool hash = n && strlen(args[0]) == 16 && strspn(args[0], "0123456789abcdef") == 16;

	if (n)
		json_object_set_new(c->request, hash ? "fingerprint" : "scenario",
				    json_string(args[0]));
	return ask(c, e);
}

struct action {
	const char *name, *args, *what, *help;
	const char *options; /* keys of those that it takes, besides all */
	int min, max;	     /* arguments */
	int (*fn)(struct ask *c, int n, char **args, struct err *e);
};

static const struct action actions[] = {
	{ "submit", " SCENARIO...|--matrix MATRIX", "Hand scenarios, or a matrix, to the daemon",
	  submit_help, "mKtnxd", 1, INT_MAX, submit },
	{ "status", " [ID]", "What the daemon runs, has queued, and has run", limit_help, "l", 0, 1,
	  with_id },
	{ "watch", "", "What goes on in the daemon, as it happens", "", "", 0, 0, watch },
	{ "cancel", " ID", "Take a job out of the queue, or stop it", "", "", 1, 1, with_id },
	{ "results", " [SCENARIO|FINGERPRINT]", "What the store of the daemon knows", limit_help,
	  "l", 0, 1, results },
};

static void help(const struct action *a)
{
	printf("usage: stressd %s [OPTIONS]%s\n%s: see stressd-daemon(8).\n"
	       "  --socket PATH    of the daemon (default: " DAEMON_SOCKET ")\n"
	       "  --json           the daemon's lines as they are\n%s",
	       a->name, a->args, a->what, a->help);
}

static int act(struct ask *c, const struct action *a, int n, char **args)
{
	struct err e = { "" };
	int r;

	if (n < a->min || n > (c->matrix ? 1 : a->max))
		return usage_error(a->name, "expected [OPTIONS]%s", a->args);
	json_object_set_new(c->request, "command", json_string(a->name));
	r = talk_open(&c->talk, c->socket, &e);
	if (r == 0)
		r = a->fn(c, n, args, &e);
	talk_close(&c->talk);
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	return r < 0 ? EXIT_TROUBLE : r;
}

/* One option; 0, or the exit status. What only the daemon can judge goes to it as it is. */
static int take_option(struct ask *c, int o, const char *name, const char *value)
{
	u64 count;

	switch (o) {
	case 's':
		c->socket = value;
		return 0;
	case 'j':
		c->json = true;
		return 0;
	case 'm':
		c->matrix = true;
		return 0;
	case 'K':
		c->kernels = c->kernels ? c->kernels : json_array();
		json_array_append_new(c->kernels, json_string(value));
		return 0;
	case 't':
		json_object_set_new(c->request, name, json_string(value));
		return 0;
	case 'l':
	case 'n':
		if (parse_count(value, &count) < 0 || count > INT64_MAX)
			return usage_error(c->action, "--%s %s: expected a number", name, value);
		json_object_set_new(c->request, name, json_integer((json_int_t)count));
		return 0;
	case 'x':
		json_object_set_new(c->request, "exclusive", json_true());
		return 0;
	case 'd':
		json_object_set_new(c->request, "interruption", json_string("drop"));
		return 0;
	}
	return EXIT_USAGE;
}

static int take_options(struct ask *c, const struct action *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "limit", required_argument, NULL, 'l' },
		{ "name", required_argument, NULL, 't' },
		{ "matrix", no_argument, NULL, 'm' },
		{ "kernel", required_argument, NULL, 'K' },
		{ "night", required_argument, NULL, 't' },
		{ "append", required_argument, NULL, 't' },
		{ "accel", required_argument, NULL, 't' },
		{ "vms", required_argument, NULL, 'n' },
		{ "cpus", required_argument, NULL, 'n' },
		{ "memory", required_argument, NULL, 't' },
		{ "attempts", required_argument, NULL, 'n' },
		{ "exclusive", no_argument, NULL, 'x' },
		{ "drop", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int status = 0, at = 0;

	opterr = 0;
	for (int o; !status && (o = getopt_long(argc, argv, ":", options, &at)) != -1;) {
		if (o == 'h') {
			help(a);
			return CMD_GO_ON;
		}
		if (o == '?' || o == ':')
			return option_error(a->name, o, argv);
		if (!strchr("sj", o) && !strchr(a->options, o))
			return usage_error(a->name, "--%s: no such option", options[at].name);
		status = take_option(c, o, options[at].name, optarg);
	}
	return status;
}

int cmd_ask(int argc, char **argv)
{
	const struct action *a = actions;
	struct ask c = { .socket = DAEMON_SOCKET, .request = json_object() };
	int status;

	while (strcmp(a->name, strrchr(argv[0], ' ') + 1) != 0)
		a++;
	c.action = a->name;
	status = take_options(&c, a, argc, argv);
	if (!status)
		status = act(&c, a, argc - optind, argv + optind);
	json_decref(c.request);
	json_decref(c.kernels);
	return MAX(status, EXIT_FINE);
}
