// SPDX-License-Identifier: GPL-2.0-or-later
/* The live line: rewritten and within the width on a terminal, paced elsewhere, parsable as JSON.
 */
#include "report_sample.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct live_state state_at_12 = {
	.elapsed_s = 12,
	.left_s = 18,
	.ops = 492000,
	.ops_per_s = 41000,
	.faults = 3,
	.overlaps = 12,
	.findings = 1,
	.phase = "run",
};

#define LINE_AT_12 "run 00:12  left 00:18  492 k ops (41 k/s)  faults 3  overlaps 12  findings 1"

struct screen {
	int master;
	FILE *out;
};

/* A terminal of @columns, raw, so that what is written is what is read. */
static struct screen screen_open(unsigned short columns)
{
	struct winsize ws = { .ws_col = columns, .ws_row = 24 };
	struct screen sc = { .master = posix_openpt(O_RDWR | O_NOCTTY) };
	struct termios t;
	int fd;

	assert_true(sc.master >= 0 && grantpt(sc.master) == 0 && unlockpt(sc.master) == 0);
	fd = open(ptsname(sc.master), O_RDWR | O_NOCTTY);
	assert_true(fd >= 0 && tcgetattr(fd, &t) == 0);
	cfmakeraw(&t);
	assert_int_equal(tcsetattr(fd, TCSANOW, &t), 0);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &ws), 0);
	sc.out = fdopen(fd, "w");
	assert_non_null(sc.out);
	return sc;
}

/* Exactly @want comes next, in however many pieces, and nothing behind it. */
static void screen_expect(const struct screen *sc, const char *want)
{
	struct pollfd p = { .fd = sc->master, .events = POLLIN };
	char buf[1024] = "";
	size_t len = 0;
	int left = 0;

	while (len < strlen(want)) {
		ssize_t n = poll(&p, 1, 10000) == 1
				    ? read(sc->master, buf + len, sizeof(buf) - 1 - len)
				    : -1;

		if (n <= 0)
			fail_msg("only \"%s\" came of \"%s\"", buf, want);
		len += (size_t)n;
		buf[len] = '\0';
	}
	assert_string_equal(buf, want);
	assert_int_equal(ioctl(sc->master, FIONREAD, &left), 0);
	assert_int_equal(left, 0);
}

static void screen_close(struct screen *sc)
{
	fclose(sc->out);
	close(sc->master);
}

static void terminal(void **state)
{
	struct screen sc = screen_open(80);
	struct live *l;

	(void)state;
	l = live_open(sc.out, false, false);
	live_update(l, &state_at_12);
	screen_expect(&sc, "\r\033[K" LINE_AT_12);
	/* an event stands above the live line, which comes back below it */
	live_event(l, NULL, "a\033[2Jb");
	screen_expect(&sc, "\r\033[Ka\\u001b[2Jb\n" LINE_AT_12);
	live_close(l, NULL);
	screen_expect(&sc, "\n");
	screen_close(&sc);
}

/* What is left at each width; findings go last. */
static void narrow_terminal(void **state)
{
	static const struct {
		unsigned short columns;
		const char *line;
	} rows[] = {
		{ 70, "\r\033[Krun 00:12  left 00:18  492 k ops (41 k/s)  faults 3  findings 1" },
		{ 40, "\r\033[Krun 00:12  left 00:18  findings 1" },
		{ 12, "\r\033[Kfindings 1" },
		{ 5, "\r\033[Kfind" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct screen sc = screen_open(rows[i].columns);
		struct live *l = live_open(sc.out, false, false);

		live_update(l, &state_at_12);
		screen_expect(&sc, rows[i].line);
		live_close(l, NULL);
		screen_close(&sc);
	}
}

static void colour_is_wanted(void **state)
{
	struct screen sc = screen_open(80);
	FILE *null = fopen("/dev/null", "w");

	(void)state;
	assert_true(want_colour(sc.out));
	assert_false(want_colour(null));
	setenv("NO_COLOR", "1", 1);
	assert_false(want_colour(sc.out));
	setenv("NO_COLOR", "", 1); /* no-color.org: present and not empty */
	assert_true(want_colour(sc.out));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(want_colour(sc.out));
	setenv("TERM", "xterm", 1);
	fclose(null);
	screen_close(&sc);
}

/* Run 25 s in steps of a tenth into memory, with one event; the text is owned by the caller. */
static char *feed(bool json, bool quiet)
{
	struct sample *s = sample_new(1);
	struct live_state st = state_at_12;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct live *l = live_open(out, json, quiet);

	st.left_s = -1;
	for (int i = 0; i <= 250; i++) {
		st.elapsed_s = i / 10.0;
		live_update(l, &st);
	}
	st.phase = "verify";
	live_update(l, &st);
	live_event(l, s->findings[0], NULL);
	live_event(l, NULL, EVIL);
	live_close(l, &s->r);
	fclose(out);
	sample_free(s);
	return text;
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	return n;
}

static void log_lines(void **state)
{
	char *text = feed(false, false), *quiet = feed(false, true);

	(void)state;
	assert_int_equal(count_of(text, "\nrun 00:"), 2); /* 10 and 20; the one at 0 is first */
	assert_memory_equal(text, "run 00:00  492 k ops", 20);
	assert_int_equal(count_of(text, "\nverify 00:25"), 1);
	assert_has(text, "\nzeroed: data cell 812");
	assert_has_not(text, "\033");
	assert_has_not(text, "\r");
	assert_string_equal(quiet, "");
	free(text);
	free(quiet);
}

static void json_lines(void **state)
{
	char *text = feed(true, true), *save = NULL;
	size_t progress = 0, findings = 0, events = 0, results = 0;
	const char *type = "";

	(void)state;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(line, 0, NULL);

		assert_non_null(j);
		type = json_string_value(json_object_get(j, "type"));
		progress += !strcmp(type, "progress");
		findings += !strcmp(type, "finding");
		events += !strcmp(type, "event");
		results += !strcmp(type, "result");
		if (!strcmp(type, "result"))
			assert_string_equal(json_string_value(json_object_get(j, "verdict")),
					    "fail");
		json_decref(j);
	}
	assert_int_equal(progress, 27); /* 0 to 25, and the change of phase */
	assert_int_equal(findings, 1);
	assert_int_equal(events, 1);
	assert_int_equal(results, 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal),	    cmocka_unit_test(narrow_terminal),
		cmocka_unit_test(colour_is_wanted), cmocka_unit_test(log_lines),
		cmocka_unit_test(json_lines),
	};

	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
