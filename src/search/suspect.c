// SPDX-License-Identifier: GPL-2.0-or-later
/* Which workers are likelier to matter than others: whom the finding names, and who takes part in
 * a race. Says in which order cuts are tried, and nothing of what stays. */
#include "search/internal.h"

#include <stdio.h>
#include <string.h>

void suspect_named(struct minimize *m, const char *actors)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", actors);
	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		int row = form_row_of(m->current.form, name);

		if (row >= 0 && row < SC_MAX_WORKERS)
			m->suspects[row] = true;
	}
}

void suspect_racers(struct minimize *m)
{
	const json_t *races = json_object_get(m->current.form, "races");

	for (size_t i = 0; i < json_array_size(races); i++) {
		const json_t *actors = json_object_get(json_array_get(races, i), "actors");

		for (size_t k = 0; k < json_array_size(actors); k++) {
			const json_t *row = json_object_get(json_array_get(actors, k), "row");

			if (json_integer_value(row) < SC_MAX_WORKERS)
				m->suspects[json_integer_value(row)] = true;
		}
	}
}

bool is_suspect(const struct minimize *m, const struct edit *edit)
{
	const char *pointer = json_object_iter_key(json_object_iter(edit->set));
	size_t row;

	return sscanf(pointer, "/workers/%zu", &row) == 1 && row < SC_MAX_WORKERS &&
	       m->suspects[row];
}
