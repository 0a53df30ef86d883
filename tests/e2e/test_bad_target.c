// SPDX-License-Identifier: GPL-2.0-or-later
/* Misuse: each wrong command line, scenario and target has its exact exit code and one line that
 * says what to do; and leaves nothing behind. */
#include "e2e.h"

#include <string.h>

static void no_such_command(void **state)
{
	struct e2e r;

	(void)state;
	E2E(&r, "frobnicate");
	e2e_assert_exit(&r, 2);
	assert_non_null(strstr(r.err, "frobnicate"));
	e2e_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_such_command),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
