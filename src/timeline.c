// SPDX-License-Identifier: GPL-2.0-or-later
/* Lanes and marks of a timeline: plain data, nothing is drawn here. */
#include "timeline.h"

#include <stdio.h>
#include <string.h>

const char *const timeline_role_names[TIMELINE_ROLES] = {
	[ROLE_NONE] = "none",
	[ROLE_FINDER] = "finder",
	[ROLE_WRITE] = "write",
	[ROLE_SUSPECT] = "suspect",
};

const char *const timeline_mark_names[TIMELINE_MARK_KINDS] = {
	[MARK_LOG] = "log",
	[MARK_FAULT] = "fault",
};

int timeline_lane(struct timeline *t, const char *name)
{
	for (size_t i = 0; i < t->nlanes; i++)
		if (!strcmp(t->lanes[i], name))
			return (int)i;
	if (t->nlanes == TIMELINE_LANES)
		return -1;
	snprintf(t->lanes[t->nlanes], sizeof(t->lanes[0]), "%s", name);
	return (int)t->nlanes++;
}

void timeline_span(const struct timeline *t, u64 *ret_from_ns, u64 *ret_to_ns)
{
	u64 from = t->nops ? UINT64_MAX : 0, to = 0;

	for (size_t i = 0; i < t->nops; i++) {
		from = MIN(from, t->ops[i].start_ns);
		to = MAX(to, MAX(t->ops[i].start_ns, t->ops[i].end_ns));
	}
	*ret_from_ns = from;
	*ret_to_ns = to;
}

void timeline_mark(struct timeline *t, enum timeline_mark_kind kind, u64 start_ns, u64 end_ns,
		   const char *text)
{
	struct timeline_mark *m = &t->marks[t->nmarks];

	if (t->nmarks == TIMELINE_MARKS)
		return;
	*m = (struct timeline_mark){ .kind = (u8)kind, .start_ns = start_ns, .end_ns = end_ns };
	snprintf(m->text, sizeof(m->text), "%s", text);
	t->nmarks++;
}
