/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's first finding as plain text, to be pasted into a mail to a kernel list: lines of at most
 * 72 columns, but for what must not be broken (bytes, splats, commands). */
#ifndef STRESSD_REPORT_MAIL_H
#define STRESSD_REPORT_MAIL_H

#include "report/report.h"

void report_mail(const struct run_result *r, FILE *out);

#endif
