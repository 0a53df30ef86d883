/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiled rule table: which rule a line matches, and the text of its groups. Knows the
 * patterns only; what a match means is splat.c's business.
 */
#ifndef STRESSD_KLOG_RULES_H
#define STRESSD_KLOG_RULES_H

#include "klog/klog.h"

#include <regex.h>

#define RULE_GROUPS 6 /* %1 to %5 in a title, and the whole match */
#define RULE_NONE   (-1)

struct rules;

/* Compile every pattern. Returns 0, -ENOMEM, or -EINVAL for a pattern that is not valid. */
int rules_new(struct rules **ret);
void rules_free(struct rules *r);
/* Index of the first rule in the table that @line matches, or RULE_NONE. */
int rules_match(const struct rules *r, const char *line);
/* Match @line against one rule again, for its groups. */
bool rules_groups(const struct rules *r, int rule, const char *line, regmatch_t m[RULE_GROUPS]);
/* Index of the rule called @name, or RULE_NONE. */
int rules_by_name(const char *name);

#endif
