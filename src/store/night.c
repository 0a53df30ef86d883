// SPDX-License-Identifier: GPL-2.0-or-later
/* A night as a comparison needs it: sums by place, read in the order in which they are merged. */
#include "store/compare.h"
#include "store/internal.h"

#include "base/cleanup.h"

#include <string.h>

int place_compare(const struct place *a, const struct place *b)
{
	int c = strcmp(a->scenario, b->scenario);

	c = c ? c : strcmp(a->target, b->target);
	c = c ? c : strcmp(a->label, b->label);
	return (c > 0) - (c < 0);
}

void *store_one_more(void *list, size_t *n, size_t size)
{
	char **at = list;

	if (!(*n & (*n - 1))) {
		char *grown = reallocarray(*at, *n ? 2 * *n : 1, size);

		if (!grown)
			return NULL;
		*at = grown;
	}
	return memset(*at + (*n)++ * size, 0, size);
}

bool store_take_place(sqlite3_stmt *stmt, struct place *p)
{
	p->scenario = strdup(store_text(stmt, 0));
	p->target = strdup(store_text(stmt, 1));
	p->label = strdup(store_text(stmt, 2));
	return p->scenario && p->target && p->label;
}

static bool take_try(struct night *n, sqlite3_stmt *stmt)
{
	struct night_try *t = store_one_more(&n->tries, &n->ntries, sizeof(*t));
	s64 first_s = sqlite3_column_int64(stmt, 4);

	if (!t || !store_take_place(stmt, &t->place))
		return false;
	t->tries = (u64)sqlite3_column_int64(stmt, 3);
	n->runs += t->tries;
	n->failed += (u64)sqlite3_column_int64(stmt, 5);
	n->first_s = n->ntries == 1 ? first_s : MIN(n->first_s, first_s);
	return true;
}

static bool take_hit(struct night *n, sqlite3_stmt *stmt)
{
	struct night_hit *h = store_one_more(&n->hits, &n->nhits, sizeof(*h));

	if (!h || !store_take_place(stmt, &h->place))
		return false;
	h->hash = strdup(store_text(stmt, 3));
	h->kind = strdup(store_text(stmt, 4));
	h->title = strdup(store_text(stmt, 5));
	h->fs = strdup(store_text(stmt, 6));
	h->hits = (u64)sqlite3_column_int64(stmt, 7);
	h->sentence = strdup(store_text(stmt, 8));
	h->dir = strdup(store_text(stmt, 9));
	return h->hash && h->kind && h->title && h->fs && h->sentence && h->dir;
}

static bool take_speed(struct night *n, sqlite3_stmt *stmt)
{
	struct place here = { (char *)store_text(stmt, 0), (char *)store_text(stmt, 1),
			      (char *)store_text(stmt, 2) };
	struct night_speed *s = n->nspeeds ? &n->speeds[n->nspeeds - 1] : NULL;
	double *value;

	if (!s || place_compare(&s->place, &here) != 0) {
		s = store_one_more(&n->speeds, &n->nspeeds, sizeof(*s));
		if (!s || !store_take_place(stmt, &s->place))
			return false;
	}
	value = store_one_more(&s->values, &s->n, sizeof(*value));
	if (value)
		*value = sqlite3_column_double(stmt, 3);
	return value;
}

int store_load_rows(struct store *s, enum store_query q, s64 night, struct night *n,
		    bool (*take)(struct night *, sqlite3_stmt *), struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, q, e, "i", night);
	int r = -EIO;

	while (stmt && (r = store_step(s, stmt, e)) > 0)
		if (!take(n, stmt)) {
			sqlite3_reset(stmt);
			return err_set(e, -ENOMEM, "out of memory");
		}
	return r;
}

int night_load(struct store *s, const char *name, struct night *ret, struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, QUERY_FIND_NIGHT, e, "s", name);
	int r = stmt ? store_step(s, stmt, e) : -EIO;

	*ret = (struct night){ 0 };
	if (r <= 0)
		return r ? r : -ENOENT;
	ret->id = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	r = store_load_rows(s, QUERY_NIGHT_TRIES, ret->id, ret, take_try, e);
	if (r == 0)
		r = store_load_rows(s, QUERY_NIGHT_HITS, ret->id, ret, take_hit, e);
	return r < 0 ? r : store_load_rows(s, QUERY_NIGHT_SPEEDS, ret->id, ret, take_speed, e);
}

void store_free_place(struct place *p)
{
	free(p->scenario);
	free(p->target);
	free(p->label);
}

void night_free(struct night *n)
{
	for (size_t i = 0; i < n->ntries; i++)
		store_free_place(&n->tries[i].place);
	for (size_t i = 0; i < n->nhits; i++) {
		struct night_hit *h = &n->hits[i];
		char *texts[] = { h->hash, h->kind, h->title, h->fs, h->sentence, h->dir };

		store_free_place(&h->place);
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			free(texts[k]);
	}
	for (size_t i = 0; i < n->nspeeds; i++) {
		store_free_place(&n->speeds[i].place);
		free(n->speeds[i].values);
	}
	for (size_t i = 0; i < n->nplaces; i++) {
		store_free_place(&n->places[i].place);
		free(n->places[i].dir);
	}
	free(n->places);
	free(n->tries);
	free(n->hits);
	free(n->speeds);
	*n = (struct night){ 0 };
}

int store_seen_before(struct store *s, const char *hash, const struct place *place, s64 before_s,
		      struct err *e)
{
	sqlite3_stmt *stmt = store_bind(s, QUERY_SEEN_BEFORE, e, "ssssi", hash, place->scenario,
					place->target, place->label, before_s);
	int r = stmt ? store_step(s, stmt, e) : -EIO;

	if (r > 0)
		sqlite3_reset(stmt);
	return r;
}

int store_known(void *ctx, const struct night_hit *hit)
{
	const struct store_known *k = ctx;

	return store_seen_before(k->store, hit->hash, &hit->place, k->before_s, k->e);
}
