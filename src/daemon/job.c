// SPDX-License-Identifier: GPL-2.0-or-later
/* A job and its file: one writer, replaced as a whole. */
#include "daemon/job.h"

#include "base/fsutil.h"
#include "report/report.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define FILE_BYTES_MAX (4 * MIB) /* what a message holds, indented */

static const char *const interruptions[] = { [JOB_REQUEUE] = "requeue", [JOB_DROP] = "drop", NULL };
static const char *const accels[] = { "auto", "kvm", "tcg", NULL };

#define ABSOLUTE .pattern = "^/", .max = "4000", .expects = "an absolute path"

const struct opt_def job_options[] = {
	OPT(struct job_spec, name, OPT_STRING, .min = "1", .max = "200",
	    .help = "for people; default: the scenario's or the matrix's"),
	OPT_RAW("scenario", .expects = "a scenario, or the absolute path of one",
		.help = "what is to be run, by path or as it is"),
	OPT(struct job_spec, matrix, OPT_STRING, ABSOLUTE, .help = "of a matrix, instead"),
	OPT(struct job_spec, kernel, OPT_STRING, ABSOLUTE,
	    .help = "of an image: the scenario runs in a guest"),
	OPT(struct job_spec, kernels, OPT_STRINGS, .def = "", .min = "3", .max = "4200",
	    .help = "NAME=IMAGE: kernels of the matrix"),
	OPT(struct job_spec, night, OPT_STRING, .min = "1", .max = "150",
	    .help = "what the store calls a run of the matrix; default: its name and the date"),
	OPT(struct job_spec, append, OPT_STRING, .max = "2000",
	    .help = "further words for the command line of the kernel"),
	OPT(struct job_spec, accel, OPT_STRING, .def = "auto", .choices = accels,
	    .help = "of a guest, as `stressd vm --accel`"),
	OPT(struct job_spec, interruption, OPT_ENUM, .def = "requeue", .choices = interruptions,
	    .help = "run again what a stop of the daemon cut short, or not"),
	OPT(struct job_spec, exclusive, OPT_BOOL, .def = "false",
	    .help = "runs alone; whatever uses the kernel that is running does so anyway"),
	OPT(struct job_spec, vms, OPT_COUNT, .def = "",
	    .help = "guests at a time; default: 1, of a matrix all there may be"),
	OPT(struct job_spec, cpus, OPT_COUNT, .def = "",
	    .help = "processors; default: 2, of a matrix all there may be"),
	OPT(struct job_spec, attempts, OPT_COUNT, .def = "3", .min = "1", .max = "100",
	    .help = "how often it is tried while the infrastructure fails (exit status 75)"),
	OPT_AS("memory", struct job_spec, memory_bytes, OPT_SIZE, .def = "",
	       .help = "default: 2G for a guest, of a matrix all there may be"),
	{ .type = OPT_END },
};

const char *const job_state_names[] = {
	[JOB_QUEUED] = "queued",       [JOB_RUNNING] = "running",
	[JOB_FINISHED] = "finished",   [JOB_INTERRUPTED] = "interrupted",
	[JOB_CANCELLED] = "cancelled", [JOB_LOST] = "lost",
	[JOB_STATES] = NULL,
};

bool job_ended(const struct job *j)
{
	return j->state != JOB_QUEUED && j->state != JOB_RUNNING;
}

int job_path(const char *dir, const struct job *j, char *buf, size_t size)
{
	return path_set(buf, size, "%s/jobs/%llu.json", dir, (unsigned long long)j->id);
}

int job_scenario_path(const char *dir, const struct job *j, char *buf, size_t size)
{
	return path_set(buf, size, "%s/jobs/%llu.scenario.json", dir, (unsigned long long)j->id);
}

int job_run_dir(const char *dir, const struct job *j, char *buf, size_t size)
{
	/* A matrix goes on where it was. */
	if (j->spec.matrix)
		return path_set(buf, size, "%s/runs/%llu", dir, (unsigned long long)j->id);
	return path_set(buf, size, "%s/runs/%llu-%llu", dir, (unsigned long long)j->id,
			(unsigned long long)j->attempt);
}

int job_err_path(const char *dir, const struct job *j, char *buf, size_t size)
{
	return path_set(buf, size, "%s/runs/%llu.err", dir, (unsigned long long)j->id);
}

json_t *job_to_json(const struct job *j)
{
	return json_pack("{sI ss sO sI sI sI sO? si so sI sI sI sI sb sb}", "id", (json_int_t)j->id,
			 "state", job_state_names[j->state], "spec", j->spec_json, "attempt",
			 (json_int_t)j->attempt, "failures", (json_int_t)j->failures, "again",
			 (json_int_t)j->again_s, "tries", j->tries, "exit", j->exit, "said",
			 json_text(j->said), "submitted", (json_int_t)j->submitted_s, "started",
			 (json_int_t)j->started_s, "ended", (json_int_t)j->ended_s, "uid",
			 (json_int_t)j->uid, "stored", j->stored, "cancelled", j->cancelled);
}

int job_save(const char *dir, const struct job *j)
{
	_cleanup_json_ json_t *o = job_to_json(j);
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	int r = job_path(dir, j, path, sizeof(path));

	if (!o || json_object_set_new(o, "version", json_integer(1)) ||
	    json_object_set_new(o, "pid", json_integer(j->pid)) ||
	    json_object_set_new(o, "start_ticks", json_integer((json_int_t)j->start_ticks)) ||
	    json_object_set_new(o, "boot", json_text(j->boot)) ||
	    !(text = json_dumps(o, JSON_INDENT(2))))
		return -ENOMEM;
	return r < 0 ? r : write_file_atomic(path, text, strlen(text), 0600);
}

/* Of what this program wrote; anything else is not a job. */
static int take(struct job *j, json_t *o, const struct json_doc *doc)
{
	struct json_at root = { .doc = doc };
	json_int_t id, attempt, ticks, version, pid, failures = 0;
	const char *state, *said, *boot;
	json_error_t error;
	json_t *spec, *tries = NULL;
	int r;

	if (json_unpack_ex(
		    o, &error, 0, "{sI sI ss so sI s?I s?I s?o si ss sI sI sI sI sb sb sI sI ss}",
		    "version", &version, "id", &id, "state", &state, "spec", &spec, "attempt",
		    &attempt, "failures", &failures, "again", &j->again_s, "tries", &tries, "exit",
		    &j->exit, "said", &said, "submitted", &j->submitted_s, "started", &j->started_s,
		    "ended", &j->ended_s, "uid", &j->uid, "stored", &j->stored, "cancelled",
		    &j->cancelled, "pid", &pid, "start_ticks", &ticks, "boot", &boot))
		return json_fail(&root, "%s; expected a job as stressd wrote it", error.text);
	j->state = option_choice(job_state_names, state);
	if (version != 1 || id < 1 || attempt < 0 || failures < 0 || pid < 0 || pid > INT_MAX ||
	    j->state < 0)
		return json_fail(&root, "no job of this version; expected one as stressd wrote it");
	j->id = (u64)id;
	j->attempt = (u64)attempt;
	j->failures = (u64)failures;
	j->tries = json_is_array(tries) ? json_incref(tries) : json_array();
	j->start_ticks = (u64)ticks;
	j->pid = (pid_t)pid;
	snprintf(j->said, sizeof(j->said), "%s", said);
	snprintf(j->boot, sizeof(j->boot), "%s", boot);
	r = option_decode(job_options, NULL, spec, &j->spec, &AT_KEY(&root, "spec"), NULL);
	if (r == 0)
		j->spec_json = json_incref(spec);
	return r;
}

int job_load(const char *path, struct job **ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct json_doc doc = { .path = path, .text = "", .e = e };
	_cleanup_json_ json_t *o = NULL;
	json_error_t error;
	struct job *j;
	int r = read_file(path, FILE_BYTES_MAX, &text, &doc.len);

	if (r < 0)
		return json_fail_read(&doc, r, "cannot be read: %s; expected a job", strerror(-r));
	doc.text = text;
	o = json_loadb(text, doc.len, 0, &error);
	if (!o)
		return json_fail_syntax(&doc, &error);
	j = calloc(1, sizeof(*j));
	if (!j)
		return json_fail_memory(&(struct json_at){ .doc = &doc });
	r = take(j, o, &doc);
	if (r < 0)
		job_free(j);
	else
		*ret = j;
	return r;
}

void job_free(struct job *j)
{
	option_free(job_options, &j->spec);
	json_decref(j->spec_json);
	json_decref(j->tries);
	free(j);
}
