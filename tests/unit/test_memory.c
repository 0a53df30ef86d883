// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two runs that limit memory: the one that had to hand the controller down takes it away from
 * everybody at its end, so that it is alone; where somebody else has handed it down all may.
 * A directory stands for the root of the control groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cgroup.h"
#include "base/claim.h"
#include "base/fsutil.h"
#include "faults/fault.h"

#include <errno.h>
#include <string.h>

#define SKIPPED 77

static char root[64];

/* In the place of base/cgroup.c. */
int cgroup_root(char *buf, size_t size)
{
	return path_set(buf, size, "%s", root);
}

int cgroup_own(char *buf, size_t size)
{
	return cgroup_root(buf, size);
}

static void set(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	assert_int_equal(write_file_atomic(path, text, strlen(text), 0600), 0);
}

static int probe(void)
{
	struct err e = { "" };
	int r = fault_type_by_name("memory")->probe(NULL, &e);

	if (r == -EBUSY)
		assert_non_null(strstr(e.text, "another run of stressd"));
	return r;
}

static int make(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	set("cgroup.controllers", "io memory\n");
	set("cgroup.subtree_control", "io\n");
	return 0;
}

static int destroy(void **state)
{
	char command[100];

	(void)state;
	claim_drop();
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void who_hands_it_down_is_alone(void **state)
{
	(void)state;
	assert_int_equal(probe(), 0);
	assert_int_equal(probe(), -EBUSY);
	set("cgroup.subtree_control", "io memory\n"); /* as the first run does */
	assert_int_equal(probe(), -EBUSY);
	claim_drop();
	assert_int_equal(probe(), 0);
}

static void the_machines_own_is_everybodys(void **state)
{
	(void)state;
	set("cgroup.subtree_control", "io memory\n");
	assert_int_equal(probe(), 0);
	assert_int_equal(probe(), 0);
	set("cgroup.subtree_control", "io\n"); /* taken away: not to be handed down beside them */
	assert_int_equal(probe(), -EBUSY);
}

static void no_controller(void **state)
{
	(void)state;
	set("cgroup.controllers", "io\n");
	assert_int_equal(probe(), -EOPNOTSUPP);
	set("cgroup.controllers", "io memory\n");
	assert_int_equal(probe(), 0); /* and nothing was claimed before */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_hands_it_down_is_alone, make, destroy),
		cmocka_unit_test_setup_teardown(the_machines_own_is_everybodys, make, destroy),
		cmocka_unit_test_setup_teardown(no_controller, make, destroy),
	};

	if (geteuid() != 0)
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
