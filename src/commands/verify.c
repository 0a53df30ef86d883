// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd verify */
#include "commands/commands.h"
#include "commands/options.h"
#include "session/session.h"

#include <getopt.h>
#include <stdio.h>

static const char usage[] =
	"usage: stressd verify [OPTIONS] RUNDIR\n"
	"Finish the check of a run whose stressd was killed: what its workers had in flight may "
	"be\n"
	"old or new, everything else must be as it was written.\n";

static const struct cmd_option options[] = {
	{ "keep", NULL, offsetof(struct run_options, keep),
	  "keep image, shadow and histories also when nothing was found" },
	{ "json", NULL, offsetof(struct run_options, json),
	  "JSON lines on stdout, nothing else there" },
	{ "quiet", NULL, offsetof(struct run_options, quiet), "no live line" },
	{ 0 },
};

int cmd_verify(int argc, char **argv)
{
	struct run_options o = { .run_dir = NULL };
	int status = command_options("verify", usage, options, argc, argv, &o);

	if (status != CMD_GO_ON)
		return status;
	if (argc - optind != 1)
		return usage_error("verify", "expected one run directory");
	o.run_dir = argv[optind];
	return session_verify(&o);
}
