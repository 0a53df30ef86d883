// SPDX-License-Identifier: GPL-2.0-or-later
/* Titles: the rule's template, its groups with everything that varies taken out, and the
 * function at fault, which is the first in the stack that only this bug would have there. */
#include "klog/titles.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FUNC_MAX 96

/* Reporters, locks, waits and copies: whoever called these is the one to name. A trailing '*'
 * stands for any ending. */
static const char *const generic[] = {
	"dump_stack*",
	"__dump_stack*",
	"show_stack*",
	"dump_backtrace*",
	"show_regs*",
	"nmi_cpu_backtrace*",
	"nmi_trigger*",
	"trigger_*backtrace*",
	"__warn*",
	"warn_slowpath*",
	"report_bug",
	"handle_bug",
	"exc_*",
	"asm_exc_*",
	"do_error_trap",
	"do_trap",
	"die*",
	"panic",
	"vpanic",
	"check_panic_on_warn",
	"print_*",
	"kasan_*",
	"__kasan_*",
	"__asan_*",
	"kfence_*",
	"kmsan_*",
	"__msan_*",
	"kcsan_*",
	"__tsan_*",
	"ubsan_*",
	"__ubsan_*",
	"handle_overflow*",
	"check_memory_region*",
	"end_report",
	"memcpy*",
	"__memcpy*",
	"memmove*",
	"__memmove*",
	"memset*",
	"__memset*",
	"memcmp*",
	"strlen",
	"strcmp",
	"strnlen",
	"refcount_warn_saturate",
	"refcount_*",
	"__refcount_*",
	"kref_*",
	"__list_add_valid*",
	"__list_del_entry_valid*",
	"list_add*",
	"list_del*",
	"__list_*",
	"lockdep_*",
	"lock_acquire*",
	"lock_release*",
	"__lock_*",
	"lock_is_held*",
	"check_noncircular*",
	"check_prev*",
	"validate_chain",
	"mark_lock*",
	"register_lock_class",
	"assign_lock_key",
	"debug_*",
	"_raw_*",
	"__raw_*",
	"do_raw_*",
	"queued_spin*",
	"native_queued*",
	"__pv_queued*",
	"mutex_lock*",
	"__mutex_*",
	"mutex_unlock",
	"down_read*",
	"down_write*",
	"__down_*",
	"rwsem_*",
	"up_read*",
	"up_write*",
	"percpu_*",
	"__percpu_*",
	"schedule*",
	"__schedule*",
	"io_schedule*",
	"preempt_schedule*",
	"__cond_resched*",
	"__might_*",
	"might_*",
	"context_switch",
	"wait_for_completion*",
	"__wait_for_common",
	"__wait_on_*",
	"out_of_line_*",
	"bit_wait*",
	"folio_wait_*",
	"wait_on_*",
	"folio_lock*",
	"__folio_lock*",
	"wait_current*",
	"bad_page*",
	"free_page_is_bad*",
	"free_unref_*",
	"free_pages_*",
	"free_frozen_*",
	"__free_*",
	"filemap_unaccount*",
	"free_pcppages*",
	"prep_new_page",
	"post_alloc_hook",
	"get_page_from_freelist",
	"__alloc_*",
	"alloc_pages*",
	"__folio_put*",
	"folios_put*",
	"release_pages",
	"dump_page",
	"kmalloc*",
	"__kmalloc*",
	"__do_kmalloc*",
	"kmem_cache_*",
	"slab_*",
	"__slab_*",
	"___slab_*",
	"kfree*",
	"object_err",
	"warn_alloc",
	"should_fail*",
	"should_failslab",
	"fail_dump",
	"__switch_to*",
	"__sched*",
	"ret_from_fork*",
	"syscall_*",
	"rcu_*",
	"sched_show_task",
	"watchdog_*",
	"assfail",
	"asswarn",
	"smp_processor_id",
	"entry_SYSCALL*",
	"do_syscall*",
	"__rcu_*",
	"native_*",
	"default_idle*",
	"copy_from_user*",
	"copy_to_user*",
	"_copy_*",
	"rep_movs*",
	"__check_object_size",
	"check_preemption_disabled",
	"el1*",
	"do_mem_abort",
	"do_page_fault",
	"do_user_addr_fault",
	"page_fault_oops",
	"bug_handler",
	"brk_handler",
};

static bool is_generic(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(generic); i++) {
		const char *star = strrchr(generic[i], '*');

		if (star && !star[1] ? !strncmp(name, generic[i], (size_t)(star - generic[i]))
				     : !strcmp(name, generic[i]))
			return true;
	}
	return false;
}

static bool is_symbol(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/*
 * The next "name+0x12/0x34" of @line goes to @name without what the compiler hung on (".isra.0",
 * ".cold"). Returns where to go on, or NULL. Frames marked "?" are leftovers of the stack.
 */
static const char *next_symbol(const char *line, char name[FUNC_MAX])
{
	const char *plus = line;

	while ((plus = strstr(plus, "+0x"))) {
		const char *start = plus, *slash = plus + 3 + strspn(plus + 3, "0123456789abcdef");

		while (start > line && is_symbol(start[-1]))
			start--;
		plus = slash;
		if (start == slash || strncmp(slash, "/0x", 3) || !is_symbol(*start))
			continue;
		if (start - line >= 2 && !strncmp(start - 2, "? ", 2))
			continue;
		snprintf(name, FUNC_MAX, "%.*s", (int)strcspn(start, ".+"), start);
		return slash + 3;
	}
	return NULL;
}

/* Take the first symbol of @line that is not generic; the first at all is kept in @fallback. */
static bool culprit_in(const char *line, char name[FUNC_MAX], char fallback[FUNC_MAX])
{
	while ((line = next_symbol(line, name))) {
		if (!*name)
			continue;
		if (!is_generic(name))
			return true;
		if (!*fallback)
			snprintf(fallback, FUNC_MAX, "%s", name);
	}
	return false;
}

static bool is_pc(const char *line)
{
	return (!strncmp(line, "RIP: ", 5) && !strstr(line, "0033:")) || !strncmp(line, "pc : ", 5);
}

/* "at fs/xfs/xfs_inode.c:97" names no function, but a file that stays the same. */
static bool file_in(const char *anchor, char name[FUNC_MAX])
{
	const char *dot = strstr(anchor, ".c:"), *start = dot;

	if (!dot)
		return false;
	while (start > anchor && (is_symbol(start[-1]) || start[-1] == '/' || start[-1] == '-'))
		start--;
	snprintf(name, FUNC_MAX, "%.*s", (int)(dot + 2 - start), start);
	return true;
}

static void culprit(const struct splat *s, char name[FUNC_MAX])
{
	char fallback[FUNC_MAX] = "";
	bool trace = false;

	if (culprit_in(s->anchor, name, fallback))
		return;
	for (size_t i = 0; i < s->nlines; i++)
		if (is_pc(s->lines[i]) && culprit_in(s->lines[i], name, fallback))
			return;
	for (size_t i = 0; i < s->nlines; i++) {
		trace |= !strncasecmp(s->lines[i], "Call trace", 10);
		if (trace && culprit_in(s->lines[i], name, fallback))
			return;
	}
	/* KCSAN and KFENCE print frames without a heading. */
	for (size_t i = 0; i < s->nlines && !trace; i++)
		if (isblank((unsigned char)s->lines[i][0]) &&
		    culprit_in(s->lines[i], name, fallback))
			return;
	if (*fallback)
		snprintf(name, FUNC_MAX, "%s", fallback);
	else if (!file_in(s->anchor, name))
		snprintf(name, FUNC_MAX, "an unknown function");
}

/* Length of an address, "0x" and digits or eight and more hex digits with one that is decimal:
 * words such as "defaced" are none. */
static size_t address_len(const char *p)
{
	size_t prefix = !strncmp(p, "0x", 2) ? 2 : 0;
	size_t n = prefix + strspn(p + prefix, "0123456789abcdef");

	if (is_symbol(p[n]) || (prefix ? n < 3 : n < 8))
		return 0;
	if (!prefix && strspn(p, "abcdef") == n)
		return 0;
	return n;
}

static void put(char *buf, size_t len, size_t *at, char c)
{
	bool doubled = c == ' ' && *at && buf[*at - 1] == ' ';

	if (*at + 1 < len && !doubled)
		buf[(*at)++] = isprint((unsigned char)c) ? c : '?';
}

/* Copy a group without offsets ("+0x1a/0x40") and addresses. */
static void put_group(char *buf, size_t len, size_t *at, const char *p, const char *end)
{
	while (p < end) {
		size_t n = 0;

		if (!strncmp(p, "+0x", 3))
			n = 1 + strspn(p + 1, "0123456789abcdefx/");
		else if (*at == 0 || !is_symbol(buf[*at - 1]))
			n = address_len(p);
		if (!n)
			put(buf, len, at, *p++);
		else if (*p != '+')
			put(buf, len, at, 'N');
		p += n;
	}
}

void title_of(const struct rules *r, const struct splat *s, char *buf, size_t len)
{
	regmatch_t m[RULE_GROUPS];
	size_t at = 0;

	if (!rules_groups(r, s->rule, s->anchor, m))
		memset(m, -1, sizeof(m));
	for (const char *t = klog_rules[s->rule].title; *t; t++) {
		char func[FUNC_MAX];

		if (*t != '%' || !t[1]) {
			put(buf, len, &at, *t);
		} else if (*++t == 'f') {
			culprit(s, func);
			put_group(buf, len, &at, func, func + strlen(func));
		} else if (*t > '0' && *t < '0' + RULE_GROUPS && m[*t - '0'].rm_so >= 0) {
			put_group(buf, len, &at, s->anchor + m[*t - '0'].rm_so,
				  s->anchor + m[*t - '0'].rm_eo);
		}
	}
	while (at && strchr(" :,", buf[at - 1]))
		at--;
	buf[at] = '\0';
}
