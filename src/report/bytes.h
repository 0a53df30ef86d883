/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a finding: how what was found differs from what was expected, in one phrase and as
 * a dump. Knows cells, pages and sectors; not who wrote them.
 */
#ifndef STRESSD_REPORT_BYTES_H
#define STRESSD_REPORT_BYTES_H

#include "finding.h"
#include "report/style.h"

#include <stdio.h>

struct byte_diff {
	u64 len;		    /* bytes that were compared; 0: the finding has none */
	u64 differing, first, last; /* offsets in the cell, when differing > 0 */
};

struct byte_diff byte_diff(const struct finding *f);
/* "496 of 512 bytes differ, +0 to +511; found: all zeros" */
void byte_diff_phrase(const struct finding *f, char *buf, size_t size);
/* The first differing lines of 16 bytes, expected above found, with marks where a page or a
 * sector begins. Nothing when no byte differs. */
void byte_diff_dump(const struct finding *f, FILE *out, const struct style *st);

#endif
