/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands. Each has one file and one row in stressd.c; it parses its own arguments
 * (options.h), prints, and returns the exit code of DESIGN: 0 fine, 1 finding, 2 usage,
 * 3 trouble, 4 skipped.
 */
#ifndef STRESSD_COMMANDS_H
#define STRESSD_COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_caps(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_schema(int argc, char **argv);
int cmd_vm(int argc, char **argv);
int cmd_repro(int argc, char **argv);
int cmd_minimize(int argc, char **argv);
int cmd_bisect_step(int argc, char **argv);
int cmd_store(int argc, char **argv);
int cmd_store_prune(int argc, char **argv); /* of store: its own options */
int cmd_history(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_matrix(int argc, char **argv);
int cmd_daemon(int argc, char **argv);
int cmd_ask(int argc, char **argv);

#define EXIT_FINE    0
#define EXIT_FINDING 1
#define EXIT_USAGE   2
#define EXIT_TROUBLE 3
#define EXIT_LACKS   4

/* "stressd run: ..." on stderr; returns EXIT_USAGE. */
int usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
