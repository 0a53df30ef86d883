// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors of writeback that are certain: the filesystem itself says in the kernel log, with the
 * inode, that it has marked the file. From then on each descriptor that was open is owed the error
 * once, whoever else was told; ops/told.c holds the kernel to it. Only XFS and ext4 name the inode.
 */
#include "session/faults.h"

#include "session/session.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINES	   64
#define OVERLAP_NS (100 * NSEC_PER_MSEC) /* lines are stamped before they can be read */

/* "XFS: writeback error on inode 131, offset ..." is printed by iomap_finish_ioend(), "I/O error 10
 * writing to inode 12 starting ..." by ext4_end_bio(); both before the pages' writeback ends. */
static const char *const forms[] = { "writeback error on inode ", " writing to inode " };

static bool names_device(const char *line, const char *device)
{
	size_t len = strlen(device);

	for (const char *at = line; len && (at = strstr(at, device)); at += len)
		if (!isdigit((unsigned char)at[len]))
			return true;
	return false;
}

static bool names_inode(const char *line, ino_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *at = strstr(line, forms[i]);

		if (at) {
			*ret = (ino_t)strtoull(at + strlen(forms[i]), NULL, 10);
			return true;
		}
	}
	return false;
}

void owed_read(struct session *s)
{
	const char *lines[LINES], *device = strrchr(s->target.device, '/');
	u64 now = now_ns(), from = s->owed_read_ns - MIN(s->owed_read_ns, OVERLAP_NS);
	size_t n;

	if (!s->fault_pins || !device || !s->klog)
		return;
	n = klog_lines_between(s->klog, from, now, lines, NULL, LINES);
	s->owed_read_ns = now;
	for (size_t l = 0; l < n; l++) {
		struct stat st;
		ino_t inode;

		if (!names_device(lines[l], device + 1) || !names_inode(lines[l], &inode))
			continue;
		for (u32 i = 0; i < s->shadow.nfiles; i++)
			if (s->fault_pins[i] >= 0 && fstat(s->fault_pins[i], &st) == 0 &&
			    st.st_ino == inode)
				atomic_store(&s->shadow.files[i].error_ns, from);
	}
}
