// SPDX-License-Identifier: GPL-2.0-or-later
/* Gathers the lines of a report. Which line is what comes from the rule table and the few
 * markers below; titles and events are made by others. */
#include "klog/splat.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a caller may be silent in the middle. A backtrace of all CPUs over a slow console
 * takes longest; a single line only waits for a stack dump that printk may still be storing. */
static const u64 quiet_ns[UNTILS] = {
	[UNTIL_OTHER] = 50 * NSEC_PER_MSEC,
	[UNTIL_ALIEN] = 500 * NSEC_PER_MSEC,
	[UNTIL_FRAME] = 2 * NSEC_PER_SEC,
	[UNTIL_TRACE] = 2 * NSEC_PER_SEC,
};

static const char *const dump_prefixes[] = {
#include "klog/dump.def"
};

/* Sixteen and more of '=' and nothing else: the frame of the sanitizers, lockdep and SLUB. */
static bool is_frame(const char *text)
{
	size_t n = strspn(text, "=");

	return n >= 16 && !text[n];
}

static bool is_cut(const char *text)
{
	return !strncmp(text, "------------[ cut here ]", 24);
}

static bool is_end(const char *text)
{
	return !strncmp(text, "---[ end ", 9);
}

static bool starts_stack(const char *text)
{
	return !strncasecmp(text, "Call trace", 10) || !strncmp(text, "RIP: ", 5) ||
	       !strncmp(text, "pc : ", 5);
}

static bool is_dump(const char *text)
{
	if (isblank((unsigned char)text[0]) || !text[0])
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(dump_prefixes); i++)
		if (!strncmp(text, dump_prefixes[i], strlen(dump_prefixes[i])))
			return true;
	return false;
}

static void splat_free(struct splat *s)
{
	for (size_t i = 0; i < s->nlines; i++)
		free(s->lines[i]);
	free(s->lines);
	free(s->anchor);
	free(s);
}

static void keep_line(struct splat *s, const char *text)
{
	char *copy = strdup(text);
	char **grown = copy ? reallocarray(s->lines, s->nlines + 1, sizeof(*grown)) : NULL;

	if (!grown) {
		free(copy);
		s->left_out++;
		return;
	}
	s->lines = grown;
	s->lines[s->nlines++] = copy;
	s->bytes += strlen(copy);
}

static void append(struct splat *s, const char *text, u64 time_ns)
{
	s->seen++;
	s->last_ns = time_ns;
	s->stack |= starts_stack(text);
	if (s->nlines < SPLAT_LINES_MAX && s->bytes < SPLAT_BYTES_MAX)
		keep_line(s, text);
	else
		s->left_out++;
}

static void set_rule(struct splat *s, int rule, const char *text)
{
	char *anchor = strdup(text);

	if (!anchor)
		return;
	free(s->anchor);
	s->anchor = anchor;
	s->rule = rule;
}

static void close_splat(struct splats *all, size_t i)
{
	struct splat *s = all->open[i];
	char note[64];

	all->open[i] = all->open[--all->nopen];
	if (s->left_out) {
		snprintf(note, sizeof(note), "... %llu lines left out",
			 (unsigned long long)s->left_out);
		keep_line(s, note);
	}
	if (s->rule != RULE_NONE)
		all->done(all->ctx, s);
	splat_free(s);
}

static size_t find_open(const struct splats *all, const char *caller)
{
	size_t i = 0;

	while (i < all->nopen && strcmp(all->open[i]->caller, caller))
		i++;
	return i;
}

static size_t oldest_open(const struct splats *all)
{
	size_t oldest = 0;

	for (size_t i = 1; i < all->nopen; i++)
		if (all->open[i]->last_ns < all->open[oldest]->last_ns)
			oldest = i;
	return oldest;
}

static void open_splat(struct splats *all, const char *caller, int rule, int until,
		       const char *text, u64 time_ns)
{
	struct splat *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	if (all->nopen == SPLATS_OPEN_MAX)
		close_splat(all, oldest_open(all));
	snprintf(s->caller, sizeof(s->caller), "%s", caller);
	s->rule = RULE_NONE;
	s->until = until;
	s->first_ns = time_ns;
	s->cut = is_cut(text);
	if (rule != RULE_NONE)
		set_rule(s, rule, text);
	append(s, text, time_ns);
	all->open[all->nopen++] = s;
}

static void open_if_known(struct splats *all, const char *caller, int rule, const char *text,
			  u64 time_ns)
{
	static const int until_of[] = {
		[SHAPE_LINE] = UNTIL_OTHER, [SHAPE_BLOCK] = UNTIL_ALIEN, [SHAPE_OOPS] = UNTIL_TRACE
	};

	if (is_cut(text))
		open_splat(all, caller, rule, UNTIL_TRACE, text, time_ns);
	else if (is_frame(text))
		open_splat(all, caller, RULE_NONE, UNTIL_FRAME, text, time_ns);
	else if (rule != RULE_NONE)
		open_splat(all, caller, rule, until_of[klog_rules[rule].shape], text, time_ns);
}

/* True when @text, a headline or an opening, starts another report than the open one. */
static bool starts_anew(const struct splat *s, int rule, const char *text)
{
	if (is_cut(text)) /* XFS and mm say why, and then WARN or BUG about it */
		return s->stack || s->cut || s->until == UNTIL_OTHER || s->rule == RULE_NONE;
	if (is_frame(text))
		return s->until != UNTIL_FRAME || s->rule == RULE_NONE;
	if (s->rule == RULE_NONE) /* a frame around nothing we know */
		return rule == RULE_NONE || klog_rules[rule].shape == SHAPE_LINE;
	if (rule == RULE_NONE)
		return s->until == UNTIL_OTHER && !is_dump(text) && !is_end(text);
	if (s->until == UNTIL_OTHER)
		return true;
	/* Before the stack, several headlines make one report; behind it there is a new one. A
	 * dump of a page in the middle ("page dumped because") is a headline only in front. */
	return (s->stack || rule == s->rule) && klog_rules[rule].shape != SHAPE_LINE &&
	       strncmp(text, "page dumped", 11);
}

static void take_headline(struct splat *s, int rule, const char *text)
{
	if (rule == RULE_NONE || (s->stack && s->rule != RULE_NONE))
		return;
	if (s->rule == RULE_NONE || rule < s->rule)
		set_rule(s, rule, text);
	if (klog_rules[rule].shape == SHAPE_OOPS)
		s->until = UNTIL_TRACE;
}

/* Add the line to the open splat; true when that was its last. */
static bool add_to(struct splat *s, int rule, const char *text, u64 time_ns)
{
	bool framed = s->until == UNTIL_FRAME && s->seen > 1;

	take_headline(s, rule, text);
	if (is_cut(text)) {
		s->cut = true;
		s->until = UNTIL_TRACE;
	}
	if (s->until == UNTIL_ALIEN && !is_dump(text) && rule == RULE_NONE && !is_end(text)) {
		if (!s->stack)
			append(s, text, time_ns);
		return ++s->aliens > ALIEN_MAX;
	}
	append(s, text, time_ns);
	s->aliens = 0;
	/* Lockdep does not close its frame: from here on it is a stack dump like others. */
	if (s->until == UNTIL_FRAME && !strncmp(text, "stack backtrace:", 16))
		s->until = UNTIL_ALIEN;
	return is_end(text) || (framed && is_frame(text)) || s->seen >= LINES_SEEN_MAX;
}

/* Stalled CPUs dump their stacks by NMI, each under its own caller id: those lines belong to the
 * report that asked for them. */
static bool join_stall(struct splats *all, const char *text, u64 time_ns)
{
	for (size_t i = all->nopen; i-- > 0;) {
		struct splat *s = all->open[i];

		if (s->until == UNTIL_ALIEN && s->rule != RULE_NONE &&
		    klog_rules[s->rule].finding == FINDING_KERNEL_HANG && is_dump(text)) {
			append(s, text, time_ns);
			return true;
		}
	}
	return false;
}

void splats_line(struct splats *all, const char *caller, const char *text, u64 time_ns)
{
	int rule = rules_match(all->rules, text);
	size_t i;

	splats_expire(all, time_ns);
	i = find_open(all, caller);
	if (i < all->nopen && starts_anew(all->open[i], rule, text)) {
		close_splat(all, i);
		i = all->nopen;
	}
	if (i == all->nopen && rule == RULE_NONE && join_stall(all, text, time_ns))
		return;
	if (i == all->nopen) {
		open_if_known(all, caller, rule, text, time_ns);
	} else if (rule != RULE_NONE && klog_rules[rule].shape == SHAPE_LINE) {
		/* An event of its own at once; the block goes on. */
		open_splat(all, "", rule, UNTIL_OTHER, text, time_ns);
		close_splat(all, all->nopen - 1);
	} else if (add_to(all->open[i], rule, text, time_ns)) {
		close_splat(all, i);
	}
}

void splats_expire(struct splats *all, u64 now_ns)
{
	for (size_t i = all->nopen; i-- > 0;)
		if (now_ns > all->open[i]->last_ns + quiet_ns[all->open[i]->until])
			close_splat(all, i);
}

u64 splats_deadline_ns(const struct splats *all)
{
	u64 first = 0;

	for (size_t i = 0; i < all->nopen; i++) {
		u64 t = all->open[i]->last_ns + quiet_ns[all->open[i]->until];

		first = first ? MIN(first, t) : t;
	}
	return first;
}

void splats_finish(struct splats *all)
{
	while (all->nopen)
		close_splat(all, oldest_open(all));
}
