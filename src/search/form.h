/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario that parts are taken from. In its form nothing moves when something goes: what is
 * removed becomes null, and actors of races name their worker by its place. So changes can be
 * made in any order and together, and be tried without knowing of each other. A form becomes a
 * scenario again by leaving out nulls and what has no meaning without them.
 */
#ifndef STRESSD_FORM_H
#define STRESSD_FORM_H

#include "scenario.h"

/*
 * The form of the scenario in @path, without what says no more than a default does, and without
 * what only makes runs alike or longer (seed, stop_on). Checked as `stressd check` does. 0 and a
 * new reference, or -EINVAL or -errno with the line in @e.
 */
int form_load(const char *path, json_t **ret, struct err *e);
int form_parse(const char *path, const char *text, json_t **ret, struct err *e);

/* A change: what is done, and values by JSON pointers into the form. */
struct edit {
	char what[200]; /* "worker 3 (reader on data)" */
	json_t *set;	/* {pointer: value}, null removes; owned */
};

struct edits {
	struct edit *edit;
	size_t n;
};

/* Add a change of one value to @e; takes @value. */
void edits_add(struct edits *e, const char *pointer, json_t *value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* A further value that the last change sets. */
void edits_also(struct edits *e, const char *pointer, json_t *value);
void edits_free(struct edits *e);

/* Make a change. What was removed before stays so. */
void form_apply(json_t *form, const struct edit *edit);
/* The value at @pointer, or NULL: nothing, or it was removed. */
json_t *form_at(const json_t *form, const char *pointer);

/* The row of workers that process "type.N" belongs to, or -1. */
int form_row_of(const json_t *form, const char *process);

/* The scenario that a form stands for. New reference; NULL: no memory. */
json_t *form_render(const json_t *form);
/* Is a rendered scenario one that the parser takes? With @ret, which may be NULL, decoded. */
bool form_is_valid(const json_t *rendered, struct scenario **ret);

#endif
