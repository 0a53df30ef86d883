// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A matrix becomes cells. A cell's id is the hash of all that decides what it does: the bytes of
 * the kernel, its command line and machine, the scenario with target, seed and every default. So a
 * cell that is finished stays so when the matrix grows, and a kernel that was built anew is tested.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/json_at.h"
#include "base/option.h"
#include "base/units.h"
#include "scenario.h"
#include "vm/kconfig.h"
#include "vm/kernel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <xxhash.h>

static void free_hash(XXH3_state_t **hash)
{
	XXH3_freeState(*hash);
}

static int hash_file(const char *path, char buf[33], struct err *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_(free_hash) XXH3_state_t *hash = XXH3_createState();
	_cleanup_free_ char *block = malloc(MIB);
	ssize_t n = fd < 0 ? -1 : 0;
	XXH128_hash_t h;

	if (!hash || !block)
		return err_set(e, -ENOMEM, "out of memory");
	XXH3_128bits_reset(hash);
	while (fd >= 0 && (n = read(fd, block, MIB)) > 0)
		XXH3_128bits_update(hash, block, (size_t)n);
	if (n < 0)
		return err_set(e, -errno, "%s: cannot be read: %s", path, strerror(errno));
	h = XXH3_128bits_digest(hash);
	snprintf(buf, 33, "%016llx%016llx", (unsigned long long)h.high64,
		 (unsigned long long)h.low64);
	return 0;
}

/* False: @path has none. A kernel that does not carry its configuration is one all the same. */
static bool hash_config(const char *path, char buf[17])
{
	struct kconfig config;
	struct err ignored;
	XXH64_hash_t h = 0;
	bool has = kconfig_read(path, &config, &ignored) == 0;

	if (has) {
		for (size_t i = 0; i < config.n; i++) {
			const char *name = config.options[i].name, *value = config.options[i].value;

			h = XXH3_64bits_withSeed(name, strlen(name) + 1, h);
			h = XXH3_64bits_withSeed(value, strlen(value) + 1, h);
		}
		snprintf(buf, 17, "%016llx", (unsigned long long)h);
	}
	kconfig_free(&config);
	return has;
}

static void look_at_running(struct matrix_kernel *k)
{
	char path[128];
	struct utsname u;

	uname(&u);
	snprintf(k->hash, sizeof(k->hash), "%016llx",
		 (unsigned long long)XXH3_64bits_withSeed(
			 u.version, strlen(u.version), XXH3_64bits(u.release, strlen(u.release))));
	snprintf(path, sizeof(path), "/boot/config-%s", u.release);
	if (!hash_config("/proc/config.gz", k->config))
		hash_config(path, k->config);
}

/* Of the kernel that is running its release and build, which are all that can be known. */
static int look_at_kernel(const struct matrix *m, struct matrix_kernel *k, struct err *e)
{
	struct kernel_image image;
	int r;

	if (!k->image && strcmp(k->name, MATRIX_NATIVE) != 0)
		return err_set(e, -EINVAL,
			       "%s: kernel \"%s\" has no image; give one: --kernel %s=IMAGE",
			       m->path, k->name, k->name);
	if (!k->image) {
		look_at_running(k);
		return 0;
	}
	r = kernel_look(k->image, &image, e);
	if (r == 0)
		r = hash_file(k->image, k->hash, e);
	if (r == 0)
		hash_config(k->image, k->config);
	return r;
}

static bool is_any_of(char *const *names, const char *name)
{
	return !names[0] || option_choice((const char *const *)names, name) >= 0;
}

static bool is_excluded(const struct matrix *m, const struct cell *c)
{
	for (size_t i = 0; i < m->nexcludes; i++) {
		const struct matrix_exclude *x = &m->excludes[i];

		if (is_any_of(x->kernels, c->kernel->name) &&
		    is_any_of(x->targets, c->target->name) &&
		    is_any_of(x->scenarios, c->scenario->name))
			return true;
	}
	return false;
}

/* The scenario with what the matrix says in place of its own, through the parser: a cell that
 * cannot run is found before any does. */
static json_t *scenario_of(const struct matrix *m, const struct cell *c, struct err *e)
{
	_cleanup_json_ json_t *o = json_copy(c->scenario->object);
	_cleanup_free_ char *text = NULL;
	char duration[UNITS_MAX];
	struct scenario *sc;
	json_t *resolved;
	struct err why = { "" };

	if (!o || json_object_set_new(o, "seed", json_integer((json_int_t)c->seed)) ||
	    (c->target->target && json_object_set(o, "target", c->target->target)) ||
	    (m->duration_ns &&
	     json_object_set_new(o, "duration",
				 json_string(format_time(duration, m->duration_ns)))) ||
	    !(text = json_dumps(o, 0))) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	if (scenario_parse(c->scenario->path, text, strlen(text), &sc, &why) < 0) {
		err_set(e, -EINVAL, "%s: target \"%s\" does not go with %s: %.600s", m->path,
			c->target->name, c->scenario->path, why.text);
		return NULL;
	}
	resolved = json_incref(sc->resolved);
	scenario_free(sc);
	return resolved;
}

static int identify(const struct matrix *m, struct cell *c, const json_t *scenario, struct err *e)
{
	const struct matrix_guest *g = &m->guest;
	_cleanup_json_ json_t *o = json_pack(
		"{ss ss ss ss sI sI ss sI sI sO}", "kernel", c->kernel->name, "image",
		c->kernel->hash, "append", c->kernel->append ? c->kernel->append : "", "target",
		c->target->name, "cpus", (json_int_t)g->cpus, "memory", (json_int_t)g->memory_bytes,
		"accel", g->accel, "timeout", (json_int_t)g->timeout_ns, "silence",
		(json_int_t)g->silence_ns, "scenario", scenario);
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT) : NULL;

	c->text = json_dumps(scenario, JSON_INDENT(2));
	if (!text || !c->text)
		return err_set(e, -ENOMEM, "out of memory");
	snprintf(c->id, sizeof(c->id), "%016llx",
		 (unsigned long long)XXH3_64bits(text, strlen(text)));
	return 0;
}

static int add_cell(struct matrix *m, struct cell c, struct err *e)
{
	_cleanup_json_ json_t *scenario = NULL;

	if (is_excluded(m, &c))
		return 0;
	scenario = scenario_of(m, &c, e);
	if (!scenario)
		return -EINVAL;
	m->cells[m->ncells] = c;
	return identify(m, &m->cells[m->ncells++], scenario, e);
}

int matrix_expand(struct matrix *m, struct err *e)
{
	u64 nseeds = m->seeds.hi - m->seeds.lo + 1;
	u64 rows = m->nkernels * m->ntargets * m->nscenarios;
	int r = 0;

	if (!nseeds || nseeds > MATRIX_CELLS_MAX || rows * nseeds > MATRIX_CELLS_MAX)
		return err_set(e, -EINVAL,
			       "%s: more than %d cells; expected fewer seeds, or several "
			       "matrices",
			       m->path, MATRIX_CELLS_MAX);
	m->cells = calloc(rows * nseeds, sizeof(*m->cells));
	if (!m->cells)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < m->nkernels && r == 0; i++)
		r = look_at_kernel(m, &m->kernels[i], e);
	for (u64 i = 0; i < rows * nseeds && r == 0; i++) {
		u64 row = i / nseeds;

		r = add_cell(m,
			     (struct cell){
				     .kernel = &m->kernels[row / m->ntargets / m->nscenarios],
				     .scenario = &m->scenarios[row / m->ntargets % m->nscenarios],
				     .target = &m->targets[row % m->ntargets],
				     .seed = m->seeds.lo + i % nseeds,
			     },
			     e);
	}
	if (r == 0 && !m->ncells)
		return err_set(e, -EINVAL, "%s: everything is excluded; expected a cell to be left",
			       m->path);
	return r;
}
