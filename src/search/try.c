// SPDX-License-Identifier: GPL-2.0-or-later
/* From a result.json to hit, silence, or neither. */
#include "search/try.h"

#include "base/fsutil.h"
#include "base/json_at.h"

#include <errno.h>
#include <string.h>

#define EXIT_FINDING 1
#define EXIT_SKIP    4

/* After one of these the kernel goes on as it can, if at all. */
#define SICK                                                                                       \
	(1ULL << FINDING_KERNEL_BUG | 1ULL << FINDING_KERNEL_HANG | 1ULL << FINDING_KERNEL_CRASH)

const char *const try_end_names[TRY_ENDS] = {
	[TRY_NOT_RUN] = "not run", [TRY_HIT] = "hit",		[TRY_SILENT] = "silent",
	[TRY_OTHER] = "other",	   [TRY_UNUSABLE] = "unusable", [TRY_SKIPPED] = "skipped",
};

int wanted_parse(const char *list, struct wanted *ret, struct err *e)
{
	char copy[512], *save = NULL;

	*ret = (struct wanted){ 0 };
	if (path_set(copy, sizeof(copy), "%s", list) < 0)
		return err_set(e, -EINVAL, "the list is too long");
	for (char *k = strtok_r(copy, ",", &save); k; k = strtok_r(NULL, ",", &save)) {
		int kind = finding_by_name(k);

		if (kind < 0)
			return err_set(e, -EINVAL,
				       "%s is no finding; expected some of `stressd list "
				       "findings`, with commas between",
				       k);
		ret->kinds |= 1ULL << kind;
	}
	return ret->kinds ? 0 : err_set(e, -EINVAL, "expected a finding, like lost-write");
}

const char *wanted_text(const struct wanted *w, char *buf, size_t size)
{
	size_t at = 0;

	snprintf(buf, size, "any finding");
	for (int i = 0; i < FINDING_KINDS && at < size; i++)
		if (w->kinds >> i & 1)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? " or " : "",
					       finding_infos[i].name);
	if (w->title[0] && at < size)
		snprintf(buf + at, size - at, " (%s)", w->title);
	return buf;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool is_wanted(const struct wanted *w, const json_t *finding)
{
	int kind = finding_by_name(text_of(finding, "kind"));

	if (w->kinds && (kind < 0 || !(w->kinds >> kind & 1)))
		return false;
	/* One without a title is not of the kernel log. */
	return !w->title[0] || !*text_of(finding, "title") ||
	       !strcmp(w->title, text_of(finding, "title"));
}

static void add_actor(struct try *a, const char *name)
{
	size_t len = strlen(a->actors);

	if (*name && !strstr(a->actors, name) && len + strlen(name) + 2 < sizeof(a->actors))
		sprintf(a->actors + len, "%s%s", len ? " " : "", name);
}

static void take_finding(struct try *a, const json_t *finding)
{
	const json_t *ops = json_object_get(finding, "operations");

	a->hit_s = json_number_value(json_object_get(finding, "time_ms")) / 1e3;
	snprintf(a->kind, sizeof(a->kind), "%s", text_of(finding, "kind"));
	snprintf(a->title, sizeof(a->title), "%s", text_of(finding, "title"));
	snprintf(a->text, sizeof(a->text), "%s", text_of(finding, "sentence"));
	a->actors[0] = '\0';
	add_actor(a, text_of(finding, "writer"));
	add_actor(a, text_of(finding, "finder"));
	for (size_t i = 0; i < json_array_size(ops); i++)
		add_actor(a, text_of(json_array_get(ops, i), "actor"));
}

static void judge_findings(struct try *a, const struct wanted *w, const json_t *findings)
{
	bool hit = false;

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);
		int kind = finding_by_name(text_of(f, "kind"));
		double at_s = json_number_value(json_object_get(f, "time_ms")) / 1e3;
		bool good = is_wanted(w, f);

		a->sick |= kind >= 0 && SICK >> kind & 1;
		if ((good && (!hit || at_s < a->hit_s)) || (i == 0 && !good))
			take_finding(a, f);
		hit |= good;
	}
	a->end = hit ? TRY_HIT : TRY_OTHER;
}

void try_judge(struct try *a, const struct wanted *w, int exit)
{
	_cleanup_json_ json_t *result = NULL;
	const json_t *findings;
	const char *verdict;
	char path[600];

	a->exit = exit;
	a->end = exit == EXIT_SKIP ? TRY_SKIPPED : TRY_UNUSABLE;
	snprintf(a->text, sizeof(a->text), "it ended with exit status %d and no result", exit);
	if (path_set(path, sizeof(path), "%s/result.json", a->dir) == 0)
		result = json_load_file(path, 0, NULL);
	if (!result)
		return;
	findings = json_object_get(result, "findings");
	verdict = text_of(result, "verdict");
	a->exit = (int)json_integer_value(json_object_get(result, "exit"));
	snprintf(a->text, sizeof(a->text), "%s", text_of(result, "reason"));
	if (!strcmp(verdict, "fail"))
		judge_findings(a, w, findings);
	else if (!strcmp(verdict, "pass"))
		a->end = TRY_SILENT;
	else
		a->end = strcmp(verdict, "skip") ? TRY_UNUSABLE : TRY_SKIPPED;
}

u64 try_seed(u64 seed, u64 n)
{
	/* 63 bits: JSON has no unsigned numbers. */
	return n ? mix64(seed + n * 0x9e3779b97f4a7c15ULL) >> 1 : seed;
}
