// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A result out of its result.json makes the same reports, byte for byte; a file that stressd could
 * not have written is refused in one line that names the place, or is read, and nothing else.
 */
#include "report/restore.h"

#include "report_sample.h"

#include <errno.h>
#include <unistd.h>

static char path[32];

static int make(void **state)
{
	int fd = mkstemp(strcpy(path, "/tmp/stressd-restore-XXXXXX"));

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int destroy(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const char *text, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static int restore(const struct scenario *sc, struct restored **ret)
{
	struct err e = { "" };
	int r = result_restore(path, sc, ret, &e);

	/* "PATH:LINE: POINTER: what is wrong; expected what" */
	if (r < 0) {
		assert_int_equal(strncmp(e.text, path, strlen(path)), 0);
		assert_has(e.text, "; expected ");
		assert_null(strchr(e.text, '\n'));
	}
	return r;
}

/* The sample with some of everything, races and faults, too. */
static struct sample *sample_full(void)
{
	static struct race_result race = { "tail", 2, 900, 30, 3, 12, 7, 0.001, 0.01 };
	static struct told_result told = { "fsync", "EIO", 4 };
	static struct fault_result faults[2] = {
		{ .type = "fail_make_request",
		  .source = "times",
		  .armings = 3,
		  .armed_s = 1.5,
		  .counted = true,
		  .injected = 40,
		  .told = &told,
		  .ntold = 1,
		  .balance = "40 injected, 4 told" },
		{ .type = "freeze", .source = "nothing", .dropped = true, .balance = "not armed" },
	};
	struct sample *s = sample_new(3);

	s->r.races = &race;
	s->r.nraces = 1;
	s->r.faults = faults;
	s->r.nfaults = 2;
	s->r.setup_s = 0.25;
	s->r.verify_s = 1.125;
	strcpy(s->r.reason, "3 findings");
	strcpy(s->r.expected_end, "the filesystem was shut down");
	s->sc.expect = "zeroed";
	s->f[2].kind = FINDING_KERNEL_WARNING;
	strcpy(s->f[2].title, "WARNING in iomap_thing");
	s->f[2].has_cell = false;
	s->f[2].cell = s->f[2].offset = s->f[2].cell_bytes = 0;
	s->f[2].timeline = NULL;
	return s;
}

/* What is drawn for each page, and the time at which a report is made. */
static char *masked(char *text)
{
	static const struct {
		const char *before;
		size_t len;
	} marks[] = { { "nonce-", 32 }, { "nonce=\"", 32 }, { "report_timestamp=\"", 25 } };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		for (char *at = text; (at = strstr(at, marks[i].before));) {
			at += strlen(marks[i].before);
			memset(at, '0', marks[i].len);
		}
	return text;
}

static void assert_same_reports(const struct sample *s)
{
	struct sample again = *s;
	struct restored *x;
	char *text = sample_render(s, "json");

	put(text, strlen(text));
	free(text);
	assert_int_equal(restore(&s->sc, &x), 0);
	again.r = x->r;
	for (const struct report_format *const *f = report_formats; *f; f++) {
		char *was = masked(sample_render(s, (*f)->name));
		char *is = masked(sample_render(&again, (*f)->name));

		assert_string_equal(was, is);
		free(was);
		free(is);
	}
	restored_free(x);
}

static void the_same_reports(void **state)
{
	struct sample *s = sample_full();

	(void)state;
	assert_same_reports(s);
	sample_make_evil(s);
	assert_same_reports(s);
	s->r = (struct run_result){ .sc = &s->sc, .verdict = VERDICT_SKIP, .exit = 4 };
	assert_same_reports(s);
	sample_free(s);
}

/* Without its scenario a run still has its name, and what it expects. */
static void without_scenario(void **state)
{
	struct sample *s = sample_full();
	char *text = sample_render(s, "json");
	struct restored *x;

	(void)state;
	put(text, strlen(text));
	assert_int_equal(restore(NULL, &x), 0);
	assert_string_equal(x->r.sc->name, "short-write-vs-mmap");
	assert_string_equal(x->r.sc->expect, "zeroed");
	restored_free(x);
	free(text);
	sample_free(s);
}

static void torn(void **state)
{
	struct sample *s = sample_full();
	char *text = sample_render(s, "json");
	struct restored *x;

	(void)state;
	for (size_t len = 0; len + 2 < strlen(text); len += 97) {
		put(text, len);
		assert_int_equal(restore(NULL, &x), -EINVAL);
	}
	unlink(path);
	assert_int_equal(restore(NULL, &x), -ENOENT);
	free(text);
	sample_free(s);
}

/* The whole of @j is written and read: refused, or read and rendered, whatever it says. */
static int try(const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	struct restored *x;
	int r;

	put(text, strlen(text));
	free(text);
	r = restore(NULL, &x);
	assert_true(r == 0 || r == -EINVAL);
	if (r == 0) {
		for (const struct report_format *const *f = report_formats; *f; f++) {
			struct sample s = { .r = x->r };

			free(sample_render(&s, (*f)->name));
		}
		restored_free(x);
	}
	return r;
}

static json_t *const *wrong_values(size_t *n)
{
	static json_t *values[9];

	if (!values[0]) {
		values[0] = json_null();
		values[1] = json_true();
		values[2] = json_integer(-1);
		values[3] = json_integer(INT64_MAX);
		values[4] = json_real(1e300);
		values[5] = json_string("?");
		values[6] = json_array();
		values[7] = json_object();
		values[8] = json_pack("[o]", json_null());
	}
	*n = ARRAY_SIZE(values);
	return values;
}

struct tally {
	u64 tried, refused;
};

static void plant(struct tally *t, json_t *root, json_t *here);

/* Each wrong value in place of member @key, or element @i, of @here; then what is below it. */
static void plant_at(struct tally *t, json_t *root, json_t *here, const char *key, size_t i)
{
	json_t *right = json_incref(key ? json_object_get(here, key) : json_array_get(here, i));
	json_t *const *values;
	size_t n;

	values = wrong_values(&n);
	for (size_t v = 0; v < n; v++) {
		if (key)
			json_object_set(here, key, values[v]);
		else
			json_array_set(here, i, values[v]);
		t->tried++;
		t->refused += try(root) < 0;
	}
	if (key)
		json_object_set(here, key, right);
	else
		json_array_set(here, i, right);
	plant(t, root, right);
	json_decref(right);
}

static void plant(struct tally *t, json_t *root, json_t *here)
{
	const char *key;
	json_t *v;
	void *tmp;

	json_object_foreach_safe(here, tmp, key, v) plant_at(t, root, here, key, 0);
	/* The first of each kind stands for all. */
	for (size_t i = 0; i < MIN(json_array_size(here), 1UL); i++)
		plant_at(t, root, here, NULL, i);
}

static void every_wrong_value(void **state)
{
	struct sample *s = sample_full();
	json_t *j = result_to_json(&s->r);
	struct tally t = { 0, 0 };

	(void)state;
	assert_int_equal(try(j), 0);
	plant(&t, j, j);
	/* All but what a report has no use for, and what the wrong value is right for. */
	assert_true(t.tried > 1000);
	assert_true(t.refused > t.tried * 3 / 4);
	assert_int_equal(try(j), 0);
	json_decref(j);
	sample_free(s);
}

/* What indexes an array, or fills one, is held to its size. */
static void too_much(void **state)
{
	static const struct {
		const char *key;
		size_t max;
	} lists[] = { { "operations", FINDING_OPS }, { "log", FINDING_LINES } };
	struct sample *s = sample_full();
	json_t *j, *f, *lane;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_t *list;

		j = result_to_json(&s->r);
		f = json_array_get(json_object_get(j, "findings"), 0);
		list = json_object_get(f, lists[i].key);
		while (json_array_size(list) < lists[i].max)
			json_array_append(list, json_array_get(list, 0));
		assert_int_equal(try(j), 0);
		json_array_append(list, json_array_get(list, 0));
		assert_int_equal(try(j), -EINVAL);
		json_decref(j);
	}
	j = result_to_json(&s->r);
	f = json_array_get(json_object_get(j, "findings"), 0);
	lane = json_object_get(
		json_array_get(json_object_get(json_object_get(f, "timeline"), "operations"), 0),
		"lane");
	json_integer_set(lane, 2);
	assert_int_equal(try(j), 0);
	json_integer_set(lane, 3); /* the sample has three */
	assert_int_equal(try(j), -EINVAL);
	json_decref(j);
	sample_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_reports, make, destroy),
		cmocka_unit_test_setup_teardown(without_scenario, make, destroy),
		cmocka_unit_test_setup(torn, make),
		cmocka_unit_test_setup_teardown(every_wrong_value, make, destroy),
		cmocka_unit_test_setup_teardown(too_much, make, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
