#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Slurm of one node on this machine, without systemd: slurm.sh start|stop DIR. As root. Everything is
# below DIR, which must be absolute, and nothing of /etc is read but accounts. Then:
#   SLURM_CONF=DIR/slurm.conf stressd matrix --engine slurm --run-dir NIGHT MATRIX
set -eu

[ $# = 2 ] && [ "${2#/}" != "$2" ] || { echo "usage: $0 start|stop DIR" >&2; exit 2; }
dir=$2
node=$(hostname -s)

write_config() {
	cat >"$dir/slurm.conf" <<-EOF
		ClusterName=stressd
		SlurmctldHost=$node(127.0.0.1)
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
		NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.8) }' /proc/meminfo) State=UNKNOWN
		PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
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

start() {
	mkdir -p -m 0755 "$dir" "$dir/state" "$dir/spool"
	[ -e "$dir/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
	write_config
	export SLURM_CONF="$dir/slurm.conf"
	munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
		--log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
	slurmctld -f "$dir/slurm.conf"
	await scontrol ping
	slurmd -f "$dir/slurm.conf"
	await sh -c "sinfo -h -o %T | grep -q idle"
	echo "SLURM_CONF=$dir/slurm.conf"
}

# Each by its own pid file, and no other.
stop() {
	for daemon in slurmd slurmctld munged; do
		pid=$(cat "$dir/$daemon.pid" 2>/dev/null) || continue
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] || continue
		kill "$pid"
		await sh -c "! kill -0 $pid"
	done
}

case $1 in
start) start ;;
stop) stop ;;
*) exit 2 ;;
esac
