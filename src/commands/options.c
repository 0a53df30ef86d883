// SPDX-License-Identifier: GPL-2.0-or-later
/* See options.h. */
#include "commands/options.h"

#include "base/base.h"
#include "commands/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define FIRST 256 /* of the numbers of options, past all characters */
#define LEFT  21  /* columns of a name and its value */

void option_help(const char *name, const char *value, const char *help)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", name, value ? " " : "", value ? value : "");
	printf("  %-*s %s\n", LEFT, left, help);
}

int option_error(const char *command, int c, char **argv)
{
	const char *given = argv[optind - 1];

	if (c == ':')
		return usage_error(command, "%s: requires an argument", given);
	if (optopt && !strncmp(given, "--", 2) && strchr(given, '='))
		return usage_error(command, "%s: takes no argument", given);
	if (optopt)
		return usage_error(command, "-%c: no such option", optopt);
	return usage_error(command, "%s: no such option", given);
}

static void store(const struct cmd_option *o, void *into)
{
	if (o->value)
		*(const char **)((char *)into + o->offset) = optarg;
	else
		*(bool *)((char *)into + o->offset) = true;
}

int command_options(const char *command, const char *usage, const struct cmd_option *options,
		    int argc, char **argv, void *into)
{
	static const struct cmd_option none[] = { { 0 } };
	struct option table[CMD_OPTIONS_MAX + 2] = { { 0 } };
	int n = 0;

	options = options ? options : none;
	for (; options[n].name && n < CMD_OPTIONS_MAX; n++)
		table[n] = (struct option){ options[n].name,
					    options[n].value ? required_argument : no_argument,
					    NULL, FIRST + n };
	table[n] = (struct option){ "help", no_argument, NULL, 'h' };
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
		if (c == 'h') {
			fputs(usage, stdout);
			for (const struct cmd_option *o = options; o->name; o++)
				option_help(o->name, o->value, o->help);
			return EXIT_FINE;
		}
		if (c < FIRST)
			return option_error(command, c, argv);
		store(&options[c - FIRST], into);
	}
	return CMD_GO_ON;
}
