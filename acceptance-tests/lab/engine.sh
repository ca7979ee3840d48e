#!/usr/bin/env bash
# Makes sure that a Docker Engine answers: uses the one that runs, else starts one of our own and can stop it again.
#
#   engine.sh up       use the Engine that answers on DOCKER_HOST or the default socket; else install and start dockerd
#   engine.sh down     stop the dockerd that `up` started; somebody else's is left alone
#   engine.sh status   exit code 0 when an Engine answers
#
# Our own dockerd keeps images and log under .lab/engine, so the next `up` is quick.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

STATE=$LAB/engine
PID_FILE=$STATE/dockerd.pid
LOG=$STATE/dockerd.log
SOCKET=/var/run/docker.sock

# Prints the process id of our dockerd if it lives. A pid file may outlive its process, and the number may be reused.
our_pid() {
  local pid
  pid=$(cat "$PID_FILE" 2>/dev/null) || return 1
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] || return 1
  printf '%s\n' "$pid"
}

install_engine() {
  command -v dockerd >/dev/null && command -v iptables >/dev/null && return
  command -v apt-get >/dev/null || die "no Docker Engine answers, and without apt-get none can be installed here: install Docker and start it"
  step "Installing the Docker Engine (apt-get install docker.io iptables)" apt_install docker.io iptables
}

apt_install() {
  local log=$STATE/apt.log
  if apt-get update -qq >"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1; then
    return
  fi
  tail -5 "$log" >&2
  return 1
}

# What a killed dockerd leaves behind makes the next one refuse to start, or talk to a containerd that is gone.
forget_dead_engine() {
  rm -f "$PID_FILE" "$ENGINE_RUN"/containerd/containerd.{pid,toml} "$ENGINE_RUN"/containerd/*.sock*
}

start_engine() {
  forget_dead_engine
  mkdir -p "$STATE/data" "$ENGINE_RUN"
  setsid nohup dockerd --host "unix://$SOCKET" --data-root "$STATE/data" --exec-root "$ENGINE_RUN" --pidfile "$PID_FILE" \
    >"$LOG" 2>&1 </dev/null &
  local pid=$!
  for _ in $(seq 120); do
    engine_answers && return
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -5 "$LOG" >&2
  return 1
}

# TERM first, so that containers stop in order; KILL when it does not end.
stop_engine() {
  local pid=$1
  kill -TERM "$pid"
  for _ in $(seq 60); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  if kill -0 "$pid" 2>/dev/null; then
    say "    dockerd does not end by itself: killing it"
    kill -KILL "$pid" "$(cat "$ENGINE_RUN/containerd/containerd.pid" 2>/dev/null)" 2>/dev/null || true
    sleep 1
  fi
  forget_dead_engine
}

up() {
  if engine_answers; then
    say "==> Using the Docker Engine that answers on ${DOCKER_HOST:-the default socket}"
    return
  fi
  [[ -z ${DOCKER_HOST:-} ]] || die "DOCKER_HOST is $DOCKER_HOST, and no Docker Engine answers there: start it, or unset DOCKER_HOST"
  [[ $EUID == 0 ]] || die "no Docker Engine answers for this user, and starting one needs root: start Docker, or run this as root"
  mkdir -p "$STATE"
  local pid
  if pid=$(our_pid); then
    step "Our dockerd runs but does not answer: stopping it" stop_engine "$pid"
  fi
  install_engine
  step "Starting dockerd in the background (log: $LOG)" start_engine
}

# What a dockerd that is gone has left; an Engine of somebody else may answer meanwhile.
clear_up() {
  engine_mounts | xargs -r umount --lazy
  rm -f "$PID_FILE"
  engine_answers || rm -rf "$ENGINE_RUN"
}

down() {
  local pid
  if pid=$(our_pid); then
    step "Stopping the dockerd that we started" stop_engine "$pid"
    clear_up
  elif [[ -f $PID_FILE ]]; then
    step "Clearing up after the dockerd that we started, which was killed" clear_up
  else
    say "==> The Docker Engine was not started by us: left as it is"
  fi
}

case ${1:-} in
  up) up ;;
  down) down ;;
  status) engine_answers ;;
  *) die "usage: engine.sh up|down|status" ;;
esac
