// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd check, stressd schema */
#include "commands/commands.h"
#include "scenario.h"

#include <stdio.h>

int cmd_check(int argc, char **argv)
{
	int status = EXIT_FINE;

	if (argc < 2)
		return usage_error("check", "expected at least one scenario");
	for (int i = 1; i < argc; i++) {
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
	json_t *schema;

	if (argc > 1)
		return usage_error("schema", "%s: unexpected argument", argv[1]);
	schema = scenario_schema();
	if (!schema || json_dumpf(schema, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0) {
		fprintf(stderr, "stressd: the schema could not be printed\n");
		json_decref(schema);
		return EXIT_TROUBLE;
	}
	json_decref(schema);
	return EXIT_FINE;
}
