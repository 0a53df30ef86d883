// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd check, stressd schema */
#include "commands/commands.h"
#include "commands/options.h"
#include "scenario.h"

#include <getopt.h>
#include <stdio.h>

int cmd_check(int argc, char **argv)
{
	int status = command_options("check",
				     "usage: stressd check SCENARIO...\n"
				     "Check scenarios without running them.\n",
				     NULL, argc, argv, NULL);

	if (status != CMD_GO_ON)
		return status;
	if (optind == argc)
		return usage_error("check", "expected at least one scenario");
	status = EXIT_FINE;
	for (int i = optind; i < argc; i++) {
		struct scenario *sc = NULL;
		struct err e = { "" };

		if (scenario_load(argv[i], &sc, &e) < 0) {
			fprintf(stderr, "stressd: %s\n", e.text);
			status = EXIT_USAGE;
			continue;
		}
		printf("%s: ok\n", argv[i]);
		scenario_free(sc);
	}
	return status;
}

int cmd_schema(int argc, char **argv)
{
	int status = command_options("schema",
				     "usage: stressd schema\n"
				     "Print the JSON Schema of scenarios.\n",
				     NULL, argc, argv, NULL);
	json_t *schema;

	if (status != CMD_GO_ON)
		return status;
	if (optind < argc)
		return usage_error("schema", "%s: unexpected argument", argv[optind]);
	schema = scenario_schema();
	if (!schema || json_dumpf(schema, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0) {
		fprintf(stderr, "stressd: the schema could not be printed\n");
		json_decref(schema);
		return EXIT_TROUBLE;
	}
	json_decref(schema);
	return EXIT_FINE;
}
