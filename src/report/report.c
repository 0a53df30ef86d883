// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of formats and the files that they become in the run directory. A format is rendered
 * in memory first: a full disk then costs the file, never half of it.
 */
#include "report/report.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

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

int report_put_json(const struct json_t *j, FILE *out)
{
	if (!j)
		return -ENOMEM;
	if (json_dumpf(j, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0)
		fputc('\n', out);
	else if (!ferror(out))
		return -ENOMEM;
	return report_flush(out);
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

static int write_format(const struct report_format *f, const struct run_result *r, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	char path[FSUTIL_PATH_MAX];
	size_t len = 0;
	int err = path_set(path, sizeof(path), "%s/%s", r->run_dir, f->file);

	if (err == 0)
		err = render(f, r, &text, &len);
	if (err == 0)
		err = write_file_atomic(path, text, len, 0644);
	if (err == 0)
		return 0;
	return err_set(e, err, "%s/%s cannot be written: %s", r->run_dir, f->file, strerror(-err));
}

int report_ask(const char *list, u64 *formats, struct err *e)
{
	for (const char *word = list; *word;) {
		size_t len = strcspn(word, ","), i = 0;

		while (report_formats[i] && (strlen(report_formats[i]->name) != len ||
					     memcmp(report_formats[i]->name, word, len) != 0))
			i++;
		if (!report_formats[i])
			return err_set(e, -EINVAL,
				       "%.*s: there is no such report; `stressd list reports` has "
				       "all of them",
				       (int)len, word);
		*formats |= 1ULL << i;
		word += len + (word[len] == ',');
	}
	return 0;
}

u64 report_usual(void)
{
	u64 set = 0;

	for (size_t i = 0; report_formats[i]; i++)
		set |= (u64)!report_formats[i]->on_request << i;
	return set;
}

int report_write(const struct run_result *r, u64 formats, struct err *e)
{
	struct err later;
	int first = 0;

	for (size_t i = 0; report_formats[i]; i++) {
		int err = formats >> i & 1 ? write_format(report_formats[i], r, first ? &later : e)
					   : 0;

		if (first == 0)
			first = err;
	}
	return first;
}

int report_write_all(const struct run_result *r, struct err *e)
{
	return report_write(r, report_usual() | r->formats, e);
}
