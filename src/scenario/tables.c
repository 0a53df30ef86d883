// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The public doors, with the program's own tables behind them. Alone in a file, so that a test
 * that brings its own tables links without a single worker.
 */
#include "scenario/internal.h"

static const struct scenario_tables program_tables = {
	.workers = worker_types,
	.faults = fault_types,
	.targets = target_types,
};

int scenario_load(const char *path, struct scenario **ret, struct err *e)
{
	return scenario_load_with(&program_tables, path, ret, e);
}

int scenario_parse(const char *path, const char *text, size_t len, struct scenario **ret,
		   struct err *e)
{
	return scenario_parse_with(&program_tables, path, text, len, ret, e);
}

json_t *scenario_schema(void)
{
	return scenario_schema_with(&program_tables);
}
