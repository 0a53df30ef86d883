// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of writes: one that is good and replays to what was written, the same cut off at every
 * byte, and with every field damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "writelog.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTOR	512
#define DEVICE	(64 * SECTOR)
#define ENTRIES 6
#define MAGIC	0x6a736677736872ULL

struct log {
	int fd;
	u64 len;
};

static void put(struct log *l, const void *data, size_t len)
{
	u8 sector[SECTOR] = { 0 };

	memcpy(sector, data, len);
	assert_int_equal(pwrite(l->fd, sector, SECTOR, (off_t)l->len), SECTOR);
	l->len += SECTOR;
}

static void put_entry(struct log *l, u64 sector, u64 n, u64 flags, const char *mark)
{
	u64 d[4] = { htole64(sector), htole64(n), htole64(flags), htole64(strlen(mark)) };
	u8 buf[sizeof(d) + 100];

	memcpy(buf, d, sizeof(d));
	memcpy(buf + sizeof(d), mark, strlen(mark));
	put(l, buf, sizeof(d) + strlen(mark));
}

static void put_data(struct log *l, u8 with, u64 n)
{
	u8 data[SECTOR];

	memset(data, with, sizeof(data));
	while (n--)
		put(l, data, sizeof(data));
}

/* Two writes, one over the other; a flush; a mark; a discard; a FUA write. */
static struct log make(void)
{
	struct log l = { .fd = memfd_create("log", MFD_CLOEXEC) };
	u64 super[4] = { htole64(MAGIC), htole64(1), htole64(ENTRIES), htole64(SECTOR) };

	assert_true(l.fd >= 0);
	put(&l, super, sizeof(super));
	put_entry(&l, 8, 3, 0, "");
	put_data(&l, 'a', 3);
	put_entry(&l, 9, 1, WRITELOG_METADATA, "");
	put_data(&l, 'b', 1);
	put_entry(&l, 0, 0, WRITELOG_FLUSH, "");
	put_entry(&l, 0, 0, WRITELOG_MARK, "stressd 7");
	put_entry(&l, 10, 1, WRITELOG_DISCARD, "");
	put_entry(&l, 63, 1, WRITELOG_FUA, "");
	put_data(&l, 'c', 1);
	return l;
}

/* Entries read, and what ended it: 0, or -errno. */
static u64 read_all(const struct log *l, u64 len, int *ret)
{
	struct writelog_entry entry;
	struct writelog w;
	struct err e;
	u64 n = 0;

	*ret = writelog_open(l->fd, len, DEVICE, &w, &e);
	while (*ret == 0 && (*ret = writelog_next(&w, &entry, &e)) == 1) {
		*ret = 0;
		n++;
		if (n == ENTRIES + 1)
			fail_msg("more entries than there are");
		if (w.next == w.nentries)
			break;
	}
	return n;
}

static void good(void **state)
{
	static const u64 flags[ENTRIES] = {
		0, WRITELOG_METADATA, WRITELOG_FLUSH, WRITELOG_MARK, WRITELOG_DISCARD, WRITELOG_FUA
	};
	struct log l = make();
	int to = memfd_create("device", MFD_CLOEXEC);
	u8 device[DEVICE], want[DEVICE];
	struct writelog_entry entry;
	struct writelog w;
	struct err e;

	(void)state;
	memset(want, 'p', sizeof(want));
	assert_int_equal(pwrite(to, want, sizeof(want), 0), DEVICE);
	assert_int_equal(writelog_open(l.fd, l.len, DEVICE, &w, &e), 0);
	for (u64 i = 0; i < ENTRIES; i++) {
		assert_int_equal(writelog_next(&w, &entry, &e), 1);
		assert_int_equal(entry.number, i);
		assert_int_equal(entry.flags, flags[i]);
		if (entry.flags & WRITELOG_MARK)
			assert_string_equal(entry.mark, "stressd 7");
		assert_int_equal(writelog_apply(&w, &entry, to, &e), 0);
	}
	assert_int_equal(writelog_next(&w, &entry, &e), 0);
	memset(want + 8 * SECTOR, 'a', SECTOR);
	memset(want + 9 * SECTOR, 'b', SECTOR);
	memset(want + 10 * SECTOR, 0, SECTOR);
	memset(want + 63 * SECTOR, 'c', SECTOR);
	assert_int_equal(pread(to, device, sizeof(device), 0), DEVICE);
	assert_memory_equal(device, want, DEVICE);
	writelog_rewind(&w);
	assert_int_equal(writelog_next(&w, &entry, &e), 1);
	assert_int_equal(entry.offset, 8 * SECTOR);
	assert_int_equal(entry.len, 3 * SECTOR);
	close(to);
	close(l.fd);
}

/* Whatever is left of it is read, and then it says that it was cut off. */
static void truncated(void **state)
{
	struct log l = make();
	u64 last = 0;

	(void)state;
	for (u64 len = 0; len < l.len; len++) {
		struct log cut = make();
		u64 n;
		int r;

		assert_int_equal(ftruncate(cut.fd, (off_t)len), 0);
		n = read_all(&cut, len, &r);
		/* The padding behind the last numbers is not missed before the first entry is. */
		if (r != (len < 32 ? -EBADMSG : -ENODATA))
			fail_msg("cut off at %d: %d after %d entries", (int)len, r, (int)n);
		assert_true(n >= last && n < ENTRIES);
		last = n;
		close(cut.fd);
	}
	assert_int_equal(last, ENTRIES - 1);
	close(l.fd);
}

static void damaged(void **state)
{
	static const struct {
		const char *what;
		u64 at, value;
		int want;
		u64 entries;
	} rows[] = {
		{ "magic", 0, 0, -EBADMSG, 0 },
		{ "version", 8, 2, -EBADMSG, 0 },
		{ "no sectors", 24, 0, -EBADMSG, 0 },
		{ "odd sectors", 24, 513, -EBADMSG, 0 },
		{ "huge sectors", 24, 1 << 20, -EBADMSG, 0 },
		{ "more entries than there are", 16, ENTRIES + 1, -ENODATA, ENTRIES },
		{ "past the device", SECTOR, DEVICE / SECTOR + 1, -EBADMSG, 0 },
		{ "over its end", SECTOR, 62, -EBADMSG, 0 },
		{ "longer than the device", SECTOR + 8, UINT64_MAX, -EBADMSG, 0 },
		{ "a sum that wraps", SECTOR, UINT64_MAX, -EBADMSG, 0 },
		{ "unknown flags", SECTOR + 16, 1 << 5, -EBADMSG, 0 },
		{ "a mark that writes", SECTOR + 16, WRITELOG_MARK, -EBADMSG, 0 },
		{ "a mark past its sector", 8 * SECTOR + 24, SECTOR, -EBADMSG, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct log l = make();
		u64 value = htole64(rows[i].value), n;
		int r;

		assert_int_equal(pwrite(l.fd, &value, sizeof(value), (off_t)rows[i].at), 8);
		n = read_all(&l, l.len, &r);
		if (r != rows[i].want || n != rows[i].entries)
			fail_msg("%s: %d after %d entries", rows[i].what, r, (int)n);
		close(l.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(truncated),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
