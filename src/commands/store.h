/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that read or fill the store have in common: which file, and how they print. */
#ifndef STRESSD_COMMANDS_STORE_H
#define STRESSD_COMMANDS_STORE_H

#include "store/store.h"

#include <jansson.h>

/* @path, or the one in the state directory when it is NULL. 0 or -errno, as store_open(). */
int store_open_at(const char *path, enum store_mode mode, struct store **ret, struct err *e);

#define STORE_TIME_MAX 24
/* "2024-05-01 12:00:00", UTC; "-" for 0. Returns @buf. */
const char *store_time(char buf[STORE_TIME_MAX], s64 seconds);
/* A line of JSON on stdout; takes the reference. NULL (no memory): nothing. */
void put_json_line(json_t *o);
/* @before and @text, made fit for a terminal; nothing where @text is "". */
void put_field(const char *before, const char *text);

#endif
