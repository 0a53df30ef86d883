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
	if (strlen(left) > LEFT) /* on a line of its own */
		printf("  %s\n  %-*s %s\n", left, LEFT, "", help);
	else
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

static bool is_repeated(const struct cmd_option *o)
{
	return o->value && strlen(o->value) > 3 && !strcmp(o->value + strlen(o->value) - 3, "...");
}

/* False: there is no room for one more. */
static bool store(const struct cmd_option *o, void *into)
{
	void *at = (char *)into + o->offset;

	if (is_repeated(o)) {
		struct cmd_texts *all = at;

		if (all->n == CMD_TEXTS_MAX)
			return false;
		all->texts[all->n++] = optarg;
	} else if (o->value) {
		*(const char **)at = optarg;
	} else {
		*(bool *)at = true;
	}
	return true;
}

int command_options(const char *command, const char *usage, const struct cmd_option *options,
		    int argc, char **argv, void *into)
{
	static const struct cmd_option none[] = { { 0 } };
	struct option table[CMD_OPTIONS_MAX + 2] = { { 0 } };
	int n = 0;

	options = options ? options : none;
	for (; n < CMD_OPTIONS_MAX && options[n].name; n++)
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
		if (!store(&options[c - FIRST], into))
			return usage_error(command, "--%s: given more than %d times",
					   options[c - FIRST].name, CMD_TEXTS_MAX);
	}
	return CMD_GO_ON;
}
