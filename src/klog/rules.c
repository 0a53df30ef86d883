// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules.def as a table, compiled once. Most lines of a log match nothing, so that a rule's
 * literal beginning is compared before its expression is run.
 */
#include "klog/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define X(name_, severity_, finding_, shape_, pattern_, title_, help_)                             \
	{ .name = name_,                                                                           \
	  .severity = SEV_##severity_,                                                             \
	  .finding = FINDING_##finding_,                                                           \
	  .shape = SHAPE_##shape_,                                                                 \
	  .pattern = pattern_,                                                                     \
	  .title = title_,                                                                         \
	  .help = help_ },
const struct klog_rule klog_rules[] = {
#include "klog/rules.def"
};
#undef X
const size_t klog_nrules = ARRAY_SIZE(klog_rules);

struct rules {
	regex_t re[ARRAY_SIZE(klog_rules)];
	size_t literal[ARRAY_SIZE(klog_rules)]; /* length of the plain text after '^' */
	size_t ncompiled;
};

/* Plain characters that every match starts with. One that a repetition follows is optional. */
static size_t literal_len(const char *pattern)
{
	size_t n;

	if (pattern[0] != '^')
		return 0;
	n = strcspn(pattern + 1, ".[]()*+?{}|\\^$");
	if (n && strchr("*?{", pattern[1 + n]) && pattern[1 + n])
		n--;
	return n;
}

int rules_new(struct rules **ret)
{
	struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	for (size_t i = 0; i < klog_nrules; i++) {
		int err = regcomp(&r->re[i], klog_rules[i].pattern, REG_EXTENDED);

		if (err) {
			rules_free(r);
			return err == REG_ESPACE ? -ENOMEM : -EINVAL;
		}
		r->literal[i] = literal_len(klog_rules[i].pattern);
		r->ncompiled++;
	}
	*ret = r;
	return 0;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->ncompiled; i++)
		regfree(&r->re[i]);
	free(r);
}

int rules_match(const struct rules *r, const char *line)
{
	for (size_t i = 0; i < klog_nrules; i++) {
		if (strncmp(line, klog_rules[i].pattern + 1, r->literal[i]))
			continue;
		if (!regexec(&r->re[i], line, 0, NULL, 0))
			return (int)i;
	}
	return RULE_NONE;
}

bool rules_groups(const struct rules *r, int rule, const char *line, regmatch_t m[RULE_GROUPS])
{
	return !regexec(&r->re[rule], line, RULE_GROUPS, m, 0);
}

int rules_by_name(const char *name)
{
	for (size_t i = 0; i < klog_nrules; i++)
		if (!strcmp(klog_rules[i].name, name))
			return (int)i;
	return RULE_NONE;
}
