// SPDX-License-Identifier: GPL-2.0-or-later
/* What a maintainer wants to know of a bug, in the order of the kernel's reporting guide: what
 * happens, on which kernel, how to make it happen, and the evidence.
 * (Documentation/admin-guide/reporting-issues.rst) */
#include "report/mail.h"

#include "base/cleanup.h"
#include "report/bytes.h"
#include "report/chars.h"
#include "report/layers.h"
#include "report/people.h"
#include "report/style.h"

#include <string.h>

#define COLUMNS	  72
#define OPS_SHOWN 12

static void put_field(FILE *out, const char *name, const char *value)
{
	char first[32];

	if (!*value)
		return;
	snprintf(first, sizeof(first), "%-12s ", name);
	put_wrapped_to(out, COLUMNS, first, 13, value);
}

/* Unbroken: a command, a line of a splat. */
static void put_line(FILE *out, const char *s)
{
	put_text(out, s, MEDIUM_TERMINAL);
	fputc('\n', out);
}

static void put_subject(const struct run_result *r, const struct finding *f, FILE *out)
{
	fprintf(out, "Subject: [BUG] %s: ", *r->fs ? r->fs : "filesystem");
	if (*f->title)
		put_text(out, f->title, MEDIUM_TERMINAL);
	else
		fprintf(out, "%s (%s)", finding_infos[f->kind].name, finding_infos[f->kind].help);
	fputs("\n\n", out);
}

static void put_layers(const struct finding *f, FILE *out)
{
	static const char *const marks[] = {
		[LAYER_NOT_READ] = "-",
		[LAYER_GOOD] = "right",
		[LAYER_BAD] = "WRONG",
		[LAYER_UNAVAILABLE] = "n/a",
	};

	if (!layers_read(f))
		return;
	fputs("\nThe same bytes, layer by layer:\n", out);
	for (int i = 0; i < LAYERS; i++) {
		char first[32];

		snprintf(first, sizeof(first), "  %-10s %-6s ", sc_layer_names[i],
			 marks[f->layers[i].state]);
		put_wrapped_to(out, COLUMNS, first, 20, f->layers[i].text);
	}
	if (*layers_say(f))
		put_wrapped_to(out, COLUMNS, "", 0, layers_say(f));
}

/* The latest: what came right before. */
static void put_operations(const struct finding *f, FILE *out)
{
	size_t first = f->nops - MIN(f->nops, (size_t)OPS_SHOWN);

	if (f->nops)
		fputs("\nOperations there (start, end; against the finding):\n", out);
	for (size_t i = first; i < f->nops; i++) {
		const struct finding_op *op = &f->ops[i];
		char start[PEOPLE_MAX], end[PEOPLE_MAX] = "in flight";

		people_against(start, op->start_ns, f->time_ns);
		if (op->end_ns)
			people_against(end, op->end_ns, f->time_ns);
		fprintf(out, "  %10s %10s  ", start, end);
		put_text(out, op->actor, MEDIUM_TERMINAL);
		fputs(": ", out);
		put_line(out, op->text);
	}
}

static void put_log(const struct finding *f, FILE *out)
{
	/* Lines that only happened to come at that time are no part of the bug. */
	if (!f->nlog || !*f->title)
		return;
	fputs("\nKernel log:\n\n", out);
	for (size_t i = 0; i < f->nlog; i++)
		put_line(out, f->log[i] ? f->log[i] : "");
}

static void put_scenario(const struct run_result *r, FILE *out)
{
	_cleanup_free_ char *text =
		r->sc && r->sc->resolved ? json_dumps(r->sc->resolved, JSON_INDENT(1)) : NULL;

	if (!text)
		return;
	fputs("\nThe scenario:\n\n", out);
	for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		put_line(out, line);
	}
}

void report_mail(const struct run_result *r, FILE *out)
{
	const struct finding *f = r->nfindings ? r->findings[0] : NULL;
	char kernel[200];

	if (!f)
		return;
	put_subject(r, f, out);
	put_wrapped_to(out, COLUMNS, "", 0, f->sentence);
	if (r->sc && r->sc->description) {
		fputc('\n', out);
		put_wrapped_to(out, COLUMNS, "", 0, r->sc->description);
	}
	fputc('\n', out);
	snprintf(kernel, sizeof(kernel), "%s, %s", r->kernel, r->machine);
	put_field(out, "kernel", kernel);
	put_field(out, "filesystem", r->fs);
	put_field(out, "mounted", r->mount_options);
	put_field(out, "must be", f->expected_text);
	put_field(out, "was", f->found_text);
	if (byte_diff(f).differing) {
		char phrase[160];

		byte_diff_phrase(f, phrase, sizeof(phrase));
		put_field(out, "bytes", phrase);
		fputc('\n', out);
		byte_diff_dump(f, out, &style_plain);
	}
	put_layers(f, out);
	put_operations(f, out);
	put_log(f, out);
	fprintf(out, "\nFound by stressd %s. It is made to happen by:\n\n  ", STRESSD_VERSION);
	put_line(out, r->reproduce);
	put_scenario(r, out);
}
