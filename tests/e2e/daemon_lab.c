// SPDX-License-Identifier: GPL-2.0-or-later
/* A daemon for tests, from outside. */
#include "daemon_lab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct lab lab;

void lab_init(struct lab *l, const char *name, const char *keys)
{
	char text[1000];

	*l = (struct lab){ 0 };
	snprintf(l->state, sizeof(l->state), "%s", e2e_path("%s", name));
	snprintf(l->socket, sizeof(l->socket), "%s", e2e_path("%s.sock", name));
	snprintf(l->config, sizeof(l->config), "%s", e2e_path("%s.json", name));
	e2e_remove(l->state);
	assert_int_equal(mkdir(l->state, 0700), 0);
	snprintf(text, sizeof(text), "{ \"version\": 1, \"socket\": \"%s\"%s }\n", l->socket, keys);
	e2e_write(l->config, text);
}

int lab_connect(const struct lab *l)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = (time_t)LAB_LIMIT };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", l->socket);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* And answers: of a daemon that was killed somebody may still have the socket. */
static bool listens(void *ctx)
{
	static const char request[] = "{\"command\":\"status\",\"limit\":0}\n";
	const struct lab *l = ctx;
	int fd = lab_connect(l);
	bool yes;

	if (fd < 0)
		return false;
	lab_put(fd, request, sizeof(request) - 1);
	yes = *lab_line(fd);
	close(fd);
	return yes;
}

void lab_start(struct lab *l)
{
	char state[320];
	const char *env[6] = { state };

	snprintf(state, sizeof(state), "STRESSD_STATE_DIR=%s", l->state);
	for (int i = 0; l->env[i]; i++)
		env[i + 1] = l->env[i];
	e2e_start(&l->run, (const char *[]){ "daemon", "--config", l->config, NULL }, env);
	assert_true(e2e_until(listens, l, LAB_LIMIT));
}

void lab_kill(struct lab *l)
{
	kill(l->run.pid, SIGKILL);
	e2e_wait(&l->run, LAB_LIMIT);
	assert_int_equal(l->run.signal, SIGKILL);
	e2e_free(&l->run);
}

void lab_stop(struct lab *l)
{
	kill(l->run.pid, SIGTERM);
	e2e_wait(&l->run, LAB_LIMIT);
	e2e_assert_exit(&l->run, 0);
}

int lab_begin(const char *name, const char *keys, const char *env)
{
	lab_init(&lab, name, keys);
	lab.env[0] = env;
	lab_start(&lab);
	return 0;
}

int lab_end(void **state)
{
	(void)state;
	lab_stop(&lab);
	e2e_free(&lab.run);
	return 0;
}

void lab_put(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return; /* what it says about that is read next */
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* Byte by byte: what follows stays for the next call. */
const char *lab_line(int fd)
{
	static char line[1 << 20];
	size_t n = 0;

	for (; n < sizeof(line) - 1; n++) {
		ssize_t r = recv(fd, line + n, 1, 0);

		if (r < 0 && errno == EAGAIN)
			fail_msg("no answer within %.0f s", LAB_LIMIT);
		if (r <= 0) {
			n = 0;
			break;
		}
		if (line[n] == '\n')
			break;
	}
	line[n] = '\0';
	return line;
}

static json_t *__attribute__((format(printf, 2, 0)))
ask(const struct lab *l, const char *fmt, va_list ap)
{
	static char text[1 << 16];
	int fd = lab_connect(l), n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	json_t *o;

	assert_true(fd >= 0);
	text[n++] = '\n';
	lab_put(fd, text, (size_t)n);
	for (;;) {
		const char *type;

		o = json_loads(lab_line(fd), 0, NULL);
		assert_non_null(o);
		type = json_string_value(json_object_get(o, "type"));
		if (!strcmp(type, "result") || !strcmp(type, "error"))
			break;
		json_decref(o);
	}
	close(fd);
	return o;
}

json_t *lab_ask(const struct lab *l, const char *fmt, ...)
{
	va_list ap;
	json_t *o;

	va_start(ap, fmt);
	o = ask(l, fmt, ap);
	va_end(ap);
	return o;
}

const char *lab_refusal(const struct lab *l, const char *fmt, ...)
{
	static char text[2000];
	va_list ap;
	json_t *o;

	va_start(ap, fmt);
	o = ask(l, fmt, ap);
	va_end(ap);
	assert_string_equal(json_string_value(json_object_get(o, "type")), "error");
	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(o, "text")));
	json_decref(o);
	return text;
}

const char *lab_scenario(const struct lab *l, const char *how_long)
{
	static char text[2000];

	snprintf(text, sizeof(text),
		 "{ \"version\": 1, \"name\": \"small\", %s,"
		 " \"kernel_log\": { \"fail_at\": \"never\" },"
		 " \"files\": [ { \"name\": \"data\", \"size\": \"256K\" } ],"
		 " \"target\": { \"type\": \"directory\", \"path\": \"%s\" },"
		 " \"verify\": { \"layers\": [\"cache\"] }, \"workers\": [ { \"type\":"
		 " \"buffered_writer\", \"file\": \"data\" } ] }",
		 how_long, l->state);
	return text;
}

int lab_submit(const struct lab *l, const char *how_long, const char *keys)
{
	json_t *o = lab_ask(l, "{ \"command\": \"submit\", \"scenario\": %s%s }",
			    lab_scenario(l, how_long), keys);
	int id = (int)json_integer_value(json_object_get(json_object_get(o, "job"), "id"));

	if (id < 1)
		print_error("%s\n", json_string_value(json_object_get(o, "text")));
	assert_true(id >= 1);
	json_decref(o);
	return id;
}

struct awaited {
	const struct lab *l;
	int id;
	const char *state;
};

static bool in_state(void *ctx)
{
	const struct awaited *a = ctx;
	json_t *o = lab_ask(a->l, "{ \"command\": \"status\", \"id\": %d }", a->id);
	const char *state = json_string_value(json_object_get(json_object_get(o, "job"), "state"));
	bool yes = state && !strcmp(state, a->state);

	json_decref(o);
	return yes;
}

void lab_await(const struct lab *l, int id, const char *state)
{
	struct awaited a = { l, id, state };
	json_t *o;
	char *text;

	if (e2e_until(in_state, &a, LAB_LIMIT))
		return;
	o = lab_ask(l, "{ \"command\": \"status\", \"id\": %d }", id);
	text = json_dumps(o, 0);
	fail_msg("job %d is not %s: %s", id, state, text);
}

json_int_t lab_number(const struct lab *l, int id, const char *key)
{
	json_t *o = lab_ask(l, "{ \"command\": \"status\", \"id\": %d }", id);
	const json_t *v = json_object_get(json_object_get(o, "job"), key);
	json_int_t n = json_is_boolean(v) ? json_is_true(v) : json_integer_value(v);

	assert_non_null(v);
	json_decref(o);
	return n;
}

pid_t lab_pid(const struct lab *l, int id)
{
	char path[400];
	json_t *o;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/daemon/jobs/%d.json", l->state, id);
	o = json_load_file(path, 0, NULL);
	assert_non_null(o);
	pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
	json_decref(o);
	return pid;
}

/* A zombie whose parent does not care is as good as gone. */
bool lab_alive(pid_t pid)
{
	char path[64], text[512] = "", *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	p = strrchr(text, ')');
	return p && p[2] != 'Z' && p[2] != 'X';
}
