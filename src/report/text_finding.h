/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One finding as text for a person. For text.c and junit.c only. */
#ifndef STRESSD_REPORT_TEXT_FINDING_H
#define STRESSD_REPORT_TEXT_FINDING_H

#include "finding.h"
#include "report/style.h"

#include <stdio.h>

/* With all its evidence; @number counts from 1. */
void text_finding(const struct finding *f, size_t number, FILE *out, const struct style *st);
/* One line, cut to the width: number, time, kind, sentence. */
void text_finding_line(const struct finding *f, size_t number, FILE *out, const struct style *st);

#endif
