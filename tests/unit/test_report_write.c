// SPDX-License-Identifier: GPL-2.0-or-later
/* Files in the run directory appear whole or not at all, and a full disk is an error that names
 * the file. */
#include "report_sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_dir(struct sample *s)
{
	strcpy(s->r.run_dir, "/tmp/stressd-report-XXXXXX");
	assert_non_null(mkdtemp(s->r.run_dir));
}

/* Remove the directory; returns how many files it held. */
static int clear_dir(const struct sample *s)
{
	DIR *d = opendir(s->r.run_dir);
	struct dirent *de;
	int n = 0;

	assert_non_null(d);
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		n++;
		unlinkat(dirfd(d), de->d_name, 0);
	}
	closedir(d);
	assert_int_equal(rmdir(s->r.run_dir), 0);
	return n;
}

static void every_format(void **state)
{
	struct sample *s = sample_new(1);
	struct err e;
	int always = 0;

	(void)state;
	make_dir(s);
	assert_int_equal(report_write_all(&s->r, &e), 0);
	/* a second time over the first: a report that is made again */
	assert_int_equal(report_write_all(&s->r, &e), 0);
	for (const struct report_format *const *f = report_formats; *f; f++) {
		char path[600];
		struct stat st;

		assert_ptr_equal(report_format_by_name((*f)->name), *f);
		snprintf(path, sizeof(path), "%s/%s", s->r.run_dir, (*f)->file);
		assert_int_equal(stat(path, &st), (*f)->on_request ? -1 : 0);
		assert_true((*f)->on_request || st.st_size > 100);
		always += !(*f)->on_request;
	}
	assert_null(report_format_by_name("papyrus"));
	assert_int_equal(clear_dir(s), always);
	sample_free(s);
}

static void on_request(void **state)
{
	static const char *const files[] = { "report.ktap", "metrics.prom" };
	struct sample *s = sample_new(1);
	struct err e;

	(void)state;
	make_dir(s);
	assert_int_equal(report_ask("ktap,papyrus", &s->r.formats, &e), -EINVAL);
	assert_has(e.text, "papyrus: there is no such report");
	s->r.formats = 0;
	assert_int_equal(report_ask("ktap", &s->r.formats, &e), 0);
	assert_int_equal(report_ask("prometheus,html", &s->r.formats, &e), 0);
	assert_int_equal(report_write_all(&s->r, &e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[600];

		snprintf(path, sizeof(path), "%s/%s", s->r.run_dir, files[i]);
		assert_int_equal(access(path, R_OK), 0);
	}
	assert_int_equal(clear_dir(s), 6);
	sample_free(s);
}

/* The file size limit stands for the full disk: a write comes up short, the next one fails. */
static void no_room(void **state)
{
	struct sample *s = sample_new(1);
	struct rlimit old, small;
	struct err e;
	int r;

	(void)state;
	make_dir(s);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 1000, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = report_write_all(&s->r, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_has(e.text, "/result.json cannot be written: File too large");
	assert_int_equal(clear_dir(s), 0);
	sample_free(s);
}

static void no_directory(void **state)
{
	struct sample *s = sample_new(0);
	struct err e;

	(void)state;
	strcpy(s->r.run_dir, "/nonexistent/run");
	assert_int_equal(report_write_all(&s->r, &e), -ENOENT);
	assert_has(e.text, "/nonexistent/run");
	sample_free(s);
}

static void dev_full(void **state)
{
	static const size_t numbers[] = { 0, 100 }; /* within the stream's buffer, and beyond it */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sample *s = sample_new(numbers[i]);

		for (const struct report_format *const *f = report_formats; *f; f++) {
			FILE *full = fopen("/dev/full", "w"), *null = fopen("/dev/null", "w");
			int r;

			assert_true(full && null);
			r = (*f)->write(&s->r, full);
			assert_true(r == -ENOSPC || r == -EIO);
			assert_int_equal((*f)->write(&s->r, null), 0);
			fclose(full);
			fclose(null);
		}
		sample_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format), cmocka_unit_test(on_request),
		cmocka_unit_test(no_room),	cmocka_unit_test(no_directory),
		cmocka_unit_test(dev_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
