// SPDX-License-Identifier: GPL-2.0-or-later
/* The arena: what its parts are, what of it the host believes, and state and futexes that lie in it
 * instead of in files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/futex.h"
#include "base/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN (64 * ARENA_PAGE)

static char path[] = "/tmp/stressd-arena-XXXXXX", file[64];
static struct arena *arena;

static int make(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LEN), 0);
	arena = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(arena, MAP_FAILED);
	close(fd);
	snprintf(file, sizeof(file), "%s.file", path);
	return 0;
}

static int destroy(void **state)
{
	(void)state;
	munmap(arena, LEN);
	unlink(file);
	return unlink(path);
}

static void fresh(void)
{
	memset(arena, 0, LEN);
	arena_format(arena, LEN);
}

static void parts_are_given_out(void **state)
{
	char long_name[ARENA_NAME + 1];
	void *a, *b, *again;
	u64 len;

	(void)state;
	fresh();
	assert_int_equal(arena_add(arena, "a", 5000, &a), 0);
	assert_int_equal(arena_add(arena, "b", 1, &b), 0);
	assert_true((char *)b >= (char *)a + 5000);
	assert_int_equal(arena_add(arena, "a", 1, &again), -EEXIST);
	assert_int_equal(arena_find(arena, "a", &again, &len), 0);
	assert_ptr_equal(again, a);
	assert_int_equal(len, 5000);
	assert_int_equal(arena_remove(arena, "a"), 0);
	assert_int_equal(arena_find(arena, "a", &again, &len), -ENOENT);
	assert_int_equal(arena_find(arena, "", &again, &len), -ENOENT);
	assert_int_equal(arena_add(arena, "c", LEN, &again), -ENOSPC);
	assert_int_equal(arena_add(arena, "c", UINT64_MAX, &again), -ENOSPC);
	memset(long_name, 'x', ARENA_NAME);
	long_name[ARENA_NAME] = '\0';
	assert_int_equal(arena_add(arena, long_name, 1, &again), -ENAMETOOLONG);
}

static void wild_parts_are_not_believed(void **state)
{
	static const struct {
		const char *name;
		u64 offset, len;
		int r;
	} rows[] = {
		{ "shadow", ARENA_HEAD, LEN - ARENA_HEAD, 0 },
		{ "shadow", LEN, 0, 0 },
		{ "", ARENA_HEAD, 1, -ENOENT },
		{ "../shadow", ARENA_HEAD, 1, -EBADMSG },
		{ "/etc/passwd", ARENA_HEAD, 1, -EBADMSG },
		{ "..", ARENA_HEAD, 1, -EBADMSG },
		{ ".hidden", ARENA_HEAD, 1, -EBADMSG },
		{ "0123456789012345678901234567890123456789", ARENA_HEAD, 1, -EBADMSG },
		{ "shadow", 0, 1, -EBADMSG },
		{ "shadow", ARENA_HEAD - 1, 1, -EBADMSG },
		{ "shadow", LEN + 1, 0, -EBADMSG },
		{ "shadow", LEN - 1, 2, -EBADMSG },
		{ "shadow", ARENA_HEAD, UINT64_MAX, -EBADMSG },
		{ "shadow", UINT64_MAX, 2, -EBADMSG },
	};
	struct arena_part p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fresh();
		arena->parts[0] =
			(struct arena_part){ .offset = rows[i].offset, .len = rows[i].len };
		memcpy(arena->parts[0].name, rows[i].name,
		       MIN(strlen(rows[i].name) + 1, (size_t)ARENA_NAME));
		atomic_store(&arena->nparts, UINT32_MAX);
		assert_int_equal(arena_part(arena, LEN, 0, &p), rows[i].r);
		assert_int_equal(arena_part(arena, LEN, ARENA_PARTS, &p), -ENOENT);
	}
}

static void only_ours_is_mapped(void **state)
{
	struct arena *again;

	(void)state;
	fresh();
	assert_int_equal(arena_map(path, &again), 0);
	munmap(again, LEN);
	arena->len++;
	assert_int_equal(arena_map(path, &again), -EBADMSG);
	fresh();
	arena->magic++;
	assert_int_equal(arena_map(path, &again), -EBADMSG);
	assert_int_equal(arena_map("/dev/null", &again), -EBADMSG);
	assert_int_equal(arena_map("/nonexistent", &again), -ENOENT);
}

/* In a process of its own: once chosen, the place of state stays. */
static void use_the_arena(void)
{
	void *a, *b, *c;
	size_t len;

	assert_int_equal(state_create(file, 100, &a), 0);
	strcpy(a, "in a file");
	state_close(a, 100);
	assert_int_equal(state_use_arena(path), 0);
	assert_int_equal(state_create("/nowhere/shadow", 100, &b), 0);
	assert_int_equal(state_create("/nowhere/shadow", 100, &c), -EEXIST);
	strcpy(b, "in the arena");
	assert_int_equal(state_open("/elsewhere/shadow", STATE_WRITE, &c, &len), 0);
	assert_ptr_equal(b, c);
	assert_int_equal(len, 100);
	state_close(c, len); /* it stays */
	assert_string_equal(b, "in the arena");
	/* What lies in no arena is still a file. */
	assert_int_equal(state_open(file, STATE_READ, &a, &len), 0);
	assert_string_equal(a, "in a file");
	state_close(a, len);
	assert_int_equal(state_remove("/nowhere/shadow"), 0);
	assert_int_equal(state_open("/nowhere/shadow", STATE_READ, &a, &len), -ENOENT);
	assert_int_equal(state_create("/nowhere/control", 8, &b), 0);
	strcpy(b, "word");
	exit(0);
}

static void state_lies_in_the_arena(void **state)
{
	pid_t pid;
	int status;
	u64 len;
	void *b;

	(void)state;
	fresh();
	pid = fork();
	if (pid == 0)
		use_the_arena();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* ... and is there when its maker is not. */
	assert_int_equal(arena_find(arena, "control", &b, &len), 0);
	assert_string_equal(b, "word");
}

/* Only where the kernel itself can wait for the word would this work without bells. */
static void bells_ring(void **state)
{
	_Atomic u32 *word;
	int status;
	pid_t pid;

	(void)state;
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(word, MAP_FAILED);
	assert_int_equal(futex_use_bells(), 0);
	assert_int_equal(futex_wait(word, 1, 0), -EAGAIN);
	assert_int_equal(futex_wait(word, 0, NSEC_PER_MSEC), -ETIMEDOUT);
	pid = fork();
	if (pid == 0) {
		while (!atomic_load(word))
			futex_wait(word, 0, 0);
		exit(7);
	}
	atomic_store(word, 1);
	futex_wake_all(word);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	munmap((void *)word, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_given_out),
		cmocka_unit_test(wild_parts_are_not_believed),
		cmocka_unit_test(only_ours_is_mapped),
		cmocka_unit_test(state_lies_in_the_arena),
		cmocka_unit_test(bells_ring),
	};

	return cmocka_run_group_tests(tests, make, destroy);
}
