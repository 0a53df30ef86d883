// SPDX-License-Identifier: GPL-2.0-or-later
/* One finding, in the order in which a person asks: what happened, what should have been, where it
 * is right, when, where, which bytes, what the kernel said. */
#include "report/html.h"
#include "report/layers.h"
#include "report/people.h"

#include <string.h>

#define LOG_OPEN 12 /* lines of the kernel log that are shown at once */

static const char *const layer_helps[LAYERS] = {
	[LAYER_CACHE] = "page cache, as programs read it",
	[LAYER_DIRECT] = "O_DIRECT",
	[LAYER_DROPPED] = "after the cache was dropped",
	[LAYER_REMOUNTED] = "after unmount and mount",
	[LAYER_DEVICE] = "the block device itself",
};

static const struct {
	const char *class, *mark;
} states[] = {
	[LAYER_NOT_READ] = { "none", "not read" },
	[LAYER_GOOD] = { "good", "\xe2\x9c\x93 right" },
	[LAYER_BAD] = { "bad", "\xe2\x9c\x97 wrong" },
	[LAYER_UNAVAILABLE] = { "none", "not available" },
};

/* For who has never seen such a report. */
static const char *const plain_words[FINDING_KINDS] = {
	[FINDING_LOST_WRITE] =
		"A write that had succeeded is gone: older data of the file is there "
		"again.",
	[FINDING_ZEROED] = "Data that had been written reads as zeros.",
	[FINDING_STALE_EXPOSURE] =
		"Bytes came back that nobody wrote to this file. On a real disk they would be "
		"somebody's deleted data. \"Prefill\" is the pattern that the whole disk was "
		"filled "
		"with before mkfs, to make them show.",
	[FINDING_RESURRECTED] = "Data that a truncate or a punch had removed is back.",
	[FINDING_TORN] =
		"Parts of two writes stand in one cell, though no write to it was under way.",
	[FINDING_MISPLACED] = "The data is intact, and belongs to another place of the file.",
	[FINDING_FOREIGN] = "The data is intact, and belongs to another file.",
	[FINDING_BIT_FLIP] = "The data is right but for a few bits.",
	[FINDING_PHANTOM] = "A write was reported as failed, and its data is in the file.",
	[FINDING_SIZE_MISMATCH] = "The file is longer or shorter than what was done to it allows.",
	[FINDING_UNREPORTED_LOSS] = "Data was lost, and no fsync, close or msync told anybody.",
	[FINDING_NOT_DURABLE] = "fsync had returned 0, and after the crash the data is not there.",
	[FINDING_READ_ERROR] = "A read failed, and nothing that was done explains the error.",
	[FINDING_UNEXPECTED_ERRNO] = "A call failed, and nothing that was done explains the error.",
	[FINDING_PROGRAM_FAILED] = "A program that ran beside the workers found something wrong.",
	[FINDING_KERNEL_WARNING] = "The kernel warned of a state that its code holds impossible.",
	[FINDING_KERNEL_BUG] =
		"The kernel caught itself in an error: from here on it may do anything.",
	[FINDING_KERNEL_HANG] = "Something in the kernel waits, and makes no progress.",
	[FINDING_KERNEL_CRASH] = "The kernel died.",
	[FINDING_FSCK] = "The filesystem was unmounted cleanly, and its checker finds it damaged.",
};

static void put_pair(FILE *out, const char *class, const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "<div class=\"%s\"><dt>%s</dt><dd>", class, name);
	html_text(out, text);
	fputs("</dd></div>\n", out);
}

static const struct timeline_op *with_role(const struct finding *f, enum timeline_role role)
{
	for (size_t i = 0; f->timeline && i < f->timeline->nops; i++)
		if (f->timeline->ops[i].role == role)
			return &f->timeline->ops[i];
	return NULL;
}

static const char *role_text(const struct finding *f, enum timeline_role role, char *buf,
			     size_t size)
{
	const struct timeline_op *o = with_role(f, role);

	buf[0] = '\0';
	if (o)
		snprintf(buf, size, "%s: %s", f->timeline->lanes[o->lane], o->text);
	return buf;
}

static const char *suspect_when(const struct finding *f)
{
	const struct timeline_op *saw = with_role(f, ROLE_FINDER), *o = with_role(f, ROLE_SUSPECT);

	return saw && o && o->end_ns && o->end_ns < saw->start_ns ? "came between"
								  : "at the same time";
}

static void put_facts(const struct finding *f, FILE *out)
{
	char text[256], when[PEOPLE_MAX];

	fputs("<dl class=\"facts\">\n", out);
	put_pair(out, "good", "must be", f->expected_text);
	put_pair(out, "bad", "was", f->found_text);
	if (*role_text(f, ROLE_FINDER, text, sizeof(text)))
		put_pair(out, "", "seen by", text);
	else
		put_pair(out, "", "seen by", f->finder);
	put_pair(out, "", suspect_when(f), role_text(f, ROLE_SUSPECT, text, sizeof(text)));
	if (!*role_text(f, ROLE_WRITE, text, sizeof(text)))
		snprintf(text, sizeof(text), "%s", f->writer);
	put_pair(out, "", "writer of the cell", text);
	snprintf(text, sizeof(text), "%s into the run", people_time(when, f->time_ns));
	put_pair(out, "", "found", text);
	if (f->repeats) {
		snprintf(text, sizeof(text), "%llu more time%s", (unsigned long long)f->repeats,
			 f->repeats == 1 ? "" : "s");
		put_pair(out, "", "seen", text);
	}
	fputs("</dl>\n", out);
}

static void put_layers(const struct finding *f, FILE *out)
{
	const char *says = layers_say(f);

	if (!layers_read(f))
		return;
	fputs("<section>\n<h3>Where the bytes are right</h3>\n", out);
	if (*says)
		fprintf(out, "<p>%s</p>\n", says);
	fputs("<ul class=\"layers\">\n", out);
	for (int i = 0; i < LAYERS; i++) {
		const struct finding_layer *l = &f->layers[i];

		fprintf(out,
			"<li class=\"%s\"><b>%s</b> <span class=\"mark\">%s</span> <span "
			"class=\"soft\">%s</span> <span class=\"holds\">",
			states[l->state].class, sc_layer_names[i], states[l->state].mark,
			layer_helps[i]);
		html_text(out, l->text);
		fputs("</span></li>\n", out);
	}
	fputs("</ul>\n</section>\n", out);
}

static void put_lines(const struct finding *f, size_t from, size_t to, FILE *out)
{
	fputs("<pre class=\"log\">", out);
	for (size_t i = from; i < to; i++) {
		html_text(out, f->log[i] ? f->log[i] : "");
		fputc('\n', out);
	}
	fputs("</pre>\n", out);
}

/* A splat is what the finding is; other lines are only of the same time. */
static void put_log(const struct finding *f, FILE *out)
{
	size_t shown = MIN(f->nlog, (size_t)LOG_OPEN);

	if (!f->nlog)
		return;
	fputs("<section>\n<h3>Kernel log", out);
	if (*f->title) {
		fputs(": ", out);
		html_text(out, f->title);
	}
	fprintf(out, "</h3>\n%s",
		*f->title ? ""
			  : "<p class=\"soft\">Lines of that time; they need not belong to "
			    "it.</p>\n");
	put_lines(f, 0, shown, out);
	if (f->nlog > shown) {
		fprintf(out, "<details%s><summary>%zu more lines</summary>\n",
			*f->title ? " open=\"open\"" : "", f->nlog - shown);
		put_lines(f, shown, f->nlog, out);
		fputs("</details>\n", out);
	}
	fputs("</section>\n", out);
}

void html_finding(const struct run_result *r, size_t i, FILE *out)
{
	const struct finding *f = r->findings[i];
	const struct finding_info *info = &finding_infos[f->kind];

	fprintf(out, "<article class=\"finding\" id=\"finding-%zu\">\n<p class=\"kind\"><b>%s</b> ",
		i + 1, info->name);
	html_text(out, info->help);
	fputs("</p>\n<h2 class=\"sentence\">", out);
	html_text(out, f->sentence);
	fprintf(out, "</h2>\n<p class=\"plain\">%s</p>\n", plain_words[f->kind]);
	put_facts(f, out);
	put_layers(f, out);
	html_timeline(f, i, out);
	html_place(f, i, out);
	html_bytes(f, out);
	put_log(f, out);
	fputs("</article>\n", out);
}
