// SPDX-License-Identifier: GPL-2.0-or-later
/* What is expected: parts of lines for the whole run, and rules while something goes on that
 * causes them. */
#include "klog/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void klog_allow(struct klog *k, const char *substring)
{
	char **grown, *copy;

	/* An empty pattern is in every line: it would allow whatever comes. */
	if (!*substring)
		return;
	grown = reallocarray(k->allow, k->nallow + 1, sizeof(*grown));
	if (!grown)
		return;
	k->allow = grown;
	copy = strdup(substring);
	if (copy)
		k->allow[k->nallow++] = copy;
}

int klog_allow_rules(struct klog *k, const char *const *rules)
{
	struct allow_rules *grown =
		reallocarray(k->allow_rules, k->nallow_rules + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	k->allow_rules = grown;
	grown[k->nallow_rules] = (struct allow_rules){ .rules = rules };
	return (int)k->nallow_rules++;
}

void klog_allow_from(struct klog *k, int set, u64 from_ns)
{
	struct allow_rules *a = &k->allow_rules[set];
	struct allow_window *grown = reallocarray(a->windows, a->nwindows + 1, sizeof(*grown));

	if (!grown)
		return;
	a->windows = grown;
	grown[a->nwindows++] = (struct allow_window){ from_ns, UINT64_MAX };
}

void klog_allow_until(struct klog *k, int set, u64 to_ns)
{
	struct allow_rules *a = &k->allow_rules[set];

	if (a->nwindows)
		a->windows[a->nwindows - 1].to_ns = to_ns;
}

static bool in_window(const struct allow_rules *a, u64 time_ns)
{
	for (size_t i = a->nwindows; i-- > 0;)
		if (time_ns >= a->windows[i].from_ns && time_ns <= a->windows[i].to_ns)
			return true;
	return false;
}

static bool names_rule(const struct allow_rules *a, const char *name)
{
	for (const char *const *r = a->rules; *r; r++)
		if (!strcmp(*r, name))
			return true;
	return false;
}

bool is_allowed(const struct klog *k, const struct splat *s)
{
	for (size_t i = 0; i < s->nlines; i++)
		for (size_t a = 0; a < k->nallow; a++)
			if (strstr(s->lines[i], k->allow[a]))
				return true;
	for (size_t i = 0; i < k->nallow_rules; i++)
		if (names_rule(&k->allow_rules[i], klog_rules[s->rule].name) &&
		    in_window(&k->allow_rules[i], s->first_ns))
			return true;
	return false;
}

void allow_free(struct klog *k)
{
	for (size_t i = 0; i < k->nallow; i++)
		free(k->allow[i]);
	free(k->allow);
	for (size_t i = 0; i < k->nallow_rules; i++)
		free(k->allow_rules[i].windows);
	free(k->allow_rules);
}
