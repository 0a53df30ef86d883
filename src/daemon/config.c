// SPDX-License-Identifier: GPL-2.0-or-later
/* The keys of the configuration as a table, and what this machine has where it says nothing. */
#include "daemon/daemon.h"

#include "base/fsutil.h"
#include "base/option.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <string.h>

#define TEXT_BYTES_MAX (64 * KIB)
#define VM_BYTES       (2560 * MIB) /* a guest of 2G, with its QEMU */

static const struct opt_def options[] = {
	OPT(struct daemon_config, version, OPT_COUNT, .min = "1", .max = "1",
	    .expects = "1, the only version of the format there is", .help = "of the format"),
	OPT(struct daemon_config, socket, OPT_STRING, .def = DAEMON_SOCKET,
	    .pattern = "^/.{1,106}$", .expects = "an absolute path of at most 107 bytes",
	    .help = "where clients connect"),
	OPT(struct daemon_config, group, OPT_STRING, .min = "1",
	    .help = "whose members may connect, submit and cancel"),
	OPT(struct daemon_config, store, OPT_STRING, .pattern = "^/", .expects = "an absolute path",
	    .help = "where results go; default: store.db in the state directory"),
	OPT(struct daemon_config, vms, OPT_COUNT, .def = "", .min = "1", .max = "1024",
	    .help = "guests at a time; default: as many of 2 processors and 2G as fit"),
	OPT(struct daemon_config, cpus, OPT_COUNT, .def = "", .min = "1", .max = "65536",
	    .help = "processors that jobs use together; default: all"),
	OPT_AS("memory", struct daemon_config, memory_bytes, OPT_SIZE, .def = "", .min = "128M",
	       .help = "memory that jobs use together; default: nine tenths"),
	OPT_AS("retry", struct daemon_config, retry_ns, OPT_TIME, .def = "10s", .min = "1s",
	       .max = "10m",
	       .help = "before a job is tried again whose infrastructure failed; doubled each "
		       "time"),
	OPT_AS("idle", struct daemon_config, idle_ns, OPT_TIME, .def = "5m", .min = "100ms",
	       .help = "a client that is silent for so long is closed"),
	OPT_AS("stop", struct daemon_config, stop_ns, OPT_TIME, .def = "3m", .min = "1s",
	       .help = "from asking a run to stop to killing it"),
	OPT(struct daemon_config, page, OPT_COUNT, .def = "", .min = "1", .max = "65535",
	    .help = "port of the status page on 127.0.0.1; default: no page"),
	{ .type = OPT_END },
};

static u64 memory_total(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
			return kib * KIB;
	return 4 * GIB;
}

static void settle(struct daemon_config *c)
{
	cpu_set_t set;

	if (!c->cpus)
		c->cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? (u64)CPU_COUNT(&set) : 1;
	if (!c->memory_bytes)
		c->memory_bytes = memory_total() / 10 * 9;
	if (!c->vms)
		c->vms = MAX(MIN(c->cpus / 2, c->memory_bytes / VM_BYTES), 1ULL);
}

int daemon_config_load(const char *path, struct daemon_config *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	struct json_doc doc = { .path = path ? path : DAEMON_CONFIG, .text = "", .e = e };
	struct json_at root = { .doc = &doc };
	_cleanup_json_ json_t *object = NULL;
	json_error_t error;
	int r;

	*ret = (struct daemon_config){ 0 };
	r = read_file(doc.path, TEXT_BYTES_MAX, &text, &doc.len);
	if (r == -ENOENT && !path) {
		object = json_pack("{si}", "version", 1);
	} else if (r < 0) {
		return json_fail_read(&doc, r,
				      "cannot be read: %s; expected a configuration, see "
				      "stressd-daemon(8)",
				      strerror(-r));
	} else {
		doc.text = text;
		object = json_loadb(text, doc.len, JSON_REJECT_DUPLICATES, &error);
		if (!object)
			return json_fail_syntax(&doc, &error);
	}
	r = option_decode(options, NULL, object, ret, &root, NULL);
	if (r == 0 && ret->group && !getgrnam(ret->group))
		r = json_fail(&AT_KEY(&root, "group"),
			      "there is no group \"%.60s\"; expected one of this machine's "
			      "(`groupadd --system %.60s` makes it)",
			      ret->group, ret->group);
	if (r == 0)
		settle(ret);
	return r;
}

void daemon_config_free(struct daemon_config *c)
{
	option_free(options, c);
}
