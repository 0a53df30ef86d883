// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd run */
#include "commands/commands.h"
#include "session/session.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: stressd run [OPTIONS] SCENARIO\n"
	"  --run-dir DIR    where results go; new or empty (default: a new one under the state "
	"directory)\n"
	"  --destroy DEV    allow a scenario with target \"device\" to overwrite DEV\n"
	"  --seed N         another seed than the scenario's\n"
	"  --duration TIME  another duration, like 30s\n"
	"  --keep           keep image, shadow and histories of a run that passed, too\n"
	"  --json           JSON lines on stdout, nothing else there\n"
	"  --output LIST    further reports beside the others: ktap, kcidb, prometheus\n"
	"  --quiet          no live line\n"
	"  --until-hit      again and again until it finds something: `stressd repro`, with its "
	"options\n";

/* Is it `repro` by its other name? Takes the option out, so that its arguments are repro's. */
static bool until_hit(int *argc, char **argv)
{
	for (int i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--until-hit") != 0)
			continue;
		memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
		--*argc;
		return true;
	}
	return false;
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "run-dir", required_argument, NULL, 'r' },
		{ "destroy", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' },
		{ "duration", required_argument, NULL, 't' },
		{ "keep", no_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_options o = { 0 };
	struct err e = { "" };

	if (until_hit(&argc, argv))
		return cmd_repro(argc, argv);
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
		case 'o':
			if (report_ask(optarg, &o.formats, &e) < 0)
				return usage_error("run", "--output %s", e.text);
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
