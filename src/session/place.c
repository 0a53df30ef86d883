// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * target.json: where a run had its target, its journal and its clock. Written twice, when the
 * journal is there and when the target is, so that `verify` can tell a run that is alive, one
 * that died early and one whose files can be checked. Nothing of it is trusted further than a
 * name that stressd itself makes.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/fsutil.h"

#include <errno.h>
#include <string.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

int place_save(const struct session *s, struct err *e)
{
	const struct target *t = &s->target;
	_cleanup_json_ json_t *o = NULL;
	_cleanup_free_ char *text = NULL;
	char path[600], boot[64] = "";
	int r;

	attr_read(BOOT_ID, boot, sizeof(boot));
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "version", 1,
		      "run", s->run_name, "state_dir", s->state_dir, "boot", boot, "type",
		      t->type->name, "root", t->root, "image", t->image, "device",
		      t->base[0] ? t->base : t->device, "fs", t->fs, "mounted", t->mounted,
		      "prefilled", t->prefilled);
	text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
	r = text ? path_set(path, sizeof(path), "%s/target.json", s->run_dir) : -ENOMEM;
	if (r == 0)
		r = write_file_atomic(path, text, strlen(text), 0600);
	return r < 0 ? err_set(e, r, "%s/target.json cannot be written: %s", s->run_dir,
			       strerror(-r))
		     : 0;
}

static bool take(const json_t *o, const char *key, char *buf, size_t len)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && path_set(buf, len, "%s", text) == 0;
}

/* A verified target is removed: only what bears the name that a target type gives. */
static bool our_name(const struct target *t)
{
	const char *root = strrchr(t->root, '/'), *image = strrchr(t->image, '/');
	size_t len = strlen("/stressd-0123456789abcdef");

	if (t->image[0] && (t->image[0] != '/' || strncmp(image, "/stressd-", 9) ||
			    strcmp(image + strlen(image) - 4, ".img")))
		return false;
	if (strcmp(t->type->name, "directory") != 0 || !t->root[0])
		return true;
	return t->root[0] == '/' && strlen(root) == len && !strncmp(root, "/stressd-", 9) &&
	       strspn(root + 9, "0123456789abcdef") == 16;
}

int place_load(struct session *s, bool *ret_same_boot, struct err *e)
{
	_cleanup_json_ json_t *o = NULL;
	struct target *t = &s->target;
	char path[600], boot[64], then[64] = "", type[32];
	json_error_t why;

	snprintf(path, sizeof(path), "%s/target.json", s->run_dir);
	if (access(path, F_OK) < 0)
		return -errno;
	o = json_load_file(path, 0, &why);
	if (!o)
		return err_set(e, -EBADMSG, "%s:%d: %s", path, why.line, why.text);
	target_init(t, s->sc, s->run_dir, NULL, false);
	if (!take(o, "run", s->run_name, sizeof(s->run_name)) ||
	    !take(o, "state_dir", s->state_dir, sizeof(s->state_dir)) ||
	    !take(o, "boot", then, sizeof(then)) || !take(o, "type", type, sizeof(type)) ||
	    !take(o, "root", t->root, sizeof(t->root)) ||
	    !take(o, "image", t->image, sizeof(t->image)) ||
	    !take(o, "device", t->device, sizeof(t->device)) ||
	    !take(o, "fs", t->fs, sizeof(t->fs)) || strcmp(type, t->type->name) ||
	    strpbrk(s->run_name, "/.") || s->state_dir[0] != '/' || !our_name(t))
		return err_set(e, -EBADMSG, "%s: not what stressd wrote", path);
	t->prefilled = json_is_true(json_object_get(o, "prefilled"));
	*ret_same_boot = attr_read(BOOT_ID, boot, sizeof(boot)) == 0 && !strcmp(boot, then);
	return 0;
}
