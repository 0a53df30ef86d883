// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd caps, stressd recover: what this machine offers, and putting it back in order. */
#include "caps.h"
#include "commands/commands.h"
#include "session/session.h"
#include "undo/undo.h"

#include <stdio.h>
#include <string.h>

int cmd_caps(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	struct err e = { "" };
	char dir[400];

	if (argc > 1 + json)
		return usage_error("caps", "%s: unexpected argument", argv[1 + json]);
	if (state_dir(dir, sizeof(dir), &e) < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_TROUBLE;
	}
	return caps_report(stdout, dir, json) < 0 ? EXIT_TROUBLE : EXIT_FINE;
}

int cmd_recover(int argc, char **argv)
{
	struct err e = { "" };
	char dir[400];

	if (argc > 1)
		return usage_error("recover", "%s: unexpected argument", argv[1]);
	if (state_dir(dir, sizeof(dir), &e) < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return EXIT_TROUBLE;
	}
	return undo_recover(dir, stdout) ? EXIT_TROUBLE : EXIT_FINE;
}
