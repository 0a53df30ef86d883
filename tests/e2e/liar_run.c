// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting both, waiting for the moment, and the end. */
#include "liar_run.h"

#include "base/cleanup.h"
#include "shadow/shadow.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WAIT_S 20.0

bool liar_run_possible(void)
{
	_cleanup_liar_ struct liar l;

	return liar_start(&l, NULL) == 0;
}

void liar_run_mount(struct liar_run *t, bool writeback)
{
	const char *const options[] = { writeback ? "--writeback" : NULL, NULL };

	*t = (struct liar_run){ .writeback = writeback };
	assert_int_equal(liar_start(&t->liar, options), 0);
}

/* The run makes a directory with a name of its own choice. */
static bool find_dir(struct liar_run *t)
{
	DIR *d = opendir(t->liar.mount);
	struct dirent *de;

	while (d && !t->dir[0] && (de = readdir(d)))
		if (!strncmp(de->d_name, "stressd-", 8))
			snprintf(t->dir, sizeof(t->dir), "%.63s", de->d_name);
	if (d)
		closedir(d);
	return t->dir[0];
}

static int open_file(const struct liar_run *t, const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/%s", t->liar.mount, t->dir, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* By reading: fstat(2) on FUSE tells the server's size, a moment before reads go that far. */
static bool laid_out(void *ctx)
{
	struct liar_run *t = ctx;
	_cleanup_close_ int fd = find_dir(t) ? open_file(t, "data") : -1;
	char last;

	return fd >= 0 && pread(fd, &last, 1, LIAR_RUN_FILE - 1) == 1;
}

static void write_scenario(const struct liar_run *t, const char *path, const char *files,
			   const char *workers, unsigned int seed, const char *duration)
{
	char text[8192];
	int n = snprintf(text, sizeof(text),
			 "{'version': 1, 'name': 'liar', 'seed': %u, 'duration': '%s',\n"
			 " 'target': {'type': 'directory', 'path': '%s'},\n"
			 " 'files': %s,\n 'workers': %s,\n"
			 " 'kernel_log': {'fail_at': 'never'}}\n",
			 seed, duration, t->liar.mount, files, workers);

	assert_in_range(n, 1, sizeof(text) - 1);
	for (char *c = text; (c = strchr(c, '\''));)
		*c = '"';
	e2e_write(path, text);
}

void liar_run_start(struct liar_run *t, const char *files, const char *workers, unsigned int seed,
		    const char *duration)
{
	static unsigned int runs;
	const char *path = e2e_path("liar.json");

	write_scenario(t, path, files, workers, seed, duration);
	snprintf(t->run_dir, sizeof(t->run_dir), "%s", e2e_path("liar-%u", runs++));
	e2e_start(&t->e2e,
		  (const char *const[]){ "run", "--quiet", "--run-dir", t->run_dir, path, NULL },
		  NULL);
	assert_true(e2e_until(laid_out, t, WAIT_S));
}

struct written {
	struct liar_run *t;
	const char *file;
	u64 offset, len;
	u64 seen; /* bit: cell of the range */
};

/* A cell may be a hole at one look and written at another: each is remembered. */
static bool written(void *ctx)
{
	struct written *w = ctx;
	_cleanup_close_ int fd = open_file(w->t, w->file);
	u64 cells = (w->len + LIAR_RUN_CELL - 1) / LIAR_RUN_CELL;

	assert_in_range(cells, 1, 63);
	for (u64 i = 0; i < cells; i++) {
		struct stamp_header h;
		struct stamp id;
		u64 at = ROUND_DOWN(w->offset, LIAR_RUN_CELL) + i * LIAR_RUN_CELL;

		if (pread(fd, &h, sizeof(h), (off_t)at) == sizeof(h) &&
		    stamp_header_intact(&h, &id) && id.writer > SHADOW_LAYOUT)
			w->seen |= 1ULL << i;
	}
	return w->seen == (1ULL << cells) - 1;
}

void liar_run_wait_written(struct liar_run *t, const char *file, u64 offset, u64 len)
{
	struct written w = { .t = t, .file = file, .offset = offset, .len = len };

	assert_true(e2e_until(written, &w, WAIT_S));
}

void liar_run_lie(struct liar_run *t, const char *lie)
{
	char text[512];
	size_t n = 0;
	struct liar_status st;
	int r;

	for (; *lie && n + sizeof(t->dir) < sizeof(text); lie++)
		if (*lie == '%')
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", t->dir);
		else
			text[n++] = *lie;
	text[n] = '\0';
	r = liar_command(&t->liar, "%s", text);
	if (r == 0)
		return;
	liar_status(&t->liar, &st);
	fail_msg("%s: %s (%s)", text, strerror(-r), st.error);
}

void liar_run_wait(struct liar_run *t, double limit_s)
{
	e2e_wait(&t->e2e, limit_s);
	t->result = e2e_result(t->run_dir);
}

void liar_run_end(struct liar_run *t)
{
	if (t->e2e.pid > 0 && !t->e2e.out)
		e2e_wait(&t->e2e, 0);
	e2e_free(&t->e2e);
	json_decref(t->result);
	if (t->run_dir[0])
		e2e_remove(t->run_dir);
	liar_stop(&t->liar);
	*t = (struct liar_run){ 0 };
}

json_t *liar_run_finding(const struct liar_run *t)
{
	return json_array_get(json_object_get(t->result, "findings"), 0);
}

const char *liar_run_string(const json_t *finding, const char *key)
{
	const char *s = json_string_value(json_object_get(finding, key));

	return s ? s : "";
}
