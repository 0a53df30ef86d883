/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the layers of a finding say about where the data died. For the reports. */
#ifndef STRESSD_REPORT_LAYERS_H
#define STRESSD_REPORT_LAYERS_H

#include "finding.h"

/* Was any of them read? */
bool layers_read(const struct finding *f);
/* One sentence, "" where the pattern says nothing. */
const char *layers_say(const struct finding *f);

#endif
