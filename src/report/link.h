/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a page to a file elsewhere, whatever the names of the directories between them are. */
#ifndef STRESSD_REPORT_LINK_H
#define STRESSD_REPORT_LINK_H

#include "base/base.h"

/* The address of @dir/@file for a page that lies in @from, both absolute and free of "..": relative
 * below @from, so that the whole directory can be moved or served, else the absolute path. All but
 * letters, digits, "-._~" and "/" is percent-encoded (RFC 3986), and it can name no other host.
 * Owned by the caller; NULL: no memory, or @dir is not absolute. */
char *report_link(const char *from, const char *dir, const char *file);

#endif
