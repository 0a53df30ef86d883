// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading one step: "VERB [LENGTH] [WORD VALUE]...". No operation is done in here. */
#include "workers/steps.h"

#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static const struct {
	const char *name;
	unsigned int flag;
} range_flags[] = {
	{ "before", SYNC_FILE_RANGE_WAIT_BEFORE },
	{ "write", SYNC_FILE_RANGE_WRITE },
	{ "after", SYNC_FILE_RANGE_WAIT_AFTER },
};

static const struct step_verb *find_verb(const char *name)
{
	for (const struct step_verb *v = step_verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static bool take_flag(const char *word, struct step *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(range_flags); i++) {
		if (strcmp(word, range_flags[i].name))
			continue;
		s->flags |= range_flags[i].flag;
		return s->verb->flags & STEP_FLAGS;
	}
	return false;
}

static bool take_value(const char *word, const char *value, struct step *s)
{
	const struct {
		const char *name;
		u64 *to;
	} values[] = { { "at", &s->at },       { "from", &s->from },   { "readable", &s->readable },
		       { "width", &s->width }, { "times", &s->times }, { "stride", &s->stride } };

	if (!strcmp(word, "from"))
		s->has_from = true;
	if (!strcmp(word, "at") && !strcmp(value, "random"))
		return s->random = true;
	if (!strcmp(word, "at") && !strcmp(value, "hot"))
		return s->hot = true;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!strcmp(word, values[i].name))
			return parse_size(value, values[i].to) == 0;
	return false;
}

static int fail(struct err *e, const char *text, const char *what)
{
	return err_set(e, -EINVAL, "step \"%.60s\": %s", text, what);
}

static int check_step(const char *text, const struct sc_file *f, const struct step *s,
		      struct err *e)
{
	u64 unit = s->verb->flags & STEP_CELLS ? f->cell_bytes : 1;

	if (s->at > f->max_bytes || s->len > f->max_bytes - s->at)
		return fail(e, text, "it reaches past the file's maximum; expected a range in it");
	if (s->has_from && (s->from > f->max_bytes || s->len > f->max_bytes - s->from))
		return fail(e, text,
			    "\"from\" reaches past the file's maximum; expected a range in it");
	if (s->at % unit || s->len % unit || s->from % unit || s->readable % unit ||
	    s->stride % unit)
		return fail(e, text, "no whole cells; expected multiples of the file's cell");
	return 0;
}

static int check_words(const char *text, const struct step *s, struct err *e)
{
	if (s->verb->flags & STEP_ONE && (!s->readable || !s->len))
		return fail(e, text, "expected a length and \"readable SIZE\"");
	if (s->verb->flags & STEP_ONE && (s->readable > s->len || s->len > ACTOR_BUF))
		return fail(e, text,
			    "expected a readable part up to the length, and at most 2M of it");
	if (s->has_from != !!(s->verb->flags & STEP_FROM) || (s->has_from && !s->len))
		return fail(e, text,
			    "expected a length and \"from OFFSET\" of a clone, and of no other");
	if (s->has_from && !s->random && s->from < s->at + s->len && s->at < s->from + s->len)
		return fail(e, text, "the two ranges overlap; expected ranges that do not");
	if (s->verb->flags & STEP_WHOLE && (s->len || s->at || s->random || s->hot))
		return fail(e, text, "it takes no range; expected the verb alone");
	if (!s->times || s->times > 1000000)
		return fail(e, text, "expected \"times\" in 1..1000000");
	if (s->width != 1 && s->width != 2 && s->width != 4 && s->width != 8)
		return fail(e, text, "expected a width of 1, 2, 4 or 8");
	return 0;
}

int step_parse(const char *text, const struct sc_file *file, struct step *ret, struct err *e)
{
	char copy[256], *rest = NULL, *word;

	*ret = (struct step){ .times = 1, .width = 8 };
	snprintf(copy, sizeof(copy), "%s", text);
	word = strtok_r(copy, " ", &rest);
	ret->verb = word ? find_verb(word) : NULL;
	if (!ret->verb)
		return fail(e, text, "no such verb; expected one of `stressd list steps`");
	word = strtok_r(NULL, " ", &rest);
	ret->has_len = word && parse_size(word, &ret->len) == 0;
	if (ret->has_len)
		word = strtok_r(NULL, " ", &rest);
	for (; word; word = strtok_r(NULL, " ", &rest)) {
		char *value;

		if (take_flag(word, ret))
			continue;
		value = strtok_r(NULL, " ", &rest);
		if (!value || !take_value(word, value, ret))
			return fail(e, text,
				    "expected VERB [LENGTH] [at OFFSET|random|hot] [from OFFSET] "
				    "[readable SIZE] [width N] [times N] [stride SIZE]");
	}
	if (check_words(text, ret, e) < 0)
		return -EINVAL;
	return file ? check_step(text, file, ret, e) : 0;
}
