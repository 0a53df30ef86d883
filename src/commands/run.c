// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd run */
#include "commands/commands.h"
#include "session/session.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
	"usage: stressd run [OPTIONS] SCENARIO\n"
	"  --run-dir DIR    where results go; new or empty (default: a new one under the state "
	"directory)\n"
	"  --destroy DEV    allow a scenario with target \"device\" to overwrite DEV\n"
	"  --seed N         another seed than the scenario's\n"
	"  --duration TIME  another duration, like 30s\n"
	"  --keep           keep image, shadow and histories of a run that passed, too\n"
	"  --json           JSON lines on stdout, nothing else there\n"
	"  --quiet          no live line\n";

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "run-dir", required_argument, NULL, 'r' },
		{ "destroy", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' },
		{ "duration", required_argument, NULL, 't' },
		{ "keep", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_options o = { 0 };

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'r':
			o.run_dir = optarg;
			break;
		case 'd':
			o.destroy = optarg;
			break;
		case 's':
			o.seed = optarg;
			break;
		case 't':
			o.duration = optarg;
			break;
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
		return usage_error("run", "expected one scenario");
	o.scenario = argv[optind];
	return session_run(&o);
}
