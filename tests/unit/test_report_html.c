// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * report.html of planted findings, judged by check_page.py against result.json: parts, numbers,
 * order on the axis, nothing from elsewhere; whatever foreign texts hold, they stay texts. Skipped
 * (77) without python3.
 */
#include "report_sample.h"

#include "report/axis.h"
#include "report/chars.h"
#include "report/mail.h"

#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK "python3 " SOURCE_DIR "/tests/unit/check_page.py "
#define HOSTILE                                                                                    \
	"</script></pre><script>alert(1)</script><img src=x onerror=alert(1)> \xe2\x80\xae&amp;"

static int __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char command[1024];
	int status;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Write both into a directory of their own, change the page by the sed command @edit, judge. */
static int judge_edited(struct sample *s, const char *edit)
{
	char dir[] = "/tmp/stressd-page-XXXXXX";
	struct err e = { "" };
	int r;

	assert_non_null(mkdtemp(dir));
	snprintf(s->r.run_dir, sizeof(s->r.run_dir), "%s", dir);
	assert_int_equal(report_write_all(&s->r, &e), 0);
	assert_int_equal(run("sed -i '%s' %s/report.html", edit, dir), 0);
	r = run(CHECK "%s%s", dir, *edit ? " 2>/dev/null" : "");
	if (r == 0 && system("xmllint --version >/dev/null 2>&1") == 0)
		assert_int_equal(run("xmllint --noout %s/report.html", dir), 0);
	assert_int_equal(run("rm -r %s", dir), 0);
	return r;
}

static int judge(struct sample *s)
{
	return judge_edited(s, "");
}

static void planted(void **state)
{
	static const size_t numbers[] = { 0, 1, 2, 30 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct sample *s = sample_new(numbers[i]);
		char *text;

		assert_int_equal(judge(s), 0);
		text = sample_render(s, "html");
		if (numbers[i])
			assert_has(text, "store 31 by mmap_writer.0 is gone");
		else
			assert_has(text,
				   "Nothing was found in 29.30 s: 1.2 M operations by 2 workers");
		free(text);
		sample_free(s);
	}
}

/* Every kind has its plain words; findings without a cell or a timeline have a page, too. */
static void every_kind(void **state)
{
	(void)state;
	for (int kind = 0; kind < FINDING_KINDS; kind++) {
		struct sample *s = sample_new(1);

		s->f[0].kind = kind;
		if (kind >= FINDING_READ_ERROR) {
			s->f[0].has_cell = false;
			memset(s->f[0].layers, 0, sizeof(s->f[0].layers));
			s->f[0].timeline = kind % 2 ? &s->timeline : NULL;
			strcpy(s->f[0].title, "WARNING in iomap_thing");
		}
		assert_int_equal(judge(s), 0);
		sample_free(s);
	}
}

static void other_verdicts(void **state)
{
	static const struct {
		int verdict;
		const char *says;
	} rows[] = {
		{ VERDICT_SKIP, "Not run: this machine lacks something: because." },
		{ VERDICT_ERROR, "says nothing of the kernel: because." },
		{ VERDICT_INCOMPLETE, "no pass: because." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sample *s = sample_new(0);
		char *text;

		s->r.verdict = rows[i].verdict;
		strcpy(s->r.reason, "because");
		text = sample_render(s, "html");
		assert_has(text, rows[i].says);
		free(text);
		assert_int_equal(judge(s), 0);
		sample_free(s);
	}
}

static void hostile(void **state)
{
	struct sample *s = sample_new(2);
	char *text;

	(void)state;
	sample_make_evil(s);
	assert_int_equal(judge(s), 0);
	strcpy(s->f[0].sentence, HOSTILE);
	strcpy(s->f[0].title, HOSTILE);
	s->f[0].log[1] = s->notes[0] = HOSTILE;
	strcpy(s->f[0].layers[LAYER_CACHE].text, HOSTILE);
	strcpy(s->f[0].found_text, "<script>");
	strcpy(s->timeline.lanes[0], "<script>alert(2)</script>");
	strcpy(s->timeline.ops[0].text, "<svg onload=alert(3)>");
	s->sc.name = s->sc.description = HOSTILE;
	strcpy(s->output.name, "\"><script>.json");
	text = sample_render(s, "html");
	assert_has_not(text, "<script>");
	assert_has_not(text, "<img");
	assert_has_not(text, "\xe2\x80\xae");
	assert_has(text, "&lt;img src=x onerror=alert(1)&gt; \\u202e&amp;amp;");
	free(text);
	strcpy(s->output.name, "fio.3.json");
	assert_int_equal(judge(s), 0);
	sample_free(s);
}

/* The judge must be able to say no. */
static void judge_refuses(void **state)
{
	static const char *const edits[] = {
		"s/ value=\"1205000\"/ value=\"1205001\"/", /* a number */
		"s/is gone; the page/is here; the page/",   /* the sentence */
		"s/class=\"op W write/class=\"up W write/", /* a bar */
		"s/class=\"band\"/class=\"bond\"/",
		"s/<b>11 11 13/<b>11 12 13/",
		"s/- +0016/- +0017/",
		"s,<p class=\"plain\">,<p class=\"plain\" onclick=\"x()\">,",
		"s,</footer>,</footer><script>1</script>,",
		"s,</footer>,<b></footer></b>,",
		"s,</footer>,</footer><a href=\"//x.kernel.org/\">a</a>,",
		"s/<li class=\"good\">/<li class=\"bad\">/",
		"s/mail\"/male\"/",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		struct sample *s = sample_new(1);

		if (judge_edited(s, edits[i]) == 0)
			fail_msg("%s was not seen", edits[i]);
		sample_free(s);
	}
}

/* Order and overlap stay, however far apart the moments are; what is cut is long, and empty. */
static void axis(void **state)
{
	static const u64 moments[] = {
		5, 1000, 1100, 1150, 2000000, 2000100, 9000000000, 9000000040
	};
	struct axis a = { .n = 0 };

	(void)state;
	for (size_t i = ARRAY_SIZE(moments); i-- > 0;)
		axis_add(&a, moments[i]);
	axis_add(&a, 1000);
	axis_lay(&a);
	assert_int_equal(a.n, ARRAY_SIZE(moments));
	for (size_t i = 1; i < ARRAY_SIZE(moments); i++)
		assert_true(axis_place(&a, moments[i]) > axis_place(&a, moments[i - 1]));
	assert_true(axis_place(&a, 5) > 0 && axis_place(&a, 9000000040) < 1);
	assert_true(axis_is_cut(&a, 3) && axis_is_cut(&a, 5) && !axis_is_cut(&a, 1));
	/* linear where it is not cut */
	assert_true(fabs(2 * (axis_place(&a, 1150) - axis_place(&a, 1100)) -
			 (axis_place(&a, 1100) - axis_place(&a, 1000))) < 1e-9);
	/* Many long stretches must not take the room of what it is about. */
	a = (struct axis){ .focus_from = 40000000000, .focus_to = 40000001000 };
	for (u64 i = 0; i < 40; i++)
		axis_add(&a, i * NSEC_PER_SEC);
	axis_add(&a, a.focus_from);
	axis_add(&a, a.focus_to);
	axis_lay(&a);
	assert_true(axis_place(&a, a.focus_to) - axis_place(&a, a.focus_from) > 0.03);
	assert_true(axis_place(&a, a.focus_from) < 0.96);
	a = (struct axis){ .n = 0 };
	axis_add(&a, 7);
	axis_lay(&a);
	assert_true(axis_place(&a, 7) == 0.5 && axis_step(&a, 0.1) >= 1);
}

/* What is pasted into a mail keeps to its width, but for commands, and has the facts. */
static void mail(void **state)
{
	struct sample *s = sample_new(1);
	char *text = NULL, *end;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	report_mail(&s->r, out);
	assert_int_equal(fclose(out), 0);
	assert_has(text, "Subject: [BUG] xfs: zeroed (zeros where data must be)\n");
	assert_has(text, "must be      generation 31 by mmap_writer.0\n");
	assert_has(text, "  cache      WRONG  zeros\n");
	assert_has(text, "\n  stressd run --run-dir again scenario.json\n");
	for (char *line = strchr(text, '\n') + 1; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (end - line > 90)
			fail_msg("%.*s", (int)(end - line), line);
	}
	free(text);
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planted),	  cmocka_unit_test(every_kind),
		cmocka_unit_test(other_verdicts), cmocka_unit_test(hostile),
		cmocka_unit_test(judge_refuses),  cmocka_unit_test(axis),
		cmocka_unit_test(mail),
	};

	if (system("python3 -c 'import xml.etree' 2>/dev/null") != 0) {
		fputs("python3 is missing\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
