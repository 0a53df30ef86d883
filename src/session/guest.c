// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run of a guest, of which `stressd vm` left state, image and a note. What is different from a
 * run of this machine: the paths are those of another, nothing that the guest wrote of places is
 * believed, and there is a result already, which stays as it is. If its kernel died, the page cache
 * is gone, and only what was durable is certain.
 */
#include "session/session.h"

#include "base/cleanup.h"
#include "base/fsutil.h"
#include "base/mounts.h"
#include "session/account.h"
#include "vm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define REPORTS "verify" /* below the run directory */

bool guest_look(struct session *s)
{
	_cleanup_json_ json_t *note = NULL;
	const char *end;
	char path[600];

	if (path_set(path, sizeof(path), "%s/" GUEST_NOTE, s->run_dir) < 0 ||
	    access(path, F_OK) < 0)
		return false;
	note = json_load_file(path, 0, NULL);
	end = json_string_value(json_object_get(note, "end"));
	s->guest = true;
	s->crashed = !end || strcmp(end, GUEST_DONE) != 0;
	return true;
}

/* The image is where the note is, whatever it was called in the guest. */
static int find_image(struct session *s)
{
	_cleanup_closedir_ DIR *d = opendir(s->run_dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		size_t len = strlen(de->d_name);

		if (strncmp(de->d_name, "stressd-", 8) == 0 && len > 12 &&
		    !strcmp(de->d_name + len - 4, ".img"))
			return path_set(s->target.image, sizeof(s->target.image), "%s/%s",
					s->run_dir, de->d_name);
	}
	return -ENOENT;
}

int guest_place(struct session *s, struct err *e)
{
	char path[600];
	int r;

	if (strcmp(s->target.type->name, "image") != 0)
		return err_set(e, -EINVAL,
			       "%s: its files were on a %s of the guest, which is gone; only an "
			       "image outlives a guest",
			       s->run_dir, s->target.type->name);
	if (find_image(s) < 0)
		return err_set(e, -EINVAL, "%s: no image of the guest: %s", s->run_dir,
			       path_set(path, sizeof(path), "%s/" REPORTS "/result.json",
					s->run_dir) == 0 &&
					       access(path, F_OK) == 0
				       ? "this run was verified; see " REPORTS "/result.json"
				       : "it died before there was one");
	s->target.device[0] = '\0';
	r = state_dir(s->state_dir, sizeof(s->state_dir), e);
	if (r == 0)
		r = path_set(path, sizeof(path), "%s/" REPORTS, s->run_dir);
	if (r == 0)
		r = mkdir_p(path, 0700);
	return r;
}

void guest_describe(struct session *s)
{
	char path[600];

	if (path_set(path, sizeof(path), "%s/" GUEST_NOTE, s->run_dir) == 0) {
		_cleanup_json_ json_t *note = json_load_file(path, 0, NULL);
		const char *release = json_string_value(json_object_get(note, "release"));
		const char *kernel = json_string_value(json_object_get(note, "kernel"));

		snprintf(s->result.reproduce, sizeof(s->result.reproduce),
			 "stressd vm --kernel %s %s", kernel ? kernel : "IMAGE", s->sc->path);
		judge_note(s, "the run was a guest's, of kernel %s; recovered by %s",
			   release ? release : "?", s->result.kernel);
	}
	path_set(s->result.run_dir, sizeof(s->result.run_dir), "%.400s/" REPORTS, s->run_dir);
}

/* How a filesystem says that what is on its disk is not what it wrote. Of other errors nothing is
 * known: this kernel may lack a feature. */
static bool is_corruption(int r)
{
	return r == -EUCLEAN || r == -EBADMSG || r == -EIO;
}

/* It had been made, synced by mkfs, and mounted. */
bool crashed_fs(struct session *s, int r)
{
	bool there = target_has_fs(&s->target);
	struct finding *g;

	if (!s->target.device[0] || s->target.mounted || (there && !is_corruption(r)))
		return false;
	g = account_plain(
		FINDING_NOT_DURABLE, "verify", s->died_ns - MIN(s->died_ns, s->run->start_ns),
		"the filesystem was mounted before the crash and cannot be after it: %s%s%s",
		there ? strerror(-r) : "no ", there ? "" : s->target.fs,
		there ? "" : " is on the disk");
	judge_add(s, g);
	return true;
}

static void missing(struct session *s, const struct shadow_file *f)
{
	struct finding *g = account_plain(FINDING_NOT_DURABLE, "verify",
					  s->died_ns - MIN(s->died_ns, s->run->start_ns),
					  "%s: the file is gone; its directory was synced after it "
					  "was made",
					  f->name);

	if (g)
		snprintf(g->file, sizeof(g->file), "%s", f->name);
	judge_add(s, g);
}

/* What the recovered filesystem says is the size from here on; was it one of those it may be? */
static void settle_size(struct session *s, struct shadow_file *f, u64 size)
{
	u64 lo = atomic_load(&f->unsynced.lo), hi = atomic_load(&f->unsynced.hi);
	struct finding *g;

	atomic_store(&f->size_lo, size);
	atomic_store(&f->size_hi, size);
	if (size >= lo && size <= hi)
		return;
	g = account_plain(size < lo ? FINDING_NOT_DURABLE : FINDING_SIZE_MISMATCH, "verify",
			  s->died_ns - MIN(s->died_ns, s->run->start_ns),
			  "%s: %llu bytes long after the crash; since its last good sync it was "
			  "%llu to %llu bytes long",
			  f->name, (unsigned long long)size, (unsigned long long)lo,
			  (unsigned long long)hi);
	if (g)
		snprintf(g->file, sizeof(g->file), "%s", f->name);
	judge_add(s, g);
}

int crashed_files(struct session *s)
{
	int r = 0;

	s->shadow.crashed = true;
	s->shadow.stale_ok = mounted_with(s->target.root, "data=writeback");
	for (u32 i = 0; i < s->shadow.nfiles; i++) {
		struct shadow_file *f = &s->shadow.files[i];
		char path[700];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", s->target.root, f->name);
		if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
			missing(s, f);
			r = -ENOENT;
		} else {
			settle_size(s, f, (u64)st.st_size);
		}
	}
	return r;
}
