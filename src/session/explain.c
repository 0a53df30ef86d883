// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct reads that fail with EIO as documented: a direct read beside cached dirtiers may meet a
 * delayed allocation, and then a line in the kernel log says so (fs/iomap/direct-io.c). Told from
 * a real I/O error by that line; a real one has lines of its own, which are findings.
 */
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLLISION_RULE "dio-collision" /* in klog/rules.def */
#define COLLISION      "Direct I/O collision with buffered writes"
#define STAMP_NS       (100 * NSEC_PER_MSEC) /* more than the log's stamps may be off */
/* DEFAULT_RATELIMIT_INTERVAL (include/linux/ratelimit_types.h): ten lines in five seconds, for all
 * of the machine. Another run may have used them up. */
#define PATIENCE_NS (6 * NSEC_PER_SEC)

/* An event is complete only when the record behind it has come, so the lines are looked at too. */
static bool collision_logged(const struct session *s, const struct sighting *si)
{
	const char *lines[64];
	size_t n = klog_lines_between(s->klog, si->start_ns - MIN(si->start_ns, STAMP_NS),
				      si->time_ns + STAMP_NS, lines, ARRAY_SIZE(lines));

	for (size_t i = 0; i < n; i++)
		if (strstr(lines[i], COLLISION))
			return true;
	for (size_t i = 0; i < klog_count(s->klog); i++)
		if (!strcmp(klog_event(s->klog, i)->rule, COLLISION_RULE))
			return true;
	return false;
}

bool explain_direct_eio(struct session *s, const struct sighting *si)
{
	if (si->kind != FINDING_READ_ERROR || si->result != -EIO ||
	    (si->op != OP_DIRECT_PREAD && si->op != OP_DIRECT_AIO_READ &&
	     si->op != OP_DIRECT_URING_READ))
		return false;
	s->direct_eio++;
	if (!s->klog || s->eio_explained)
		return true;
	judge_klog(s);
	if (collision_logged(s, si)) {
		s->eio_explained = true;
	} else if (!s->eio) {
		s->eio = malloc(sizeof(*si));
		if (!s->eio)
			return false;
		memcpy(s->eio, si, sizeof(*si));
	}
	return true;
}

struct sighting *explain_overdue(struct session *s)
{
	struct sighting *si = s->eio;

	if (!si || s->eio_explained)
		return NULL;
	s->eio_explained = collision_logged(s, si);
	if (s->eio_explained || now_ns() - si->time_ns < PATIENCE_NS)
		return NULL;
	s->eio = NULL;
	s->direct_eio = 0;
	return si;
}

void explain_notes(struct session *s)
{
	const char *why = s->eio_explained ? ""
			  : s->klog	   ? "; the line that would confirm it did not come before the "
					     "end, as the kernel limits its rate"
					   : "; nobody watched for the log line that would confirm it";

	if (s->direct_eio)
		judge_note(s,
			   "%llu direct reads failed with EIO beside delayed allocations, as "
			   "documented%s",
			   (unsigned long long)s->direct_eio, why);
}
