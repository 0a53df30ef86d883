// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program of a probe, instruction by instruction: no compiler for BPF is needed, neither to
 * build nor to run. libbpf loads it and describes its two functions, which a callback of bpf_loop()
 * must have. (bpf(2), bpf-helpers(7), Documentation/bpf/btf.rst)
 *
 *	if (process id in the pid namespace of stressd != pid)  return 0;
 *	if (!word->on || word->calls++ % every)                 return 0;
 *	word->since_ns = now;  word->held++;
 *	bpf_loop(as often as it takes, until now + delay);      return 0;
 */
#include "race/probe.h"

#ifdef STRESSD_LIBBPF

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* Registers: 0 results, 1 to 5 arguments, 6 to 9 kept over calls, 10 the frame. */
#define OP(c, d, s, o, i)                                                                          \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define SET(d, i)      OP(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s)     OP(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD(d, i)      OP(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define MOD(d, i)      OP(BPF_ALU64 | BPF_MOD | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)  OP(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
#define LOAD4(d, s, o) OP(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE(d, s, o) OP(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
#define CALL(f)	       OP(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define RETURN	       OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define WORD(field) offsetof(struct probe_word, field)
#define LOOP_NS	    4 /* less than a turn of bpf_loop() takes */
#define CODE_MOST   64
#define EXITS_MOST  8

_Static_assert(sizeof(struct probe_word) == 64, "words share no cache line");

struct code {
	struct bpf_insn at[CODE_MOST];
	u32 n;
	u32 exits[EXITS_MOST], nexits; /* jumps to the end of the function that is being made */
	u32 callback;		       /* the load of its address, later where it begins */
};

static void emit(struct code *c, struct bpf_insn insn)
{
	c->at[c->n++] = insn;
}

static void emit_set64(struct code *c, u8 reg, u8 kind, u32 lo, u32 hi)
{
	emit(c, OP(BPF_LD | BPF_IMM | BPF_DW, reg, kind, 0, (int)lo));
	emit(c, OP(0, 0, 0, 0, (int)hi));
}

static void emit_leave_if(struct code *c, u8 jump, u8 reg, int value)
{
	c->exits[c->nexits++] = c->n;
	emit(c, OP(BPF_JMP | jump | BPF_K, reg, 0, 0, value));
}

/* Here all exits come to. */
static void emit_return(struct code *c, int value)
{
	while (c->nexits) {
		u32 from = c->exits[--c->nexits];

		c->at[from].off = (__s16)(c->n - from - 1);
	}
	emit(c, SET(0, value));
	emit(c, RETURN);
}

/* Leave unless it is process @pid, as our own pid namespace has it. (struct bpf_pidns_info) */
static void emit_filter(struct code *c, const struct stat *ns, pid_t pid)
{
	u32 dev = major(ns->st_dev) << 20 | minor(ns->st_dev); /* as the kernel has it */

	emit_set64(c, 1, 0, dev, 0);
	emit_set64(c, 2, 0, (u32)ns->st_ino, 0);
	emit(c, COPY(3, 10));
	emit(c, ADD(3, -8));
	emit(c, SET(4, 8));
	emit(c, CALL(BPF_FUNC_get_ns_current_pid_tgid));
	emit_leave_if(c, BPF_JNE, 0, 0);
	emit(c, LOAD4(1, 10, -4));
	emit_leave_if(c, BPF_JNE, 1, pid);
}

/* Leave unless it is on and this is the first call of "every". Register 6 is the word then. */
static void emit_count(struct code *c, int map, u32 at, u64 every)
{
	emit_set64(c, 6, BPF_PSEUDO_MAP_VALUE, (u32)map, at);
	emit(c, LOAD(1, 6, WORD(on)));
	emit_leave_if(c, BPF_JEQ, 1, 0);
	emit(c, LOAD(1, 6, WORD(calls)));
	emit(c, COPY(2, 1));
	emit(c, ADD(2, 1));
	emit(c, STORE(6, 2, WORD(calls)));
	emit(c, MOD(1, (int)every));
	emit_leave_if(c, BPF_JNE, 1, 0);
}

static void emit_spin(struct code *c, u64 delay_ns)
{
	emit(c, LOAD(1, 6, WORD(held)));
	emit(c, ADD(1, 1));
	emit(c, STORE(6, 1, WORD(held)));
	emit(c, CALL(BPF_FUNC_ktime_get_ns));
	emit(c, STORE(6, 0, WORD(since_ns)));
	emit(c, ADD(0, (int)delay_ns));
	emit(c, STORE(10, 0, -16));
	emit(c, SET(1, (int)(delay_ns / LOOP_NS + 1)));
	c->callback = c->n;
	emit_set64(c, 2, BPF_PSEUDO_FUNC, 0, 0);
	emit(c, COPY(3, 10));
	emit(c, ADD(3, -16));
	emit(c, SET(4, 0));
	emit(c, CALL(BPF_FUNC_loop));
}

/* until(index, &end): 0 goes on, 1 ends the loop. */
static void emit_until(struct code *c)
{
	c->at[c->callback].imm = (int)(c->n - c->callback - 1);
	c->callback = c->n;
	emit(c, COPY(6, 2));
	emit(c, CALL(BPF_FUNC_ktime_get_ns));
	emit(c, LOAD(1, 6, 0));
	emit(c, OP(BPF_JMP | BPF_JLT | BPF_X, 0, 1, 2, 0)); /* over the next return */
	emit_return(c, 1);
	emit_return(c, 0);
}

int probe_map(u32 bytes, struct err *e)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "stressd_probes", sizeof(u32), bytes, 1, &opts);

	return fd < 0 ? err_set(e, -EOPNOTSUPP,
				"bpf(2) makes no map that can be shared (%s): run as root, on "
				"Linux "
				"5.17 or later with CONFIG_BPF_SYSCALL",
				strerror(errno))
		      : fd;
}

static inline void btf_freep(struct btf **b)
{
	btf__free(*b);
}

/* long stressd_delay(void *ctx), long until(long index, void *ctx) */
static struct btf *describe(const struct code *c, struct bpf_func_info info[2])
{
	struct btf *b = btf__new_empty();
	int number, pointer, type;

	if (!b)
		return NULL;
	number = btf__add_int(b, "long", 8, BTF_INT_SIGNED);
	pointer = btf__add_ptr(b, 0);
	type = btf__add_func_proto(b, number);
	btf__add_func_param(b, "ctx", pointer);
	info[0].insn_off = 0;
	info[0].type_id = (u32)btf__add_func(b, "stressd_delay", BTF_FUNC_STATIC, type);
	type = btf__add_func_proto(b, number);
	btf__add_func_param(b, "index", number);
	btf__add_func_param(b, "ctx", pointer);
	info[1].insn_off = c->callback;
	info[1].type_id = (u32)btf__add_func(b, "until", BTF_FUNC_STATIC, type);
	if (btf__load_into_kernel(b) < 0) {
		btf__free(b);
		return NULL;
	}
	return b;
}

static int load(const struct code *c, struct err *e)
{
	struct bpf_func_info info[2];
	_cleanup_(btf_freep) struct btf *btf = NULL;
	char log[4096] = "";
	int fd;

	libbpf_set_print(NULL);
	btf = describe(c, info);
	if (!btf)
		return err_set(e, -EOPNOTSUPP, "bpf(2) takes no BTF (%s): run as root",
			       strerror(errno));

	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_btf_fd = (u32)btf__fd(btf), .func_info = info,
		    .func_info_cnt = 2, .func_info_rec_size = sizeof(info[0]), .log_buf = log,
		    .log_size = sizeof(log), .log_level = 1);
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "stressd_delay", "GPL", c->at, c->n, &opts);
	if (fd >= 0)
		return fd;
	log[strcspn(log, "\n")] = '\0';
	return err_set(
		e, -EOPNOTSUPP,
		"the kernel does not take the program of a probe (%s%s%s): it needs root and "
		"Linux 5.17 or later",
		strerror(errno), log[0] ? ": " : "", log);
}

int probe_program(int map, u32 at, pid_t pid, const struct probe_spec *spec, struct err *e)
{
	struct code c = { .n = 0 };
	struct stat ns;

	if (stat("/proc/self/ns/pid", &ns) < 0)
		return err_set(e, -errno, "/proc/self/ns/pid: %s", strerror(errno));
	emit_filter(&c, &ns, pid);
	emit_count(&c, map, at, spec->every);
	emit_spin(&c, spec->delay_ns);
	emit_return(&c, 0);
	emit_until(&c);
	return load(&c, e);
}

#else

#include <errno.h>

int probe_map(u32 bytes, struct err *e)
{
	(void)bytes;
	return err_set(e, -EOPNOTSUPP,
		       "this stressd was built without libbpf, which probe-delay needs: install "
		       "libbpf-dev and build it again");
}

int probe_program(int map, u32 at, pid_t pid, const struct probe_spec *spec, struct err *e)
{
	(void)map, (void)at, (void)pid, (void)spec;
	return probe_map(0, e);
}

#endif
