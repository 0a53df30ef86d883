// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run comes to when not everything that was seen could be looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "session/session.h"

/* The verdict of a run without a finding that lost @sightings. */
static int judged(u64 sightings, char *reason, size_t size)
{
	struct session *s = calloc(1, sizeof(*s));
	int verdict;

	assert_non_null(s);
	s->run = calloc(1, sizeof(*s->run));
	s->sc = calloc(1, sizeof(*s->sc));
	assert_non_null(s->run);
	assert_non_null(s->sc);
	s->result.ops = 1;
	atomic_store(&s->run->sightings_lost, sightings);
	judge_result(s);
	verdict = s->result.verdict;
	assert_int_equal(s->result.exit, sightings ? 3 : 0);
	snprintf(reason, size, "%s", s->result.reason);
	free(s->result.workers);
	free(s->result.races);
	free(s->result.faults);
	free(s->sc);
	free(s->run);
	free(s);
	return verdict;
}

static void a_lost_sighting_is_no_pass(void **state)
{
	char reason[1100];

	(void)state;
	assert_int_equal(judged(0, reason, sizeof(reason)), VERDICT_PASS);
	assert_string_equal(reason, "");
	assert_int_equal(judged(3, reason, sizeof(reason)), VERDICT_INCOMPLETE);
	assert_non_null(strstr(reason, "3 sightings were lost"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_sighting_is_no_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
