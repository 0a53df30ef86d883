// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's socket from outside: garbage, half lines, lines without end, a thousand clients,
 * readers who do not read, users without rights, and what the service manager is told.
 */
#include "daemon_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	(1 << 20)
#define CLIENTS 1000
#define SERVED	64
/* AddressSanitizer keeps what was freed, up to 256 MB of it. */
#ifdef __SANITIZE_ADDRESS__
#define KEPT_KIB (512 * 1024)
#else
#define KEPT_KIB (64 * 1024)
#endif

static int start(void **state)
{
	(void)state;
	return lab_begin("socket", "", NULL);
}

static json_int_t queued_or_running(void)
{
	json_t *o = lab_ask(&lab, "{\"command\":\"status\"}");
	json_int_t n = json_integer_value(json_object_get(o, "queued")) +
		       json_integer_value(json_object_get(o, "running"));

	json_decref(o);
	return n;
}

static void garbage_is_answered_and_survived(void **state)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{ "", "request:1: /: " },
		{ "hello", "request:1: /: " },
		{ "{\"command\":\"status\"", "expected" },
		{ "[]", "/command: nothing is no command; expected submit, cancel" },
		{ "{\"command\":7}", "/command: 7 is no command" },
		{ "{\"command\":\"stats\"}", "/command: \"stats\" is no command" },
		{ "{\"command\":\"status\",\"idd\":1}",
		  "/idd: unknown key (did you mean \"id\"?)" },
		{ "{\"command\":\"cancel\"}", "key \"id\" is missing" },
		{ "{\"command\":\"cancel\",\"id\":77}", "/id: there is no job 77" },
		{ "{\"command\":\"submit\"}", "either \"scenario\" or \"matrix\"" },
		{ "{\"command\":\"submit\",\"scenario\":{\"version\":1}}", "scenario:" },
		{ "{\"command\":\"submit\",\"scenario\":\"x.json\"}", "the absolute path of one" },
		{ "{\"command\":\"submit\",\"scenario\":\"/dev/zero\"}", "no regular file" },
		{ "{\"command\":\"submit\",\"scenario\":\"/nonexistent\"}", "cannot be read" },
		{ "{\"command\":\"submit\",\"matrix\":\"/nonexistent\"}", "cannot be read" },
		{ "{\"command\":\"status\",\"command\":\"status\"}", "request:1: " },
		{ "\xff\xfe{\x01", "request:1: " },
	};
	int fd = lab_connect(&lab);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *o;
		const char *text;

		lab_put(fd, rows[i].line, strlen(rows[i].line));
		lab_put(fd, "\n", 1);
		o = json_loads(lab_line(fd), 0, NULL);
		text = json_string_value(json_object_get(o, "text"));
		if (!text || !strstr(text, rows[i].answer))
			fail_msg("'%s' is answered '%s'", rows[i].line, text ? text : "nothing");
		assert_int_equal(json_integer_value(json_object_get(o, "exit")), 2);
		json_decref(o);
	}
	close(fd);
	assert_int_equal(queued_or_running(), 0);
}

/* Deeper than any parser of ours goes; it says so. */
static void deep_nesting_is_refused(void **state)
{
	static char text[100001];
	int fd = lab_connect(&lab);

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\n';
	lab_put(fd, text, sizeof(text));
	assert_non_null(strstr(lab_line(fd), "nested less deeply"));
	close(fd);
}

/* What has no end of line is no request, whatever it would mean. */
static void half_a_line_is_no_request(void **state)
{
	char text[3000];
	int fd = lab_connect(&lab);

	(void)state;
	snprintf(text, sizeof(text), "{\"command\":\"submit\",\"scenario\":%s}",
		 lab_scenario(&lab, LAB_SHORT));
	lab_put(fd, text, strlen(text));
	shutdown(fd, SHUT_WR);
	assert_string_equal(lab_line(fd), "");
	close(fd);
	assert_int_equal(queued_or_running(), 0);
}

static void a_line_in_pieces_is_one(void **state)
{
	static const char text[] = "{\"command\":\"status\"}\n";
	int fd = lab_connect(&lab);

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		lab_put(fd, text + i, 1);
	assert_non_null(strstr(lab_line(fd), "\"type\":\"result\""));
	close(fd);
}

/* A line as long as may be is read; one byte more gets one error and the end. */
static void lines_have_a_limit(void **state)
{
	static char text[MIB + 2];
	static const char request[] = "{\"command\":\"status\"}";

	(void)state;
	for (int more = 0; more < 2; more++) {
		int fd = lab_connect(&lab);
		size_t len = MIB + (size_t)more;

		memset(text, ' ', len);
		memcpy(text, request, sizeof(request) - 1);
		text[len] = '\n';
		lab_put(fd, text, len + 1);
		if (!more) {
			assert_non_null(strstr(lab_line(fd), "\"type\":\"result\""));
		} else {
			assert_non_null(strstr(lab_line(fd), "a line of more than 1M"));
			assert_string_equal(lab_line(fd), "");
		}
		close(fd);
	}
	assert_int_equal(queued_or_running(), 0);
}

static void the_65th_client_is_told(void **state)
{
	static int fds[CLIENTS];
	struct rlimit limit = { 2 * CLIENTS, 2 * CLIENTS };
	int served = 0, told = 0;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		skip();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = lab_connect(&lab);
		assert_true(fds[i] >= 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		const char *line;

		lab_put(fds[i], "{\"command\":\"status\"}\n", 21);
		line = lab_line(fds[i]);
		served += strstr(line, "\"type\":\"result\"") != NULL;
		told += strstr(line, "64 clients are connected") != NULL;
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	assert_int_equal(served, SERVED);
	assert_int_equal(told, CLIENTS - SERVED);
}

static bool has_room(void *ctx)
{
	int fd = lab_connect(&lab);
	bool yes;

	(void)ctx;
	lab_put(fd, "{\"command\":\"status\"}\n", 21);
	yes = strstr(lab_line(fd), "\"type\":\"result\"");
	close(fd);
	return yes;
}

static void when_they_have_gone_there_is_room(void **state)
{
	(void)state;
	assert_true(e2e_until(has_room, NULL, LAB_LIMIT));
}

static long rss_kib(pid_t pid)
{
	char path[64], line[200];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmRSS: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

/* It asks and asks and reads nothing: dropped, and others never waited for it. */
static void who_does_not_read_is_dropped(void **state)
{
	int fd = lab_connect(&lab);
	long before = rss_kib(lab.run.pid);
	bool dropped = false;

	(void)state;
	for (int i = 0; i < 2000000 && !dropped; i++)
		dropped = send(fd, "x\nx\nx\nx\n", 8, MSG_NOSIGNAL) < 0 &&
			  (errno == EPIPE || errno == ECONNRESET);
	assert_true(dropped);
	assert_int_equal(queued_or_running(), 0);
	assert_true(rss_kib(lab.run.pid) < before + KEPT_KIB);
	close(fd);
}

static void the_idle_are_closed_and_watchers_are_not(void **state)
{
	int idle, half, watcher;

	lab_end(state);
	lab_init(&lab, "idle", ", \"idle\": \"300ms\"");
	lab_start(&lab);
	watcher = lab_connect(&lab);
	lab_put(watcher, "{\"command\":\"watch\",\"live\":false}\n", 33);
	assert_non_null(strstr(lab_line(watcher), "\"type\":\"result\""));
	idle = lab_connect(&lab);
	half = lab_connect(&lab);
	lab_put(half, "{", 1);
	assert_non_null(strstr(lab_line(idle), "silent for 300ms"));
	assert_string_equal(lab_line(idle), "");
	assert_non_null(strstr(lab_line(half), "silent for 300ms"));
	/* They are gone, and it is still told. */
	lab_submit(&lab, LAB_SHORT, "");
	assert_non_null(strstr(lab_line(watcher), "\"state\":\"queued\""));
	assert_non_null(strstr(lab_line(watcher), "\"state\":\"running\""));
	assert_non_null(strstr(lab_line(watcher), "\"state\":\"finished\""));
	close(idle);
	close(half);
	close(watcher);
}

/* @fn as user and group nobody; its exit status. */
static int as_nobody(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_connect(void)
{
	int fd = lab_connect(&lab);

	return fd >= 0 ? 0 : errno;
}

static int try_to_look(void)
{
	json_t *o = lab_ask(&lab, "{\"command\":\"status\"}");

	return strcmp(json_string_value(json_object_get(o, "type")), "result") != 0;
}

static int try_to_submit(void)
{
	json_t *o = lab_ask(&lab, "{\"command\":\"submit\",\"scenario\":%s}",
			    lab_scenario(&lab, LAB_SHORT));
	const char *text = json_string_value(json_object_get(o, "text"));

	if (!strcmp(json_string_value(json_object_get(o, "type")), "result"))
		return 0;
	return text && strstr(text, "user 65534 may not submit") ? 2 : 3;
}

static int try_to_cancel(void)
{
	return strstr(lab_refusal(&lab, "{\"command\":\"cancel\",\"id\":1}"),
		      "user 65534 may not cancel")
		       ? 2
		       : 3;
}

static void who_may_not_is_refused(void **state)
{
	const struct group *g = getgrgid(65534);
	char keys[100];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(e2e_base, 0711), 0);
	/* The socket is closed to others at all, and where somebody opened it they may look. */
	assert_int_equal(as_nobody(try_connect), EACCES);
	assert_int_equal(chmod(lab.socket, 0666), 0);
	assert_int_equal(as_nobody(try_connect), 0);
	assert_int_equal(as_nobody(try_to_look), 0);
	assert_int_equal(as_nobody(try_to_submit), 2);
	assert_int_equal(as_nobody(try_to_cancel), 2);
	assert_int_equal(lab_submit(&lab, LAB_SHORT, ""), 1);
	lab_end(state);
	/* A member of the group may, without anybody's chmod. */
	snprintf(keys, sizeof(keys), ", \"group\": \"%s\"", g ? g->gr_name : "nogroup");
	lab_init(&lab, "group", keys);
	lab_start(&lab);
	assert_int_equal(as_nobody(try_to_submit), 0);
	lab_await(&lab, 1, "finished");
	assert_int_equal(lab_number(&lab, 1, "uid"), 65534);
}

static bool is_told(int fd, const char *what)
{
	double end = e2e_now() + LAB_LIMIT;
	char text[600];

	while (e2e_now() < end) {
		ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

		if (n <= 0)
			return false;
		text[n] = '\0';
		if (strstr(text, what))
			return true;
	}
	return false;
}

static void the_service_manager_is_told(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = (time_t)LAB_LIMIT };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char env[300];

	lab_end(state);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", e2e_path("notify"));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	snprintf(env, sizeof(env), "NOTIFY_SOCKET=%s", a.sun_path);
	lab_init(&lab, "notified", "");
	lab.env[0] = env;
	lab.env[1] = "WATCHDOG_USEC=600000";
	lab_start(&lab);
	assert_true(is_told(fd, "READY=1"));
	assert_true(is_told(fd, "STATUS=0 running, 0 queued"));
	assert_true(is_told(fd, "WATCHDOG=1"));
	kill(lab.run.pid, SIGTERM);
	assert_true(is_told(fd, "STOPPING=1"));
	e2e_wait(&lab.run, LAB_LIMIT);
	e2e_assert_exit(&lab.run, 0);
	e2e_free(&lab.run);
	assert_false(e2e_exists(lab.socket));
	close(fd);
	start(state);
}

static void a_wrong_configuration_is_refused(void **state)
{
	static const struct {
		const char *keys, *says;
	} rows[] = {
		{ ", \"sokcet\": \"/x\"", ":1: /sokcet: unknown key (did you mean \"socket\"?)" },
		{ ", \"group\": \"no-such-group\"", "there is no group \"no-such-group\"" },
		{ ", \"vms\": 0", ":1: /vms: 0 is out of range" },
		{ ", \"store\": \"x\"",
		  "/store: \"x\" has the wrong form; expected an absolute path" },
		{ ", \"idle\": 5", "/idle: 5 has the wrong type or form" },
		{ ", ", ":1: " },
	};
	struct lab wrong;
	struct e2e r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lab_init(&wrong, "wrong", rows[i].keys);
		E2E(&r, "daemon", "--config", wrong.config);
		e2e_assert_exit(&r, 2);
		if (!strstr(r.err, rows[i].says) || !strstr(r.err, wrong.config))
			fail_msg("'%s' says '%s'", rows[i].keys, r.err);
		e2e_free(&r);
	}
	E2E(&r, "daemon", "--config", "/nonexistent.json");
	e2e_assert_exit(&r, 2);
	e2e_free(&r);
	E2E(&r, "daemon", "--check", "--config", lab.config);
	e2e_assert_exit(&r, 0);
	e2e_free(&r);
}

/* Neither the state directory nor the socket can be had twice. */
static void there_is_one_daemon(void **state)
{
	char env[320], keys[400];
	struct lab other;
	struct e2e r;

	(void)state;
	snprintf(env, sizeof(env), "STRESSD_STATE_DIR=%s", lab.state);
	e2e_run(&r, (const char *[]){ "daemon", "--config", lab.config, NULL },
		(const char *[]){ env, NULL });
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.err, "another stressd daemon is at work there"));
	e2e_free(&r);
	snprintf(keys, sizeof(keys), " ");
	lab_init(&other, "other", keys);
	snprintf(env, sizeof(env), "STRESSD_STATE_DIR=%s", other.state);
	e2e_run(&r, (const char *[]){ "daemon", "--config", lab.config, NULL },
		(const char *[]){ env, NULL });
	e2e_assert_exit(&r, 3);
	assert_non_null(strstr(r.err, "another daemon listens there"));
	e2e_free(&r);
	assert_int_equal(queued_or_running(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(garbage_is_answered_and_survived, start, lab_end),
		cmocka_unit_test_setup_teardown(deep_nesting_is_refused, start, lab_end),
		cmocka_unit_test_setup_teardown(half_a_line_is_no_request, start, lab_end),
		cmocka_unit_test_setup_teardown(a_line_in_pieces_is_one, start, lab_end),
		cmocka_unit_test_setup_teardown(lines_have_a_limit, start, lab_end),
		cmocka_unit_test_setup(the_65th_client_is_told, start),
		cmocka_unit_test_teardown(when_they_have_gone_there_is_room, lab_end),
		cmocka_unit_test_setup_teardown(who_does_not_read_is_dropped, start, lab_end),
		cmocka_unit_test_setup_teardown(the_idle_are_closed_and_watchers_are_not, start,
						lab_end),
		cmocka_unit_test_setup_teardown(who_may_not_is_refused, start, lab_end),
		cmocka_unit_test_setup_teardown(the_service_manager_is_told, start, lab_end),
		cmocka_unit_test_setup_teardown(a_wrong_configuration_is_refused, start, lab_end),
		cmocka_unit_test_setup_teardown(there_is_one_daemon, start, lab_end),
	};

	return cmocka_run_group_tests(tests, e2e_setup, e2e_teardown);
}
