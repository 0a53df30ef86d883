// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The results stream: what arrives of it when it is cut or damaged at any byte, and a directory
 * that the host rebuilds from it while it changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/fsutil.h"
#include "vm/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FRAMES 3

static char base[] = "/tmp/stressd-vm-stream-XXXXXX";

struct seen {
	size_t n;
	u32 types[64], ids[64];
	u64 offsets[64], sums[64];
};

static u64 sum(const void *data, size_t len)
{
	u64 s = len;

	for (size_t i = 0; i < len; i++)
		s = mix64(s ^ ((const u8 *)data)[i]);
	return s;
}

static void see(void *ctx, const struct frame *f)
{
	struct seen *s = ctx;

	assert_true(s->n < ARRAY_SIZE(s->types));
	s->types[s->n] = f->type;
	s->ids[s->n] = f->id;
	s->offsets[s->n] = f->offset;
	s->sums[s->n++] = sum(f->data, f->len);
}

/* Three frames as they go over the wire; ends[i] is where frame i ends. */
static size_t sample(u8 *wire, size_t ends[FRAMES], struct seen *want)
{
	static const struct frame frames[FRAMES] = {
		{ FRAME_HELLO, 0, 0, "6.1", 3 },
		{ FRAME_BEAT, 0, 0, NULL, 0 },
		{ FRAME_DATA, 7, 1ULL << 40, "some bytes of a file", 20 },
	};
	size_t at = 0;

	*want = (struct seen){ .n = 0 };
	for (int i = 0; i < FRAMES; i++) {
		at += frame_encode(wire + at, &frames[i]);
		ends[i] = at;
		see(want, &frames[i]);
	}
	return at;
}

static void assert_same(const struct seen *got, const struct seen *want, size_t from, size_t n)
{
	assert_int_equal(got->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got->types[i], want->types[from + i]);
		assert_int_equal(got->ids[i], want->ids[from + i]);
		assert_true(got->offsets[i] == want->offsets[from + i]);
		assert_true(got->sums[i] == want->sums[from + i]);
	}
}

static void torn_at_every_byte(void **state)
{
	u8 wire[4096];
	size_t ends[FRAMES];
	struct seen want;
	size_t len = sample(wire, ends, &want);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		struct seen got = { .n = 0 };
		struct stream s;
		size_t whole = 0;

		while (whole < FRAMES && ends[whole] <= cut)
			whole++;
		assert_int_equal(stream_open(&s), 0);
		stream_feed(&s, wire, cut, see, &got);
		assert_same(&got, &want, 0, whole);
		/* The rest arrives: nothing is lost at the seam. */
		stream_feed(&s, wire + cut, len - cut, see, &got);
		assert_same(&got, &want, 0, FRAMES);
		assert_int_equal(s.skipped, 0);
		stream_close(&s);
	}
}

/* A damaged byte costs the frame that it is in and no other. The stream goes on, so that a length
 * that was damaged is not waited for in vain. */
static void damaged_at_every_byte(void **state)
{
	static u8 wire[4096], more[FRAME_MAX], zeros[FRAME_DATA_MAX];
	size_t ends[FRAMES];
	struct seen want;
	size_t len = sample(wire, ends, &want), more_len;

	(void)state;
	more_len = frame_encode(more, &(struct frame){ FRAME_DATA, 9, 0, zeros, FRAME_DATA_MAX });
	for (size_t bad = 0; bad < ends[1]; bad++)
		for (int bit = 0; bit < 8; bit++) {
			struct seen got = { .n = 0 };
			struct stream s;
			size_t hit = bad < ends[0] ? 0 : 1, left = 1 - hit;

			assert_int_equal(stream_open(&s), 0);
			wire[bad] ^= (u8)(1 << bit);
			stream_feed(&s, wire, len, see, &got);
			stream_feed(&s, more, more_len, see, &got);
			stream_feed(&s, more, more_len, see, &got);
			wire[bad] ^= (u8)(1 << bit);
			assert_int_equal(got.n, 4);
			assert_int_equal(s.skipped, hit ? ends[1] - ends[0] : ends[0]);
			assert_int_equal(got.types[0], want.types[left == 1 ? 1 : 0]);
			assert_int_equal(got.ids[1], 7);
			stream_close(&s);
		}
}

static void longest_frame(void **state)
{
	u8 *data = calloc(1, FRAME_DATA_MAX), *wire = malloc(FRAME_MAX);
	struct seen got = { .n = 0 };
	struct stream s;
	size_t len;

	(void)state;
	assert_true(data && wire);
	data[FRAME_DATA_MAX - 1] = 1;
	len = frame_encode(wire, &(struct frame){ FRAME_DATA, 1, 2, data, FRAME_DATA_MAX });
	assert_int_equal(len, FRAME_MAX);
	assert_int_equal(stream_open(&s), 0);
	stream_feed(&s, "noise", 5, see, &got);
	stream_feed(&s, wire, len, see, &got);
	assert_int_equal(got.n, 1);
	assert_int_equal(s.skipped, 5);
	assert_true(got.sums[0] == sum(data, FRAME_DATA_MAX));
	stream_close(&s);
	free(data);
	free(wire);
}

/* Guest and host directory, and the stream between them without the wire. */
struct pair {
	int guest, host;
	struct mirror mirror;
	struct arrival arrival;
	size_t frames;
};

static int carry(void *ctx, const struct frame *f)
{
	struct pair *p = ctx;

	p->frames++;
	return arrival_take(&p->arrival, f);
}

static struct pair *pair_new(void)
{
	struct pair *p = calloc(1, sizeof(*p));
	char path[128];

	assert_non_null(p);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", base, i ? "host" : "guest");
		rm_rf(path);
		assert_int_equal(mkdir_p(path, 0700), 0);
		*(i ? &p->host : &p->guest) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	p->arrival.dirfd = p->host;
	return p;
}

static void pair_free(struct pair *p)
{
	mirror_free(&p->mirror);
	arrival_close(&p->arrival);
	close(p->guest);
	close(p->host);
	free(p);
}

static void put(struct pair *p, const char *name, const void *data, size_t len, u64 at)
{
	int fd = openat(p->guest, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(pwrite_all(fd, data, len, at), 0);
	close(fd);
}

static size_t scan(struct pair *p)
{
	p->frames = 0;
	assert_int_equal(mirror_scan(&p->mirror, p->guest, carry, p), 0);
	return p->frames;
}

static void assert_mirrored(struct pair *p, const char *name)
{
	_Alignas(8) static char bytes[2][1 << 20];
	ssize_t n[2];

	for (int i = 0; i < 2; i++) {
		int fd = openat(i ? p->host : p->guest, name, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		n[i] = read(fd, bytes[i], sizeof(bytes[i]));
		close(fd);
	}
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(bytes[0], bytes[1], (size_t)n[0]);
}

static void only_changes_are_sent(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	put(p, "shadow", "begin", 5, 0);
	put(p, "shadow", "end", 3, 5 * FRAME_DATA_MAX);
	/* Its length, the first chunk and the last: four of zeros are not sent. */
	assert_int_equal(scan(p), 3);
	assert_mirrored(p, "shadow");
	assert_int_equal(scan(p), 0);
	put(p, "shadow", "x", 1, 2 * FRAME_DATA_MAX);
	assert_int_equal(scan(p), 1);
	assert_mirrored(p, "shadow");
	put(p, "disk.img", "x", 1, 0);
	put(p, "result.json.77.tmp", "x", 1, 0);
	assert_int_equal(scan(p), 0);
	pair_free(p);
}

static void files_change_shape(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	put(p, "log", "0123456789", 10, 0);
	scan(p);
	assert_int_equal(unlinkat(p->guest, "log", 0), 0);
	put(p, "other", "takes a number of its own", 25, 0);
	put(p, "log", "01", 2, 0);
	scan(p);
	assert_mirrored(p, "log");
	put(p, "log", "grown", 5, 3 * FRAME_DATA_MAX - 2);
	scan(p);
	assert_mirrored(p, "log");
	int fd = openat(p->guest, "log", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 1), 0);
	scan(p);
	assert_mirrored(p, "log");
	assert_int_equal(ftruncate(fd, 2 * FRAME_DATA_MAX), 0);
	close(fd);
	scan(p);
	assert_mirrored(p, "log");
	assert_int_equal(unlinkat(p->guest, "log", 0), 0);
	scan(p);
	assert_int_equal(faccessat(p->host, "log", F_OK, 0), -1);
	assert_mirrored(p, "other");
	pair_free(p);
}

/* A guest that ran wild reaches nothing outside of the directory, nor fills the disk. */
static void wild_guest(void **state)
{
	static const struct {
		u32 type;
		u64 offset;
		const char *name;
	} rows[] = {
		{ FRAME_FILE, 0, "../escape" },
		{ FRAME_FILE, 0, "/tmp/escape" },
		{ FRAME_FILE, 0, "." },
		{ FRAME_FILE, 0, "" },
		{ FRAME_FILE, 1ULL << 50, "large" },
		{ FRAME_DATA, 0, "no such file" },
		{ FRAME_GONE, 0, "" },
	};
	struct pair *p = pair_new();
	struct frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		f = (struct frame){ rows[i].type, 3, rows[i].offset, rows[i].name,
				    (u32)strlen(rows[i].name) };
		assert_int_equal(arrival_take(&p->arrival, &f), -EBADMSG);
	}
	f = (struct frame){ FRAME_FILE, 3, 1, "a\0b", 3 };
	assert_int_equal(arrival_take(&p->arrival, &f), -EBADMSG);
	assert_int_equal(symlinkat("/etc/passwd", p->host, "link"), 0);
	f = (struct frame){ FRAME_FILE, 3, 1, "link", 4 };
	assert_int_equal(arrival_take(&p->arrival, &f), -ELOOP);
	f = (struct frame){ FRAME_FILE, 3, 1, "fine", 4 };
	assert_int_equal(arrival_take(&p->arrival, &f), 0);
	f = (struct frame){ FRAME_DATA, 3, 1ULL << 50, "x", 1 };
	assert_int_equal(arrival_take(&p->arrival, &f), -EBADMSG);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(torn_at_every_byte), cmocka_unit_test(damaged_at_every_byte),
		cmocka_unit_test(longest_frame),      cmocka_unit_test(only_changes_are_sent),
		cmocka_unit_test(files_change_shape), cmocka_unit_test(wild_guest),
	};
	int failed;

	if (!mkdtemp(base))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rm_rf(base);
	return failed;
}
