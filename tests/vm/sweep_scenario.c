// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of a scenario only the faults with their options stay, and what the target needs for them. Times
 * are cut to a tenth of a second, the filesystem to the smallest that its kind can be.
 */
#include "sweep_scenario.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes are under way at any time, and the coordinator need not fight for its CPU. */
#define PAUSE "\"options\": { \"pause\": \"2ms\" }"

static const char rest[] =
	"{ \"version\": 1, \"seed\": 7, \"duration\": \"250ms\", \"stop_on\": \"never\","
	"  \"files\": [ { \"name\": \"data\", \"size\": \"1M\", \"layout\": \"written\" } ],"
	"  \"workers\": ["
	"    { \"type\": \"buffered_writer\", \"file\": \"data\", " PAUSE " },"
	"    { \"type\": \"mmap_writer\", \"file\": \"data\", " PAUSE " },"
	"    { \"type\": \"syncer\", \"file\": \"data\" },"
	"    { \"type\": \"reader\", \"file\": \"data\", " PAUSE " } ],"
	"  \"verify\": { \"layers\": [\"cache\"], \"fsck\": false },"
	"  \"kernel_log\": { \"fail_at\": \"never\" } }";

/* ext4 is the smallest and made fastest; who needs another filesystem keeps it. */
static const struct {
	const char *fault, *fs;
} keeps_fs[] = {
	{ "xfs_errortag", "xfs" },
	{ "xfs_delay", "xfs" },
};
static const struct {
	const char *fs, *size;
} sizes[] = { { "ext4", "32M" }, { "btrfs", "120M" }, { "xfs", "320M" } };

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

size_t scenario_names(const char *dir, char names[SCENARIOS_MAX][SC_NAME_MAX])
{
	DIR *d = opendir(dir);
	size_t n = 0;

	for (struct dirent *de; d && n < SCENARIOS_MAX && (de = readdir(d));) {
		size_t len = strlen(de->d_name);

		if (len > 5 && len < SC_NAME_MAX && !strcmp(de->d_name + len - 5, ".json"))
			snprintf(names[n++], SC_NAME_MAX, "%.*s", (int)(len - 5), de->d_name);
	}
	if (d)
		closedir(d);
	qsort(names, n, SC_NAME_MAX, by_name);
	return n;
}

static const char *fs_for(json_t *sc)
{
	const char *fs = json_string_value(json_object_get(json_object_get(sc, "target"), "fs"));
	json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(sc, "faults"), i, fault)
		for (size_t k = 0; k < sizeof(keeps_fs) / sizeof(keeps_fs[0]); k++)
			if (!strcmp(json_string_value(json_object_get(fault, "type")),
				    keeps_fs[k].fault))
				return keeps_fs[k].fs;
	return fs && !strcmp(fs, "btrfs") ? "btrfs" : "ext4";
}

static void cut_target(json_t *sc)
{
	json_t *target = json_object_get(sc, "target");
	const char *fs = fs_for(sc);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!strcmp(fs, sizes[i].fs))
			json_object_set_new(target, "size", json_string(sizes[i].size));
	json_object_set_new(target, "fs", json_string(fs));
	/* ext4 has quotas if it was made with them. */
	if (json_object_get(target, "mount") && !strcmp(fs, "ext4"))
		json_object_set_new(target, "mkfs", json_pack("[s, s]", "-O", "quota"));
	else
		json_object_del(target, "mkfs");
}

static void cut_faults(json_t *sc)
{
	json_t *fault;
	size_t i;

	json_array_foreach (json_object_get(sc, "faults"), i, fault) {
		json_object_del(fault, "every");
		json_object_set_new(fault, "after", json_string("30ms"));
		if (json_object_get(fault, "for"))
			json_object_set_new(fault, "for", json_string("100ms"));
		/* It names workers that are not here. */
		json_object_del(json_object_get(fault, "options"), "workers");
	}
}

bool scenario_cut_down(const char *dir, const char *name, const char *path)
{
	char from[512];
	json_error_t why;
	json_t *sc, *common = json_loads(rest, 0, &why);
	bool ok;

	snprintf(from, sizeof(from), "%s/%s.json", dir, name);
	sc = json_load_file(from, 0, &why);
	if (!sc || !common) {
		printf("%s: %s\n", from, why.text);
		return false;
	}
	cut_target(sc);
	cut_faults(sc);
	ok = json_object_update(sc, common) == 0 && json_dump_file(sc, path, JSON_INDENT(1)) == 0;
	json_decref(sc);
	json_decref(common);
	return ok;
}
