// SPDX-License-Identifier: GPL-2.0-or-later
/* One attempt from the files that its run left. Reads JSON; decides nothing that the run decided.
 */
#include "vm/scoreboard.h"

#include "base/fsutil.h"
#include "vm/guest.h"

#include <limits.h>
#include <string.h>

static json_t *load(const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (path_set(path, sizeof(path), "%s/%s", dir, name) < 0)
		return NULL;
	return json_load_file(path, 0, NULL);
}

static const char *text_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void set_text(struct attempt *a, const char *s)
{
	snprintf(a->text, sizeof(a->text), "%s", s);
}

/* The first of all findings, and the first that is right: that one counts if there is one. */
static bool judge_findings(struct attempt *a, u64 right, const json_t *findings)
{
	const json_t *first = NULL, *f;
	double first_ms = 0;
	bool found = false;
	size_t i;

	json_array_foreach (findings, i, f) {
		int kind = finding_by_name(text_at(f, "kind"));
		double ms = json_number_value(json_object_get(f, "time_ms"));
		bool good = kind >= 0 && right >> kind & 1;

		if (kind < 0 || (found && !good) || (first && found == good && ms >= first_ms))
			continue;
		first = f;
		first_ms = ms;
		found |= good;
		a->kind = kind;
	}
	if (!first)
		return false;
	a->end = found ? ATTEMPT_DETECTED : ATTEMPT_WRONG;
	a->time_ns = (u64)(MAX(first_ms, 0.0) * 1e6);
	set_text(a, text_at(first, "sentence"));
	return true;
}

static bool all_exercised(const json_t *result)
{
	const json_t *races = json_object_get(result, "races"), *race;
	size_t i;

	json_array_foreach (races, i, race)
		if (json_is_false(json_object_get(race, "exercised")))
			return false;
	return true;
}

/* Nothing was found: why? */
static void judge_nothing(const struct trial *t, const json_t *result, struct attempt *a)
{
	const char *verdict = text_at(result, "verdict");

	set_text(a, text_at(result, "reason"));
	if (!strcmp(verdict, "pass"))
		a->end = !t->mutant	? ATTEMPT_SILENT
			 : a->hits < 0	? ATTEMPT_MISSED
			 : a->hits == 0 ? ATTEMPT_NEVER
					: ATTEMPT_REACHED;
	else if (!strcmp(verdict, "incomplete") && !all_exercised(result))
		a->end = ATTEMPT_IDLE;
}

/* Those of the run, and of the check after its power was cut. */
static json_t *all_findings(const json_t *result, const json_t *check)
{
	json_t *all = json_array();

	json_array_extend(all, json_object_get(result, "findings"));
	json_array_extend(all, json_object_get(check, "findings"));
	return all;
}

void scoreboard_judge(const struct trial *t, const char *dir, struct attempt *a)
{
	_cleanup_json_ json_t *result = load(dir, "result.json");
	_cleanup_json_ json_t *check = load(dir, "verify/result.json");
	_cleanup_json_ json_t *mutant = load(dir, GUEST_MUTANT_FILE);
	_cleanup_json_ json_t *findings = all_findings(result, check);
	const json_t *hits = json_object_get(mutant, "hits");

	a->end = ATTEMPT_NOT_RUN;
	a->kind = -1;
	a->hits = json_is_integer(hits) ? json_integer_value(hits) : -1;
	if (*text_at(mutant, "error"))
		set_text(a, text_at(mutant, "error"));
	else if (result && !judge_findings(a, t->mutant ? t->mutant->kinds : 0, findings))
		judge_nothing(t, check ? check : result, a);
}
