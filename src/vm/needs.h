/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel must be built with for a guest and its scenarios, gathered from the tables that
 * say it, and held against a configuration.
 *
 * Notation, in needs.def and in every .kconfig: options without CONFIG_, separated by blanks, each
 * of them needed; "A|B": either will do; "?A": advice, without which it works and shows less.
 * =m will do wherever =y does, if the modules are at hand: the guest loads what it starts with from
 * its initramfs, and the kernel asks for the others.
 */
#ifndef STRESSD_VM_NEEDS_H
#define STRESSD_VM_NEEDS_H

#include "scenario.h"
#include "vm/kconfig.h"

#define NEED_NAMES_MAX 128

enum need_state {
	NEED_MET,
	NEED_MODULE,	   /* built as a module */
	NEED_NO_DIRECTORY, /* as a module, and there are none of this release */
	NEED_UNMET,
};

struct need {
	char options[NEED_NAMES_MAX]; /* "A", or "A|B" */
	char what[160];		      /* for a person: what wants it first */
	size_t more;		      /* how many others do */
	char last[160];		      /* of them: two workers of one scenario are one */
	bool advice;
	enum need_state state; /* by needs_check() */
	const char *option;    /* the one that meets it, or the first; likewise */
};

struct needs {
	struct need *rows;
	size_t n;
	int error; /* the first -errno: later calls do nothing */
};

/* What every guest needs, with @disks what its disks do. */
void needs_add_guest(struct needs *n, bool disks);
void needs_add_scenario(struct needs *n, const struct scenario *sc);
/* Fill in state and option; @release: whose modules are to be there, NULL or "" where it is not
 * known. Returns how many are needed and not there, or the error of the calls before. */
int needs_check(struct needs *n, const struct kconfig *c, const char *release);
bool need_is_there(const struct need *need);
/* "CONFIG_A or CONFIG_B". Returns @buf. */
const char *need_names(const struct need *need, char *buf, size_t size);
/* "WHAT and 3 more". Returns @buf. */
const char *need_for(const struct need *need, char *buf, size_t size);
/* The options that @option depends on, separated by blanks; "". */
const char *need_menu(const char *option);
void needs_free(struct needs *n);

/* All of it for a kernel @image with @release that is to be booted: 0 where it can work or does
 * not say; -EOPNOTSUPP with what it lacks in @e. */
int needs_refuse(const char *image, const char *release, struct needs *n, struct err *e);

#endif
