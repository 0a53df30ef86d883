/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shadow of two small files in a directory of its own, for the tests of the oracle. */
#ifndef TEST_SHADOW_FIXTURE_H
#define TEST_SHADOW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "scenario.h"
#include "shadow/shadow.h"

#define FIX_RUN	  0x5eed5eed5eed5eedULL
#define FIX_CELL  512U
#define FIX_CELLS 16

struct shadow_fixture {
	char dir[64], path[96];
	struct shadow sh;
	struct shadow_file *f, *other;
};

static inline void fixture_make_sized(struct shadow_fixture *x, bool conflict, u64 cells)
{
	struct sc_file files[2] = {
		{ .name = (char *)"data", .max_bytes = cells * FIX_CELL, .cell_bytes = FIX_CELL },
		{ .name = (char *)"other", .max_bytes = cells * FIX_CELL, .cell_bytes = FIX_CELL },
	};
	struct scenario sc = { .files = files, .nfiles = 2 };
	struct err e;

	files[0].conflict = conflict;
	snprintf(x->dir, sizeof(x->dir), "/tmp/stressd-test-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	snprintf(x->path, sizeof(x->path), "%s/shadow", x->dir);
	assert_int_equal(shadow_create(x->path, &sc, FIX_RUN, &x->sh, &e), 0);
	x->f = &x->sh.files[0];
	x->other = &x->sh.files[1];
	for (u16 id = 2; id < 6; id++) {
		char name[] = "w.?";

		name[2] = (char)('0' + id);
		shadow_set_writer(&x->sh, id, name);
	}
}

static inline void fixture_make(struct shadow_fixture *x, bool conflict)
{
	fixture_make_sized(x, conflict, FIX_CELLS);
}

static inline void fixture_free(struct shadow_fixture *x)
{
	shadow_close(&x->sh);
	unlink(x->path);
	rmdir(x->dir);
}

#endif
