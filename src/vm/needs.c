// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks a scenario along the option tables; no worker, target or fault is known by name. */
#include "vm/needs.h"

#include "base/fsutil.h"
#include "faults/fault.h"
#include "target/target.h"
#include "workers/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One option; what wanted it before is kept, and advice becomes need. */
static void add_row(struct needs *n, const char *options, size_t len, const char *what, bool advice)
{
	struct need *row = NULL;

	for (size_t i = 0; i < n->n && !row; i++)
		if (strlen(n->rows[i].options) == len && !memcmp(n->rows[i].options, options, len))
			row = &n->rows[i];
	if (!row) {
		struct need *grown = reallocarray(n->rows, n->n + 1, sizeof(*grown));

		if (!grown || len >= NEED_NAMES_MAX) {
			n->error = grown ? -E2BIG : -ENOMEM;
			n->rows = grown ? grown : n->rows;
			return;
		}
		n->rows = grown;
		row = &n->rows[n->n++];
		*row = (struct need){ .advice = advice };
		memcpy(row->options, options, len);
	}
	row->advice = row->advice && advice;
	if (!row->what[0])
		snprintf(row->what, sizeof(row->what), "%s", what);
	else if (strcmp(row->last, what) != 0)
		row->more++;
	snprintf(row->last, sizeof(row->last), "%s", what);
}

/* A .kconfig column; @optional: the scenario runs without. */
static void add(struct needs *n, const char *column, const char *what, bool optional)
{
	for (const char *p = column; p && *p && !n->error;) {
		bool advice = *p == '?';
		size_t len = strcspn(p += advice, " ");

		add_row(n, p, len, what, advice || optional);
		p += len + (p[len] == ' ');
	}
}

static bool chosen(const struct opt_def *o, const void *block, size_t i)
{
	const char *value = (const char *)block + o->offset;

	switch (o->type) {
	case OPT_ENUM:
		return *(const int *)value == (int)i;
	case OPT_ENUM_SET:
		return *(const u64 *)value >> i & 1;
	case OPT_WEIGHTS:
		return ((const u64 *)value)[i] != 0;
	default:
		return false;
	}
}

static void add_choices(struct needs *n, const char *name, const struct opt_def *table,
			const void *block, bool optional)
{
	char what[160];

	opt_foreach (o, table)
		for (size_t i = 0; o->kconfig && o->choices[i]; i++) {
			if (!chosen(o, block, i))
				continue;
			snprintf(what, sizeof(what), "%.60s: %s %s", name, o->name, o->choices[i]);
			add(n, o->kconfig[i], what, optional);
		}
}

static void add_type(struct needs *n, const char *name, const char *kind, const char *type,
		     const char *column, bool optional)
{
	char what[160];

	snprintf(what, sizeof(what), "%.60s: %s %s", name, kind, type);
	add(n, column, what, optional);
}

static void add_hold(struct needs *n, const char *name, int hold)
{
	add_type(n, name, "hold", sc_hold_names[hold], sc_hold_kconfig[hold], false);
}

void needs_add_scenario(struct needs *n, const struct scenario *sc)
{
	const char *name = sc->name;

	add_type(n, name, "target", sc->target.type->name, sc->target.type->kconfig, false);
	add_choices(n, name, sc->target.type->options, sc->target.options, false);
	for (size_t i = 0; i < sc->nworkers; i++) {
		const struct sc_worker *w = &sc->workers[i];

		add_type(n, name, "worker", w->type->name, w->type->kconfig, w->optional);
		add_choices(n, name, w->type->options, w->options, w->optional);
	}
	for (size_t i = 0; i < sc->nfaults; i++) {
		const struct sc_fault *f = &sc->faults[i];

		add_type(n, name, "fault", f->type->name, f->type->kconfig, f->optional);
		add_choices(n, name, f->type->options, f->options, f->optional);
	}
	for (size_t i = 0; i < sc->nraces; i++) {
		for (size_t k = 0; k < sc->races[i].nactors; k++)
			add_hold(n, name, sc->races[i].actors[k].hold.type);
	}
}

void needs_add_guest(struct needs *n, bool disks)
{
	static const char *const rows[][2] = {
#define X(options, what) { options, what },
#include "vm/needs.def"
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add(n, rows[i][0], rows[i][1], false);
	if (disks)
		add(n, "VIRTIO_BLK", "--disk", false);
}

static bool has_modules(const char *release)
{
	char path[256];

	return !release || !release[0] ||
	       (path_set(path, sizeof(path), "/lib/modules/%s/modules.dep", release) == 0 &&
		access(path, R_OK) == 0);
}

/* Of "A|B" the better one counts. */
static void check_row(struct need *row, const struct kconfig *c, bool modules)
{
	row->state = NEED_UNMET;
	row->option = NULL;
	for (const char *p = row->options; *p;) {
		size_t len = strcspn(p, "|");
		char name[NEED_NAMES_MAX];
		const char *value;

		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		value = kconfig_get(c, name);
		if (value) {
			enum need_state state = strcmp(value, "m") != 0 ? NEED_MET
						: modules		? NEED_MODULE
									: NEED_NO_DIRECTORY;

			if (state < row->state) {
				row->state = state;
				row->option = p;
			}
		}
		p += len + (p[len] == '|');
	}
	if (!row->option)
		row->option = row->options;
}

int needs_check(struct needs *n, const struct kconfig *c, const char *release)
{
	bool modules = has_modules(release);
	int lacking = 0;

	for (size_t i = 0; i < n->n; i++) {
		check_row(&n->rows[i], c, modules);
		lacking += !n->rows[i].advice && !need_is_there(&n->rows[i]);
	}
	return n->error ? n->error : lacking;
}

bool need_is_there(const struct need *need)
{
	return need->state <= NEED_MODULE;
}

const char *need_names(const struct need *need, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (const char *p = need->options; *p && at < size;) {
		size_t len = strcspn(p, "|");

		at += (size_t)snprintf(buf + at, size - at, "%sCONFIG_%.*s",
				       p == need->options ? "" : " or ", (int)len, p);
		p += len + (p[len] == '|');
	}
	return buf;
}

const char *need_for(const struct need *need, char *buf, size_t size)
{
	if (need->more)
		snprintf(buf, size, "%s and %zu more", need->what, need->more);
	else
		snprintf(buf, size, "%s", need->what);
	return buf;
}

const char *need_menu(const char *option)
{
	static const char *const rows[][2] = {
#define X(name, others) { name, others },
#include "vm/menu.def"
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i][0], option))
			return rows[i][1];
	return "";
}

void needs_free(struct needs *n)
{
	free(n->rows);
	*n = (struct needs){ .rows = NULL };
}

/* The first few of them: the command that is named lists all. */
static void tell(const char *image, const struct needs *n, struct err *e)
{
	char names[2 * NEED_NAMES_MAX];
	bool no_directory = false;
	size_t at;

	err_set(e, 0, "%.200s lacks", image);
	at = strlen(e->text);
	for (size_t i = 0, told = 0; i < n->n && at < 600; i++) {
		const struct need *row = &n->rows[i];

		if (row->advice || need_is_there(row))
			continue;
		no_directory |= row->state == NEED_NO_DIRECTORY;
		at += (size_t)snprintf(e->text + at, sizeof(e->text) - at, "%s %s%s (%s)",
				       told++ ? "," : "", need_names(row, names, sizeof(names)),
				       row->state == NEED_NO_DIRECTORY ? "=m" : "", row->what);
	}
	snprintf(e->text + at, sizeof(e->text) - at, "%s; see stressd vm --check-config",
		 no_directory ? "; its modules are not in /lib/modules" : "");
}

int needs_refuse(const char *image, const char *release, struct needs *n, struct err *e)
{
	struct kconfig c;
	struct err unread;
	int r = kconfig_read(image, &c, &unread);

	/* Whatever the reason: the boot will show. */
	if (r == 0)
		r = needs_check(n, &c, release);
	else
		r = 0;
	if (r > 0)
		tell(image, n, e);
	kconfig_free(&c);
	return r > 0 ? -EOPNOTSUPP : r;
}
