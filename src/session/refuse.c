// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scenario that is right by itself and wrong for this machine: which of its lines is to blame,
 * and what should stand there. Decides nothing but which device the command line gave away.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/json_locate.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define SCENARIO_MAX MIB

/* Keys of a target that a probe may refuse, and what it would take there. */
static const struct {
	const char *type, *key, *expected; /* type NULL: of any */
} keys[] = {
	{ "directory", "path", "an existing directory that was made for tests" },
	{ "device", "path", "a block device that nothing uses, named by --destroy as well" },
	{ NULL, "where", "an existing directory that was made for tests" },
	{ NULL, "mount", "one mount option a string, none that mounts something else" },
	{ NULL, "mkfs", "arguments that mkfs takes" },
};

static bool named(const char *text, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(text, "target.", 7) && !strncmp(text + 7, key, len) && text[7 + len] == ':';
}

static const json_t *target_value(const struct session *s, const char *key)
{
	return json_object_get(json_object_get(s->sc->resolved, "target"), key);
}

/* The key that the text names, or else the path, which is what most refusals are about. */
static size_t find_key(const struct session *s, const char *text)
{
	const char *type = s->target.type->name;
	bool any = !strncmp(text, "target.", 7);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].type && strcmp(keys[i].type, type) != 0)
			continue;
		if (any ? named(text, keys[i].key) : json_is_string(target_value(s, keys[i].key)))
			return i;
	}
	return ARRAY_SIZE(keys);
}

/* The line of @pointer, or of the nearest value around it that the file has: 1 at worst. */
static size_t line_of(const char *path, char *pointer)
{
	_cleanup_free_ char *text = NULL;
	size_t len, line;

	if (read_file(path, SCENARIO_MAX, &text, &len) < 0)
		return 1;
	while ((line = json_line_of(text, len, pointer)) == 0 && strrchr(pointer, '/'))
		*strrchr(pointer, '/') = '\0';
	return line ? line : 1;
}

void session_refuse(struct session *s, const char *culprit, const char *text)
{
	const char *expected = "what this machine and its user allow", *what = text;
	char pointer[64], nearest[64];
	size_t i;

	snprintf(pointer, sizeof(pointer), "%s", culprit ? culprit : "/target");
	i = culprit ? ARRAY_SIZE(keys) : find_key(s, text);
	if (i < ARRAY_SIZE(keys)) {
		snprintf(pointer, sizeof(pointer), "/target/%s", keys[i].key);
		expected = keys[i].expected;
		if (named(text, keys[i].key))
			what = text + 7 + strlen(keys[i].key) + 2;
	}
	memcpy(nearest, pointer, sizeof(nearest));
	fprintf(stderr, "stressd: %s:%zu: %s: %s; expected %s\n", s->sc->path,
		line_of(s->sc->path, nearest), pointer, what, expected);
}

bool session_may_destroy(const struct session *s)
{
	const char *path = json_string_value(target_value(s, "path"));
	struct stat a, b;

	return s->o->destroy && path && stat(s->o->destroy, &a) == 0 && stat(path, &b) == 0 &&
	       S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev;
}
