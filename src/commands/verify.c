// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd verify */
#include "commands/commands.h"
#include "session/session.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
	"usage: stressd verify [OPTIONS] RUNDIR\n"
	"Finish the check of a run whose stressd was killed: what its workers had in flight may "
	"be\n"
	"old or new, everything else must be as it was written.\n"
	"  --keep   keep image, shadow and histories also when nothing was found\n"
	"  --json   JSON lines on stdout, nothing else there\n"
	"  --quiet  no live line\n";

int cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_options o = { 0 };

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'k':
			o.keep = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'q':
			o.quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_FINE;
		default:
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 1)
		return usage_error("verify", "expected one run directory");
	o.run_dir = argv[optind];
	return session_verify(&o);
}
