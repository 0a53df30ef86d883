// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd caps, stressd recover: what this machine offers, and putting it back in order. */
#include "caps.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "session/session.h"
#include "undo/undo.h"

#include <getopt.h>
#include <stdio.h>

int cmd_caps(int argc, char **argv)
{
	static const struct cmd_option options[] = {
		{ "json", NULL, 0, "JSON on stdout, nothing else there" },
		{ 0 },
	};
	bool json = false;
	int status = command_options("caps",
				     "usage: stressd caps [--json]\n"
				     "What this machine can do, and what would bring the rest.\n",
				     options, argc, argv, &json);
	struct err e = { "" };
	char dir[400];

	if (status != CMD_GO_ON)
		return status;
	if (optind < argc)
		return usage_error("caps", "%s: unexpected argument", argv[optind]);
	if (state_dir(dir, sizeof(dir), &e) < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_TROUBLE;
	}
	return caps_report(stdout, dir, json) < 0 ? EXIT_TROUBLE : EXIT_FINE;
}

int cmd_recover(int argc, char **argv)
{
	int status = command_options("recover",
				     "usage: stressd recover\n"
				     "Put back what dead runs left changed.\n",
				     NULL, argc, argv, NULL);
	struct err e = { "" };
	char dir[400];

	if (status != CMD_GO_ON)
		return status;
	if (optind < argc)
		return usage_error("recover", "%s: unexpected argument", argv[optind]);
	if (state_dir(dir, sizeof(dir), &e) < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_TROUBLE;
	}
	return undo_recover(dir, stdout) ? EXIT_TROUBLE : EXIT_FINE;
}
