// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration is found in every kind of file that may hold one, and what is none is told by
 * name; each option that a guest or a scenario needs is missed when it is missing, and only then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../fake_image.h"
#include "base/fsutil.h"
#include "vm/needs.h"

#include <errno.h>
#include <glob.h>
#include <unistd.h>

#define CONFIG                                                                                     \
	"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.0 Kernel "               \
	"Configuration\n#\nCONFIG_CC_VERSION_TEXT=\"gcc (Debian) 12.2 = good\"\nCONFIG_64BIT=y\n"  \
	"CONFIG_XFS_FS=m\n# CONFIG_XFS_RT is not set\nCONFIG_NET=n\nCONFIG_NR_CPUS=16\n"           \
	"CONFIG_XFS_FS_NOT=y\n"

static char base[] = "/tmp/stressd-vm-kconfig-XXXXXX";
static char path[64];

static const char *file(const void *data, size_t len)
{
	fake_write(path, data, len);
	return path;
}

static void assert_config(const char *from)
{
	struct kconfig c;
	struct err e = { "" };

	if (kconfig_read(from, &c, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(kconfig_get(&c, "64BIT"), "y");
	assert_string_equal(kconfig_get(&c, "CONFIG_64BIT"), "y");
	assert_string_equal(kconfig_get(&c, "XFS_FS"), "m");
	assert_string_equal(kconfig_get(&c, "NR_CPUS"), "16");
	assert_string_equal(kconfig_get(&c, "CC_VERSION_TEXT"), "gcc (Debian) 12.2 = good");
	assert_null(kconfig_get(&c, "XFS_RT"));
	assert_null(kconfig_get(&c, "NET"));
	assert_null(kconfig_get(&c, "XFS"));
	assert_null(kconfig_get(&c, ""));
	kconfig_free(&c);
}

static void assert_refused(const char *from, int r, const char *said)
{
	struct kconfig c;
	struct err e = { "" };

	assert_int_equal(kconfig_read(from, &c, &e), r);
	if (!strstr(e.text, said) || strncmp(e.text, from, strlen(from)) != 0 ||
	    strchr(e.text, '\n'))
		fail_msg("%s", e.text);
	kconfig_free(&c);
}

static void every_kind_of_file(void **state)
{
	static uint8_t bytes[FAKE_MAX];

	(void)state;
	assert_config(file(CONFIG, strlen(CONFIG)));
	assert_config(file(bytes, fake_gzip(CONFIG, strlen(CONFIG), bytes)));
	assert_config(file(bytes, fake_vmlinux(CONFIG, bytes)));
	for (enum fake_packer p = FAKE_GZIP; p < FAKE_LZ4; p++) {
		fake_image(path, CONFIG, p);
		assert_config(path);
	}
}

static void what_is_none(void **state)
{
	static uint8_t bytes[FAKE_MAX + 4096];
	size_t len;

	(void)state;
	assert_refused("/nonexistent/config", -ENOENT, "No such file");
	assert_refused(base, -ENOEXEC, "not a file");
	assert_refused(file("", 0), -ENOEXEC, "expected a .config");
	assert_refused(file("{ \"a\": 1 }\n", 11), -ENOEXEC, "expected a .config");
	assert_refused(file("CONFIG_64BIT=y\n\0x", 17), -ENOEXEC, "expected a .config");
	assert_refused(file(bytes, fake_vmlinux(NULL, bytes)), -ENODATA, "CONFIG_IKCONFIG");
	fake_image(path, NULL, FAKE_XZ);
	assert_refused(path, -ENODATA, "/boot/config-" FAKE_RELEASE);
	fake_image(path, CONFIG, FAKE_LZ4);
	assert_refused(path, -ENOTSUP, "compressed with lz4");
	len = fake_vmlinux(CONFIG, bytes);
	*(uint8_t *)memmem(bytes, len, "IKCFG_ED", 8) = 'i';
	assert_refused(file(bytes, len), -EBADMSG, "no end");
	len = fake_gzip(CONFIG, strlen(CONFIG), bytes);
	assert_refused(file(bytes, len / 2), -EBADMSG, "cut short");
}

/* Cut at every so many bytes: it is said, and nothing is read that is not there. */
static void damaged_images(void **state)
{
	static uint8_t whole[FAKE_MAX + 4096];

	(void)state;
	for (enum fake_packer p = FAKE_GZIP; p < FAKE_LZ4; p++) {
		size_t len = fake_bzimage(CONFIG, p, whole);

		for (size_t cut = 0x300; cut < len; cut += 509 + cut / 7)
			assert_refused(file(whole, cut), -ENOEXEC, "cut short");
		/* Of the right length, and wrong inside. */
		memset(whole + len / 2, 0xa5, len / 4);
		assert_refused(file(whole, len), -EBADMSG, "damaged");
		len = fake_bzimage(CONFIG, p, whole);
		fake_put(whole + 0x24c, 0x7fffffff, 4);
		assert_refused(file(whole, len), -EBADMSG, "cut short");
		fake_put(whole + 0x248, 0xffffff00, 4);
		assert_refused(file(whole, len), -EBADMSG, "cut short");
	}
}

static struct scenario *scenario(const char *more)
{
	char text[4096];
	struct scenario *sc;
	struct err e;

	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"sc\", \"description\": \"d\", \"duration\": \"1s\","
		 " \"target\": { \"type\": \"image\", \"fs\": \"btrfs\", \"size\": \"128M\" },"
		 " \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ], %s }",
		 more);
	if (scenario_parse("test", text, strlen(text), &sc, &e) < 0)
		fail_msg("%s", e.text);
	return sc;
}

static const char all_kinds[] =
	"\"workers\": ["
	" { \"type\": \"short_write\", \"file\": \"data\", \"options\": { \"cause\": \"signal\" } "
	"},"
	" { \"type\": \"short_write\", \"file\": \"data\" },"
	" { \"type\": \"mmap_writer\", \"file\": \"data\" },"
	" { \"type\": \"dropcache\", \"options\": { \"scope\": \"global\" } },"
	" { \"type\": \"dio_reader\", \"file\": \"data\", \"options\": { \"engine\": \"io_uring\" "
	"} },"
	" { \"type\": \"dio_reader\", \"file\": \"data\", \"options\": { \"engine\": \"libaio\" },"
	"   \"optional\": true },"
	" { \"type\": \"fio\" } ],"
	" \"races\": [ { \"name\": \"r\", \"actors\": [ 1, \"mmap_writer\" ],"
	"   \"hold\": \"source-fault\" } ]";

static const struct need *find(const struct needs *n, const char *options)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->rows[i].options, options))
			return &n->rows[i];
	return NULL;
}

static void scenarios_need(void **state)
{
	static const struct {
		const char *options, *what;
		bool advice;
	} rows[] = {
		{ "BLK_DEV_LOOP", "sc: target image", false },
		{ "BTRFS_FS", "sc: fs btrfs", false },
		{ "BTRFS_ASSERT", "sc: fs btrfs", true },
		{ "POSIX_TIMERS", "sc: cause signal", false },
		{ "PROC_SYSCTL", "sc: scope global", false },
		{ "VIRTIO_BLK", "sc: target image", false },
		{ "IO_URING", "sc: engine io_uring", false },
		{ "AIO", "sc: engine libaio", true },
		{ "SYSVIPC", "sc: worker fio", false },
		{ "USERFAULTFD", "sc: hold source-fault", false },
	};
	struct scenario *sc = scenario(all_kinds);
	struct needs n = { .rows = NULL };

	(void)state;
	needs_add_scenario(&n, sc);
	assert_int_equal(n.error, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct need *need = find(&n, rows[i].options);

		if (!need)
			fail_msg("%s is not needed", rows[i].options);
		assert_string_equal(need->what, rows[i].what);
		assert_int_equal(need->advice, rows[i].advice);
	}
	assert_int_equal(n.n, ARRAY_SIZE(rows));
	/* Once more: the same rows, and needed where it was advice. */
	scenario_free(sc);
	sc = scenario("\"workers\": [ { \"type\": \"dio_reader\", \"file\": \"data\","
		      " \"options\": { \"engine\": \"libaio\" } } ]");
	needs_add_scenario(&n, sc);
	assert_int_equal(n.n, ARRAY_SIZE(rows));
	assert_false(find(&n, "AIO")->advice);
	scenario_free(sc);
	needs_free(&n);
}

/* Every option but @without, each as "y" or "m". */
static void make_config(const struct needs *n, size_t without, char value, struct kconfig *ret)
{
	char text[8192] = "# CONFIG_NOTHING is not set\n";
	struct err e;

	for (size_t i = 0; i < n->n; i++) {
		size_t at = strlen(text);

		if (i != without)
			snprintf(text + at, sizeof(text) - at, "CONFIG_%.*s=%c\n",
				 (int)strcspn(n->rows[i].options, "|"), n->rows[i].options, value);
	}
	assert_int_equal(kconfig_read(file(text, strlen(text)), ret, &e), 0);
}

static void each_is_missed(void **state)
{
	struct scenario *sc = scenario(all_kinds);
	struct needs n = { .rows = NULL };
	struct kconfig c;

	(void)state;
	needs_add_guest(&n, true);
	needs_add_scenario(&n, sc);
	assert_true(n.n > 30);
	make_config(&n, n.n, 'y', &c);
	assert_int_equal(needs_check(&n, &c, "no-such-release"), 0);
	kconfig_free(&c);
	for (size_t i = 0; i < n.n; i++) {
		make_config(&n, i, 'y', &c);
		assert_int_equal(needs_check(&n, &c, NULL), n.rows[i].advice ? 0 : 1);
		for (size_t k = 0; k < n.n; k++)
			assert_int_equal(n.rows[k].state, k == i ? NEED_UNMET : NEED_MET);
		kconfig_free(&c);
	}
	scenario_free(sc);
	needs_free(&n);
}

static void modules_are_looked_for(void **state)
{
	struct needs n = { .rows = NULL };
	struct kconfig c;

	(void)state;
	needs_add_guest(&n, false);
	make_config(&n, n.n, 'm', &c);
	assert_int_equal(needs_check(&n, &c, NULL), 0);
	assert_int_equal(n.rows[0].state, NEED_MODULE);
	assert_true(needs_check(&n, &c, "no-such-release") > 0);
	assert_int_equal(n.rows[0].state, NEED_NO_DIRECTORY);
	kconfig_free(&c);
	needs_free(&n);
}

/* "A|B": B alone will do, and B=y is better than A=m. */
static void either_will_do(void **state)
{
	static const char text[] = "CONFIG_KASAN=m\nCONFIG_KFENCE=y\n";
	struct needs n = { .rows = NULL };
	struct kconfig c;
	struct err e;
	char names[256];

	(void)state;
	needs_add_guest(&n, false);
	assert_int_equal(kconfig_read(file(text, strlen(text)), &c, &e), 0);
	assert_true(needs_check(&n, &c, NULL) > 0);
	assert_int_equal(find(&n, "KASAN|KFENCE")->state, NEED_MET);
	assert_string_equal(find(&n, "KASAN|KFENCE")->option, "KFENCE");
	assert_string_equal(need_names(find(&n, "KASAN|KFENCE"), names, sizeof(names)),
			    "CONFIG_KASAN or CONFIG_KFENCE");
	kconfig_free(&c);
	needs_free(&n);
}

/* Of all scenarios in the tree the columns are well written. */
static void names_are_names(void **state)
{
	struct needs n = { .rows = NULL };
	glob_t g;

	(void)state;
	needs_add_guest(&n, true);
	assert_int_equal(glob(SOURCE_DIR "/configs/*.json", 0, NULL, &g), 0);
	assert_int_equal(glob(SOURCE_DIR "/configs/*/*.json", GLOB_APPEND, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct scenario *sc;
		struct err e;

		if (scenario_load(g.gl_pathv[i], &sc, &e) < 0)
			continue; /* a matrix */
		needs_add_scenario(&n, sc);
		scenario_free(sc);
	}
	globfree(&g);
	assert_int_equal(n.error, 0);
	assert_non_null(find(&n, "XFS_FS"));
	for (size_t i = 0; i < n.n; i++) {
		const char *o = n.rows[i].options;

		if (!*o || o[strspn(o, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_|")] ||
		    !strncmp(o, "CONFIG_", 7) || strstr(o, "||"))
			fail_msg("%s: not the name of an option", o);
	}
	needs_free(&n);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	snprintf(path, sizeof(path), "%s/file", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return rm_rf(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_file), cmocka_unit_test(what_is_none),
		cmocka_unit_test(damaged_images),     cmocka_unit_test(scenarios_need),
		cmocka_unit_test(each_is_missed),     cmocka_unit_test(modules_are_looked_for),
		cmocka_unit_test(either_will_do),     cmocka_unit_test(names_are_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
