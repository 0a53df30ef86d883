/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Foreign text on its way into a report. Names, kernel-log lines and program output may hold any
 * byte; each medium has its own rules for what may stand in it. Knows no report.
 */
#ifndef STRESSD_REPORT_CHARS_H
#define STRESSD_REPORT_CHARS_H

#include "base/base.h"

#include <stdio.h>

enum medium {
	MEDIUM_UTF8,	 /* any character, for JSON: only bytes that are no UTF-8 are written out */
	MEDIUM_TERMINAL, /* one line: nothing that moves the cursor or turns the direction */
	MEDIUM_XML,	 /* XML 1.0 content: markup and characters that it forbids */
	MEDIUM_XML_ATTR, /* the same inside of double quotes: line ends would become blanks */
	MEDIUM_HTML, /* content and attributes that are also XML; nothing that turns the direction
		      */
};

#define REPORT_COLUMNS 96

/* Write @s as @m may hold it. Bytes that are no UTF-8 become \xNN and characters that @m does not
 * allow \uNNNN, as base/escape.h writes them. Errors stay with @out (ferror(3)). */
void put_text(FILE *out, const char *s, enum medium m);
/* The same as a string. Owned by the caller; NULL: no memory. */
char *text_for(const char *s, enum medium m);
/* Write @s for a terminal, broken at blanks to REPORT_COLUMNS: @first before the first line,
 * @indent blanks before each further one, a line end after the last. */
void put_wrapped(FILE *out, const char *first, int indent, const char *s);
/* The same to @width columns. */
void put_wrapped_to(FILE *out, int width, const char *first, int indent, const char *s);

#endif
