// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Engines that are other programs: what is left to do is a list of cells, DIR/pending, and a script
 * that takes it to GNU parallel or to Slurm. Both run `stressd matrix --cell` and nothing else, so
 * the records are the same; scripts can be read, changed and run by hand.
 */
#include "matrix/internal.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/proc.h"
#include "search/runner.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define ARRAY_MAX     1000 /* MaxArraySize of slurm.conf is 1001 unless somebody changed it */
#define RUN_MINUTES   60   /* of an attempt, where the matrix does not say */
#define SBATCH_LIMIT  (120 * NSEC_PER_SEC)
#define SBATCH_OUTPUT (16 * KIB)

/* For a shell, in quotes. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	fputc('\'', out);
}

static int finish(FILE *out, char **text, const char *dir, const char *name, mode_t mode,
		  struct err *e)
{
	char path[PATH_MAX];
	int r = fclose(out) == 0 ? path_set(path, sizeof(path), "%s/%s", dir, name) : -ENOMEM;

	if (r == 0)
		r = write_file_atomic(path, *text, strlen(*text), mode);
	return r < 0 ? err_set(e, r, "%s/%s: cannot be written: %s", dir, name, strerror(-r)) : 0;
}

/* Directories of cells that are neither finished nor running, a line each. */
static int write_pending(const struct matrix *m, const char *dir, u64 *ret_n, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out;

	*ret_n = 0;
	if (strpbrk(dir, "\n"))
		return err_set(e, -EINVAL, "%s: cannot stand in a list; expected another directory",
			       dir);
	out = open_memstream(&text, &len);
	if (!out)
		return err_set(e, -ENOMEM, "out of memory");
	for (size_t i = 0; i < m->ncells; i++) {
		struct cell_outcome outcome;
		char path[PATH_MAX];
		int r = cell_dir(dir, &m->cells[i], path, sizeof(path));

		if (r == 0)
			r = cell_look(path, &outcome, e);
		if (r < 0) {
			fclose(out);
			return r;
		}
		if (outcome.state != CELL_LEFT)
			continue;
		fprintf(out, "%s\n", path);
		++*ret_n;
	}
	return finish(out, &text, dir, "pending", 0600, e);
}

static bool has_native(const struct matrix *m)
{
	for (size_t i = 0; i < m->nkernels; i++)
		if (!m->kernels[i].image)
			return true;
	return false;
}

static void put_program(FILE *out)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[MAX(n, 0)] = '\0';
	put_quoted(out, exe);
}

static int write_parallel(const char *dir, const struct matrix_limits *l, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return err_set(e, -ENOMEM, "out of memory");
	/* HUP: no further cell. TERM: asks those that run to stop, and gives them time for it. */
	fputs("#!/bin/sh\n# Cells that were left to do, by GNU parallel(1). Written by stressd "
	      "matrix.\nexec parallel --will-cite --line-buffer --termseq TERM,600000,KILL,100 "
	      "--jobs ",
	      out);
	fprintf(out, "%llu --joblog ", (unsigned long long)l->jobs);
	put_quoted(out, dir);
	/* exec: what the engine leaves behind is the cell and not a shell. */
	fputs("/parallel.log -- exec ", out);
	put_program(out);
	fputs(" matrix --cell {} :::: ", out);
	put_quoted(out, dir);
	fputs("/pending\n", out);
	return finish(out, &text, dir, "parallel.sh", 0700, e);
}

/*
 * The first signal is passed on as "no further cell", the next as "stop". An engine that is gone
 * may leave a cell behind: parallel does not know of one that it has just started when "stop"
 * comes. They become our children, and end before this does.
 */
static int run_script(const char *path, bool *ret_interrupted, struct err *e)
{
	struct runner signals;
	sigset_t set, none;
	int sig, one, status = 0;
	pid_t got, pid, parent = getpid();

	runner_init(&signals);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (pid < 0)
		return err_set(e, -EAGAIN, "fork: %s", strerror(errno));
	if (pid == 0) {
		/* Whoever kills us stops the cells, too; a ^C is ours to pass on. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		setpgid(0, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (getppid() == parent)
			execl("/bin/sh", "sh", path, (char *)NULL);
		_exit(127);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	for (bool over = false; (got = waitpid(-1, &one, WNOHANG)) >= 0;) {
		if (got == pid) {
			status = one;
			over = true;
			if (*ret_interrupted)
				proc_signal_children(SIGTERM);
		}
		sig = got ? 0 : sigwaitinfo(&set, NULL);
		if (sig != SIGINT && sig != SIGTERM)
			continue;
		if (over)
			proc_signal_children(SIGTERM);
		else
			kill(pid, *ret_interrupted ? SIGTERM : SIGHUP);
		*ret_interrupted = true;
	}
	/* Its own status counts cells that failed, which their records tell better. */
	if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
		return 0;
	return err_set(e, -EIO, "%s: ended with status %d", path, status);
}

int matrix_run_parallel(const struct matrix *m, const char *dir, const struct matrix_limits *limits,
			bool *ret_interrupted, struct err *e)
{
	struct matrix_limits l = *limits;
	char path[PATH_MAX];
	u64 n;
	int r = proc_find("parallel", path, sizeof(path));

	*ret_interrupted = false;
	if (r < 0)
		return err_set(e, -ENOENT,
			       "GNU parallel is not installed; install the package "
			       "parallel, or use --engine local");
	matrix_settle_limits(m, &l);
	/* Runs on the kernel of this machine share its log. */
	if (has_native(m))
		l.jobs = 1;
	r = write_pending(m, dir, &n, e);
	if (r == 0)
		r = write_parallel(dir, &l, e);
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/parallel.sh", dir);
	return r < 0 || !n ? r : run_script(path, ret_interrupted, e);
}

/* Minutes that Slurm gives a cell: all its attempts. */
static u64 minutes_of(const struct matrix *m)
{
	u64 each = m->guest.timeout_ns ? m->guest.timeout_ns / NSEC_PER_SEC / 60 + 5 : RUN_MINUTES;

	return each * m->attempts;
}

/* --no-requeue: a node that dies shall leave the record that it started, and not a second try that
 * hides it. The batch shell becomes stressd, which is told a minute before its time is over. */
static int write_slurm(const struct matrix *m, const char *dir, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return err_set(e, -ENOMEM, "out of memory");
	fprintf(out,
		"#!/bin/sh\n# Cells that were left to do, as a job array of Slurm. Written by "
		"stressd matrix.\n# sbatch --array=1-N slurm.sbatch OFFSET: lines OFFSET + 1 to "
		"OFFSET + N of pending\n"
		"#SBATCH --job-name=stressd-%s\n#SBATCH --no-requeue\n#SBATCH --nodes=1\n"
		"#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=%llu\n#SBATCH --mem=%lluM\n"
		"#SBATCH --time=%llu\n#SBATCH --signal=B:TERM@60\n#SBATCH --open-mode=append\n",
		m->name, (unsigned long long)m->guest.cpus,
		(unsigned long long)((m->guest.memory_bytes + GUEST_EXTRA) / MIB),
		(unsigned long long)minutes_of(m));
	/* Runs on the kernel of a node share its log. */
	if (has_native(m))
		fputs("#SBATCH --exclusive\n", out);
	fputs("cell=$(sed -n \"$((${1:-0} + SLURM_ARRAY_TASK_ID))p\" ", out);
	put_quoted(out, dir);
	fputs("/pending)\n[ -n \"$cell\" ] || exit 3\nexec ", out);
	put_program(out);
	fputs(" matrix --cell \"$cell\"\n", out);
	return finish(out, &text, dir, "slurm.sbatch", 0700, e);
}

static int submit(const char *dir, const struct matrix_limits *l, u64 first, u64 n, char *said,
		  size_t size, struct err *e)
{
	char array[64], limit[32] = "", offset[24], script[PATH_MAX], output[PATH_MAX];
	const char *const argv[] = { "sbatch", array, output, script, offset, NULL };
	struct proc_result p = { 0 };
	int r = path_set(script, sizeof(script), "%s/slurm.sbatch", dir);

	if (r == 0)
		r = path_set(output, sizeof(output), "--output=%s/slurm-%%A-%%a.out", dir);
	if (r < 0)
		return err_set(e, r, "%s: the path is too long", dir);
	if (l->jobs)
		snprintf(limit, sizeof(limit), "%%%llu", (unsigned long long)l->jobs);
	snprintf(array, sizeof(array), "--array=1-%llu%s", (unsigned long long)n, limit);
	snprintf(offset, sizeof(offset), "%llu", (unsigned long long)first);
	r = proc_run(argv, SBATCH_LIMIT, SBATCH_OUTPUT, &p, e);
	if (r == -ENOENT)
		return err_set(e, r,
			       "sbatch is not there; run this where Slurm's commands are "
			       "installed, or use --engine local");
	if (r == 0 && (p.exit_code != 0 || p.timed_out))
		r = err_set(e, -EIO, "sbatch: exit status %d: %.600s", p.exit_code, p.output);
	else if (r == 0)
		snprintf(said, size, "%s", p.output);
	proc_result_free(&p);
	said[strcspn(said, "\n")] = '\0';
	return r;
}

int matrix_submit_slurm(const struct matrix *m, const char *dir, const struct matrix_limits *l,
			char *said, size_t size, u64 *ret_jobs, struct err *e)
{
	int r = write_pending(m, dir, ret_jobs, e);

	said[0] = '\0';
	if (r == 0)
		r = write_slurm(m, dir, e);
	for (u64 at = 0; at < *ret_jobs && r == 0; at += ARRAY_MAX)
		r = submit(dir, l, at, MIN(*ret_jobs - at, (u64)ARRAY_MAX), said, size, e);
	return r;
}
