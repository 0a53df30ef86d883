// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of lab/mutants.json as a table, and what a table cannot say: names that are there
 * twice, and scenarios, which are read along, so that a list is right as a whole or not taken.
 */
#include "vm/mutants.h"

#include "base/fsutil.h"
#include "base/option.h"

#include <limits.h>
#include <string.h>

#define LIST_BYTES_MAX MIB

static const char *const finding_names[] = {
#define X(id, name, help) name,
#include "findings.def"
#undef X
	NULL,
};

static const char *const boot_names[] = { [MUTANT_SHARED] = "shared", [MUTANT_OWN] = "own", NULL };

struct root_keys {
	u64 version;
};

static const struct opt_def root_options[] = {
	OPT(struct root_keys, version, OPT_COUNT, .min = "1", .max = "1",
	    .expects = "1, the only version of the format there is", .help = "of the format"),
	OPT_RAW("mutants", .required = true, .expects = "an array of mutants",
		.help = "the faults of the kernel"),
	OPT_RAW("left_out", .expects = "an array of { \"scenario\", \"why\" }",
		.help = "what is not run without a fault"),
	{ .type = OPT_END },
};

static const struct opt_def left_out_options[] = {
	OPT(struct left_out, scenario, OPT_STRING, .required = true, .min = "1",
	    .help = "one that a mutant names, with the same words"),
	OPT(struct left_out, why, OPT_STRING, .required = true, .min = "1", .max = "200",
	    .help = "what it finds on a kernel without a fault, and where that is told"),
	{ .type = OPT_END },
};

static const struct opt_def mutant_options[] = {
	OPT(struct mutant, id, OPT_COUNT, .min = "1", .max = "4294967295",
	    .help = "value of the kernel's parameter stress_mutant"),
	OPT(struct mutant, name, OPT_STRING, .required = true, .pattern = "^[a-z][a-z0-9-]{0,63}$",
	    .expects = "1 to 64 of a-z, 0-9 and '-', a letter first",
	    .help = "names it in results"),
	OPT(struct mutant, summary, OPT_STRING, .required = true, .min = "1", .max = "500",
	    .help = "one sentence: what a user of the file sees"),
	OPT(struct mutant, findings, OPT_STRINGS, .choices = finding_names,
	    .help = "the right ones: any of them counts as a detection"),
	OPT(struct mutant, scenarios, OPT_STRINGS, .min = "1",
	    .help = "files that should come to one, relative to this file"),
	OPT(struct mutant, boot, OPT_ENUM, .def = "shared", .choices = boot_names,
	    .help = "whether the kernel can be used further after it"),
	OPT(struct mutant, needs, OPT_STRINGS, .def = "", .pattern = "^CONFIG_[A-Za-z0-9_]+$",
	    .expects = "names like CONFIG_PROVE_LOCKING", .help = "what the kernel must have set"),
	OPT(struct mutant, append, OPT_STRING, .max = "500",
	    .help = "further words for the kernel command line; own boots only"),
	OPT_AS("limit", struct mutant, limit_ns, OPT_TIME, .def = "0", .max = "1h",
	       .help = "of an attempt, where less will do: what only the end of a run shows is as "
		       "late"),
	OPT(struct mutant, cut, OPT_TIME_RANGE, .def = "", .min = "1s", .max = "1h",
	    .help = "the power is cut so long after the first operation, drawn by the seed"),
	OPT(struct mutant, missed, OPT_STRING, .min = "1", .max = "500",
	    .help = "the reason, where it is known not to be detected"),
	{ .type = OPT_END },
};

/* The first string that stands in @list twice, or -1. */
static int find_twice(char *const *list)
{
	for (int i = 0; list[i]; i++)
		for (int k = 0; k < i; k++)
			if (!strcmp(list[i], list[k]))
				return i;
	return -1;
}

static int check_list(const struct json_at *at, char *const *list, const char *what)
{
	int twice = find_twice(list);

	if (!list[0])
		return json_fail(at, "there is none; expected at least one %s", what);
	if (twice >= 0)
		return json_fail(&AT_INDEX(at, (size_t)twice),
				 "\"%.200s\" is there twice; expected each %s once", list[twice],
				 what);
	return 0;
}

static int check_mutant(const struct mutant_list *list, const struct mutant *m,
			const struct json_at *at)
{
	int r = check_list(&AT_KEY(at, "findings"), m->findings, "finding");

	if (r == 0)
		r = check_list(&AT_KEY(at, "scenarios"), m->scenarios, "scenario");
	if (r < 0)
		return r;
	if (m->append && m->boot != MUTANT_OWN)
		return json_fail(
			&AT_KEY(at, "append"),
			"others share the boot; expected none, \"boot\": \"own\" or a \"cut\"");
	for (const struct mutant *other = list->mutants; other < m; other++) {
		if (other->id == m->id)
			return json_fail(&AT_KEY(at, "id"),
					 "%s has %llu already; expected a number of its own",
					 other->name, (unsigned long long)m->id);
		if (!strcmp(other->name, m->name))
			return json_fail(&AT_KEY(at, "name"),
					 "mutant %llu has the name already; expected one of its "
					 "own",
					 (unsigned long long)other->id);
	}
	return 0;
}

/* The scenario in file @path, which may be there already. */
static int find_scenario(struct mutant_list *list, const char *path, size_t *ret, struct err *e)
{
	struct scenario **grown, *sc;
	int r;

	for (*ret = 0; *ret < list->nscenarios; ++*ret)
		if (!strcmp(list->scenarios[*ret]->path, path))
			return 0;
	r = scenario_load(path, &sc, e);
	if (r < 0)
		return r;
	grown = reallocarray(list->scenarios, list->nscenarios + 1, sizeof(*grown));
	if (!grown) {
		scenario_free(sc);
		return err_set(e, -ENOMEM, "out of memory");
	}
	list->scenarios = grown;
	list->scenarios[list->nscenarios++] = sc;
	return 0;
}

static int load_scenarios(struct mutant_list *list, struct mutant *m, const struct json_at *at)
{
	const char *base = at->doc->path, *slash = strrchr(base, '/');
	struct json_at scenarios = AT_KEY(at, "scenarios");
	size_t n = 0;

	while (m->scenarios[n])
		n++;
	m->plays = calloc(n, sizeof(*m->plays));
	if (!m->plays)
		return json_fail_memory(at);
	for (size_t i = 0; i < n; i++) {
		const char *given = m->scenarios[i];
		char path[PATH_MAX];
		_cleanup_free_ char *real = NULL;
		int r = given[0] == '/' || !slash ? path_set(path, sizeof(path), "%s", given)
						  : path_set(path, sizeof(path), "%.*s/%s",
							     (int)(slash - base), base, given);

		real = r == 0 ? realpath(path, NULL) : NULL;
		if (!real)
			return json_fail(&AT_INDEX(&scenarios, i),
					 "%.200s cannot be read: %s; expected a scenario file, "
					 "relative to this one",
					 given, strerror(r < 0 ? -r : errno));
		r = find_scenario(list, real, &m->plays[i], at->doc->e);
		if (r < 0)
			return r;
		m->nplays++;
	}
	return 0;
}

static int decode_mutant(struct mutant_list *list, const json_t *v, const struct json_at *at)
{
	struct mutant *m = &list->mutants[list->n++];
	int r = option_decode(mutant_options, NULL, v, m, at, NULL);

	if (m->cut.hi)
		m->boot = MUTANT_OWN;
	if (r == 0)
		r = check_mutant(list, m, at);
	if (r < 0)
		return r;
	for (char **f = m->findings; *f; f++)
		m->kinds |= 1ULL << finding_by_name(*f);
	return load_scenarios(list, m, at);
}

static int decode_left_out(struct mutant_list *list, const json_t *v, const struct json_at *at)
{
	struct left_out *l = &list->left_out[list->nleft_out++];
	int r = option_decode(left_out_options, NULL, v, l, at, NULL);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->mutants[i].nplays; k++)
			if (!strcmp(list->mutants[i].scenarios[k], l->scenario)) {
				l->play = list->mutants[i].plays[k];
				return 0;
			}
	return json_fail(&AT_KEY(at, "scenario"),
			 "no mutant has %.200s; expected one of the scenarios above", l->scenario);
}

static int decode_all_left_out(struct mutant_list *list, const json_t *all,
			       const struct json_at *at)
{
	size_t n = json_array_size(all);
	int r = 0;

	if (!all)
		return 0;
	if (!json_is_array(all))
		return json_fail(at, "no list; expected an array of { \"scenario\", \"why\" }");
	list->left_out = calloc(n + 1, sizeof(*list->left_out));
	if (!list->left_out)
		return json_fail_memory(at);
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode_left_out(list, json_array_get(all, i), &AT_INDEX(at, i));
	return r;
}

static int decode_root(struct mutant_list *list, const json_t *object, const struct json_at *root)
{
	struct json_at at = AT_KEY(root, "mutants");
	struct root_keys keys = { 0 };
	int r = option_decode(root_options, NULL, object, &keys, root, NULL);
	const json_t *all = json_object_get(object, "mutants");
	size_t n = json_array_size(all);

	if (r < 0)
		return r;
	if (!json_is_array(all) || !n)
		return json_fail(&at, "no list of mutants; expected an array of at least one");
	list->mutants = calloc(n, sizeof(*list->mutants));
	if (!list->mutants)
		return json_fail_memory(&at);
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode_mutant(list, json_array_get(all, i), &AT_INDEX(&at, i));
	return r < 0 ? r
		     : decode_all_left_out(list, json_object_get(object, "left_out"),
					   &AT_KEY(root, "left_out"));
}

int mutants_load(const char *path, struct mutant_list *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct json_doc doc = { .path = path, .text = "", .e = e };
	_cleanup_json_ json_t *object = NULL;
	json_error_t error;
	int r = read_file(path, LIST_BYTES_MAX, &text, &doc.len);

	*ret = (struct mutant_list){ 0 };
	if (r < 0)
		return json_fail_read(&doc, r,
				      "cannot be read: %s; expected a list of mutants, such as "
				      "lab/mutants.json",
				      strerror(-r));
	doc.text = text;
	object = json_loadb(text, doc.len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return json_fail_syntax(&doc, &error);
	return decode_root(ret, object, &(struct json_at){ .doc = &doc });
}

static void mutant_free(struct mutant *m)
{
	option_free(mutant_options, m);
	free(m->plays);
}

static bool is_called(const struct mutant *m, const char *name)
{
	char number[24];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)m->id);
	return !strcmp(m->name, name) || !strcmp(number, name);
}

static int fail_only(const struct mutant_list *list, const char *name, struct err *e)
{
	_cleanup_free_ const char **names = calloc(list->n + 1, sizeof(*names));
	const char *nearest = NULL;

	for (size_t i = 0; names && i < list->n; i++)
		names[i] = list->mutants[i].name;
	if (names)
		nearest = option_nearest(names, name);
	return err_set(e, -EINVAL,
		       "--only: there is no mutant \"%.100s\"; expected names such as %s", name,
		       nearest ? nearest : list->mutants[0].name);
}

int mutants_only(struct mutant_list *list, const char *only, struct err *e)
{
	_cleanup_free_ char *words = strdup(only);
	_cleanup_free_ bool *keep = calloc(list->n, sizeof(*keep));
	char *save = NULL;
	size_t n = 0;

	if (!words || !keep)
		return err_set(e, -ENOMEM, "out of memory");
	for (char *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < list->n && !is_called(&list->mutants[i], w))
			i++;
		if (i == list->n)
			return fail_only(list, w, e);
		keep[i] = true;
	}
	for (size_t i = 0; i < list->n; i++)
		if (keep[i])
			list->mutants[n++] = list->mutants[i];
		else
			mutant_free(&list->mutants[i]);
	list->n = n;
	return n ? 0 : err_set(e, -EINVAL, "--only names no mutant; expected NAME,...");
}

void mutants_free(struct mutant_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		mutant_free(&list->mutants[i]);
	for (size_t i = 0; i < list->nleft_out; i++)
		option_free(left_out_options, &list->left_out[i]);
	for (size_t i = 0; i < list->nscenarios; i++)
		scenario_free(list->scenarios[i]);
	free(list->left_out);
	free(list->mutants);
	free(list->scenarios);
	*list = (struct mutant_list){ 0 };
}
