#!/usr/bin/env bash
# Hosts of a lab on one machine. Each has a network, process and mount namespace of its own, a copy-on-write copy of this
# machine's files, its own sshd and its own Docker Engine. To SSH and Docker that is a machine with an address.
#
#   hosts.sh lab-up                              the network 10.77.0.0/24 and the keys; nothing else of this machine changes
#   hosts.sh host-up NAME IP [--gpus N] [--sshd-option 'KEYWORD value']…     start a host, or one that host-down --keep left
#   hosts.sh load NAME IMAGE…                    copy images from this machine's Engine to the host's
#   hosts.sh run NAME COMMAND…                   run a command in the host as root, without SSH
#   hosts.sh delay NAME MS [JITTER_MS LOSS_% MBIT_S]    slow the host's cable down, each way; 0 is the plain cable again
#   hosts.sh cut NAME | uncut NAME               pull the host's cable; plug it in again
#   hosts.sh sshd-restart NAME [--sshd-option 'KEYWORD value']…   ends live SSH sessions; options replace those of before
#   hosts.sh host-down NAME [--keep]             cut the host's power; --keep keeps its disk
#   hosts.sh lab-down                            remove all of it
#   hosts.sh lab-hold                            lab-up, wait until standard input ends, lab-down: a lab that dies with its user
#
# Users of a host: root; ops (may use Docker); plain (may use sudo with the password, but not Docker); nosudo (neither).
# Under .lab/hosts: keys/ (ed25519, ecdsa, rsa, encrypted, certified, stranger), keys/password (of ops and plain, and the
# passphrase of `encrypted`), keys/NAME.host.pub, NAME/pid (its process 1),
# NAME/disk/var/log (sshd.log: connections and logins; dockerd.log: every request).
# DYNAMO_LAB_NETWORK (default 10.77.0) chooses another network, so that two labs can run side by side.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

NETWORK=${DYNAMO_LAB_NETWORK:-10.77.0}
STATE=$LAB/hosts
KEYS=$STATE/keys
PACKAGES=$LAB/packages
# Our names in the machine: the namespace with the switch and the interface to it are LAB_TAG, a host's namespace LAB_TAG-NAME.
LAB_TAG=lab-${NETWORK//./-}
# Says whose lab this is; the namespaces are the machine's, the state belongs to one checkout.
OWNER=/run/$LAB_TAG
SWITCH=switch0
# Behind every real route, so that nothing for the lab leaves the machine when the lab's own interface is down.
BLACKHOLE=(blackhole "$NETWORK.0/24" metric 4000)

namespace() { printf '%s-%s' "$LAB_TAG" "$1"; }
in_lab() { ip -n "$LAB_TAG" "$@"; }
in_host() { local name=$1 && shift && ip -n "$(namespace "$name")" "$@"; }

# ---- what the machine must have

prepare_machine() {
  [[ $EUID == 0 ]] || die "lab hosts are made of namespaces, mounts and interfaces: run this as root"
  [[ -c /dev/net/tun ]] || die "/dev/net/tun is not there: the delayed cable needs it"
  install_tools
  require_tools dockerd docker nsenter unshare pivot_root
  fetch_host_packages
}

install_tools() {
  local missing=()
  command -v ip >/dev/null || missing+=(iproute2)
  command -v iptables >/dev/null || missing+=(iptables)
  command -v ssh-keygen >/dev/null || missing+=(openssh-client)
  ((${#missing[@]} == 0)) || step "Installing ${missing[*]} (apt-get install)" apt install "${missing[@]}"
}

# sshd and sudo go into the hosts and not into the machine, where an installed sshd would start and listen.
fetch_host_packages() {
  local missing=()
  [[ -x /usr/sbin/sshd ]] || missing+=(openssh-server)
  [[ -x /usr/bin/sudo ]] || missing+=(sudo)
  ((${#missing[@]} == 0)) && return
  [[ -f $PACKAGES/complete && $(cat "$PACKAGES/complete") == "${missing[*]}" ]] && return
  mkdir -p "$PACKAGES/partial"
  step "Fetching ${missing[*]} for the hosts" apt install --download-only -o Dir::Cache::archives="$PACKAGES" "${missing[@]}"
  echo "${missing[*]}" >"$PACKAGES/complete"
}

apt() {
  command -v apt-get >/dev/null || die "there is no apt-get here: install what is missing by hand"
  local log=$LAB/apt.log
  mkdir -p "$LAB"
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends "$@" >>"$log" 2>&1; then
    return
  fi
  tail -5 "$log" >&2
  return 1
}

# ---- the lab: a switch, a cable to this machine, keys

lab_up() {
  local owner
  if owner=$(cat "$OWNER" 2>/dev/null); then
    [[ $owner == "$STATE" ]] || die "network $NETWORK.0/24 is used by the lab in $owner: stop that one, or set DYNAMO_LAB_NETWORK"
    say "==> The lab is up already"
    return
  fi
  prepare_machine
  [[ -z $(ip -o address show to "$NETWORK.0/24") ]] || die "an address in $NETWORK.0/24 is taken: set DYNAMO_LAB_NETWORK to another network"
  mkdir -p "$STATE"
  echo "$STATE" >"$OWNER"
  make_keys
  ip netns add "$LAB_TAG"
  in_lab link add "$SWITCH" type bridge
  in_lab link set "$SWITCH" up
  ip link add "$LAB_TAG" type veth peer name machine netns "$LAB_TAG"
  in_lab link set machine master "$SWITCH" up
  ip address add "$NETWORK.1/24" dev "$LAB_TAG"
  ip link set "$LAB_TAG" up
  ip route add "${BLACKHOLE[@]}"
}

# Every kind of key that a user may bring. Hosts know all of them but `stranger`; `certified` only through its certificate.
make_keys() {
  mkdir -p "$STATE"
  mkdir -m 0700 "$KEYS"
  head -c 12 /dev/urandom | base64 | tr '+/' 'xy' >"$KEYS/password"
  make_key ed25519
  make_key ecdsa -t ecdsa -b 256
  make_key rsa -t rsa -b 2048
  make_key encrypted -t ed25519 -N "$(cat "$KEYS/password")"
  make_key certified
  make_key stranger
  make_key user_ca
  ssh-keygen -q -s "$KEYS/user_ca" -I lab-user -n ops "$KEYS/certified.pub"
  cat "$KEYS"/{ed25519,ecdsa,rsa,encrypted}.pub >"$KEYS/authorized_keys"
}

# make_key NAME [options of ssh-keygen, which win over the default: ed25519, no passphrase]
make_key() {
  local name=$1
  shift
  [[ -f $KEYS/$name ]] || ssh-keygen -q -t ed25519 -N '' -C "lab $name" -f "$KEYS/$name" "$@"
}

lab_down() {
  local owner host
  owner=$(cat "$OWNER" 2>/dev/null) || { say "==> There is no lab on $NETWORK.0/24"; return; }
  [[ $owner == "$STATE" ]] || die "the lab on $NETWORK.0/24 belongs to $owner: stop it from there"
  for host in $(ip netns list | sed -n "s/^$LAB_TAG-\([a-z0-9]*\).*/\1/p"); do host_down "$host"; done
  ip route del "${BLACKHOLE[@]}" 2>/dev/null || true
  ip link del "$LAB_TAG" 2>/dev/null || true
  ip netns del "$LAB_TAG" 2>/dev/null || true
  rm -rf --one-file-system "$STATE"
  rm -f "$OWNER"
}

# A killed user leaves no lab behind: its end of the pipe closes however it ends. (Interrupts are for the user, not for us.)
lab_hold() {
  trap '' INT TERM HUP
  lab_up
  echo up
  cat >/dev/null
  lab_down
}

# ---- hosts

# Process 1 of a host as this machine numbers it. A pid file may be stale, so the namespace must agree.
pid_of() {
  local pid
  pid=$(cat "$STATE/$1/pid" 2>/dev/null) && [[ /proc/$pid/ns/net -ef /run/netns/$(namespace "$1") ]] && echo "$pid"
}

need() { pid_of "$1" || die "no host $1 is up: hosts.sh host-up $1 IP"; }

docker_of() {
  local pid
  pid=$(need "$1")
  shift
  DOCKER_HOST=unix:///proc/$pid/root/run/docker.sock docker "$@"
}

host_up() {
  local name=$1 ip=$2 gpus=0 options=() disk=$STATE/$1/disk pid
  shift 2
  while (($#)); do
    case $1 in
      --gpus) gpus=$2 ;;
      --sshd-option) options+=("$2") ;;
      *) die "host-up does not know $1" ;;
    esac
    shift 2
  done
  [[ $name =~ ^[a-z][a-z0-9]{0,9}$ ]] || die "a host's name has up to ten small letters and digits, not: $name"
  [[ $ip == "$NETWORK".* ]] || die "a host's address is in $NETWORK.0/24, not: $ip"
  [[ -f $OWNER ]] || die "the lab is not up: hosts.sh lab-up"
  pid_of "$name" >/dev/null && die "host $name is up already"
  make_disk "$name" "$gpus"
  sshd_config "$ip" "${options[@]}" >"$disk/etc/ssh/lab_config"
  ip netns add "$(namespace "$name")"
  echo "$ip" >"$STATE/$name/address"
  in_host "$name" link set lo up
  plug "$name"
  boot "$name"
}

# What differs from this machine: packages, keys, settings, GPUs. A disk that was kept stays as it is.
make_disk() {
  local name=$1 gpus=$2 disk=$STATE/$1/disk package
  mkdir -p "$STATE/$name"/{disk,work,root,docker}
  [[ ! -d $disk/etc ]] || return 0
  mkdir -p "$disk/etc/ssh" "$disk/usr/bin"
  for package in "$PACKAGES"/*.deb; do # ./lib would cover up the link /lib of a merged-/usr system
    [[ ! -f $package ]] || dpkg-deb --fsys-tarfile "$package" | tar -x -C "$disk" --exclude ./lib
  done
  make_key "$name.host"
  cp "$KEYS/$name.host" "$disk/etc/ssh/lab_host_key"
  cp "$KEYS/user_ca.pub" "$KEYS/authorized_keys" "$KEYS/password" "$disk/etc/ssh"
  [[ $gpus == 0 ]] || make_gpus "$disk" "$gpus"
}

# dockerd offers GPUs when it finds NVIDIA's hook on its PATH; ours gives the container nothing and is content.
make_gpus() {
  local disk=$1
  printf '%s\n' '#!/bin/sh' 'exit 0' >"$disk/usr/bin/nvidia-container-runtime-hook"
  sed "s/^GPUS=.*/GPUS=$2/" "$LAB_SCRIPTS/nvidia-smi.sh" >"$disk/usr/bin/nvidia-smi"
  chmod 0755 "$disk"/usr/bin/nvidia-*
}

# sshd_config IP [OPTION…]: the first value of a keyword counts, so the options of a case come first.
sshd_config() {
  local ip=$1
  shift
  (($# == 0)) || printf '%s\n' "$@"
  cat <<CONFIG
ListenAddress $ip
HostKey /etc/ssh/lab_host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
TrustedUserCAKeys /etc/ssh/user_ca.pub
PermitRootLogin prohibit-password
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
LogLevel VERBOSE
PidFile /run/sshd.pid
CONFIG
}

# An address keeps its hardware address, or neighbours would talk to the cable before this one for up to 20 seconds.
plug() {
  local name=$1 ip
  shift
  ip=$(cat "$STATE/$name/address")
  in_lab link del "$name" 2>/dev/null || true
  # A slow cable's far end stays until its process has noticed.
  in_host "$name" link del eth0 2>/dev/null || true
  if [[ ${1:-0} == 0 ]]; then
    ip link add "$name" netns "$LAB_TAG" type veth peer name eth0 netns "$(namespace "$name")"
  else
    start_wire "$name" "$@"
    in_lab link set "$name-far" netns "$(namespace "$name")" name eth0
  fi
  in_lab link set "$name" master "$SWITCH" up
  # shellcheck disable=SC2046,SC2086
  in_host "$name" link set eth0 address "$(printf '02:4d:%02x:%02x:%02x:%02x' ${ip//./ })" up
  in_host "$name" address add "$ip/24" dev eth0
  in_host "$name" route add default dev eth0 # nobody answers there; Dynamo asks which interface it is
}

# The wire ends by itself when one of its interfaces goes.
start_wire() {
  local name=$1 log=$STATE/$1/wire.log
  shift
  while in_lab link show "$name-far" >/dev/null 2>&1; do sleep 0.05; done
  setsid nsenter --net="/run/netns/$LAB_TAG" python3 "$LAB_SCRIPTS/wire.py" "$name" "$name-far" "$@" >"$log" 2>&1 </dev/null &
  wait_for "the delayed cable of $name ($log)" in_lab link show "$name-far"
}

# wait_for "what" COMMAND…: for up to half a minute.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 600); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  die "this did not come up in time: $what"
}

boot() {
  local name=$1 parent
  setsid nsenter --net="/run/netns/$(namespace "$name")" unshare --mount --uts --ipc --pid --fork --kill-child=SIGKILL \
    "$LAB_SCRIPTS/host-init.sh" "$STATE/$name" "$LAB_TAG-$name" >"$STATE/$name/boot.log" 2>&1 </dev/null &
  parent=$!
  wait_for "process 1 of $name ($STATE/$name/boot.log)" pgrep --parent "$parent"
  pgrep --parent "$parent" >"$STATE/$name/pid"
  wait_for "sshd of $name ($STATE/$name/boot.log)" sshd_listens "$name"
  wait_for "the Engine of $name ($STATE/$name/disk/var/log/dockerd.log)" docker_of "$name" version
}

# sshd writes the file after it listens. (Before the host has its own /run, the path leads to this machine's.)
sshd_listens() {
  local root
  root=/proc/$(pid_of "$1")/root
  [[ -f $root/etc/ssh/lab_config ]] && [[ -f $root/run/sshd.pid ]]
}

run() {
  local pid
  pid=$(need "$1")
  shift
  nsenter --target "$pid" --mount --uts --ipc --net --pid \
    env --ignore-environment --chdir=/ PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}

load() {
  local name=$1
  shift
  need "$name" >/dev/null
  docker save "$@" | docker_of "$name" load --quiet >&2
}

sshd_restart() {
  local name=$1 options=()
  shift
  while (($#)); do
    [[ $1 == --sshd-option ]] || die "sshd-restart does not know $1"
    options+=("$2")
    shift 2
  done
  need "$name" >/dev/null
  sshd_config "$(cat "$STATE/$name/address")" "${options[@]}" | run "$name" tee /etc/ssh/lab_config >/dev/null
  run "$name" /usr/sbin/sshd -t -f /etc/ssh/lab_config
  # The port is free once none lives: a signal is sent and not waited for.
  run "$name" sh -c 'rm -f /run/sshd.pid; pkill -KILL -x sshd; while ps -C sshd -o stat= | grep -qv Z; do sleep 0.02; done'
  run "$name" /usr/sbin/sshd -f /etc/ssh/lab_config -E /var/log/sshd.log
  wait_for "sshd of $name" sshd_listens "$name"
}

# Killing process 1 ends every process of the host, and with the last one its mounts go.
host_down() {
  local name=$1 keep=${2:-} namespace pids group
  namespace=$(namespace "$name")
  while pids=$(ip netns pids "$namespace" 2>/dev/null) && [[ -n $pids ]]; do
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
    sleep 0.05
  done
  in_lab link del "$name" 2>/dev/null || true
  ip netns del "$namespace" 2>/dev/null || true
  for group in /sys/fs/cgroup/{,*/}"$namespace"; do
    [[ ! -d $group ]] || wait_for "the end of $group" remove_group "$group"
  done
  if [[ $keep == --keep ]]; then rm -f "$STATE/$name/pid"; else rm -rf --one-file-system "${STATE:?}/$name"; fi
}

remove_group() { find "$1" -depth -type d -exec rmdir {} + && [[ ! -d $1 ]]; }

# ---- commands

usage() { die "usage: see the head of $LAB_SCRIPTS/hosts.sh"; }

(($# >= 1)) || usage
command=$1
shift
case $command in
  lab-up | lab-down | lab-hold) least=0 ;;
  host-up | load | delay | run) least=2 ;;
  cut | uncut | sshd-restart | host-down) least=1 ;;
  *) usage ;;
esac
(($# >= least)) || usage

case $command in
  lab-up) step "Starting the lab on $NETWORK.0/24" lab_up ;;
  lab-down) step "Removing the lab on $NETWORK.0/24" lab_down ;;
  lab-hold) lab_hold ;;
  host-up) step "Starting host $1 at $2" host_up "$@" ;;
  host-down) step "Cutting the power of host $1" host_down "$@" ;;
  load) step "Copying ${*:2} to host $1" load "$@" ;;
  run) run "$@" ;;
  delay) need "$1" >/dev/null && plug "$@" ;;
  cut) in_lab link set "$1" down ;;
  uncut) in_lab link set "$1" up ;;
  sshd-restart) sshd_restart "$@" ;;
esac
