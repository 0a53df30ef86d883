// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of findings, from findings.def, and the names of what layers can be. */
#include "finding.h"

#include <stdlib.h>
#include <string.h>

const struct finding_info finding_infos[FINDING_KINDS] = {
#define X(id, text, meaning) [FINDING_##id] = { text, meaning },
#include "findings.def"
#undef X
};

const char *const layer_state_names[LAYER_STATES] = {
	[LAYER_NOT_READ] = "not-read",
	[LAYER_GOOD] = "good",
	[LAYER_BAD] = "bad",
	[LAYER_UNAVAILABLE] = "unavailable",
};

int finding_by_name(const char *name)
{
	for (int i = 0; i < FINDING_KINDS; i++)
		if (!strcmp(finding_infos[i].name, name))
			return i;
	return -1;
}

void finding_free(struct finding *f)
{
	for (size_t i = 0; i < f->nlog; i++)
		free(f->log[i]);
	free(f->timeline);
	free(f);
}
