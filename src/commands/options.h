/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines: a table of options that is both what getopt_long(3) parses and what --help prints,
 * and one way to say what is wrong. What a value means is for the command.
 */
#ifndef STRESSD_COMMANDS_OPTIONS_H
#define STRESSD_COMMANDS_OPTIONS_H

#include <stddef.h>

struct cmd_option {
	/* value: what --help calls it; NULL: a switch; "NAME...": the option may be given again */
	const char *name, *value;
	size_t offset; /* of a const char *, for a switch of a bool, for "..." of cmd_texts */
	const char *help;
};

#define CMD_TEXTS_MAX 64
struct cmd_texts {
	const char *texts[CMD_TEXTS_MAX];
	size_t n;
};

#define CMD_OPTIONS_MAX 24
#define CMD_GO_ON	(-1)

/*
 * Read the options of @command into @into, leaving optind at the first argument. @usage is what
 * --help begins with, whole lines; @options ends with an empty row, NULL: --help alone. CMD_GO_ON,
 * or the exit status.
 */
int command_options(const char *command, const char *usage, const struct cmd_option *options,
		    int argc, char **argv, void *into);

/* For a parser of its own, with opterr 0 and ":" before its short options: say what is wrong with
 * the option that made getopt_long(3) return @c. Returns EXIT_USAGE. */
int option_error(const char *command, int c, char **argv);

/* One line of --help. */
void option_help(const char *name, const char *value, const char *help);

#endif
