/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be taken from a scenario: a table of reductions, each a name and a function that
 * proposes changes of a form. Whether the finding stays is not known here, nor what a change
 * costs; that every proposal leads to a smaller scenario, so that proposing ends, is.
 */
#ifndef STRESSD_REDUCE_H
#define STRESSD_REDUCE_H

#include "search/form.h"

struct reduction {
	const char *name; /* in the plural: "workers" */
	/* Propose changes of @form: each takes something away that is there. They need not lead to
	 * valid scenarios. */
	void (*propose)(const json_t *form, struct edits *to);
	bool again; /* what it proposes can be taken further: as long as something goes */
	bool late;  /* only where the finding comes at the very end of a run */
};

/* In the order in which they pay; ends with a NULL name. */
extern const struct reduction reductions[];

#endif
