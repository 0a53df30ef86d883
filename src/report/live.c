// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The live line: where a run stands, while it runs. Three ways to show it (a terminal, a log, a
 * program), each a row of one table; what is shown comes whole in a struct live_state.
 */
#include "base/cleanup.h"
#include "report/chars.h"
#include "report/people.h"
#include "report/report.h"

#include <string.h>
#include <sys/ioctl.h>

#define LINE_MAX_BYTES 512
#define CLEAR	       "\r\033[K" /* EL: erase to the end of the line (ECMA-48) */

struct live_way {
	double interval_s; /* between two lines; 0: every update */
	void (*progress)(struct live *l, const struct live_state *s);
	void (*event)(struct live *l, const struct finding *f, const char *text);
	void (*close)(struct live *l, const struct run_result *r);
};

struct live {
	FILE *out;
	const struct live_way *way;
	bool quiet, shown; /* shown: a live line is on the terminal */
	bool any;	   /* of the updates there was one */
	double next_s;	   /* elapsed time of the next line */
	char phase[16];	   /* of the last line: a new one is shown at once */
	char line[LINE_MAX_BYTES];
};

static unsigned int width_of(FILE *out)
{
	struct winsize ws;

	if (ioctl(fileno(out), TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
		return ws.ws_col;
	return 80;
}

/* "01:05", "1:02:03" */
static const char *clock_text(char buf[PEOPLE_MAX], double seconds)
{
	unsigned long long s = seconds > 0 ? (unsigned long long)seconds : 0;

	if (s < 3600)
		snprintf(buf, PEOPLE_MAX, "%02llu:%02llu", s / 60, s % 60);
	else
		snprintf(buf, PEOPLE_MAX, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	return buf;
}

enum part { PART_PHASE, PART_LEFT, PART_OPS, PART_FAULTS, PART_OVERLAPS, PART_FINDINGS, PARTS };

static void fill_parts(char parts[PARTS][64], const struct live_state *s)
{
	char a[PEOPLE_MAX], b[PEOPLE_MAX];

	snprintf(parts[PART_PHASE], 64, "%s %s", s->phase ? s->phase : "run",
		 clock_text(a, s->elapsed_s));
	if (s->left_s >= 0)
		snprintf(parts[PART_LEFT], 64, "left %s", clock_text(a, s->left_s));
	snprintf(parts[PART_OPS], 64, "%s ops (%s/s)", people_count(a, s->ops),
		 people_count(b, s->ops_per_s));
	snprintf(parts[PART_FAULTS], 64, "faults %s", people_count(a, s->faults));
	snprintf(parts[PART_OVERLAPS], 64, "overlaps %s", people_count(a, s->overlaps));
	snprintf(parts[PART_FINDINGS], 64, "findings %s", people_count(a, s->findings));
}

/* One line of at most @width columns. What is least missed goes first. */
static void format_line(char line[LINE_MAX_BYTES], const struct live_state *s, size_t width)
{
	static const enum part least_first[] = { PART_OVERLAPS, PART_FAULTS, PART_OPS, PART_LEFT,
						 PART_PHASE };
	char parts[PARTS][64] = { { 0 } };
	size_t len = 0;

	fill_parts(parts, s);
	for (size_t drop = 0; drop <= ARRAY_SIZE(least_first); drop++) {
		len = 0;
		line[0] = '\0';
		for (int p = 0; p < PARTS; p++)
			if (*parts[p])
				len += (size_t)snprintf(line + len, LINE_MAX_BYTES - len, "%s%s",
							len ? "  " : "", parts[p]);
		if (len <= width)
			return;
		if (drop < ARRAY_SIZE(least_first))
			parts[least_first[drop]][0] = '\0';
	}
	line[MIN(len, width)] = '\0';
}

static void tty_progress(struct live *l, const struct live_state *s)
{
	/* The last column stays free: some terminals wrap when it is filled. */
	format_line(l->line, s, width_of(l->out) - 1);
	fprintf(l->out, CLEAR "%s", l->line);
	l->shown = true;
}

static void log_progress(struct live *l, const struct live_state *s)
{
	format_line(l->line, s, LINE_MAX_BYTES - 1);
	fprintf(l->out, "%s\n", l->line);
}

static void text_event(struct live *l, const struct finding *f, const char *text)
{
	if (l->shown)
		fputs(CLEAR, l->out);
	if (f)
		fprintf(l->out, "%s: ", finding_infos[f->kind].name);
	put_text(l->out, text, MEDIUM_TERMINAL);
	fputc('\n', l->out);
	if (l->shown)
		fputs(l->line, l->out);
}

static void text_close(struct live *l, const struct run_result *r)
{
	(void)r;
	if (l->shown)
		fputc('\n', l->out);
}

/* Takes the reference. */
static void put_object(struct live *l, json_t *object)
{
	if (object) {
		json_dumpf(object, l->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
		fputc('\n', l->out);
	}
	json_decref(object);
}

static json_t *number(u64 v)
{
	return json_integer((json_int_t)MIN(v, (u64)INT64_MAX));
}

static void json_progress(struct live *l, const struct live_state *s)
{
	put_object(l, json_pack("{ss ss sf so so so so so so so}", "type", "progress", "phase",
				s->phase ? s->phase : "run", "elapsed_s", s->elapsed_s, "left_s",
				s->left_s < 0 ? json_null() : json_real(s->left_s), "ops",
				number(s->ops), "ops_per_s", number(s->ops_per_s), "faults",
				number(s->faults), "overlaps", number(s->overlaps), "findings",
				number(s->findings), "klog_events", number(s->klog_events)));
}

static void json_event(struct live *l, const struct finding *f, const char *text)
{
	if (f)
		put_object(l,
			   json_pack("{ss so}", "type", "finding", "finding", finding_to_json(f)));
	else
		put_object(l, json_pack("{ss so}", "type", "event", "text", json_text(text)));
}

static void json_close(struct live *l, const struct run_result *r)
{
	if (r)
		put_object(l,
			   json_pack("{ss ss si so so sf so so so}", "type", "result", "verdict",
				     verdict_names[r->verdict], "exit", r->exit, "reason",
				     *r->reason ? json_text(r->reason) : json_null(), "seed",
				     number(r->seed), "duration_s", r->duration_s, "counts",
				     counts_to_json(r), "run_dir",
				     *r->run_dir ? json_text(r->run_dir) : json_null(), "reproduce",
				     *r->reproduce ? json_text(r->reproduce) : json_null()));
}

enum { WAY_TERMINAL, WAY_LOG, WAY_JSON };
static const struct live_way ways[] = {
	[WAY_TERMINAL] = { 0, tty_progress, text_event, text_close },
	[WAY_LOG] = { 10, log_progress, text_event, text_close },
	[WAY_JSON] = { 1, json_progress, json_event, json_close },
};

/* A terminal that can erase a line; NO_COLOR is about colours and does not matter here. */
bool live_rewrites(FILE *out)
{
	const char *term = getenv("TERM");

	return fileno(out) >= 0 && isatty(fileno(out)) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

struct live *live_open(FILE *out, bool json, bool quiet)
{
	struct live *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->out = out;
	l->quiet = quiet && !json;
	l->way = &ways[json ? WAY_JSON : live_rewrites(out) ? WAY_TERMINAL : WAY_LOG];
	return l;
}

void live_update(struct live *l, const struct live_state *s)
{
	const char *phase = s->phase ? s->phase : "run";

	if (!l || l->quiet)
		return;
	if (l->any && s->elapsed_s < l->next_s && !strcmp(phase, l->phase))
		return;
	l->way->progress(l, s);
	l->any = true;
	l->next_s = s->elapsed_s + l->way->interval_s;
	snprintf(l->phase, sizeof(l->phase), "%s", phase);
	fflush(l->out);
}

void live_event(struct live *l, const struct finding *finding, const char *text)
{
	if (!l || l->quiet)
		return;
	l->way->event(l, finding, text ? text : finding ? finding->sentence : "");
	fflush(l->out);
}

void live_close(struct live *l, const struct run_result *r)
{
	if (!l)
		return;
	l->way->close(l, r);
	fflush(l->out);
	free(l);
}
