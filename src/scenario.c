// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scenario from a file: read, parse, decode the keys of the whole, hand the parts to parts.c.
 * Everything is checked before anything is returned; there is no half-loaded scenario.
 */
#include "scenario/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

DEFINE_CLEANUP(struct scenario *, scenario_free);
#define _cleanup_scenario_ _cleanup_(scenario_freep)

static int fail_too_long(const struct json_doc *doc)
{
	return json_fail_read(doc, -EINVAL,
			      "the file is too long for a scenario; expected at most "
			      "%llu bytes",
			      SC_MAX_TEXT);
}

/* "stop_on" is a word, or an object with one key. */
static int decode_stop_on(struct scenario *sc, const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, "stop_on");
	const json_t *v = json_object_get(resolved, "stop_on");
	char shown[JSON_SHOW_MAX];

	if (json_is_object(v)) {
		sc->stop_on = STOP_ATTEMPTS;
		return option_decode(sc_attempts_options, NULL, v, sc, &at, NULL);
	}
	sc->stop_on = json_is_string(v) ? option_choice(sc_stop_names, json_string_value(v)) : -1;
	if (sc->stop_on >= 0)
		return 0;
	return json_fail(&at,
			 "%s says not when to stop; expected \"hit\", \"never\" or "
			 "{\"attempts\": N}",
			 json_show(shown, v));
}

/* An object of the root with a table and a struct of its own. */
static int decode_section(const struct opt_def *table, const char *key, void *block,
			  const struct json_at *root, json_t *resolved)
{
	struct json_at at = AT_KEY(root, key);
	json_t *section = NULL;
	int r = option_decode(table, NULL, json_object_get(resolved, key), block, &at, &section);

	if (r < 0)
		return r;
	return json_object_set_new(resolved, key, section) ? json_fail_memory(&at) : 0;
}

/* A run without a seed gets one, and its resolved copy names it: every run can be repeated.
 * 63 bits, for JSON has no unsigned numbers (getrandom(2)). */
static int draw_seed(struct scenario *sc, const struct json_at *root, json_t *resolved)
{
	if (json_object_get(resolved, "seed"))
		return 0;
	if (getrandom(&sc->seed, sizeof(sc->seed), 0) != (ssize_t)sizeof(sc->seed))
		return json_fail(&AT_KEY(root, "seed"),
				 "none can be drawn: %s; expected "
				 "getrandom(2) to work",
				 strerror(errno));
	sc->seed >>= 1;
	if (json_object_set_new(resolved, "seed", json_integer((json_int_t)sc->seed)))
		return json_fail_memory(root);
	return 0;
}

/* Files come before workers, which name them; the checks come when all is there. */
static int decode_parts(struct scenario *sc, const struct scenario_tables *tables,
			const struct json_at *root, json_t *resolved)
{
	int r = draw_seed(sc, root, resolved);

	if (r == 0)
		r = decode_stop_on(sc, root, resolved);
	if (r == 0)
		r = sc_decode_target(sc, tables, root, resolved);
	if (r == 0)
		r = sc_decode_files(sc, root, resolved);
	if (r == 0)
		r = sc_decode_workers(sc, tables, root, resolved);
	if (r == 0)
		r = sc_decode_faults(sc, tables, root, resolved);
	if (r == 0)
		r = sc_decode_races(sc, root, resolved);
	if (r == 0)
		r = decode_section(sc_verify_options, "verify", &sc->verify, root, resolved);
	if (r == 0)
		r = decode_section(sc_kernel_log_options, "kernel_log", &sc->kernel_log, root,
				   resolved);
	return r < 0 ? r : sc_check_workers(sc, root);
}

static int decode_root(struct scenario *sc, const struct scenario_tables *tables,
		       const struct json_doc *doc, const json_t *object)
{
	struct json_at root = { .doc = doc };
	int r = option_decode(sc_root_options, NULL, object, sc, &root, &sc->resolved);

	return r < 0 ? r : decode_parts(sc, tables, &root, sc->resolved);
}

int scenario_parse_with(const struct scenario_tables *tables, const char *path, const char *text,
			size_t len, struct scenario **ret, struct err *e)
{
	const struct json_doc doc = { .path = path, .text = text, .len = len, .e = e };
	_cleanup_scenario_ struct scenario *sc = NULL;
	_cleanup_json_ json_t *object = NULL;
	json_error_t error;
	int r;

	if (len > SC_MAX_TEXT)
		return fail_too_long(&doc);
	/* jansson would say "'{' expected near '{'": the mark is invisible. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		return json_fail_read(&doc, -EINVAL,
				      "the text begins with a byte order mark; "
				      "expected UTF-8 without one");
	object = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return json_fail_syntax(&doc, &error);
	sc = calloc(1, sizeof(*sc));
	if (!sc)
		return json_fail_memory(&(struct json_at){ .doc = &doc });
	sc->path = strdup(path);
	if (!sc->path)
		return json_fail_memory(&(struct json_at){ .doc = &doc });
	/* From here on @sc owns what was decoded so far, also when the rest fails. */
	r = decode_root(sc, tables, &doc, object);
	if (r < 0)
		return r;
	*ret = take_ptr(sc);
	return 0;
}

/* Read @fd to its end into @buf of SC_MAX_TEXT + 1 bytes: a full buffer is a file too long. */
static ssize_t read_all(int fd, char *buf)
{
	size_t len = 0;

	while (len <= SC_MAX_TEXT) {
		ssize_t n = read(fd, buf + len, SC_MAX_TEXT + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int fail_open(const struct json_doc *doc, int ret)
{
	return json_fail_read(doc, ret, "cannot be read: %s; expected a readable scenario file",
			      strerror(-ret));
}

int scenario_load_with(const struct scenario_tables *tables, const char *path,
		       struct scenario **ret, struct err *e)
{
	const struct json_doc doc = { .path = path, .text = "", .len = 0, .e = e };
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_open(&doc, -errno);
	/* Pipes have no size: read_all() stops there as well. */
	if (S_ISREG(st.st_mode) && (u64)st.st_size > SC_MAX_TEXT)
		return fail_too_long(&doc);
	text = malloc(SC_MAX_TEXT + 1);
	if (!text)
		return fail_open(&doc, -ENOMEM);
	len = read_all(fd, text);
	if (len < 0)
		return fail_open(&doc, (int)len);
	return scenario_parse_with(tables, path, text, (size_t)len, ret, e);
}

static void free_parts(struct scenario *sc)
{
	for (size_t i = 0; i < sc->nfiles; i++)
		option_free(sc_file_options, &sc->files[i]);
	for (size_t i = 0; i < sc->nworkers; i++) {
		struct sc_worker *w = &sc->workers[i];

		option_free(w->type ? w->type->options : NULL, w->options);
		free(w->options);
	}
	for (size_t i = 0; i < sc->nfaults; i++) {
		struct sc_fault *f = &sc->faults[i];

		option_free(f->type ? f->type->options : NULL, f->options);
		free(f->options);
	}
	sc_free_races(sc);
	option_free(sc->target.type ? sc->target.type->options : NULL, sc->target.options);
	free(sc->target.options);
}

bool scenario_has_worker(const struct scenario *sc, const char *type)
{
	for (size_t i = 0; i < sc->nworkers; i++)
		if (!strcmp(sc->workers[i].type->name, type))
			return true;
	return false;
}

void scenario_free(struct scenario *sc)
{
	if (!sc)
		return;
	free_parts(sc);
	option_free(sc_root_options, sc);
	option_free(sc_kernel_log_options, &sc->kernel_log);
	free(sc->files);
	free(sc->workers);
	free(sc->faults);
	free(sc->path);
	json_decref(sc->resolved);
	free(sc);
}
