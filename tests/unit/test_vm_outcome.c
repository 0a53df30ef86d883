// SPDX-License-Identifier: GPL-2.0-or-later
/* How a guest ended: what was not begun is said, even where a run before had a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "vm/outcome.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	int end, exits[3]; /* -1: did not end */
	bool doubt_ends;
	int exit;
	const char *says;
} rows[] = {
	{ VM_DONE, { 0, 0, 0 }, false, 0, "" },
	{ VM_DONE, { 0, 1, 0 }, false, 1, "" },
	{ VM_GONE, { 1, -1, -1 }, false, 1, "scenarios 2 to 3 were not begun: QEMU was killed" },
	{ VM_DONE, { 1, 0, -1 }, false, 1, "scenarios 3 to 3 were not begun: the guest ended" },
	{ VM_DONE, { 1, -1, -1 }, true, 1, "" }, /* as was asked for: the next guest has them */
	{ VM_INTERRUPTED, { 1, -1, -1 }, false, 1, "" },
};

static void what_was_not_begun_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vm_options o = { .nscenarios = 3, .doubt_ends = rows[i].doubt_ends };
		struct watch *w = calloc(1, sizeof(*w));
		struct err e = { "" };

		assert_non_null(w);
		w->o = &o;
		for (int k = 0; k < 3; k++) {
			w->exits[k] = rows[i].exits[k];
			if (w->exits[k] >= 0)
				w->current = k;
		}
		assert_int_equal(outcome_settle(w, rows[i].end, &e), rows[i].exit);
		if (strncmp(e.text, rows[i].says, strlen(rows[i].says)) != 0 ||
		    (!*rows[i].says && *e.text))
			fail_msg("row %zu: \"%s\", expected \"%s\"", i, e.text, rows[i].says);
		free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_begun_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
