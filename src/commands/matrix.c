// SPDX-License-Identifier: GPL-2.0-or-later
/* stressd matrix */
#include "matrix/matrix.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/units.h"
#include "commands/commands.h"
#include "commands/night_page.h"
#include "commands/options.h"
#include "commands/store.h"
#include "report/chars.h"
#include "report/report.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#define EXIT_AGAIN 75

static const char usage[] =
	"usage: stressd matrix [OPTIONS] MATRIX\n"
	"       stressd matrix --cell DIR\n"
	"Run kernels x targets x scenarios x seeds. Started again with the same --run-dir it goes "
	"on:\n"
	"what is finished stays, what was interrupted is run again.\n";

enum engine { ENGINE_LOCAL, ENGINE_PARALLEL, ENGINE_SLURM, ENGINES };
static const char *const engine_names[ENGINES] = {
	[ENGINE_LOCAL] = "local", [ENGINE_PARALLEL] = "parallel", [ENGINE_SLURM] = "slurm"
};

struct matrix_command {
	const char *file, *run_dir, *night, *store, *cell;
	const char *engine_text, *jobs, *cpus, *memory; /* as given */
	struct cmd_texts kernels;
	int engine;
	struct matrix_limits limits;
	bool list, check, no_store, json, paged;
	struct matrix *m;
	char dir[PATH_MAX];
	u64 done;
};

static void put_cell(const struct cell *c)
{
	put_field("", c->scenario->name);
	put_field(" on ", c->target->name);
	put_field(", kernel ", c->kernel->name);
	printf(", seed %llu", (unsigned long long)c->seed);
}

static void put_cell_json(const struct matrix_command *cmd, const struct cell *c,
			  const struct cell_outcome *o)
{
	put_json_line(json_pack("{ss sI ss so so so sI ss si so}", "type", "cell", "cells",
				(json_int_t)cmd->m->ncells, "id", c->id, "scenario",
				json_text(c->scenario->name), "target", json_text(c->target->name),
				"kernel", json_text(c->kernel->name), "seed", (json_int_t)c->seed,
				"state", o ? cell_state_names[o->state] : "running", "exit",
				o ? o->exit : -1, "text", json_text(o ? o->text : "")));
}

static void tell(void *ctx, const struct cell *c, const struct cell_outcome *o)
{
	struct matrix_command *cmd = ctx;

	if (cmd->json) {
		put_cell_json(cmd, c, o);
		fflush(stdout);
		return;
	}
	if (!o)
		return;
	printf("[%llu/%zu] ", (unsigned long long)++cmd->done, cmd->m->ncells);
	put_cell(c);
	put_field(": ", o->state == CELL_FINISHED ? o->text : cell_state_names[o->state]);
	put_field(": ", o->state == CELL_FINISHED ? "" : o->text);
	putchar('\n');
	fflush(stdout);
}

/* What became of all cells. */
struct sums {
	u64 states[CELL_STATES], findings, skipped, fine, trouble;
};

static int sum_up(struct matrix_command *cmd, bool show, struct sums *s, struct err *e)
{
	for (size_t i = 0; i < cmd->m->ncells; i++) {
		const struct cell *c = &cmd->m->cells[i];
		struct cell_outcome o = { .state = CELL_LEFT, .exit = -1 };
		char dir[PATH_MAX];
		int r = cell_dir(cmd->dir, c, dir, sizeof(dir));

		if (r == 0 && access(dir, F_OK) == 0)
			r = cell_look(dir, &o, e);
		if (r < 0)
			return r;
		s->states[o.state]++;
		s->findings += o.exit == EXIT_FINDING;
		s->fine += o.state == CELL_FINISHED && o.exit == EXIT_FINE;
		s->skipped += o.state == CELL_FINISHED && o.exit == EXIT_LACKS;
		if (show && cmd->json)
			put_cell_json(cmd, c, &o);
		else if (show) {
			printf("%s %s: ", c->id, cell_state_names[o.state]);
			put_cell(c);
			put_field(": ", o.text);
			putchar('\n');
		}
	}
	s->trouble = s->states[CELL_FINISHED] + s->states[CELL_LOST] - s->findings - s->fine -
		     s->skipped;
	return 0;
}

static u64 left_of(const struct sums *s)
{
	return s->states[CELL_LEFT] + s->states[CELL_RUNNING];
}

/* As for one run: a finding above all, then what is not complete. */
static int status_of(const struct sums *s)
{
	if (s->findings)
		return EXIT_FINDING;
	if (s->trouble || left_of(s))
		return EXIT_TROUBLE;
	return s->fine ? EXIT_FINE : EXIT_LACKS;
}

static int show_sums(struct matrix_command *cmd, const struct sums *s)
{
	int status = status_of(s);
	u64 left = left_of(s);

	if (cmd->json) {
		put_json_line(json_pack(
			"{ss so sI sI sI sI sI sI sI si}", "type", "result", "run_dir",
			json_text(cmd->dir), "cells", (json_int_t)cmd->m->ncells, "findings",
			(json_int_t)s->findings, "passed", (json_int_t)s->fine, "skipped",
			(json_int_t)s->skipped, "incomplete", (json_int_t)s->trouble, "lost",
			(json_int_t)s->states[CELL_LOST], "left", (json_int_t)left, "exit",
			status));
		return status;
	}
	printf("%zu cells: %llu with findings (%llu lost with their machine), %llu passed, %llu "
	       "skipped, %llu incomplete, %llu left\n",
	       cmd->m->ncells, (unsigned long long)s->findings,
	       (unsigned long long)s->states[CELL_LOST], (unsigned long long)s->fine,
	       (unsigned long long)s->skipped, (unsigned long long)s->trouble,
	       (unsigned long long)left);
	put_field("results: ", cmd->dir);
	putchar('\n');
	if (cmd->paged)
		puts("to be read in a browser: night.html there");
	if (left)
		puts("the same command with this --run-dir goes on");
	return status;
}

/* An index of what is there: if it cannot be had, nothing is lost. */
static void keep(struct matrix_command *cmd, const struct sums *sums)
{
	struct store *s;
	struct err e = { "" };
	int r, paged = -ENOENT;

	if (cmd->no_store)
		return;
	r = store_open_at(cmd->store, STORE_WRITE, &s, &e);
	if (r == 0) {
		r = store_import(s, cmd->dir, "", NULL, NULL, &e);
		if (r == 0)
			paged = night_page_at(s, cmd->dir, left_of(sums), &e);
		store_close(s);
	}
	if (r < 0 && r != -ENODATA)
		fprintf(stderr, "stressd: results are complete, and not in the store: %s\n",
			e.text);
	/* No run of it is its own: others had them before. */
	else if (paged < 0 && paged != -ENOENT)
		fprintf(stderr, "stressd: results are stored, and have no page: %s\n", e.text);
	cmd->paged = paged == 0;
}

static int run_engine(struct matrix_command *cmd, bool *ret_submitted, struct err *e)
{
	bool interrupted = false;
	char said[400];
	u64 jobs;
	int r;

	*ret_submitted = false;
	switch (cmd->engine) {
	case ENGINE_LOCAL:
		return matrix_run_local(cmd->m, cmd->dir, &cmd->limits, tell, cmd, &interrupted, e);
	case ENGINE_PARALLEL:
		return matrix_run_parallel(cmd->m, cmd->dir, &cmd->limits, &interrupted, e);
	default:
		r = matrix_submit_slurm(cmd->m, cmd->dir, &cmd->limits, said, sizeof(said), &jobs,
					e);
		*ret_submitted = r == 0 && jobs;
		if (r == 0 && jobs && !cmd->json)
			printf("%llu cells submitted: %s\nwhen they are done: stressd matrix "
			       "--list "
			       "--run-dir %s %s\n",
			       (unsigned long long)jobs, said, cmd->dir, cmd->file);
		return r;
	}
}

static int make_dir(struct matrix_command *cmd, char *night, size_t size, struct err *e)
{
	char given[PATH_MAX], state[400], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	int r = 0;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	if (cmd->night)
		snprintf(night, size, "%s", cmd->night);
	else
		snprintf(night, size, "%s-%s", cmd->m->name, stamp);
	if (cmd->run_dir)
		r = path_set(given, sizeof(given), "%s", cmd->run_dir);
	else if ((r = state_dir(state, sizeof(state), e)) == 0)
		r = path_set(given, sizeof(given), "%s/nights/%s-%s", state, cmd->m->name, stamp);
	else
		return r;
	if (r == 0)
		r = mkdir_p(given, 0700);
	if (r == 0 && !realpath(given, cmd->dir))
		r = -errno;
	return r < 0 ? err_set(e, r, "%s: cannot be the run directory: %s", given, strerror(-r))
		     : 0;
}

static int run(struct matrix_command *cmd, struct err *e)
{
	_cleanup_close_ int lock = -1;
	struct sums s = { 0 };
	bool submitted = false;
	char night[200];
	int r = make_dir(cmd, night, sizeof(night), e);

	if (r == 0)
		r = matrix_lock(cmd->dir, &lock, e);
	if (r == 0)
		r = matrix_prepare(cmd->m, cmd->dir, night, e);
	if (r == 0)
		r = run_engine(cmd, &submitted, e);
	if (r < 0)
		return r;
	if (submitted)
		return EXIT_FINE;
	r = sum_up(cmd, false, &s, e);
	keep(cmd, &s);
	return r < 0 ? r : show_sums(cmd, &s);
}

/* What is there, judged; nothing is made. */
static int list(struct matrix_command *cmd, struct err *e)
{
	struct sums s = { 0 };
	int r;

	if (cmd->run_dir && !realpath(cmd->run_dir, cmd->dir))
		return usage_error("matrix", "--run-dir %s: cannot be read: %s", cmd->run_dir,
				   strerror(errno));
	if (!cmd->run_dir)
		strcpy(cmd->dir, "/nonexistent");
	r = sum_up(cmd, true, &s, e);
	if (r < 0 || !cmd->run_dir)
		return MIN(r, 0);
	keep(cmd, &s);
	return show_sums(cmd, &s);
}

static int run_cell(const char *dir)
{
	struct cell_outcome o;
	struct err e = { "" };
	char real[PATH_MAX];
	int r;

	if (!realpath(dir, real))
		return usage_error("matrix",
				   "--cell %s: %s; expected one of those below cells/ of "
				   "a night",
				   dir, strerror(errno));
	r = cell_run(real, &o, &e);
	if (r < 0) {
		fprintf(stderr, "stressd: %s\n", e.text);
		return r == -EBADMSG ? EXIT_USAGE : EXIT_TROUBLE; /* it is none */
	}
	printf("%s: ", strrchr(real, '/') + 1);
	put_text(stdout, *o.text ? o.text : cell_state_names[o.state], MEDIUM_TERMINAL);
	putchar('\n');
	return o.state == CELL_LEFT ? EXIT_AGAIN : o.exit;
}

static int act(struct matrix_command *cmd)
{
	struct err e = { "" };
	int r = matrix_load(cmd->file, &cmd->m, &e), status = EXIT_USAGE;

	for (size_t i = 0; i < cmd->kernels.n && r == 0; i++)
		r = matrix_set_kernel(cmd->m, cmd->kernels.texts[i], &e);
	if (r == 0 && !cmd->check)
		r = matrix_expand(cmd->m, &e);
	if (r == 0 && cmd->check) {
		printf("%s: ok\n", cmd->file);
		status = EXIT_FINE;
	} else if (r == 0) {
		r = cmd->list ? list(cmd, &e) : run(cmd, &e);
		status = r < 0 ? r == -ENOENT ? EXIT_LACKS : EXIT_TROUBLE : r;
	}
	if (r < 0)
		fprintf(stderr, "stressd: %s\n", e.text);
	if (cmd->m)
		matrix_free(cmd->m);
	return status;
}

/* What of the command line is no text. 0, or the exit status. */
static int take_limits(struct matrix_command *cmd)
{
	const struct {
		const char *name, *value, *expected;
		int (*parse)(const char *text, u64 *ret);
		u64 *into;
	} rows[] = {
		{ "jobs", cmd->jobs, "a number from 1", parse_count, &cmd->limits.jobs },
		{ "cpus", cmd->cpus, "a number from 1", parse_count, &cmd->limits.cpus },
		{ "memory", cmd->memory, "a size like 16G", parse_size, &cmd->limits.memory_bytes },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].value &&
		    (rows[i].parse(rows[i].value, rows[i].into) < 0 || !*rows[i].into))
			return usage_error("matrix", "--%s %s: expected %s", rows[i].name,
					   rows[i].value, rows[i].expected);
	return 0;
}

static int take_engine(struct matrix_command *cmd)
{
	if (!cmd->engine_text)
		return 0;
	for (cmd->engine = 0; cmd->engine < ENGINES; cmd->engine++)
		if (!strcmp(engine_names[cmd->engine], cmd->engine_text))
			return 0;
	return usage_error("matrix", "--engine %s: expected local, parallel or slurm",
			   cmd->engine_text);
}

#define AT(member) offsetof(struct matrix_command, member)

static const struct cmd_option options[] = {
	{ "run-dir", "DIR", AT(run_dir),
	  "of the night (default: a new one under the state directory)" },
	{ "night", "NAME", AT(night), "how the store calls it (default: NAME-DATE)" },
	{ "kernel", "NAME=IMAGE...", AT(kernels), "the image of a kernel of the matrix" },
	{ "engine", "HOW", AT(engine_text),
	  "local (default), parallel (GNU parallel), slurm (a job array)" },
	{ "jobs", "N", AT(jobs), "cells at a time (default: as many as fit)" },
	{ "cpus", "N", AT(cpus), "processors that they may use (default: all)" },
	{ "memory", "SIZE", AT(memory),
	  "memory that they may use (default: most of what is free)" },
	{ "list", NULL, AT(list), "what there is to do and what became of it; nothing is run" },
	{ "check", NULL, AT(check), "is the matrix right? Nothing is run or written" },
	{ "store", "FILE", AT(store),
	  "where results go (default: store.db in the state directory)" },
	{ "no-store", NULL, AT(no_store), "results go into no store" },
	{ "json", NULL, AT(json), "JSON lines on stdout, nothing else there" },
	{ "cell", "DIR", AT(cell), "run one cell of a night: what engines do" },
	{ 0 },
};

int cmd_matrix(int argc, char **argv)
{
	struct matrix_command cmd = { .engine = ENGINE_LOCAL };
	int status = command_options("matrix", usage, options, argc, argv, &cmd);

	if (status != CMD_GO_ON)
		return status;
	status = take_engine(&cmd);
	if (!status)
		status = take_limits(&cmd);
	if (status)
		return status;
	if (argc - optind != (cmd.cell ? 0 : 1))
		return usage_error("matrix",
				   cmd.cell ? "--cell takes no matrix" : "expected one matrix");
	if (cmd.cell)
		return run_cell(cmd.cell);
	cmd.file = argv[optind];
	return act(&cmd);
}
