// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * junit.xml for CI servers. One test case a run, with a name that stays the same from night to
 * night: findings are its failure, whatever their number. Attributes and order are those of the
 * schema that fstests publishes, so that whoever collects its results collects these.
 */
#include "base/cleanup.h"
#include "report/chars.h"
#include "report/report.h"
#include "report/text_finding.h"

#include <errno.h>

#define NAMESPACE "https://git.kernel.org/pub/scm/fs/xfs/xfstests-dev.git"
#define RFC3339	  "%Y-%m-%dT%H:%M:%S+00:00"

static void put_attr(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_text(out, value, MEDIUM_XML_ATTR);
	fputc('"', out);
}

static void put_property(FILE *out, const char *name, const char *value)
{
	if (!*value)
		return; /* not known: some readers show an empty value as a fact */
	fputs("    <property", out);
	put_attr(out, "name", name);
	put_attr(out, "value", value);
	fputs("/>\n", out);
}

static void put_properties(const struct run_result *r, FILE *out)
{
	char seed[24], code[16];

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)r->seed);
	snprintf(code, sizeof(code), "%d", r->exit);
	fputs("  <properties>\n", out);
	put_property(out, "verdict", verdict_names[r->verdict]);
	put_property(out, "exit", code);
	put_property(out, "seed", seed);
	put_property(out, "kernel", r->kernel);
	put_property(out, "machine", r->machine);
	put_property(out, "stressd", STRESSD_VERSION);
	put_property(out, "fs", r->fs);
	put_property(out, "mount_options", r->mount_options);
	put_property(out, "run_dir", r->run_dir);
	put_property(out, "reproduce", r->reproduce);
	fputs("  </properties>\n", out);
}

/* What a verdict is to a CI server; NULL: a test that passed. */
static const char *const elements[VERDICTS] = {
	[VERDICT_PASS] = NULL,		[VERDICT_FAIL] = "failure", [VERDICT_ERROR] = "error",
	[VERDICT_INCOMPLETE] = "error", [VERDICT_SKIP] = "skipped",
};

static void put_outcome(const struct run_result *r, FILE *out)
{
	const char *element = elements[r->verdict];
	const struct finding *first = r->nfindings ? r->findings[0] : NULL;
	bool failed = r->verdict == VERDICT_FAIL && first;

	if (!element)
		return;
	fprintf(out, "    <%s", element);
	put_attr(out, "message", failed ? first->sentence : r->reason);
	/* Ant's schema knows no type of a skipped test. */
	if (r->verdict != VERDICT_SKIP)
		put_attr(out, "type",
			 failed ? finding_infos[first->kind].name : verdict_names[r->verdict]);
	fputc('>', out);
	put_text(out, r->reason, MEDIUM_XML);
	for (size_t i = 0; i < r->nfindings; i++) {
		fprintf(out, "\n%zu. %s: ", i + 1, finding_infos[r->findings[i]->kind].name);
		put_text(out, r->findings[i]->sentence, MEDIUM_XML);
	}
	fprintf(out, "</%s>\n", element);
}

/* The whole text report, so that the evidence is a click away where no run directory is. */
static int put_system_out(const struct run_result *r, FILE *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *mem = open_memstream(&text, &len);

	if (!mem)
		return -errno;
	report_text(r, mem, false);
	if (fclose(mem) != 0)
		return -errno;
	fputs("    <system-out>", out);
	put_text(out, text, MEDIUM_XML);
	fputs("</system-out>\n", out);
	return 0;
}

static int write_junit(const struct run_result *r, FILE *out)
{
	const char *name = r->sc && r->sc->name ? r->sc->name : "stressd";
	double all_s = r->setup_s + r->duration_s + r->verify_s;
	char when[40] = "1970-01-01T00:00:00+00:00", now[40];
	time_t now_s = time(NULL);
	struct tm tm;
	int err;

	if (gmtime_r(&r->started.tv_sec, &tm))
		strftime(when, sizeof(when), RFC3339, &tm);
	strftime(now, sizeof(now), RFC3339, gmtime_r(&now_s, &tm));
	/* The schemas want a host; which machine it was is told by the kernel property. */
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite xmlns=\"" NAMESPACE
	      "\" name=\"stressd\"",
	      out);
	put_attr(out, "timestamp", when);
	put_attr(out, "start_timestamp", when);
	put_attr(out, "report_timestamp", now);
	fprintf(out,
		" hostname=\"localhost\" tests=\"1\" failures=\"%d\" skipped=\"%d\""
		" time=\"%.3f\">\n",
		elements[r->verdict] && r->verdict != VERDICT_SKIP, r->verdict == VERDICT_SKIP,
		all_s);
	put_properties(r, out);
	fputs("  <testcase", out);
	put_attr(out, "name", name);
	put_attr(out, "classname", *r->fs ? r->fs : "stressd");
	fprintf(out, " time=\"%.3f\">\n", all_s);
	put_outcome(r, out);
	err = put_system_out(r, out);
	fputs("  </testcase>\n</testsuite>\n", out);
	return err < 0 ? err : report_flush(out);
}

const struct report_format report_format_junit = {
	.name = "junit",
	.help = "JUnit XML, for CI servers",
	.file = "junit.xml",
	.write = write_junit,
};
