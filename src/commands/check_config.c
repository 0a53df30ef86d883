// SPDX-License-Identifier: GPL-2.0-or-later
/* The answers as lines, as JSON lines, or as a fragment of a configuration. */
#include "commands/check_config.h"

#include "commands/commands.h"
#include "vm/kernel.h"
#include "vm/needs.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX (3 * NEED_NAMES_MAX)
#define WHAT_MAX  256

static const char *const state_names[] = {
	[NEED_MET] = "ok",
	[NEED_MODULE] = "module",
	[NEED_NO_DIRECTORY] = "no-modules", /* of this release, in /lib/modules */
	[NEED_UNMET] = "missing",
};

static const char *word(const struct need *n)
{
	return n->advice && !need_is_there(n) ? "advised" : state_names[n->state];
}

/* What is there by the option that is set; what is not, by all that would do. */
static const char *names(const struct need *n, char *buf, size_t size)
{
	if (!need_is_there(n))
		return need_names(n, buf, size);
	snprintf(buf, size, "CONFIG_%.*s", (int)strcspn(n->option, "|"), n->option);
	return buf;
}

static void print_lines(const struct needs *n)
{
	char buf[NAMES_MAX], what[WHAT_MAX];
	int width = 0;

	for (size_t i = 0; i < n->n; i++)
		width = MAX(width, (int)strlen(names(&n->rows[i], buf, sizeof(buf))));
	for (size_t i = 0; i < n->n; i++)
		printf("%-10s %-*s  %s\n", word(&n->rows[i]), width,
		       names(&n->rows[i], buf, sizeof(buf)),
		       need_for(&n->rows[i], what, sizeof(what)));
}

static void print_json(const struct needs *n)
{
	char buf[NAMES_MAX], what[WHAT_MAX];

	for (size_t i = 0; i < n->n; i++) {
		const struct need *row = &n->rows[i];
		json_t *o =
			json_pack("{s:s, s:s, s:b, s:s}", "option", names(row, buf, sizeof(buf)),
				  "state", state_names[row->state], "needed", !row->advice, "for",
				  need_for(row, what, sizeof(what)));

		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	}
}

/* A fragment as it is written; merge_config.sh does not want an option twice. */
struct fragment {
	const struct kconfig *c;
	json_t *written; /* a set: the values say nothing */
};

static void write_option(struct fragment *f, const char *option, size_t len, bool advice)
{
	char name[NEED_NAMES_MAX];

	snprintf(name, sizeof(name), "%.*s", (int)len, option);
	if (json_object_get(f->written, name))
		return;
	printf("%sCONFIG_%s=y\n", advice ? "#" : "", name);
	json_object_set_new(f->written, name, json_true());
}

/* What it depends on, where that is not set; a module whose like are not at hand is built in, and
 * all below it. */
static void write_need(struct fragment *f, const struct need *row)
{
	char option[NEED_NAMES_MAX], what[WHAT_MAX], other[NEED_NAMES_MAX];

	snprintf(option, sizeof(option), "%.*s", (int)strcspn(row->option, "|"), row->option);
	printf("# %s\n", need_for(row, what, sizeof(what)));
	for (const char *p = need_menu(option); *p;) {
		size_t len = strcspn(p, " ");

		snprintf(other, sizeof(other), "%.*s", (int)len, p);
		if (row->state == NEED_NO_DIRECTORY || !kconfig_get(f->c, other))
			write_option(f, p, len, row->advice);
		p += len + (p[len] == ' ');
	}
	write_option(f, option, strlen(option), row->advice);
}

/* What scripts/kconfig/merge_config.sh takes: advice is there to be uncommented. */
static void print_fragment(const struct needs *n, const struct kconfig *c)
{
	struct fragment f = { c, json_object() };

	for (int advice = 0; advice < 2; advice++)
		for (size_t i = 0; i < n->n; i++)
			if (n->rows[i].advice == advice && !need_is_there(&n->rows[i]))
				write_need(&f, &n->rows[i]);
	json_decref(f.written);
}

static void summarise(const struct check_config *c, const struct needs *n, int lacking)
{
	size_t advised = 0;

	for (size_t i = 0; i < n->n; i++)
		advised += n->rows[i].advice && !need_is_there(&n->rows[i]);
	printf("\n%s: of what is needed %d %s missing; %zu more %s advised\n", c->path, lacking,
	       lacking == 1 ? "is" : "are", advised, advised == 1 ? "is" : "are");
	if (lacking || advised)
		printf("To add it, in the kernel's tree: stressd vm --check-config .config "
		       "--fragment SCENARIO... >add.config; "
		       "scripts/kconfig/merge_config.sh .config add.config\n");
}

static int report(const struct check_config *c, const struct vm_options *o, struct needs *n,
		  const struct kconfig *config, struct err *e)
{
	struct kernel_image image = { .release = "" };
	struct err ignored;
	int lacking;

	/* A configuration does not say of which release it will be; a kernel does. */
	if (kernel_look(c->path, &image, &ignored) < 0)
		image.release[0] = '\0';
	needs_add_guest(n, o->ndisks > 0);
	for (size_t i = 0; i < o->nscenarios; i++)
		needs_add_scenario(n, o->scenarios[i]);
	lacking = needs_check(n, config, image.release);
	if (lacking < 0)
		return err_set(e, lacking, "%s", strerror(-lacking));
	if (c->fragment) {
		print_fragment(n, config);
	} else if (c->json) {
		print_json(n);
	} else {
		print_lines(n);
		summarise(c, n, lacking);
	}
	return fflush(stdout) < 0 || ferror(stdout)
		       ? err_set(e, -EIO, "stdout: %s", strerror(errno))
		       : lacking;
}

int check_config(const struct check_config *c, const struct vm_options *o)
{
	struct needs n = { .rows = NULL };
	struct kconfig config;
	struct err e;
	int r = kconfig_read(c->path, &config, &e), status = EXIT_USAGE;

	if (r == 0) {
		r = report(c, o, &n, &config, &e);
		status = r < 0 ? EXIT_TROUBLE : r > 0 ? EXIT_LACKS : EXIT_FINE;
	}
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	needs_free(&n);
	kconfig_free(&config);
	return status;
}
