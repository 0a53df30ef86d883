// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is submitted, checked as far as it can be before it is queued: who submits wrong things
 * hears of it now, and not in the morning. A scenario is copied, so that what runs is what was
 * checked.
 */
#include "daemon/internal.h"

#include "base/fsutil.h"
#include "matrix/matrix.h"
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define GUEST_CPUS  2
#define GUEST_BYTES (2 * GIB)

/* A regular file, so that nothing waits for the other end of a pipe. */
static int read_regular(const char *path, char **ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return ret ? read_fd(fd, JOB_SCENARIO_MAX, ret, NULL) : 0;
}

static int check_file(const struct json_at *at, const char *path, char **ret_text)
{
	int r = read_regular(path, ret_text);

	return r < 0 ? json_fail(at,
				 "%.300s cannot be read: %s; expected a file that the daemon can "
				 "read",
				 path, r == -EINVAL ? "no regular file" : strerror(-r))
		     : 0;
}

static int take_scenario(struct job *j, const json_t *v, const struct json_at *at, char **ret_text)
{
	struct scenario *sc;
	const char *path = json_string_value(v);
	int r = 0;

	if (json_is_object(v))
		*ret_text = json_dumps(v, JSON_INDENT(2));
	else if (!path || path[0] != '/')
		return json_fail(at, "expected a scenario, or the absolute path of one");
	else
		r = check_file(at, path, ret_text);
	if (r == 0 && !*ret_text)
		r = json_fail_memory(at);
	if (r == 0)
		r = scenario_parse(path ? path : "scenario", *ret_text, strlen(*ret_text), &sc,
				   at->doc->e);
	if (r < 0)
		return r;
	if (!j->spec.name)
		j->spec.name = strdup(sc->name);
	scenario_free(sc);
	return j->spec.name ? 0 : json_fail_memory(at);
}

static int take_matrix(struct job *j, const struct json_at *at)
{
	struct matrix *m;
	int r = check_file(at, j->spec.matrix, NULL);

	if (r == 0)
		r = matrix_load(j->spec.matrix, &m, at->doc->e);
	if (r < 0)
		return r;
	for (char **k = j->spec.kernels; *k && r == 0; k++)
		r = matrix_set_kernel(m, *k, at->doc->e);
	for (size_t i = 0; i < m->nkernels && r == 0; i++) {
		const struct matrix_kernel *k = &m->kernels[i];
		bool native = !strcmp(k->name, MATRIX_NATIVE);

		/* It shares the kernel, and its log, with everything else. */
		j->spec.exclusive |= native;
		if (!native && !k->image)
			r = json_fail(at,
				      "its kernel \"%s\" has no image; expected \"%s=IMAGE\" "
				      "among \"kernels\"",
				      k->name, k->name);
	}
	if (r == 0 && !j->spec.name && !(j->spec.name = strdup(m->name)))
		r = json_fail_memory(at);
	matrix_free(m);
	return r;
}

/* One number: what was asked for, or the default, within what there is. */
static int settle(u64 *value, u64 otherwise, u64 most, const char *key, const struct json_at *root)
{
	if (!*value)
		*value = MIN(otherwise, most);
	if (*value > most)
		return json_fail(&AT_KEY(root, key),
				 "%llu is more than there is; expected at most %llu, as the daemon "
				 "is configured",
				 (unsigned long long)*value, (unsigned long long)most);
	return 0;
}

static int settle_resources(struct daemon *d, struct job_spec *s, const struct json_at *root)
{
	const struct daemon_config *c = d->config;
	bool guest = s->kernel;
	int r = settle(&s->vms, guest ? 1 : s->matrix ? c->vms : 0, c->vms, "vms", root);

	if (r == 0)
		r = settle(&s->cpus,
			   guest       ? GUEST_CPUS
			   : s->matrix ? c->cpus
				       : 0,
			   c->cpus, "cpus", root);
	if (r == 0)
		r = settle(&s->memory_bytes,
			   guest       ? GUEST_BYTES
			   : s->matrix ? c->memory_bytes
				       : 0,
			   c->memory_bytes, "memory", root);
	s->exclusive |= !guest && !s->matrix;
	return r;
}

static int check_keys(const struct job_spec *s, const json_t *scenario, const struct json_at *root)
{
	size_t n = 0;

	if (!scenario == !s->matrix)
		return json_fail(root, "expected either \"scenario\" or \"matrix\"");
	if (s->matrix && s->kernel)
		return json_fail(&AT_KEY(root, "kernel"),
				 "a matrix has its own; expected \"kernels\", NAME=IMAGE each");
	if (!s->matrix && *s->kernels)
		return json_fail(&AT_KEY(root, "kernels"), "are of a matrix; expected \"kernel\"");
	while (s->kernels[n])
		n++;
	if (n > JOB_KERNELS_MAX)
		return json_fail(&AT_KEY(root, "kernels"), "%zu are too many; expected at most %d",
				 n, JOB_KERNELS_MAX);
	if (s->night && !s->matrix)
		return json_fail(&AT_KEY(root, "night"), "is for a matrix; expected a \"matrix\"");
	if (s->append && !s->kernel)
		return json_fail(&AT_KEY(root, "append"), "is for a guest; expected a \"kernel\"");
	return s->kernel ? check_file(&AT_KEY(root, "kernel"), s->kernel, NULL) : 0;
}

/* As it goes to disk: with what was filled in, and without the scenario, which has its own file. */
static int make_json(struct job *j, json_t *resolved)
{
	const struct job_spec *s = &j->spec;

	j->spec_json = json_incref(resolved);
	json_object_del(resolved, "scenario");
	return json_object_set_new(resolved, "name", json_string(s->name)) ||
			       json_object_set_new(resolved, "exclusive",
						   json_boolean(s->exclusive)) ||
			       json_object_set_new(resolved, "vms",
						   json_integer((json_int_t)s->vms)) ||
			       json_object_set_new(resolved, "cpus",
						   json_integer((json_int_t)s->cpus)) ||
			       json_object_set_new(resolved, "memory",
						   json_integer((json_int_t)s->memory_bytes))
		       ? -ENOMEM
		       : 0;
}

int submit_take(struct daemon *d, uid_t uid, const json_t *object, struct job_spec *spec,
		json_t *resolved, const struct json_at *root, struct entry **ret)
{
	const json_t *scenario = json_object_get(object, "scenario");
	_cleanup_free_ char *text = NULL;
	struct job *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return json_fail_memory(root);
	j->uid = uid;
	j->spec = *spec;
	*spec = (struct job_spec){ 0 };
	r = check_keys(&j->spec, scenario, root);
	if (r == 0)
		r = scenario ? take_scenario(j, scenario, &AT_KEY(root, "scenario"), &text)
			     : take_matrix(j, &AT_KEY(root, "matrix"));
	if (r == 0)
		r = settle_resources(d, &j->spec, root);
	if (r == 0 && make_json(j, resolved) < 0)
		r = json_fail_memory(root);
	if (r < 0) {
		job_free(j);
		return r;
	}
	return queue_add(d, j, text, ret, root->doc->e);
}
