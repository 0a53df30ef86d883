#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Slurm of one node on this machine, without systemd: slurm.sh start|crash|stop DIR. As root. Everything
# is below DIR, which must be absolute. The node is called node1 and has namespaces of its own, so that name
# and boot are not those of the machine that submits; `crash` kills all that runs on it at once, as a panic
# would, and boots it anew. Then:
#   SLURM_CONF=DIR/slurm.conf stressd matrix --engine slurm --run-dir NIGHT MATRIX
set -eu

[ $# = 2 ] && [ "${2#/}" != "$2" ] || { echo "usage: $0 start|crash|stop DIR" >&2; exit 2; }
dir=$2
boot_id=/proc/sys/kernel/random/boot_id

write_config() {
	cat >"$dir/slurm.conf" <<-EOF
		ClusterName=stressd
		SlurmctldHost=$(hostname -s)(127.0.0.1)
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		AuthInfo=socket=$dir/munge.socket
		CredType=cred/munge
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core_Memory
		MpiDefault=none
		MailProg=/bin/true
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd.pid
		SlurmctldLogFile=$dir/slurmctld.log
		SlurmdLogFile=$dir/slurmd.log
		SlurmctldPort=16817
		SlurmdPort=16818
		ReturnToService=0
		SlurmdTimeout=30
		NodeName=node1 NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.8) }' /proc/meminfo) State=UNKNOWN
		PartitionName=all Nodes=node1 Default=YES MaxTime=INFINITE State=UP
	EOF
}

await() {
	for _ in $(seq 300); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	echo "$0: gave up on: $*; see the logs in $dir" >&2
	return 1
}

boot_node() {
	cat /proc/sys/kernel/random/uuid >"$dir/boot_id"
	unshare --mount --uts --propagation private sh -c "hostname node1 &&
		mount --bind '$dir/boot_id' $boot_id && exec slurmd -f '$dir/slurm.conf' -N node1"
}

# All of its namespace, and nothing else: twice, as what is killed may just have forked.
kill_node() {
	pid=$(cat "$dir/slurmd.pid" 2>/dev/null) && ns=$(readlink "/proc/$pid/ns/mnt") || return 0
	[ "$ns" != "$(readlink /proc/self/ns/mnt)" ] || { echo "$0: that is no node of mine" >&2; exit 1; }
	for _ in 1 2; do
		for proc in /proc/[0-9]*; do
			[ "$(readlink "$proc/ns/mnt" 2>/dev/null)" != "$ns" ] || kill -9 "${proc#/proc/}" 2>/dev/null || :
		done
	done
	rm -f "$dir/slurmd.pid"
}

start() {
	mkdir -p -m 0755 "$dir" "$dir/state" "$dir/spool"
	[ -e "$dir/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
	write_config
	export SLURM_CONF="$dir/slurm.conf"
	munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
		--log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
	slurmctld -f "$dir/slurm.conf"
	await scontrol ping
	boot_node
	await sh -c "sinfo -h -o %T | grep -q idle"
	echo "SLURM_CONF=$dir/slurm.conf"
}

# What runs on the node, then each daemon by its own pid file.
stop() {
	kill_node
	for daemon in slurmctld munged; do
		pid=$(cat "$dir/$daemon.pid" 2>/dev/null) || continue
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] || continue
		kill "$pid"
		await sh -c "! kill -0 $pid"
	done
}

case $1 in
start) start ;;
crash) kill_node && boot_node ;;
stop) stop ;;
*) exit 2 ;;
esac
