// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What jobs say, byte by byte: figures and findings come of it, and nothing that a guest that runs
 * wild may write takes the daemon down, or grows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "daemon/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define PROGRESS                                                                                   \
	"{\"type\":\"progress\",\"phase\":\"run\",\"elapsed_s\":%d,\"left_s\":9,\"ops\":%d,"       \
	"\"overlaps\":3,\"faults\":4,\"findings\":0,\"klog_events\":5}\n"
#define FINDING "{\"type\":\"finding\",\"finding\":{\"kind\":\"zeroed\",\"sentence\":\"%s\"}}\n"

struct stage {
	struct daemon daemon;
	struct daemon_config config;
	struct entry entry;
	int out; /* our end: what the job would write to */
};

static int begin(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	int fds[2];

	assert_non_null(s);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
	assert_true(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
	s->out = fds[1];
	s->daemon.config = &s->config;
	s->daemon.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		s->daemon.clients[i].source.fd = -1;
	snprintf(s->daemon.dir, sizeof(s->daemon.dir), "/nonexistent");
	s->entry.job.id = 7;
	feed_open(&s->daemon, &s->entry, fds[0]);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct stage *s = *state;

	feed_free(&s->daemon, &s->entry);
	closep(&s->out);
	close(s->daemon.epoll);
	free(s);
	return 0;
}

/* As the loop would, until nothing is there to read. */
static void read_all(struct stage *s)
{
	struct epoll_event ev;

	while (epoll_wait(s->daemon.epoll, &ev, 1, 0) == 1) {
		struct source *source = ev.data.ptr;

		source->on(&s->daemon, source, ev.events);
	}
}

static void put(struct stage *s, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(s->out, text, len);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			read_all(s);
			continue;
		}
		text += n;
		len -= (size_t)n;
	}
	read_all(s);
}

static void __attribute__((format(printf, 2, 3))) say_line(struct stage *s, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(s, text, (size_t)n);
}

static void figures_come_of_it(void **state)
{
	struct stage *s = *state;
	const struct feed *f = s->entry.feed;

	assert_false(f->progressed);
	say_line(s, PROGRESS, 1, 1000);
	say_line(s, PROGRESS, 3, 5000);
	assert_true(f->progressed);
	assert_int_equal(f->now.ops, 5000);
	assert_int_equal(f->now.ops_per_s, 2000);
	assert_int_equal(f->now.overlaps, 3);
	assert_int_equal(f->now.faults, 4);
	assert_int_equal(f->now.klog_events, 5);
	assert_true(f->now.left_s > 8.9 && f->now.left_s < 9.1);
	/* The final check counts no operations; those that there were stay. */
	say_line(s, "{\"type\":\"progress\",\"phase\":\"verify\",\"elapsed_s\":4,\"ops\":0}\n");
	assert_int_equal(f->now.ops, 5000);
	assert_true(f->now.left_s < 0);
	assert_string_equal(f->phase, "verify");
}

static void bytes_come_as_they_like(void **state)
{
	struct stage *s = *state;
	char text[400];
	int n = snprintf(text, sizeof(text), PROGRESS FINDING PROGRESS, 1, 10, "gone", 2, 30);

	for (int i = 0; i < n; i++)
		put(s, text + i, 1);
	assert_int_equal(s->entry.feed->now.ops, 30);
	assert_int_equal(s->entry.feed->findings, 1);
	assert_string_equal(s->entry.feed->found[0].what, "zeroed");
	assert_string_equal(s->entry.feed->found[0].text, "gone");
}

static void what_is_no_such_line_is_nothing(void **state)
{
	static const char *const rows[] = {
		"\n",
		"hello\n",
		"{}\n",
		"[]\n",
		"null\n",
		"{\"type\":7}\n",
		"{\"type\":\"x\"}\n",
		"\xff\xfe\n",
		"{\"type\":\"finding\"}x\n",
		"{\"type\":\"progress\"\n",
		"{\"type\":\"progress\",\"type\":\"progress\"\n",
	};
	struct stage *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put(s, rows[i], strlen(rows[i]));
	put(s, "\0\0\0\n", 4);
	assert_false(s->entry.feed->progressed);
	assert_int_equal(s->entry.feed->findings, 0);
	say_line(s, PROGRESS, 1, 10);
	assert_int_equal(s->entry.feed->now.ops, 10);
}

static void values_of_other_types_are_zero(void **state)
{
	struct stage *s = *state;
	const struct feed *f = s->entry.feed;

	say_line(s, "{\"type\":\"progress\",\"phase\":[],\"elapsed_s\":\"x\",\"left_s\":-5,"
		    "\"ops\":-7,\"faults\":1.5,\"overlaps\":null}\n");
	assert_true(f->progressed);
	assert_int_equal(f->now.ops, 0);
	assert_true(f->now.left_s == 0 && f->now.elapsed_s == 0);
	say_line(s, "{\"type\":\"progress\",\"elapsed_s\":1e300,\"left_s\":1e300,"
		    "\"ops\":9223372036854775807}\n");
	assert_true(f->now.elapsed_s <= 1e9 && f->now.left_s <= 1e9);
	say_line(s, "{\"type\":\"progress\",\"elapsed_s\":0.0,\"ops\":1}\n");
	assert_int_equal(f->now.ops_per_s, 0);
	say_line(s, "{\"type\":\"finding\",\"finding\":7}\n");
	assert_int_equal(f->findings, 1);
	assert_string_equal(f->found[0].text, "");
}

/* Passed over to its end, and what follows is a line again. */
static void a_line_without_end_is_not_kept(void **state)
{
	static char much[64 * 1024];
	struct stage *s = *state;

	memset(much, '[', sizeof(much));
	for (int i = 0; i < 256; i++) {
		put(s, much, sizeof(much));
		assert_true(s->entry.feed->size <= 8 * MIB);
	}
	assert_true(s->entry.feed->len <= DAEMON_MESSAGE_MAX);
	say_line(s, "\n" PROGRESS, 1, 10);
	assert_int_equal(s->entry.feed->now.ops, 10);
}

static void findings_are_kept_up_to_a_limit(void **state)
{
	struct stage *s = *state;
	const struct feed *f = s->entry.feed;

	for (int i = 0; i < 1000; i++)
		say_line(s, FINDING, "some");
	assert_int_equal(f->nfound, FEED_FOUND);
	assert_int_equal(f->findings, 1000);
}

/* Cut where a character ends. */
static void long_text_is_cut(void **state)
{
	struct stage *s = *state;
	char text[2001] = "";

	for (int i = 0; i < 1000; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 2);
	say_line(s, "{\"type\":\"finding\",\"finding\":{\"sentence\":\"x%.2000s\"}}\n", text);
	assert_int_equal(strlen(s->entry.feed->found[0].text), FEED_TEXT - 1);
	say_line(s, "{\"type\":\"finding\",\"finding\":{\"sentence\":\"%.2000s\"}}\n", text);
	assert_int_equal(strlen(s->entry.feed->found[1].text), FEED_TEXT - 2);
}

static void cells_are_counted_and_named(void **state)
{
	static const char cell[] =
		"{\"type\":\"cell\",\"cells\":5,\"id\":\"%s\",\"scenario\":\"s\",\"target\":\"t\","
		"\"kernel\":\"k\",\"seed\":%d,\"state\":\"%s\",\"exit\":%d,\"text\":\"%s\"}\n";
	struct stage *s = *state;
	const struct feed *f = s->entry.feed;
	char matrix[] = "/m";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	s->entry.job.spec.matrix = matrix;
	say_line(s, cell, "a", 1, "running", -1, "");
	say_line(s, cell, "b", 2, "running", -1, "");
	assert_int_equal(f->nrunning, 2);
	say_line(s, cell, "a", 1, "finished", 1, "fail: it is gone");
	assert_int_equal(f->nrunning, 1);
	assert_string_equal(f->running[0].name, "s on t, kernel k, seed 2");
	say_line(s, cell, "b", 2, "finished", 0, "pass");
	say_line(s, cell, "c", 3, "lost", -1, "went down");
	say_line(s, cell, "d", 4, "finished", 4, "skip");
	for (int i = 0; i < 100; i++)
		say_line(s, cell, "e", 5, "running", -1, "");
#pragma GCC diagnostic pop
	assert_int_equal(f->nrunning, 1);
	assert_int_equal(f->cells, 5);
	assert_int_equal(f->passed, 1);
	assert_int_equal(f->failed, 2);
	assert_int_equal(f->other, 1);
	assert_string_equal(f->found[0].what, "s on t, kernel k, seed 1");
	assert_string_equal(f->found[0].text, "it is gone");
	assert_string_equal(f->found[1].text, "went down");
	say_line(s, "{\"type\":\"result\",\"cells\":5,\"findings\":2,\"lost\":1,\"passed\":1,"
		    "\"skipped\":1,\"incomplete\":0,\"left\":1}\n");
	assert_string_equal(f->outcome, "5 cells: 2 with findings (1 lost with their machine), 1 "
					"passed, 1 skipped, 0 incomplete, 1 left");
}

static void what_is_left_in_the_pipe_is_taken(void **state)
{
	struct stage *s = *state;
	char text[400];
	int n = snprintf(text, sizeof(text), PROGRESS FINDING, 1, 10, "late");

	assert_int_equal(write(s->out, text, (size_t)n), n);
	feed_end(&s->daemon, &s->entry);
	assert_int_equal(s->entry.feed->findings, 1);
	assert_int_equal(s->entry.feed->source.fd, -1);
	/* Another attempt begins with nothing. */
	feed_open(&s->daemon, &s->entry, -1);
	assert_int_equal(s->entry.feed->findings, 0);
	assert_false(s->entry.feed->progressed);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(figures_come_of_it),
		TEST(bytes_come_as_they_like),
		TEST(what_is_no_such_line_is_nothing),
		TEST(values_of_other_types_are_zero),
		TEST(a_line_without_end_is_not_kept),
		TEST(findings_are_kept_up_to_a_limit),
		TEST(long_text_is_cut),
		TEST(cells_are_counted_and_named),
		TEST(what_is_left_in_the_pipe_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
