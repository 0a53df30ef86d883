// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of a matrix as tables, and what a table cannot say: names that are there twice, and
 * scenarios, which are read along, so that a matrix is right as a whole or not taken.
 */
#include "matrix/internal.h"

#include "base/fsutil.h"
#include "base/option.h"
#include "scenario.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX MIB
#define NAME_PATTERN   "^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$"
#define NAME_EXPECTS   "1 to 64 letters, digits, '.', '_' or '-', not '.', '_' or '-' first"

static const char *const accels[] = { "auto", "kvm", "tcg", NULL };

static const struct opt_def root_options[] = {
	OPT(struct matrix, version, OPT_COUNT, .min = "1", .max = "1",
	    .expects = "1, the only version of the format there is", .help = "of the format"),
	OPT(struct matrix, name, OPT_STRING, .required = true, .pattern = NAME_PATTERN,
	    .expects = NAME_EXPECTS, .help = "names its nights"),
	OPT(struct matrix, description, OPT_STRING, .help = "what it is for"),
	OPT_RAW("kernels", .required = true, .expects = "an array of kernels",
		.help = "what is tested"),
	OPT_RAW("targets", .def = "[{\"name\": \"own\"}]",
		.help = "where the files live, in place of what each scenario says"),
	OPT_RAW("scenarios", .required = true, .expects = "an array of file names",
		.help = "scenario files, relative to this file"),
	OPT(struct matrix, seeds, OPT_COUNT_RANGE, .def = "1", .max = "9223372036854775807",
	    .help = "each of them"),
	OPT_RAW("exclude", .def = "[]", .help = "what does not go together"),
	OPT_AS("duration", struct matrix, duration_ns, OPT_TIME, .def = "", .min = "1ms",
	       .max = "720h", .help = "of each run; default: the scenario's own"),
	OPT(struct matrix, attempts, OPT_COUNT, .def = "3", .min = "1", .max = "100",
	    .help = "of a cell, while the infrastructure fails"),
	OPT_RAW("guest", .def = "{}", .help = "the machine that a kernel boots on"),
	{ .type = OPT_END },
};

static const struct opt_def kernel_options[] = {
	OPT(struct matrix_kernel, name, OPT_STRING, .required = true, .pattern = NAME_PATTERN,
	    .expects = NAME_EXPECTS ", or native: the kernel that is running",
	    .help = "what comparisons go by"),
	OPT(struct matrix_kernel, image, OPT_STRING, .min = "1", .max = "4000",
	    .help = "a bzImage, relative to this file; may be given by --kernel NAME=IMAGE"),
	OPT(struct matrix_kernel, append, OPT_STRING, .max = "2000",
	    .help = "further words for its command line"),
	OPT(struct matrix_kernel, commit, OPT_STRING, .max = "64", .pattern = "^[0-9a-f]{7,64}$",
	    .expects = "7 to 64 hexadecimal digits", .help = "that it was built from"),
	{ .type = OPT_END },
};

static const struct opt_def target_options[] = {
	OPT(struct matrix_target, name, OPT_STRING, .required = true, .pattern = NAME_PATTERN,
	    .expects = NAME_EXPECTS, .help = "what comparisons go by"),
	OPT_RAW("target", .help = "as a scenario has it; absent: the scenario's own"),
	{ .type = OPT_END },
};

static const struct opt_def exclude_options[] = {
	OPT(struct matrix_exclude, kernels, OPT_STRINGS, .def = "", .help = "names; none: any"),
	OPT(struct matrix_exclude, targets, OPT_STRINGS, .def = "", .help = "names; none: any"),
	OPT(struct matrix_exclude, scenarios, OPT_STRINGS, .def = "", .help = "names; none: any"),
	{ .type = OPT_END },
};

static const struct opt_def guest_options[] = {
	OPT(struct matrix_guest, cpus, OPT_COUNT, .def = "2", .min = "1", .max = "255",
	    .help = "processors"),
	OPT_AS("memory", struct matrix_guest, memory_bytes, OPT_SIZE, .def = "2G", .min = "128M",
	       .help = "of the guest"),
	OPT(struct matrix_guest, accel, OPT_STRING, .def = "auto", .choices = accels,
	    .help = "as `stressd vm --accel`"),
	OPT_AS("timeout", struct matrix_guest, timeout_ns, OPT_TIME, .def = "",
	       .help = "of a run; default: as `stressd vm`"),
	OPT_AS("silence", struct matrix_guest, silence_ns, OPT_TIME, .def = "30s", .min = "1s",
	       .help = "without a sign of life: the guest hangs"),
	{ .type = OPT_END },
};

/* Path of a file that the matrix names: relative to the matrix. Must be there. Owned by the caller;
 * NULL with errno. */
static char *resolve(const char *base, const char *given)
{
	const char *slash = strrchr(base, '/');
	char path[PATH_MAX];
	int r = given[0] == '/' || !slash
			? path_set(path, sizeof(path), "%s", given)
			: path_set(path, sizeof(path), "%.*s/%s", (int)(slash - base), base, given);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return realpath(path, NULL);
}

static int decode_kernel(struct matrix *m, size_t i, const json_t *v, const struct json_at *at)
{
	struct matrix_kernel *k = &m->kernels[m->nkernels++];
	int r = option_decode(kernel_options, NULL, v, k, at, NULL);
	char *real;

	(void)i;
	if (r < 0)
		return r;
	if (!strcmp(k->name, MATRIX_NATIVE) && (k->image || k->append))
		return json_fail(at,
				 "the kernel that is running has neither image nor command line "
				 "here; expected another name, or neither");
	for (const struct matrix_kernel *other = m->kernels; other < k; other++)
		if (!strcmp(other->name, k->name))
			return json_fail(&AT_KEY(at, "name"),
					 "\"%s\" is there twice; expected a name of its own",
					 k->name);
	if (!k->image)
		return 0;
	real = resolve(at->doc->path, k->image);
	if (!real)
		return json_fail(&AT_KEY(at, "image"),
				 "%.200s cannot be read: %s; expected a kernel, relative to this "
				 "file",
				 k->image, strerror(errno));
	free(k->image);
	k->image = real;
	return 0;
}

static int decode_target(struct matrix *m, size_t i, const json_t *v, const struct json_at *at)
{
	struct matrix_target *t = &m->targets[m->ntargets++];
	json_t *target = json_object_get(v, "target");
	char shown[JSON_SHOW_MAX];
	int r = option_decode(target_options, NULL, v, t, at, NULL);

	(void)i;
	if (r < 0)
		return r;
	for (const struct matrix_target *other = m->targets; other < t; other++)
		if (!strcmp(other->name, t->name))
			return json_fail(&AT_KEY(at, "name"),
					 "\"%s\" is there twice; expected a name of its own",
					 t->name);
	if (target && !json_is_object(target))
		return json_fail(&AT_KEY(at, "target"),
				 "%s is no target; expected an object as a scenario has it",
				 json_show(shown, target));
	t->target = json_incref(target);
	return 0;
}

static int decode_scenario(struct matrix *m, size_t i, const json_t *v, const struct json_at *at)
{
	struct matrix_scenario *s = &m->scenarios[m->nscenarios++];
	struct scenario *sc = NULL;
	char shown[JSON_SHOW_MAX];
	int r;

	if (!json_is_string(v))
		return json_fail(at, "%s is no file name; expected a string", json_show(shown, v));
	s->path = resolve(at->doc->path, json_string_value(v));
	if (!s->path)
		return json_fail(at,
				 "%.200s cannot be read: %s; expected a scenario file, relative to "
				 "this one",
				 json_string_value(v), strerror(errno));
	r = scenario_load(s->path, &sc, at->doc->e);
	if (r < 0)
		return r;
	s->name = strdup(sc->name);
	scenario_free(sc);
	s->object = json_load_file(s->path, 0, NULL);
	if (!s->name || !s->object)
		return json_fail_memory(at);
	for (size_t k = 0; k < i; k++)
		if (!strcmp(m->scenarios[k].name, s->name))
			return json_fail(
				at,
				"it is called \"%s\", and so is element %zu; expected each "
				"name once",
				s->name, k);
	return 0;
}

static bool has_scenario(const struct matrix *m, const char *name)
{
	for (size_t i = 0; i < m->nscenarios; i++)
		if (!strcmp(m->scenarios[i].name, name))
			return true;
	return false;
}

static bool has_kernel(const struct matrix *m, const char *name)
{
	for (size_t i = 0; i < m->nkernels; i++)
		if (!strcmp(m->kernels[i].name, name))
			return true;
	return false;
}

static bool has_target(const struct matrix *m, const char *name)
{
	for (size_t i = 0; i < m->ntargets; i++)
		if (!strcmp(m->targets[i].name, name))
			return true;
	return false;
}

/* A row that names nothing would exclude nothing, and nobody would notice. */
static int check_names(const struct matrix *m, char *const *names, const char *what,
		       bool (*has)(const struct matrix *, const char *), const struct json_at *at)
{
	for (size_t i = 0; names[i]; i++)
		if (!has(m, names[i]))
			return json_fail(
				&AT_INDEX(at, i),
				"there is no %s \"%.60s\" above; expected one of its names", what,
				names[i]);
	return 0;
}

static int decode_exclude(struct matrix *m, size_t i, const json_t *v, const struct json_at *at)
{
	struct matrix_exclude *x = &m->excludes[m->nexcludes++];
	int r = option_decode(exclude_options, NULL, v, x, at, NULL);

	(void)i;
	if (r == 0)
		r = check_names(m, x->kernels, "kernel", has_kernel, &AT_KEY(at, "kernels"));
	if (r == 0)
		r = check_names(m, x->targets, "target", has_target, &AT_KEY(at, "targets"));
	if (r == 0)
		r = check_names(m, x->scenarios, "scenario", has_scenario,
				&AT_KEY(at, "scenarios"));
	if (r == 0 && !x->kernels[0] && !x->targets[0] && !x->scenarios[0])
		r = json_fail(at, "it excludes everything; expected names of kernels, targets or "
				  "scenarios");
	return r;
}

/* Elements of an array, each into a row of *@list, which the decoder counts. */
static int decode_list(struct matrix *m, const char *key, size_t min, size_t row_size, void *list,
		       int (*decode)(struct matrix *, size_t, const json_t *,
				     const struct json_at *),
		       const struct json_at *root)
{
	const json_t *all = json_object_get(m->resolved, key);
	struct json_at at = AT_KEY(root, key);
	size_t n = json_array_size(all);
	int r = 0;

	if (!json_is_array(all) || n < min)
		return json_fail(&at, "no list, or an empty one; expected an array of at least %zu",
				 min);
	*(void **)list = calloc(n + 1, row_size);
	if (!*(void **)list)
		return json_fail_memory(&at);
	for (size_t i = 0; i < n && r == 0; i++)
		r = decode(m, i, json_array_get(all, i), &AT_INDEX(&at, i));
	return r;
}

static int decode_root(struct matrix *m, const json_t *object, const struct json_at *root)
{
	int r = option_decode(root_options, NULL, object, m, root, &m->resolved);

	if (r == 0)
		r = decode_list(m, "kernels", 1, sizeof(*m->kernels), &m->kernels, decode_kernel,
				root);
	if (r == 0)
		r = decode_list(m, "targets", 1, sizeof(*m->targets), &m->targets, decode_target,
				root);
	if (r == 0)
		r = decode_list(m, "scenarios", 1, sizeof(*m->scenarios), &m->scenarios,
				decode_scenario, root);
	if (r == 0)
		r = decode_list(m, "exclude", 0, sizeof(*m->excludes), &m->excludes, decode_exclude,
				root);
	if (r < 0)
		return r;
	return option_decode(guest_options, NULL, json_object_get(m->resolved, "guest"), &m->guest,
			     &AT_KEY(root, "guest"), NULL);
}

int matrix_load(const char *path, struct matrix **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct json_doc doc = { .path = path, .text = "", .e = e };
	_cleanup_json_ json_t *object = NULL;
	struct matrix *m;
	json_error_t error;
	int r = read_file(path, TEXT_BYTES_MAX, &text, &doc.len);

	if (r < 0)
		return json_fail_read(&doc, r,
				      "cannot be read: %s; expected a matrix, such as "
				      "configs/nightly.json",
				      strerror(-r));
	doc.text = text;
	object = json_loadb(text, doc.len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return json_fail_syntax(&doc, &error);
	m = calloc(1, sizeof(*m));
	if (!m)
		return json_fail_memory(&(struct json_at){ .doc = &doc });
	r = decode_root(m, object, &(struct json_at){ .doc = &doc });
	m->path = strdup(path);
	if (r == 0 && !m->path)
		r = err_set(e, -ENOMEM, "out of memory");
	if (r < 0)
		matrix_free(m);
	else
		*ret = m;
	return r;
}

int matrix_set_kernel(struct matrix *m, const char *setting, struct err *e)
{
	const char *equals = strchr(setting, '=');
	size_t len = equals ? (size_t)(equals - setting) : 0;

	for (size_t i = 0; len && i < m->nkernels; i++) {
		struct matrix_kernel *k = &m->kernels[i];
		char *real;

		if (strlen(k->name) != len || strncmp(k->name, setting, len) != 0 ||
		    !strcmp(k->name, MATRIX_NATIVE))
			continue;
		real = realpath(equals + 1, NULL);
		if (!real)
			return err_set(e, -EINVAL, "--kernel %.300s: cannot be read: %s", setting,
				       strerror(errno));
		free(k->image);
		k->image = real;
		return 0;
	}
	return err_set(
		e, -EINVAL,
		"--kernel %.300s: expected NAME=IMAGE, with the name of a kernel of the matrix",
		setting);
}

void matrix_free(struct matrix *m)
{
	for (size_t i = 0; i < m->nkernels; i++)
		option_free(kernel_options, &m->kernels[i]);
	for (size_t i = 0; i < m->ntargets; i++) {
		option_free(target_options, &m->targets[i]);
		json_decref(m->targets[i].target);
	}
	for (size_t i = 0; i < m->nscenarios; i++) {
		free(m->scenarios[i].path);
		free(m->scenarios[i].name);
		json_decref(m->scenarios[i].object);
	}
	for (size_t i = 0; i < m->nexcludes; i++)
		option_free(exclude_options, &m->excludes[i]);
	for (size_t i = 0; i < m->ncells; i++)
		free(m->cells[i].text);
	option_free(guest_options, &m->guest);
	option_free(root_options, m);
	json_decref(m->resolved);
	free(m->kernels);
	free(m->targets);
	free(m->scenarios);
	free(m->excludes);
	free(m->cells);
	free(m->path);
	free(m);
}
