// SPDX-License-Identifier: GPL-2.0-or-later
/* A night as a page shows it: what each place came to, and what it was in the nights before. */
#include "store/compare.h"
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool take_whole(struct night *n, sqlite3_stmt *stmt)
{
	struct night_place *p = store_one_more(&n->places, &n->nplaces, sizeof(*p));
	s64 started_s = sqlite3_column_int64(stmt, 7), ended_s = sqlite3_column_int64(stmt, 8);

	if (!p || !store_take_place(stmt, &p->place))
		return false;
	p->runs = (u64)sqlite3_column_int64(stmt, 3);
	p->failed = (u64)sqlite3_column_int64(stmt, 4);
	p->skipped = (u64)sqlite3_column_int64(stmt, 5);
	p->lost = (u64)sqlite3_column_int64(stmt, 6);
	p->dir = strdup(store_text(stmt, 9));
	if (started_s)
		n->started_s = n->started_s ? MIN(n->started_s, started_s) : started_s;
	n->ended_s = MAX(n->ended_s, ended_s);
	return p->dir;
}

/* Place by place, as both are in the same order; what this night does not have is passed over. */
static int add_history(struct store *s, s64 night, struct night *n, size_t at, struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, QUERY_NIGHT_TRIES, e, "i", night);
	size_t i = 0;
	int r = -EIO;

	while (stmt && (r = store_step(s, stmt, e)) > 0) {
		struct place here = { (char *)store_text(stmt, 0), (char *)store_text(stmt, 1),
				      (char *)store_text(stmt, 2) };

		while (i < n->nplaces && place_compare(&n->places[i].place, &here) < 0)
			i++;
		if (i == n->nplaces || place_compare(&n->places[i].place, &here) != 0)
			continue;
		n->places[i].history[at].tries = (u64)sqlite3_column_int64(stmt, 3);
		n->places[i].history[at].failed = (u64)sqlite3_column_int64(stmt, 5);
	}
	return r;
}

int night_load_places(struct store *s, struct night *n, struct err *e)
{
	int r = store_load_rows(s, QUERY_NIGHT_PLACES, n->id, n, take_whole, e);
	sqlite3_stmt *stmt;
	s64 before[NIGHT_HISTORY];

	if (r < 0)
		return r;
	stmt = store_bind(s, QUERY_NIGHTS_BEFORE, e, "ii", n->id, (s64)NIGHT_HISTORY);
	if (!stmt)
		return -EIO;
	while ((r = store_step(s, stmt, e)) > 0)
		before[n->nhistory++] = sqlite3_column_int64(stmt, 0);
	for (size_t i = 0; i < n->nhistory && r == 0; i++)
		r = add_history(s, before[i], n, n->nhistory - 1 - i, e);
	return r;
}

int night_before(struct store *s, const struct night *n, char **ret, struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, QUERY_NIGHTS_BEFORE, e, "ii", n->id, (s64)1);
	int r = stmt ? store_step(s, stmt, e) : -EIO;

	if (r <= 0)
		return r ? r : -ENOENT;
	*ret = strdup(store_text(stmt, 1));
	sqlite3_reset(stmt);
	return *ret ? 0 : err_set(e, -ENOMEM, "out of memory");
}
