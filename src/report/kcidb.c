// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kcidb.json: a run as one test of the kernel's common report database, schema 5. Which build was
 * tested only who built it knows: $STRESSD_KCIDB_BUILD and $STRESSD_KCIDB_ORIGIN say so. Files are
 * named where they are; who submits them puts them where they can be fetched from.
 */
#include "base/cleanup.h"
#include "report/chars.h"
#include "report/report.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define EXCERPT_MAX 16384 /* characters that the schema allows */

static const char *const statuses[VERDICTS] = {
	[VERDICT_PASS] = "PASS",	[VERDICT_FAIL] = "FAIL", [VERDICT_ERROR] = "ERROR",
	[VERDICT_INCOMPLETE] = "ERROR", [VERDICT_SKIP] = "SKIP",
};

/* Small letters, digits and underscores are all that an origin may have. */
static void set_origin(char *buf, size_t size)
{
	const char *set = getenv("STRESSD_KCIDB_ORIGIN");

	snprintf(buf, size, "%s", set && *set ? set : "stressd");
	for (char *c = buf; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
}

/* A path has letters, digits, '-', '_', and dots between its parts. */
static void set_path(const struct run_result *r, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "stressd.");

	snprintf(buf + n, size - n, "%s", r->sc && r->sc->name ? r->sc->name : "run");
	for (char *c = buf + n; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-')
			*c = '_';
}

/* Foreign bytes of a text in UTF-8 and without the NUL that the schema forbids. New reference. */
static json_t *excerpt(const struct run_result *r)
{
	_cleanup_free_ char *text = NULL, *escaped = NULL;
	size_t len, keep;
	FILE *mem = open_memstream(&text, &len);

	if (!mem)
		return NULL;
	report_text(r, mem, false);
	if (fclose(mem) != 0 || !(escaped = text_for(text, MEDIUM_UTF8)))
		return NULL;
	keep = MIN(strlen(escaped), (size_t)EXCERPT_MAX);
	while (keep && (escaped[keep] & 0xc0) == 0x80)
		keep--;
	return json_stringn(escaped, keep);
}

static json_t *findings(const struct run_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->nfindings; i++) {
		const struct finding *f = r->findings[i];

		if (json_array_append_new(all,
					  json_pack("{ss so}", "kind", finding_infos[f->kind].name,
						    "sentence", json_text(f->sentence))) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *environment(const struct run_result *r)
{
	return json_pack("{so so}", "comment", json_text(r->machine), "misc",
			 json_pack("{so so so so sI sI}", "kernel", json_text(r->kernel), "fs",
				   json_text(r->fs), "mount_options", json_text(r->mount_options),
				   "device", json_text(r->device), "cpus", (json_int_t)r->cpus,
				   "memory_bytes", (json_int_t)r->memory_bytes));
}

static json_t *misc(const struct run_result *r)
{
	return json_pack("{ss sI so so so}", "stressd", STRESSD_VERSION, "seed",
			 (json_int_t)MIN(r->seed, (u64)INT64_MAX), "reproduce",
			 json_text(r->reproduce), "run_dir", json_text(r->run_dir), "findings",
			 findings(r));
}

static json_t *test_of(const struct run_result *r)
{
	char origin[64], path[160], id[200], build[256], when[40] = "1970-01-01T00:00:00Z";
	const char *set = getenv("STRESSD_KCIDB_BUILD");
	struct tm tm;

	set_origin(origin, sizeof(origin));
	set_path(r, path, sizeof(path));
	snprintf(id, sizeof(id), "%s:%016llx-%lld", origin, (unsigned long long)r->run_key,
		 (long long)r->started.tv_sec);
	if (set && strchr(set, ':'))
		snprintf(build, sizeof(build), "%s", set);
	else
		snprintf(build, sizeof(build), "%s:%s", origin, set && *set ? set : r->kernel);
	if (gmtime_r(&r->started.tv_sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{ss ss so ss ss ss sf so so so so}", "id", id, "origin", origin,
			 "build_id", json_text(build), "path", path, "status", statuses[r->verdict],
			 "start_time", when, "duration", r->setup_s + r->duration_s + r->verify_s,
			 "comment", json_text(*r->reason ? r->reason : "nothing was found"),
			 "log_excerpt", excerpt(r), "environment", environment(r), "misc", misc(r));
}

static int write_kcidb(const struct run_result *r, FILE *out)
{
	json_auto_t *j = json_pack("{s{si si} s[o]}", "version", "major", 5, "minor", 0, "tests",
				   test_of(r));

	return report_put_json(j, out);
}

const struct report_format report_format_kcidb = {
	.name = "kcidb",
	.help = "the kernel's common report database, schema 5",
	.file = "kcidb.json",
	.on_request = true,
	.write = write_kcidb,
};
