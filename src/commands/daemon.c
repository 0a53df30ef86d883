// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd daemon */
#include "daemon/daemon.h"

#include "base/cleanup.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "report/chars.h"
#include "report/report.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>

/* What the command line says. */
struct line {
	const char *config;
	bool check;
};

static const char usage[] =
	"usage: stressd daemon [OPTIONS]\n"
	"Take jobs from a socket, run them, store their results: see stressd-daemon(8).\n"
	"Stays in the foreground; SIGTERM stops it and what runs in order.\n";

static const struct cmd_option options[] = {
	{ "config", "FILE", offsetof(struct line, config),
	  "its configuration (default: " DAEMON_CONFIG ", where it is)" },
	{ "check", NULL, offsetof(struct line, check),
	  "is the configuration right? Nothing is run" },
	{ 0 },
};

/* What is said may come from a job: it must not forge lines of the log. */
static void say(const char *text)
{
	fputs("stressd: ", stderr);
	put_text(stderr, text, MEDIUM_TERMINAL);
	fputc('\n', stderr);
}

static int serve(const struct daemon_config *c, struct err *e)
{
	char state[400];
	int r = state_dir(state, sizeof(state), e);

	return r < 0 ? r : daemon_run(c, state, say, e);
}

int cmd_daemon(int argc, char **argv)
{
	struct line line = { .config = NULL };
	int r, status = command_options("daemon", usage, options, argc, argv, &line);
	struct daemon_config config;
	struct err e = { "" };

	if (status != CMD_GO_ON)
		return status;
	if (argc != optind)
		return usage_error("daemon", "%s: unexpected argument", argv[optind]);
	r = daemon_config_load(line.config, &config, &e);
	status = r < 0 ? EXIT_USAGE : EXIT_FINE;
	if (r == 0 && line.check)
		printf("%s: ok\n", line.config ? line.config : DAEMON_CONFIG);
	else if (r == 0 && (r = serve(&config, &e)) < 0)
		status = EXIT_TROUBLE;
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	daemon_config_free(&config);
	return status;
}
