// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which addresses there are, and what is refused before one is looked at: other methods than GET
 * and HEAD, and names that are not this machine's own. A page of somebody else's, open in the same
 * browser, can have its name resolve to 127.0.0.1 (DNS rebinding); it cannot have another Host.
 */
#include "daemon/http.h"

#include "base/cleanup.h"
#include "report/html.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define POLICY_TEXT "default-src 'none'; frame-ancestors 'none'"
#define POLICY_PAGE                                                                                \
	"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "            \
	"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/* A report brings style and script in itself, and says which (html.c). It is kept apart from all
 * else that is here. */
#define POLICY_REPORT                                                                              \
	"sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "                   \
	"script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct request {
	struct http *http;
	struct MHD_Connection *connection;
	const char *path;
};

static enum MHD_Result reply(struct request *q, unsigned int status, const char *type,
			     const char *policy, struct MHD_Response *r)
{
	const char *const headers[][2] = {
		{ "Content-Type", type },
		{ "Content-Security-Policy", policy },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
		{ "Allow", "GET, HEAD" },
	};
	const struct mhd *m = q->http->mhd;
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		m->add_response_header(r, headers[i][0], headers[i][1]);
	done = m->queue_response(q->connection, status, r);
	m->destroy_response(r);
	return done;
}

static enum MHD_Result reply_text(struct request *q, unsigned int status, const char *type,
				  const char *text)
{
	return reply(q, status, type, POLICY_TEXT,
		     q->http->mhd->create_response_from_buffer(strlen(text), (void *)text,
							       MHD_RESPMEM_MUST_COPY));
}

static enum MHD_Result refuse(struct request *q, unsigned int status, const char *text)
{
	return reply_text(q, status, "text/plain; charset=utf-8", text);
}

static enum MHD_Result on_page(struct request *q)
{
	struct copy *c = http_copy(q->http);
	char *text = NULL;
	size_t len;
	FILE *out = c ? open_memstream(&text, &len) : NULL;

	if (out)
		page_whole(q->http->daemon, c->html, c->html_len, out);
	if (c)
		copy_unref(c);
	if (!out || fclose(out) != 0) {
		free(text);
		return refuse(q, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
	}
	return reply(q, MHD_HTTP_OK, "text/html; charset=utf-8", POLICY_PAGE,
		     q->http->mhd->create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result on_style(struct request *q)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s%s", html_page_css, html_status_css) < 0)
		return MHD_NO;
	return reply_text(q, MHD_HTTP_OK, "text/css; charset=utf-8", text);
}

static enum MHD_Result on_script(struct request *q)
{
	return reply_text(q, MHD_HTTP_OK, "text/javascript; charset=utf-8", html_status_js);
}

static enum MHD_Result on_live(struct request *q)
{
	struct MHD_Response *r = stream_make(q->http, q->connection);

	if (!r)
		return refuse(q, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "as many pages as there may be are told of news; reload this one\n");
	return reply(q, MHD_HTTP_OK, "text/event-stream", POLICY_TEXT, r);
}

/* What a run leaves for people, by how its name ends. Images, shadows and histories are not. */
static const struct {
	const char *suffix, *type, *policy;
} kinds[] = {
	{ ".html", "text/html; charset=utf-8", POLICY_REPORT },
	{ ".json", "application/json", POLICY_TEXT },
	{ ".log", "text/plain; charset=utf-8", POLICY_TEXT },
	{ ".txt", "text/plain; charset=utf-8", POLICY_TEXT },
	{ ".xml", "text/plain; charset=utf-8", POLICY_TEXT },
};

/* Below @dir and nowhere else, whatever @path is, and however often it is changed meanwhile: the
 * kernel resolves it so. (openat2(2)) */
static int open_below(const char *dir, const char *path, u64 *ret_size)
{
	struct open_how how = { .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS };
	_cleanup_close_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (dir_fd < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	*ret_size = (u64)st.st_size;
	return take_fd(&fd);
}

/* "/jobs/ID/FILE": of the last attempt of a job that this daemon knows. */
static enum MHD_Result on_report(struct request *q)
{
	char *name, dir[PATH_MAX], *dot;
	const char *at = q->path + strlen("/jobs/");
	u64 id = isdigit((unsigned char)*at) ? strtoull(at, &name, 10) : 0, size;
	struct daemon *d = q->http->daemon;
	struct entry *en = id && *name == '/' ? queue_find(d, id) : NULL;
	int fd;

	if (!en || job_run_dir(d->dir, &en->job, dir, sizeof(dir)) < 0)
		return refuse(q, MHD_HTTP_NOT_FOUND, "there is no such job here\n");
	dot = strrchr(++name, '.');
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && dot; i++) {
		if (strcmp(kinds[i].suffix, dot) != 0)
			continue;
		fd = open_below(dir, name, &size);
		if (fd < 0)
			break;
		return reply(q, MHD_HTTP_OK, kinds[i].type, kinds[i].policy,
			     q->http->mhd->create_response_from_fd64(size, fd));
	}
	return refuse(q, MHD_HTTP_NOT_FOUND,
		      "the job has no such file, or none any more, that is for people to read\n");
}

static const struct {
	const char *path;
	bool below; /* all addresses that begin so */
	enum MHD_Result (*fn)(struct request *q);
} routes[] = {
	{ "/", false, on_page },
	{ "/style.css", false, on_style },
	{ "/script.js", false, on_script },
	{ "/live", false, on_live },
	{ "/jobs/", true, on_report },
};

static enum MHD_Result count_host(void *ctx, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	const char **host = ctx;

	(void)kind;
	if (!strcasecmp(key, "Host"))
		*host = *host ? "" : value ? value : "";
	return MHD_YES;
}

/* With any port: who comes through a tunnel has another one at the other end. */
static bool is_this_machine(const char *host)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < ARRAY_SIZE(names) && host; i++) {
		size_t n = strlen(names[i]);

		if (!strncasecmp(host, names[i], n) &&
		    (!host[n] || (host[n] == ':' &&
				  strspn(host + n + 1, "0123456789") == strlen(host + n + 1))))
			return true;
	}
	return false;
}

enum MHD_Result http_answer(void *ctx, struct MHD_Connection *c, const char *url,
			    const char *method, const char *version, const char *body,
			    size_t *body_len, void **state)
{
	struct request q = { .http = ctx, .connection = c, .path = url };
	const char *host = NULL;

	(void)version, (void)body, (void)body_len, (void)state;
	q.http->mhd->get_connection_values(c, MHD_HEADER_KIND, count_host, &host);
	if (!is_this_machine(host))
		return refuse(&q, MHD_HTTP_MISDIRECTED_REQUEST,
			      "this page is localhost's: ask for it by that name\n");
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return refuse(&q, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "this page is to be read; jobs are submitted with `stressd submit`\n");
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (routes[i].below ? !strncmp(url, routes[i].path, strlen(routes[i].path))
				    : !strcmp(url, routes[i].path))
			return routes[i].fn(&q);
	return refuse(&q, MHD_HTTP_NOT_FOUND, "there is nothing at this address; / is the page\n");
}
