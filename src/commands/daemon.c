// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd daemon */
#include "daemon/daemon.h"

#include "base/cleanup.h"
#include "commands/commands.h"
#include "report/chars.h"
#include "report/report.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>

static const char help[] =
	"usage: stressd daemon [OPTIONS]\n"
	"Take jobs from a socket, run them, store their results: see stressd-daemon(8).\n"
	"Stays in the foreground; SIGTERM stops it and what runs in order.\n"
	"  --config FILE    (default: " DAEMON_CONFIG ", where it is)\n"
	"  --check          is the configuration right? Nothing is run\n";

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
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct daemon_config config;
	const char *path = NULL;
	struct err e = { "" };
	bool check = false;
	int r, status;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			check = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_FINE;
		default:
			return EXIT_USAGE;
		}
	if (argc != optind)
		return usage_error("daemon", "%s: unexpected argument", argv[optind]);
	r = daemon_config_load(path, &config, &e);
	status = r < 0 ? EXIT_USAGE : EXIT_FINE;
	if (r == 0 && check)
		printf("%s: ok\n", path ? path : DAEMON_CONFIG);
	else if (r == 0 && (r = serve(&config, &e)) < 0)
		status = EXIT_TROUBLE;
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	daemon_config_free(&config);
	return status;
}
