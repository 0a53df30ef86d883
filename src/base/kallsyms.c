// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines are "address type name", and "[module]" for a module's. They are in no order that could be
 * relied on. */
#include "base/kallsyms.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Address and type of the line's symbol; its name stays in @line and is returned, or NULL. */
static const char *parse(char *line, u64 *ret_address, char *ret_type)
{
	char *at;

	*ret_address = strtoull(line, &at, 16);
	if (at == line || at[0] != ' ' || !at[1] || at[2] != ' ')
		return NULL;
	*ret_type = at[1];
	at += 3;
	at[strcspn(at, "\t \n")] = '\0';
	return at;
}

static int find_start(FILE *f, const char *name, u64 *ret)
{
	char line[1024], type;

	while (fgets(line, sizeof(line), f)) {
		const char *found = parse(line, ret, &type);

		if (found && (type == 't' || type == 'T') && !strcmp(found, name))
			return *ret ? 0 : -EACCES;
	}
	return -ENOENT;
}

static u64 find_end(FILE *f, u64 start)
{
	u64 end = UINT64_MAX, address;
	char line[1024], type;

	rewind(f);
	while (fgets(line, sizeof(line), f))
		if (parse(line, &address, &type) && address > start)
			end = MIN(end, address);
	return end;
}

int kallsyms_range_in(const char *path, const char *name, u64 *ret_start, u64 *ret_end)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int r = f ? find_start(f, name, ret_start) : -errno;

	if (r == 0)
		*ret_end = find_end(f, *ret_start);
	return r;
}

int kallsyms_range(const char *name, u64 *ret_start, u64 *ret_end)
{
	return kallsyms_range_in("/proc/kallsyms", name, ret_start, ret_end);
}
