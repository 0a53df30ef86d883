/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emphasis on a terminal, by what it means. All empty where colours are not wanted, so that
 * writers need no branch. (ECMA-48, SGR)
 */
#ifndef STRESSD_REPORT_STYLE_H
#define STRESSD_REPORT_STYLE_H

struct style {
	const char *bad, *good, *strong, *faint, *off;
};

extern const struct style style_plain, style_ansi;

#endif
