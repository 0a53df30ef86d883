// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd list: every table that a scenario draws on, printed from the tables themselves. */
#include "commands/commands.h"
#include "commands/options.h"

#include "faults/fault.h"
#include "finding.h"
#include "klog/klog.h"
#include "report/report.h"
#include "target/target.h"
#include "verify.h"
#include "workers/steps.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* One thing that a list shows. */
struct entry {
	const char *name, *help;
	const struct opt_def *options;
};

/* Fill entry @i; false past the end. */
typedef bool list_fn(size_t i, struct entry *ret);

static bool list_workers(size_t i, struct entry *ret)
{
	const struct worker_type *t = worker_types[i];

	if (t)
		*ret = (struct entry){ t->name, t->help, t->options };
	return t;
}

static bool list_faults(size_t i, struct entry *ret)
{
	const struct fault_type *t = fault_types[i];

	if (t)
		*ret = (struct entry){ t->name, t->help, t->options };
	return t;
}

static bool list_targets(size_t i, struct entry *ret)
{
	const struct target_type *t = target_types[i];

	if (t)
		*ret = (struct entry){ t->name, t->help, t->options };
	return t;
}

static bool list_findings(size_t i, struct entry *ret)
{
	if (i >= FINDING_KINDS)
		return false;
	*ret = (struct entry){ finding_infos[i].name, finding_infos[i].help, NULL };
	return true;
}

/* The verbs of the steps worker. */
static bool list_steps(size_t i, struct entry *ret)
{
	*ret = (struct entry){ step_verbs[i].name, step_verbs[i].help, NULL };
	return step_verbs[i].name;
}

static bool list_reports(size_t i, struct entry *ret)
{
	const struct report_format *f = report_formats[i];

	if (f)
		*ret = (struct entry){ f->name, f->help, NULL };
	return f;
}

/* Rules of the kernel log, then the rules of what the kernel does not promise. */
static bool list_rules(size_t i, struct entry *ret)
{
	static char text[400];

	if (i < klog_nrules) {
		snprintf(text, sizeof(text), "kernel log, %s: %s",
			 sc_severity_names[klog_rules[i].severity], klog_rules[i].help);
		*ret = (struct entry){ klog_rules[i].name, text, NULL };
		return true;
	}
	i -= klog_nrules;
	if (i >= verify_npromises)
		return false;
	snprintf(text, sizeof(text), "no finding: %s (%s)", verify_promises[i].rule,
		 verify_promises[i].source);
	*ret = (struct entry){ verify_promises[i].name, text, NULL };
	return true;
}

#define LISTS "workers|faults|targets|rules|findings|reports|steps"

static const struct {
	const char *name;
	list_fn *fn;
} lists[] = {
	{ "workers", list_workers }, { "faults", list_faults },	    { "targets", list_targets },
	{ "rules", list_rules },     { "findings", list_findings }, { "reports", list_reports },
	{ "steps", list_steps },
};

static void print_entry(const struct entry *e)
{
	printf("%-20s %s\n", e->name, e->help);
	if (e->options)
		option_describe(e->options, "    ", stdout);
}

static json_t *entry_json(const struct entry *e)
{
	json_t *j = json_pack("{ss ss}", "name", e->name, "help", e->help);

	if (j && e->options)
		json_object_set_new(j, "options", option_describe_json(e->options));
	return j;
}

static int print_list(list_fn *fn, const char *only, bool json)
{
	json_t *all = json_array();
	struct entry e;
	size_t shown = 0;

	for (size_t i = 0; fn(i, &e); i++) {
		if (only && strcmp(only, e.name))
			continue;
		shown++;
		if (json)
			json_array_append_new(all, entry_json(&e));
		else
			print_entry(&e);
	}
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
	if (only && !shown)
		return usage_error("list", "nothing is called %s here", only);
	return EXIT_FINE;
}

int cmd_list(int argc, char **argv)
{
	static const struct cmd_option options[] = {
		{ "json", NULL, 0, "JSON on stdout, nothing else there" },
		{ 0 },
	};
	bool json = false;
	int status = command_options("list",
				     "usage: stressd list [--json] " LISTS " [NAME]\n"
				     "What there is, with every option.\n",
				     options, argc, argv, &json);

	if (status != CMD_GO_ON)
		return status;
	if (optind == argc || argc - optind > 2)
		return usage_error("list", "expected one of " LISTS ", and a name or none");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (!strcmp(argv[optind], lists[i].name))
			return print_list(lists[i].fn, argv[optind + 1], json);
	return usage_error("list", "%s: no such list; expected one of " LISTS, argv[optind]);
}
