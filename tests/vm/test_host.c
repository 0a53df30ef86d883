// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `stressd vm` where no guest comes to be: bad kernels, kernels that lack something, a machine
 * that does, and a QEMU that fails in every way. Needs neither kernel nor QEMU: the images are
 * fakes, and QEMU is this very program (see fake_qemu).
 */
#include "e2e.h"

#include "../fake_image.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define KVM	"/dev/kvm"
#define LIMIT_S 60.0
#define SCENARIO                                                                                   \
	"{ \"version\": 1, \"name\": \"%s\", \"description\": \"test\", \"duration\": \"1s\","     \
	" \"target\": { \"type\": \"image\", \"fs\": \"%s\", \"size\": \"320M\" },"                \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],"                                \
	" \"workers\": [ { \"type\": \"reader\", \"file\": \"data\" } ] }"
#define DIRECTORY                                                                                  \
	"{ \"version\": 1, \"name\": \"directory\", \"description\": \"test\","                    \
	" \"target\": { \"type\": \"directory\", \"path\": \"/tmp\" },"                            \
	" \"files\": [ { \"name\": \"data\", \"size\": \"1M\" } ],"                                \
	" \"workers\": [ { \"type\": \"reader\", \"file\": \"data\" } ] }"
/* All that a guest needs, without 9p, virtio and filesystems. */
#define BARE                                                                                       \
	"CONFIG_64BIT=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_MULTIUSER=y\n"       \
	"CONFIG_PRINTK=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_PROC_FS=y\nCONFIG_SYSFS=y\n"        \
	"CONFIG_DEVTMPFS=y\nCONFIG_TMPFS=y\nCONFIG_OVERLAY_FS=y\nCONFIG_PCI=y\n"                   \
	"CONFIG_FUTEX=y\nCONFIG_EPOLL=y\nCONFIG_SIGNALFD=y\nCONFIG_TIMERFD=y\n"                    \
	"CONFIG_FILE_LOCKING=y\nCONFIG_ADVISE_SYSCALLS=y\nCONFIG_BLK_DEV_LOOP=y\n"
#define VIRTIO	"CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\nCONFIG_VIRTIO_BLK=y\n"
#define HOST_9P "CONFIG_NET_9P_VIRTIO=y\nCONFIG_9P_FS=y\n"
#define FULL	BARE VIRTIO HOST_9P "CONFIG_XFS_FS=y\nCONFIG_EXT4_FS=y\n"

#define PANIC                                                                                      \
	"[    0.1] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n"                   \
	"[    0.2] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\r\n"
#define LACKS                                                                                      \
	"\r\nstressd guest: no results port; the kernel needs CONFIG_VIRTIO_PCI and "              \
	"CONFIG_VIRTIO_CONSOLE\r\n"

/* ---- the QEMU ------------------------------------------------------------------------- */

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(1);
}

/* What the kernel under it would do, by @mode; each start leaves a line in @log. */
static int fake_qemu(const char *mode, const char *log, int argc, char **argv)
{
	const char *accel = "";
	int console = -1;
	FILE *f;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--version"))
			return printf("QEMU emulator version %s (Debian)\nCopyright (c)\n",
				      strcmp(mode, "old") ? "7.2.22" : "4.1.1") < 0;
		if (!strcmp(argv[i], "-accel") && i + 1 < argc)
			accel = argv[i + 1];
		sscanf(argv[i], "socket,id=console,fd=%d", &console);
	}
	f = fopen(log, "ae");
	if (!f || fprintf(f, "%.3s\n", accel) < 0 || fclose(f) || console < 0)
		return 2;
	if (!strcmp(mode, "mute") && !strncmp(accel, "kvm", 3))
		pause();
	while (!strcmp(mode, "flood"))
		say(console, "[    0.1] something that a kernel says while it starts\r\n");
	if (!strcmp(mode, "refuses")) {
		fprintf(stderr, "qemu-system-x86_64: -virtfs: There is no option group 'virtfs'\n");
		return 1;
	}
	say(console, !strcmp(mode, "lacks") ? LACKS : PANIC);
	return 0;
}

/* ---- the tests ------------------------------------------------------------------------ */

static char bin_dir[300], log_path[300], path_env[320];

/* PATH is a directory with a QEMU that behaves by @mode, or (NULL) with nothing. */
static const char *const *with_qemu(const char *mode)
{
	static const char *env[2];
	char self[300], script[1024], file[400];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	e2e_remove(bin_dir);
	e2e_remove(log_path);
	assert_int_equal(mkdir(bin_dir, 0700), 0);
	if (mode) {
		snprintf(file, sizeof(file), "%s/qemu-system-x86_64", bin_dir);
		snprintf(script, sizeof(script), "#!/bin/sh\nexec %s --qemu %s %s \"$@\"\n", self,
			 mode, log_path);
		e2e_write(file, script);
		assert_int_equal(chmod(file, 0700), 0);
	}
	env[0] = path_env;
	return env;
}

static const char *image(const char *config, enum fake_packer packer)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s", e2e_path("bzImage"));
	fake_image(path, config, packer);
	return path;
}

static const char *scenario(const char *fs)
{
	static char path[2][300];
	static int turn;
	char text[1024];

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s", e2e_path("%s.json", fs));
	snprintf(text, sizeof(text), SCENARIO, fs, fs);
	e2e_write(path[turn], text);
	return path[turn];
}

static const char *run_dir(void)
{
	static char dir[300];

	snprintf(dir, sizeof(dir), "%s", e2e_path("run"));
	e2e_remove(dir);
	return dir;
}

static void vm(struct e2e *r, const char *mode, const char *const argv[])
{
	e2e_start(r, argv, with_qemu(mode));
	e2e_wait(r, LIMIT_S);
}

#define VM(r, mode, ...) vm(r, mode, (const char *const[]){ "vm", __VA_ARGS__, NULL })

/* One line that says @said, and nothing else on stderr. */
static void assert_says(const struct e2e *r, const char *said)
{
	if (!strstr(r->err, said) || strncmp(r->err, "stressd", 7) != 0 ||
	    strchr(r->err, '\n') + 1 != r->err + strlen(r->err))
		fail_msg("expected one line with \"%s\", got: %s", said, r->err);
}

static void assert_refused(struct e2e *r, int exit, const char *said)
{
	e2e_assert_exit(r, exit);
	assert_says(r, said);
	assert_string_equal(r->out, "");
	assert_false(e2e_exists(e2e_path("run")));
	assert_false(e2e_exists(log_path)); /* QEMU was not started */
	e2e_free(r);
}

static void not_a_kernel(void **state)
{
	static uint8_t bytes[FAKE_MAX + 4096];
	size_t len = fake_bzimage(FULL, FAKE_GZIP, bytes);
	const char *sc = scenario("xfs");
	char cut[300];
	struct e2e r;

	(void)state;
	snprintf(cut, sizeof(cut), "%s", e2e_path("cut"));
	VM(&r, "panic", "--kernel", "/nonexistent", "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "/nonexistent: cannot read the kernel: No such file");
	VM(&r, "panic", "--kernel", sc, "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "not a bootable kernel; expected a bzImage");
	VM(&r, "panic", "--kernel", e2e_base, "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "not a bootable kernel; expected a bzImage");
	/* By setup_sects and syssize: half of it, and all but a byte. */
	fake_write(cut, bytes, len / 2);
	VM(&r, "panic", "--kernel", cut, "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "cut short");
	fake_write(cut, bytes, len - 1);
	VM(&r, "panic", "--kernel", cut, "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "cut short");
	/* Two scenarios have a directory each. */
	VM(&r, "panic", "--kernel", cut, "--run-dir", run_dir(), sc, sc);
	assert_refused(&r, 2, "cut short");
}

static void kernel_lacks(void **state)
{
	static const struct {
		const char *config, *said, *more;
	} rows[] = {
		{ BARE VIRTIO "CONFIG_XFS_FS=y\nCONFIG_EXT4_FS=y\n",
		  "lacks CONFIG_NET_9P_VIRTIO (this machine's files), CONFIG_9P_FS", NULL },
		{ BARE HOST_9P "CONFIG_XFS_FS=y\nCONFIG_EXT4_FS=y\n",
		  "lacks CONFIG_VIRTIO_PCI (virtio devices), CONFIG_VIRTIO_CONSOLE", NULL },
		{ BARE VIRTIO HOST_9P "CONFIG_XFS_FS=y\n", "lacks CONFIG_EXT4_FS (ext4: fs ext4);",
		  NULL },
		{ BARE VIRTIO HOST_9P "CONFIG_XFS_FS=m\nCONFIG_EXT4_FS=y\n",
		  "lacks CONFIG_XFS_FS=m (xfs: fs xfs); its modules are not in /lib/modules",
		  NULL },
		{ BARE "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n" HOST_9P
		       "CONFIG_XFS_FS=y\nCONFIG_EXT4_FS=y\n",
		  "lacks CONFIG_VIRTIO_BLK (", NULL },
	};
	const char *xfs = scenario("xfs"), *ext4 = scenario("ext4");
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		VM(&r, "panic", "--kernel", image(rows[i].config, (enum fake_packer)(i % FAKE_LZ4)),
		   "--run-dir", run_dir(), xfs, ext4, rows[i].more ? "--disk" : NULL, rows[i].more);
		assert_refused(&r, 4, rows[i].said);
	}
}

/* Neither is a reason to refuse: the boot will show. */
static void kernel_does_not_say(void **state)
{
	const char *sc = scenario("xfs");
	struct e2e r;

	(void)state;
	VM(&r, "panic", "--accel", "tcg", "--kernel", image(NULL, FAKE_XZ), "--run-dir", run_dir(),
	   sc);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "the kernel did not boot: kernel panic");
	e2e_free(&r);
	VM(&r, "panic", "--accel", "tcg", "--kernel", image(FULL, FAKE_LZ4), "--run-dir", run_dir(),
	   sc);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "the kernel did not boot: kernel panic");
	e2e_free(&r);
}

/* No crash and no hang, which would be findings: the kernel, its lack, or QEMU itself is named. */
static void does_not_boot(void **state)
{
	static const struct {
		const char *mode, *said;
		bool console;
	} rows[] = {
		{ "panic", "the kernel did not boot: kernel panic", true },
		{ "lacks", "the kernel needs CONFIG_VIRTIO_PCI and CONFIG_VIRTIO_CONSOLE", true },
		{ "refuses", "There is no option group 'virtfs'", false },
	};
	const char *sc = scenario("xfs");
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		VM(&r, rows[i].mode, "--accel", "tcg", "--kernel", image(FULL, FAKE_ZSTD),
		   "--run-dir", run_dir(), sc, sc);
		e2e_assert_exit(&r, 3);
		assert_says(&r, rows[i].said);
		/* What the console said is kept; nothing else is, and nothing empty. */
		assert_int_equal(e2e_exists(e2e_path("run")), rows[i].console);
		assert_int_equal(e2e_exists(e2e_path("run/console.log")), rows[i].console);
		assert_false(e2e_exists(e2e_path("run/1")));
		e2e_free(&r);
	}
}

static void machine_lacks(void **state)
{
	const char *kernel = image(FULL, FAKE_GZIP), *sc = scenario("xfs");
	struct e2e r;

	(void)state;
	/* Where sbin and bin are one a PATH without it is not a machine without it. */
	if (access("/usr/sbin/qemu-system-x86_64", F_OK) < 0) {
		VM(&r, NULL, "--kernel", kernel, "--run-dir", run_dir(), sc);
		assert_refused(&r, 4,
			       "is not installed; install it: apt-get install qemu-system-x86");
	}
	VM(&r, "old", "--kernel", kernel, "--run-dir", run_dir(), sc);
	assert_refused(&r, 4, "is version 4.1, and 4.2 is the least that works; install a newer");
	VM(&r, "panic", "--kernel", kernel, "--memory", "4000T", "--run-dir", run_dir(), sc);
	assert_refused(&r, 4, "give it less with --memory");
	VM(&r, "panic", "--kernel", kernel, "--memory", "127M", "--run-dir", run_dir(), sc);
	assert_refused(&r, 2, "at least 128M");
	VM(&r, "panic", "--kernel", image(FULL, FAKE_GZIP), "--disk", "4000T", "--run-dir",
	   run_dir(), sc, sc);
	assert_refused(&r, 3, "no room for a disk");
}

/* Full before the first byte, and full while the console is written. */
static void disk_is_full(void **state)
{
	const char *kernel = image(FULL, FAKE_GZIP), *sc = scenario("xfs");
	char small[300];
	struct e2e r;

	(void)state;
	snprintf(small, sizeof(small), "%s", e2e_path("small"));
	if (mkdir(small, 0700) < 0 ||
	    mount("small", small, "tmpfs", 0, "size=64k,nr_inodes=1") < 0) {
		rmdir(small);
		skip(); /* no root */
	}
	VM(&r, "panic", "--accel", "tcg", "--kernel", kernel, "--run-dir", small, sc);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "No space left");
	e2e_free(&r);
	VM(&r, "panic", "--accel", "tcg", "--kernel", kernel, "--run-dir", e2e_path("small/run"),
	   sc);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "No space left");
	e2e_free(&r);
	/* Without an image, for which there would be no room. */
	assert_int_equal(mount(NULL, small, NULL, MS_REMOUNT, "size=64k,nr_inodes=8"), 0);
	e2e_write(e2e_path("directory.json"), DIRECTORY);
	VM(&r, "flood", "--accel", "tcg", "--kernel", kernel, "--run-dir", small,
	   e2e_path("directory.json"));
	assert_int_equal(umount2(small, MNT_DETACH), 0);
	rmdir(small);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "No space left");
	e2e_free(&r);
}

static char *slurp(const char *path)
{
	static char text[256];
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* KVM that opens and never runs a guest is given up after ten seconds, and only in "auto". */
static void mute_kvm(void **state)
{
	const char *kernel = image(FULL, FAKE_GZIP), *sc = scenario("xfs");
	struct e2e r;

	(void)state;
	if (access(KVM, R_OK | W_OK) < 0)
		skip(); /* "auto" then goes to emulation at once */
	VM(&r, "mute", "--kernel", kernel, "--run-dir", run_dir(), sc);
	e2e_assert_exit(&r, 3);
	assert_says(&r, "the kernel did not boot: kernel panic");
	assert_string_equal(slurp(log_path), "kvm\ntcg\n");
	assert_true(r.seconds >= 10 && r.seconds < 40);
	e2e_free(&r);
	/* One that says something on KVM is not started again. */
	VM(&r, "panic", "--kernel", kernel, "--run-dir", run_dir(), sc);
	e2e_assert_exit(&r, 3);
	assert_string_equal(slurp(log_path), "kvm\n");
	e2e_free(&r);
}

static void check_config(void **state)
{
	const char *sc = scenario("xfs");
	char bare[300];
	struct e2e r;

	(void)state;
	snprintf(bare, sizeof(bare), "%s", e2e_path("bare.config"));
	e2e_write(bare, BARE VIRTIO);
	E2E(&r, "vm", "--check-config", image(FULL, FAKE_XZ), sc);
	e2e_assert_exit(&r, 0);
	assert_non_null(strstr(r.out, "ok         CONFIG_XFS_FS"));
	assert_non_null(strstr(r.out, "advised    CONFIG_KASAN or CONFIG_KFENCE"));
	assert_null(strstr(r.out, "\nmissing"));
	e2e_free(&r);
	E2E(&r, "vm", "--check-config", bare, sc);
	e2e_assert_exit(&r, 4);
	assert_non_null(strstr(r.out, "missing    CONFIG_9P_FS"));
	assert_non_null(strstr(r.out, "missing    CONFIG_XFS_FS"));
	assert_non_null(strstr(r.out, "of what is needed 3 are missing"));
	e2e_free(&r);
	/* Without a scenario: the guest alone. */
	E2E(&r, "vm", "--check-config", bare);
	e2e_assert_exit(&r, 4);
	assert_null(strstr(r.out, "CONFIG_XFS_FS"));
	e2e_free(&r);
	E2E(&r, "vm", "--check-config", image(NULL, FAKE_GZIP), sc);
	e2e_assert_exit(&r, 2);
	assert_says(&r, "/boot/config-" FAKE_RELEASE);
	e2e_free(&r);
	E2E(&r, "vm", "--check-config", sc, sc);
	e2e_assert_exit(&r, 2);
	assert_says(&r, "neither a configuration nor a kernel");
	e2e_free(&r);
	E2E(&r, "vm", "--fragment", "--kernel", bare, sc);
	e2e_assert_exit(&r, 2);
	e2e_free(&r);
}

/* What is added to the configuration makes it whole; nothing is in it twice. */
static void fragment_adds_all(void **state)
{
	const char *sc = scenario("xfs");
	char config[300], *text, *save = NULL;
	struct e2e r;

	(void)state;
	snprintf(config, sizeof(config), "%s", e2e_path("merged.config"));
	e2e_write(config, BARE);
	E2E(&r, "vm", "--check-config", config, "--fragment", sc);
	e2e_assert_exit(&r, 4);
	assert_non_null(strstr(r.out, "\nCONFIG_NET_9P=y\n"));
	assert_non_null(strstr(r.out, "\n#CONFIG_PROVE_LOCKING=y\n"));
	assert_true(asprintf(&text, BARE "%s", r.out) > 0);
	e2e_write(config, text);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "# ", 2) != 0 && strstr(strstr(text, line) + 1, line))
			fail_msg("twice: %s", line);
	free(text);
	e2e_free(&r);
	E2E(&r, "vm", "--check-config", config, sc);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
}

static void json_lines(void **state)
{
	const char *sc = scenario("xfs");
	char *save = NULL;
	size_t missing = 0;
	struct e2e r;

	(void)state;
	E2E(&r, "vm", "--json", "--check-config", image(BARE VIRTIO HOST_9P, FAKE_ZSTD), sc);
	e2e_assert_exit(&r, 4);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *o = json_loads(line, 0, NULL);
		const char *state_name = json_string_value(json_object_get(o, "state"));

		assert_non_null(state_name);
		if (json_is_true(json_object_get(o, "needed")) && !strcmp(state_name, "missing")) {
			missing++;
			assert_string_equal(json_string_value(json_object_get(o, "option")),
					    "CONFIG_XFS_FS");
			assert_string_equal(json_string_value(json_object_get(o, "for")),
					    "xfs: fs xfs");
		}
		json_decref(o);
	}
	assert_int_equal(missing, 1);
	e2e_free(&r);
}

static int setup(void **state)
{
	int r = e2e_setup(state);

	snprintf(bin_dir, sizeof(bin_dir), "%s/bin", e2e_base);
	snprintf(log_path, sizeof(log_path), "%s/starts", e2e_base);
	snprintf(path_env, sizeof(path_env), "PATH=%.300s", bin_dir);
	return r;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_a_kernel),
		cmocka_unit_test(kernel_lacks),
		cmocka_unit_test(kernel_does_not_say),
		cmocka_unit_test(does_not_boot),
		cmocka_unit_test(machine_lacks),
		cmocka_unit_test(disk_is_full),
		cmocka_unit_test(mute_kvm),
		cmocka_unit_test(check_config),
		cmocka_unit_test(fragment_adds_all),
		cmocka_unit_test(json_lines),
	};

	if (argc > 4 && !strcmp(argv[1], "--qemu"))
		return fake_qemu(argv[2], argv[3], argc - 4, argv + 4);
	return cmocka_run_group_tests(tests, setup, e2e_teardown);
}
