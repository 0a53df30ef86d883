// SPDX-License-Identifier: GPL-2.0-or-later
/* Events: one for each title, however often it comes; bounded whatever arrives. */
#include "klog/internal.h"

#include <stdlib.h>
#include <string.h>

#define OVERFLOW_TITLE "further kernel events, of more titles than are kept"

/* Does the event name loop devices, and none of them ours? A run must not answer for what goes on
 * beside it. */
static bool is_foreign(const struct klog *k, const struct splat *s)
{
	size_t own = strlen(k->own_device), len;
	bool named = false;

	for (size_t i = 0; k->owns && i < s->nlines; i++)
		for (const char *p = s->lines[i]; (p = strstr(p, "loop")); p += len) {
			len = 4 + strspn(p + 4, "0123456789");
			if (len == 4)
				continue;
			named = true;
			if (len == own && !strncmp(p, k->own_device, len))
				return false;
		}
	return named;
}

void klog_own_device(struct klog *k, const char *name)
{
	snprintf(k->own_device, sizeof(k->own_device), "%s", name);
	k->owns = true;
}

/* An allowed event must not swallow one that is not: they are counted apart. */
static struct klog_event *find_event(const struct klog *k, const char *title, bool allowed)
{
	for (size_t i = 0; i < k->nevents; i++)
		if (k->events[i]->allowed == allowed && !strcmp(k->events[i]->title, title))
			return k->events[i];
	return NULL;
}

static void fill(struct klog *k, struct klog_event *e, struct splat *s)
{
	const struct klog_rule *rule = &klog_rules[s->rule];

	e->severity = rule->severity;
	e->finding = rule->finding;
	e->rule = rule->name;
	e->time_ns = s->first_ns;
	task_of(k->tasks, s, &e->pid, e->comm);
	e->lines = s->lines;
	e->nlines = s->nlines;
	s->lines = NULL;
	s->nlines = 0;
}

/* Beyond the limit every event counts on the last one, which is as grave as the gravest. */
static void count_overflow(struct klog_event *last, const struct klog_rule *rule)
{
	last->repeats++;
	if (rule->severity > last->severity) {
		last->severity = rule->severity;
		last->finding = rule->finding;
		last->rule = rule->name;
	}
}

void events_add(void *klog, struct splat *s)
{
	struct klog *k = klog;
	bool foreign = is_foreign(k, s), allowed = foreign || is_allowed(k, s);
	struct klog_event *e, **grown;
	char title[sizeof(e->title)];

	k->completed++;
	title_of(k->rules, s, title, sizeof(title));
	e = find_event(k, title, allowed);
	if (e) {
		e->repeats++;
		return;
	}
	if (k->nevents == EVENTS_MAX) {
		if (!allowed)
			count_overflow(k->events[EVENTS_MAX - 1], &klog_rules[s->rule]);
		return;
	}
	if (k->nevents == EVENTS_MAX - 1) {
		if (allowed)
			return;
		strcpy(title, OVERFLOW_TITLE);
	}
	grown = reallocarray(k->events, k->nevents + 1, sizeof(struct klog_event *));
	if (!grown)
		return;
	k->events = grown;
	e = calloc(1, sizeof(*e));
	if (!e)
		return;
	memcpy(e->title, title, sizeof(title));
	e->allowed = allowed;
	e->foreign = foreign;
	fill(k, e, s);
	k->events[k->nevents++] = e;
}

void events_free(struct klog *k)
{
	for (size_t i = 0; i < k->nevents; i++) {
		for (size_t l = 0; l < k->events[i]->nlines; l++)
			free(k->events[i]->lines[l]);
		free(k->events[i]->lines);
		free(k->events[i]);
	}
	free(k->events);
}
