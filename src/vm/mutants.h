/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The faults of a lab kernel, as lab/mutants.json lists them: what a user of the file sees, which
 * findings are right, and which scenarios should come to one. Reads and checks; runs nothing.
 */
#ifndef STRESSD_VM_MUTANTS_H
#define STRESSD_VM_MUTANTS_H

#include "base/cleanup.h"
#include "finding.h"

enum mutant_boot {
	MUTANT_SHARED, /* leaves a kernel that others can be tried in */
	MUTANT_OWN,    /* kills or taints it: a boot for each attempt */
};

struct mutant {
	u64 id; /* value of the kernel's parameter stress_mutant */
	char *name, *summary;
	char **findings;  /* names of those that are right; NULL-terminated, as all lists here */
	char **scenarios; /* as the file has them: relative to it */
	char **needs;	  /* CONFIG_* that must be set in the kernel */
	int boot;	  /* enum mutant_boot; MUTANT_OWN wherever there is a cut */
	char *append;	  /* further words for the kernel command line, or NULL */
	u64 limit_ns;	  /* of an attempt, where less than the general one will do; 0: that one */
	struct range cut; /* the power is cut so long after the first operation; hi 0: never */
	char *missed;	  /* why it is known not to be detected, or NULL */
	u64 kinds;	  /* bit enum finding_kind: @findings */
	size_t *plays;	  /* of each scenario its place in the list's own */
	size_t nplays;
};
_Static_assert(FINDING_KINDS <= 64, "a bit for every kind of finding");

/* A scenario that must not be run without a fault: it finds one that the kernel has anyway. */
struct left_out {
	char *scenario, *why;
	size_t play; /* its place in the list's scenarios */
};

struct mutant_list {
	struct mutant *mutants;
	size_t n;
	struct left_out *left_out;
	size_t nleft_out;
	struct scenario **scenarios; /* each file once, whoever names it */
	size_t nscenarios;
};

/* Read and check the list and every scenario in it. 0, or -errno with one line in @e: "FILE:LINE:
 * POINTER: what is wrong; expected what". *ret goes through mutants_free() on every path. */
int mutants_load(const char *path, struct mutant_list *ret, struct err *e);
/* Keep those that @only names: "NAME,..." of names or numbers. -EINVAL for one that is not there.
 */
int mutants_only(struct mutant_list *list, const char *only, struct err *e);
void mutants_free(struct mutant_list *list);

#define _cleanup_mutants_ _cleanup_(mutants_free)

#endif
