/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files that minimize:
 *
 *   minimize.c  measures, and goes through the table    suspect.c  who is likelier to matter
 *   row.c       the proposals of one row, in groups
 */
#ifndef STRESSD_SEARCH_INTERNAL_H
#define STRESSD_SEARCH_INTERNAL_H

#include "search/minimize.h"

/* minimize.c */
void minimize_tell(struct minimize *m, enum minimize_event event);
/* Does the finding stay in each of @list? 0 or as trials_run(). */
int minimize_ask(struct minimize *m, struct trial *list, size_t n, struct err *e);
/* @t, which it takes, is the smallest now. 0 or -ENOMEM. */
int minimize_adopt(struct minimize *m, struct trial *t);
/* Does the current scenario hit at the end of its runs only? */
bool minimize_hits_late(const struct minimize *m);

/* row.c: try what @reduction proposes; @groups: many at once, to begin with. *ret_smaller is set
 * when something went. 0 or as trials_run(). */
int row_reduce(struct minimize *m, const struct reduction *reduction, bool groups,
	       bool *ret_smaller, struct err *e);

/* suspect.c */
/* Processes that a finding names, with blanks between. */
void suspect_named(struct minimize *m, const char *actors);
/* Actors of the races. */
void suspect_racers(struct minimize *m);
bool is_suspect(const struct minimize *m, const struct edit *edit);

#endif
