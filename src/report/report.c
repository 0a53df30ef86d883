// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of formats and the files that they become in the run directory. A format is rendered
 * in memory first: a full disk then costs the file, never half of it.
 */
#include "report/report.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define X(name) extern const struct report_format report_format_##name;
#include "report/reports.def"
#undef X

const struct report_format *const report_formats[] = {
#define X(name) &report_format_##name,
#include "report/reports.def"
#undef X
	NULL,
};

const char *const verdict_names[VERDICTS] = {
	[VERDICT_PASS] = "pass",   [VERDICT_FAIL] = "fail",
	[VERDICT_ERROR] = "error", [VERDICT_INCOMPLETE] = "incomplete",
	[VERDICT_SKIP] = "skip",
};

const struct report_format *report_format_by_name(const char *name)
{
	for (const struct report_format *const *f = report_formats; *f; f++)
		if (!strcmp((*f)->name, name))
			return *f;
	return NULL;
}

bool want_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	int fd = fileno(out);

	return fd >= 0 && isatty(fd) && !(no_color && *no_color) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

int report_flush(FILE *out)
{
	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	/* An error of an earlier write leaves its mark on the stream, but not its errno. */
	return errno ? -errno : -EIO;
}

static int render(const struct report_format *f, const struct run_result *r, char **ret,
		  size_t *ret_len)
{
	FILE *out = open_memstream(ret, ret_len);
	int err;

	if (!out)
		return -errno;
	err = f->write(r, out);
	if (fclose(out) != 0 && err == 0)
		err = -errno;
	return err;
}

static int fill(int dirfd, const char *name, const char *data, size_t len)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Temporary, fsync, rename, fsync of the directory: a crash leaves the old file or the new one. */
static int replace(int dirfd, const char *name, const char *data, size_t len)
{
	char tmp[64];
	int r;

	snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
	r = fill(dirfd, tmp, data, len);
	if (r == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, tmp, 0);
		return r;
	}
	/* EINVAL: a filesystem without anything to sync for a directory. (fsync(2)) */
	return fsync(dirfd) < 0 && errno != EINVAL ? -errno : 0;
}

int report_write_all(const struct run_result *r, struct err *e)
{
	_cleanup_close_ int dirfd = open(r->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int first = 0;

	if (dirfd < 0)
		return err_set(e, -errno, "%s: the reports cannot be written: %s", r->run_dir,
			       strerror(errno));
	for (const struct report_format *const *f = report_formats; *f; f++) {
		_cleanup_free_ char *text = NULL;
		size_t len = 0;
		int err;

		if (!(*f)->file)
			continue;
		err = render(*f, r, &text, &len);
		if (err == 0)
			err = replace(dirfd, (*f)->file, text, len);
		if (err < 0 && first == 0)
			first = err_set(e, err, "%s/%s cannot be written: %s", r->run_dir,
					(*f)->file, strerror(-err));
	}
	return first;
}
