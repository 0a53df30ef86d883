// SPDX-License-Identifier: GPL-2.0-or-later
/* Links: paths as addresses. */
#include "report/link.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The part of @dir below @from, without a slash before it; NULL: it is not below. */
static const char *below(const char *from, const char *dir)
{
	size_t len = strlen(from);

	while (len && from[len - 1] == '/')
		len--;
	if (strncmp(dir, from, len) != 0 || (dir[len] && dir[len] != '/'))
		return NULL;
	return dir + len + strspn(dir + len, "/");
}

static char *encode(char *at, const char *path)
{
	for (; *path; path++)
		at += sprintf(at,
			      isascii(*path) && (isalnum(*path) || strchr("-._~/", *path))
				      ? "%c"
				      : "%%%02X",
			      (unsigned char)*path);
	return at;
}

char *report_link(const char *from, const char *dir, const char *file)
{
	const char *part;
	char *link, *at;

	if (*dir != '/')
		return NULL;
	link = malloc(3 * (strlen(dir) + strlen(file)) + 3);
	if (!link)
		return NULL;
	at = link;
	part = below(from, dir);
	/* One slash: two would begin the name of a host. */
	if (!part) {
		*at++ = '/';
		part = dir + strspn(dir, "/");
	}
	at = encode(at, part);
	if (at > link && at[-1] != '/')
		*at++ = '/';
	*encode(at, file) = '\0';
	return link;
}
