// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One finding as text, in the order in which a person asks: what happened, which bytes, which
 * layers, who was at work, what the kernel said. Reads a struct finding and nothing else.
 */
#include "report/text_finding.h"

#include "base/cleanup.h"
#include "report/bytes.h"
#include "report/chars.h"
#include "report/layers.h"
#include "report/people.h"

#include <string.h>

#define LOG_LINES_SHOWN 24

const struct style style_plain = { "", "", "", "", "" };
const struct style style_ansi = { "\033[1;31m", "\033[32m", "\033[1m", "\033[2m", "\033[0m" };

static void put_who(const struct finding *f, FILE *out)
{
	const struct finding_info *info = &finding_infos[f->kind];
	char line[512], when[PEOPLE_MAX], repeats[96] = "";
	int n;

	if (f->repeats)
		snprintf(repeats, sizeof(repeats), "; seen %llu more time%s",
			 (unsigned long long)f->repeats, f->repeats == 1 ? "" : "s");
	n = snprintf(line, sizeof(line), "%s (%s). Seen%s%s at %s%s.", info->name, info->help,
		     *f->finder ? " by " : "", f->finder, people_time(when, f->time_ns), repeats);
	if (*f->writer && n > 0 && (size_t)n < sizeof(line))
		snprintf(line + n, sizeof(line) - (size_t)n, " Writer: %s.", f->writer);
	put_wrapped(out, "   ", 3, line);
}

static void put_bytes(const struct finding *f, FILE *out, const struct style *st)
{
	char phrase[160];

	if (!byte_diff(f).differing)
		return;
	byte_diff_phrase(f, phrase, sizeof(phrase));
	fprintf(out, "\n   %sBytes:%s %s\n", st->strong, st->off, phrase);
	byte_diff_dump(f, out, st);
}

static void put_layers(const struct finding *f, FILE *out, const struct style *st)
{
	static const char *const marks[] = {
		[LAYER_NOT_READ] = "-",
		[LAYER_GOOD] = "ok",
		[LAYER_BAD] = "WRONG",
		[LAYER_UNAVAILABLE] = "n/a",
	};

	if (!layers_read(f))
		return;
	fprintf(out, "\n   %sLayers:%s ", st->strong, st->off);
	for (int i = 0; i < LAYERS; i++) {
		int s = f->layers[i].state;

		fprintf(out, "%s%s %s%s%s", i ? " | " : "", sc_layer_names[i],
			s == LAYER_BAD	  ? st->bad
			: s == LAYER_GOOD ? st->good
					  : st->faint,
			marks[s], st->off);
	}
	fputc('\n', out);
	for (int i = 0; i < LAYERS; i++) {
		char first[32];

		snprintf(first, sizeof(first), "     %-9s  ", sc_layer_names[i]);
		if (*f->layers[i].text)
			put_wrapped(out, first, 16, f->layers[i].text);
	}
	if (*layers_say(f))
		fprintf(out, "     %s\n", layers_say(f));
}

static void put_operations(const struct finding *f, FILE *out, const struct style *st)
{
	if (!f->nops)
		return;
	fprintf(out,
		"\n   %sOperations on its page or at the same time%s (start and end, against the "
		"finding)\n",
		st->strong, st->off);
	for (size_t i = 0; i < f->nops; i++) {
		const struct finding_op *op = &f->ops[i];
		char start[PEOPLE_MAX], end[PEOPLE_MAX] = "in flight", first[160];

		people_against(start, op->start_ns, f->time_ns);
		if (op->end_ns)
			people_against(end, op->end_ns, f->time_ns);
		snprintf(first, sizeof(first), "     %12s .. %-12s %-18s ", start, end, op->actor);
		put_wrapped(out, first, 53, op->text);
	}
}

static void put_log(const struct finding *f, FILE *out, const struct style *st)
{
	size_t shown = MIN(f->nlog, (size_t)LOG_LINES_SHOWN);

	if (!f->nlog)
		return;
	fprintf(out, "\n   %sKernel log%s\n", st->strong, st->off);
	for (size_t i = 0; i < shown; i++)
		put_wrapped(out, "     ", 9, f->log[i]);
	if (f->nlog > shown)
		fprintf(out, "     ... and %zu more lines in result.json and kernel.log\n",
			f->nlog - shown);
}

void text_finding(const struct finding *f, size_t number, FILE *out, const struct style *st)
{
	char first[32];

	snprintf(first, sizeof(first), "%zu. ", number);
	fputs(st->strong, out);
	put_wrapped(out, first, 3, f->sentence);
	fputs(st->off, out);
	put_who(f, out);
	put_bytes(f, out, st);
	put_layers(f, out, st);
	put_operations(f, out, st);
	put_log(f, out, st);
	fputc('\n', out);
}

void text_finding_line(const struct finding *f, size_t number, FILE *out, const struct style *st)
{
	_cleanup_free_ char *text = text_for(f->sentence, MEDIUM_TERMINAL);
	char head[96], when[PEOPLE_MAX];
	size_t len = text ? strlen(text) : 0, room;

	snprintf(head, sizeof(head), "%zu. %s  %s  ", number, people_time(when, f->time_ns),
		 finding_infos[f->kind].name);
	room = REPORT_COLUMNS - strlen(head);
	fprintf(out, "%s%s%s", st->strong, head, st->off);
	if (len <= room) {
		fprintf(out, "%s\n", text ? text : "");
		return;
	}
	/* Cut before a character, not inside of one. */
	for (len = room - 3; len && (text[len] & 0xc0) == 0x80;)
		len--;
	fprintf(out, "%.*s...\n", (int)len, text);
}
