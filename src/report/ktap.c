// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report.ktap: a run as a suite of subtests, one for each kind of check, so that a night's log
 * shows which of them failed. (Documentation/dev-tools/ktap.rst)
 */
#include "report/chars.h"
#include "report/report.h"

#include <string.h>

/* What a subtest stands for; findings belong to the first row that has their kind. */
struct subtest {
	const char *name;
	u64 kinds; /* bits of enum finding_kind */
	/* Why it was not checked in this run; NULL: it was. */
	const char *(*skipped)(const struct run_result *r);
};

#define BIT(kind) (1ULL << FINDING_##kind)

static const char *klog_skipped(const struct run_result *r)
{
	return r->klog_watched ? NULL : "the kernel log was not watched";
}

static const char *fsck_skipped(const struct run_result *r)
{
	return r->sc && !r->sc->verify.fsck ? "the scenario asks for no fsck" : NULL;
}

static const char *never(const struct run_result *r)
{
	(void)r;
	return NULL;
}

static const struct subtest subtests[] = {
	{ "contents",
	  BIT(LOST_WRITE) | BIT(ZEROED) | BIT(STALE_EXPOSURE) | BIT(RESURRECTED) | BIT(TORN) |
		  BIT(MISPLACED) | BIT(FOREIGN) | BIT(BIT_FLIP) | BIT(PHANTOM),
	  never },
	{ "size", BIT(SIZE_MISMATCH), never },
	{ "durability", BIT(UNREPORTED_LOSS) | BIT(NOT_DURABLE), never },
	{ "errors", BIT(READ_ERROR) | BIT(UNEXPECTED_ERRNO), never },
	{ "programs", BIT(PROGRAM_FAILED), never },
	{ "kernel-log",
	  BIT(KERNEL_WARNING) | BIT(KERNEL_BUG) | BIT(KERNEL_HANG) | BIT(KERNEL_CRASH),
	  klog_skipped },
	{ "fsck", BIT(FSCK), fsck_skipped },
};

/* A name or a reason: one line, without the marks that KTAP gives a meaning. */
static void put_plain(FILE *out, const char *s)
{
	char *text = text_for(s, MEDIUM_TERMINAL);

	for (char *c = text; c && *c; c++)
		if (*c == '#')
			*c = '-';
	fputs(text ? text : "(no memory)", out);
	free(text);
}

static void put_diagnostic(FILE *out, const char *label, const char *s)
{
	fprintf(out, "  # %s", label);
	put_text(out, s, MEDIUM_TERMINAL);
	fputc('\n', out);
}

/* Diagnostics stand before the result that they explain. Returns how many findings there are. */
static size_t put_findings(const struct run_result *r, const struct subtest *t, FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nfindings; i++) {
		const struct finding *f = r->findings[i];
		char label[48];

		if (!(t->kinds >> f->kind & 1))
			continue;
		n++;
		snprintf(label, sizeof(label), "%s: ", finding_infos[f->kind].name);
		put_diagnostic(out, label, f->sentence);
		for (size_t l = 0; *f->title && l < f->nlog; l++)
			put_diagnostic(out, "", f->log[l] ? f->log[l] : "");
	}
	return n;
}

static void put_subtests(const struct run_result *r, FILE *out)
{
	size_t n = ARRAY_SIZE(subtests) + r->nraces;

	fprintf(out, "  KTAP version 1\n  # Subtest: ");
	put_plain(out, r->sc && r->sc->name ? r->sc->name : "stressd");
	fprintf(out, "\n  1..%zu\n", n);
	for (size_t i = 0; i < ARRAY_SIZE(subtests); i++) {
		const char *skipped = subtests[i].skipped(r);
		size_t found = put_findings(r, &subtests[i], out);

		fprintf(out, "  %s %zu %s%s%s\n", found ? "not ok" : "ok", i + 1, subtests[i].name,
			skipped && !found ? " # SKIP " : "", skipped && !found ? skipped : "");
	}
	for (size_t i = 0; i < r->nraces; i++) {
		const struct race_result *x = &r->races[i];

		fprintf(out, "  # %llu attempts, %llu overlapped, %llu hits\n  %s %zu race-",
			(unsigned long long)x->attempts, (unsigned long long)x->overlaps,
			(unsigned long long)x->hits, x->overlaps ? "ok" : "not ok",
			ARRAY_SIZE(subtests) + i + 1);
		put_plain(out, x->name);
		fputs(x->overlaps ? "\n" : " was not exercised\n", out);
	}
}

static int write_ktap(const struct run_result *r, FILE *out)
{
	bool ran = r->verdict == VERDICT_PASS || r->verdict == VERDICT_FAIL;

	fputs("KTAP version 1\n1..1\n", out);
	if (ran)
		put_subtests(r, out);
	else
		put_diagnostic(out, "", r->reason);
	fprintf(out, "%s 1 ",
		r->verdict == VERDICT_PASS || r->verdict == VERDICT_SKIP ? "ok" : "not ok");
	put_plain(out, r->sc && r->sc->name ? r->sc->name : "stressd");
	if (r->verdict == VERDICT_SKIP) {
		fputs(" # SKIP ", out);
		put_plain(out, r->reason);
	}
	fputc('\n', out);
	return report_flush(out);
}

const struct report_format report_format_ktap = {
	.name = "ktap",
	.help = "the kernel's test protocol, a subtest for each kind of check",
	.file = "report.ktap",
	.on_request = true,
	.write = write_ktap,
};
