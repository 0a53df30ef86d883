// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host brings home of a guest, tame or wild: state, image and note, in one directory and
 * nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/fsutil.h"
#include "scenario.h"
#include "vm/guest.h"
#include "vm/mirror.h"
#include "vm/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT                                                                                       \
	"{ \"version\": 1, \"name\": \"s\", \"description\": \"d\","                               \
	" \"target\": { \"type\": \"image\", \"fs\": \"ext4\", \"size\": \"%s\" },"                \
	" \"files\": [ { \"name\": \"data\", \"size\": \"64K\" } ],"                               \
	" \"workers\": [ { \"type\": \"reader\" } ] }"

static char dir[64];
static int dirfd;
static struct vm_options o;
static struct salvage s;

static void parse(size_t i, const char *size)
{
	char text[1024];
	struct err e;

	snprintf(text, sizeof(text), TEXT, size);
	assert_int_equal(scenario_parse("s", text, strlen(text), &o.scenarios[i], &e), 0);
	o.nscenarios = i + 1;
}

static int make(void **state)
{
	struct err e;

	(void)state;
	strcpy(dir, "/tmp/stressd-salvage-XXXXXX");
	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	o = (struct vm_options){ .kernel = "bzImage", .run_dir = dir };
	parse(0, "20M");
	assert_int_equal(salvage_open(&s, &o, &e), 0);
	s.release = "6.1";
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	salvage_close(&s);
	for (size_t i = 0; i < o.nscenarios; i++)
		scenario_free(o.scenarios[i]);
	close(dirfd);
	return rm_rf(dir);
}

static u64 size_of(const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? UINT64_MAX : (u64)st.st_size;
}

static bool note_says(const char *word)
{
	char path[128], *text = NULL, want[64];
	bool yes;

	snprintf(path, sizeof(path), "%s/" GUEST_NOTE, dir);
	snprintf(want, sizeof(want), "\"end\": \"%s\"", word);
	yes = read_file(path, 4096, &text, NULL) == 0 && strstr(text, want);
	free(text);
	return yes;
}

static void add(const char *name, u64 len, const char *text)
{
	void *p;

	assert_int_equal(arena_add(s.arena, name, len, &p), 0);
	memcpy(p, text, strlen(text));
}

static void image_name(char *buf, size_t size)
{
	snprintf(buf, size, "stressd-%s.img", strrchr(dir, '/') + 1);
}

static void the_dead_leave_all(void **state)
{
	char path[128], image[96], *text = NULL;
	size_t len;

	(void)state;
	add("shadow", 10000, "cells");
	add("ops.1.log", 5, "begun");
	add("control", 8192, "");
	arena_remove(s.arena, "control");
	assert_int_equal(pwrite(s.disk_fd, "blocks", 6, 4096), 6);
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), 0);
	snprintf(path, sizeof(path), "%s/shadow", dir);
	assert_int_equal(read_file(path, 1 << 20, &text, &len), 0);
	assert_int_equal(len, 10000);
	assert_string_equal(text, "cells");
	free(text);
	assert_int_equal(size_of("ops.1.log"), 5);
	assert_int_equal(size_of("control"), UINT64_MAX);
	image_name(image, sizeof(image));
	assert_int_equal(size_of(image), 20 * MIB);
	assert_true(note_says("crash"));
}

static void images_may_be_no_evidence(void **state)
{
	char image[96];

	(void)state;
	o.no_images = true;
	image_name(image, sizeof(image));
	add("shadow", 100, "cells");
	assert_int_equal(salvage_ended(&s, 0, 1, dirfd), 0);
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), 0);
	assert_int_equal(size_of(image), UINT64_MAX);
	assert_int_equal(size_of("shadow"), 100);
}

/* A disk without a name leaves nothing, whoever dies. */
static void a_pass_leaves_no_image(void **state)
{
	char image[96];

	(void)state;
	image_name(image, sizeof(image));
	assert_int_equal(salvage_ended(&s, 0, 0, dirfd), 0);
	assert_int_equal(size_of(image), UINT64_MAX);
	assert_true(note_says(GUEST_DONE));
	assert_int_equal(salvage_ended(&s, 0, 1, dirfd), 0);
	assert_int_equal(size_of(image), 20 * MIB);
}

static void the_next_finds_all_new(void **state)
{
	char byte = 'x';
	struct stat st;
	struct err e;
	void *p;

	(void)state;
	salvage_close(&s);
	parse(1, "32M");
	assert_int_equal(salvage_open(&s, &o, &e), 0);
	s.release = "6.1";
	assert_int_equal(s.disk_bytes, 32 * MIB);
	add("shadow", 100, "cells");
	assert_int_equal(pwrite(s.disk_fd, "blocks", 6, 4096), 6);
	assert_int_equal(salvage_ended(&s, 0, 1, dirfd), 0);
	/* The image as large as it was asked for, and a copy. */
	assert_int_equal(size_of("stressd-1.img"), 20 * MIB);
	assert_int_equal(atomic_load(&s.arena->taken), 1);
	assert_int_equal(atomic_load(&s.arena->nparts), 0);
	assert_int_equal(arena_add(s.arena, "shadow", 100, &p), 0);
	assert_string_equal(p, "");
	assert_int_equal(pread(s.disk_fd, &byte, 1, 4096), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(fstat(s.disk_fd, &st), 0);
	assert_true((u64)st.st_blocks * 512 >= 32 * MIB); /* its space is not given away */
}

static void the_wild_are_kept_in(void **state)
{
	static char victim[96];
	char link[128];

	(void)state;
	/* the same bytes twice would fill our disk */
	add("shadow", s.arena_bytes - ARENA_HEAD - ARENA_PAGE, "");
	add("ops.1.log", 1, "");
	s.arena->parts[1].offset = s.arena->parts[0].offset;
	s.arena->parts[1].len = s.arena->parts[0].len;
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), -EBADMSG);
	atomic_store(&s.arena->nparts, 0);
	add("../out", 1, "x");
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), -EBADMSG);
	/* a name that leads elsewhere */
	atomic_store(&s.arena->nparts, 0);
	add("control", 1, "x");
	snprintf(victim, sizeof(victim), "%s.victim", dir);
	snprintf(link, sizeof(link), "%s/control", dir);
	assert_int_equal(symlink(victim, link), 0);
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), -ELOOP);
	assert_int_equal(access(victim, F_OK), -1);
}

/* What is written last is the host's word. */
static void the_note_is_ours(void **state)
{
	struct frame f = { FRAME_FILE, 0, 10, GUEST_NOTE, sizeof(GUEST_NOTE) - 1 };
	static struct arrival a;

	(void)state;
	a.dirfd = dirfd;
	assert_int_equal(arrival_take(&a, &f), -EBADMSG);
	add(GUEST_NOTE, 100, "{ \"end\": \"done\" }");
	assert_int_equal(salvage_died(&s, 0, "crash", dirfd), 0);
	assert_true(note_says("crash"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_dead_leave_all, make, destroy),
		cmocka_unit_test_setup_teardown(images_may_be_no_evidence, make, destroy),
		cmocka_unit_test_setup_teardown(a_pass_leaves_no_image, make, destroy),
		cmocka_unit_test_setup_teardown(the_next_finds_all_new, make, destroy),
		cmocka_unit_test_setup_teardown(the_wild_are_kept_in, make, destroy),
		cmocka_unit_test_setup_teardown(the_note_is_ours, make, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
