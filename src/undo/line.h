/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the undo journal, as text and back. Pure: no files, no meaning of the kinds.
 *
 *     CHECKSUM TYPE NUMBER KIND A B C\n
 *
 * The checksum is XXH64 of what follows it, in hex. A field is "-" for none, or "=" and the
 * text with everything but printable ASCII, and '%', as %XX: so a path may hold any byte.
 */
#ifndef STRESSD_UNDO_LINE_H
#define STRESSD_UNDO_LINE_H

#include "undo/undo.h"

enum undo_line_type {
	UNDO_LINE_HEADER = 'H', /* a = run, b = boot id; number is the format's version */
	UNDO_LINE_ENTRY = 'E',	/* recorded: about to be changed */
	UNDO_LINE_DONE = 'D',	/* entry NUMBER is as it was before */
};

#define UNDO_KIND_NAME_MAX 32

struct undo_line {
	char type;
	unsigned int number;
	char kind[UNDO_KIND_NAME_MAX]; /* name in undo.def; "journal" for the header */
	char *arg[UNDO_ARGS];	       /* NULL for none */
};

/* A new string that ends in a newline; NULL without memory. */
char *undo_line_format(char type, unsigned int number, const char *kind,
		       const char *const arg[UNDO_ARGS]);
/* @line of @len bytes without its newline. 0 with arguments owned by the caller, -EBADMSG for a
 * line that is torn or damaged, -ENOMEM. */
int undo_line_parse(const char *line, size_t len, struct undo_line *ret);
void undo_line_free(struct undo_line *l);

#endif
