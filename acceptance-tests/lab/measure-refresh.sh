#!/usr/bin/env bash
# How long Terraform's refresh takes for a deployment with so many workers on a host that is 20 ms away (40 ms there and
# back), and what it asks the host, beside Docker's own command over SSH reading the same containers. The workers are real.
#
#   measure-refresh.sh [WORKERS…]     default: 1 10 100, which wants 6 GB of memory
#
# Columns: seconds with the cable as it is and with the delay; the difference in round trips, which is how many of them
# came one after the other; TCP connections, sessions on the server, and requests that the Engine saw.
# PROVIDER_FOLDER measures the provider in that folder; without it a release build is made.
# `inspect each` is one `docker inspect` per container, `inspect all` one for all of them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

DELAY_MS=20
HOST=measured
ADDRESS=${DYNAMO_LAB_NETWORK:-10.77.0}.21
KEYS=$LAB/hosts/keys
WORK=$LAB/measure
BINARIES=${PROVIDER_FOLDER:-${CARGO_TARGET_DIR:-$REPOSITORY/target}/release}
SSHD_LOG=$LAB/hosts/$HOST/disk/var/log/sshd.log
ENGINE_LOG=$LAB/hosts/$HOST/disk/var/log/dockerd.log

hosts() { "$LAB_SCRIPTS/hosts.sh" "$@"; }
tf() { terraform -chdir="$WORK" "$@" -input=false -no-color -compact-warnings; }

prepare() {
  mkdir -p "$WORK/programs"
  export TF_CLI_CONFIG_FILE=$WORK/terraform.rc TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
  cat >"$TF_CLI_CONFIG_FILE" <<RC
provider_installation {
  dev_overrides {
    "terraform-provider-dynamo/dynamo" = "$BINARIES"
  }
  direct {}
}
RC
  cat >"$WORK/main.tf" <<HCL
terraform {
  required_providers {
    dynamo = { source = "terraform-provider-dynamo/dynamo" }
  }
}
provider "dynamo" {
  hosts = {
    measured = {
      address     = "$ADDRESS"
      user        = "ops"
      private_key = file("$KEYS/ed25519")
      host_key    = trimspace(file("$KEYS/$HOST.host.pub"))
    }
  }
}
variable "workers" { type = number }
resource "dynamo_deployment" "measured" {
  name              = "measured"
  engine            = "mocker"
  image             = "dynamo-mocker:1.6.1"
  image_pull_policy = "never"
  model             = "$LAB/model/plain/Tiny-Chat-0.1B"
}
resource "dynamo_worker" "measured" {
  count      = var.workers
  deployment = dynamo_deployment.measured
}
HCL
  # What `docker -H ssh://` finds on the PATH, with the lab's key and without the user's settings.
  cat >"$WORK/programs/ssh" <<SSH
#!/bin/sh
exec $(command -v ssh) -F none -i $KEYS/ed25519 -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR \\
  -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=$WORK/known_hosts "\$@"
SSH
  chmod +x "$WORK/programs/ssh"
}

docker_over_ssh() { PATH=$WORK/programs:$PATH docker -H "ssh://ops@$ADDRESS" "$@"; }
refresh() { tf plan -refresh-only -parallelism=10 >/dev/null; }

inspect_each() {
  local id
  docker_over_ssh ps --quiet >/dev/null
  for id in $IDS; do docker_over_ssh inspect "$id" >/dev/null; done
}

inspect_all() {
  docker_over_ssh ps --quiet >/dev/null
  # shellcheck disable=SC2086
  docker_over_ssh inspect $IDS >/dev/null
}

seconds() {
  local started
  started=$(date +%s%N)
  "$@"
  awk -v ns=$(($(date +%s%N) - started)) 'BEGIN { printf "%.2f", ns / 1e9 }'
}

# measure WORKERS NAME COMMAND
measure() {
  local near far before after
  hosts delay "$HOST" 0
  near=$(seconds "$3")
  hosts delay "$HOST" "$DELAY_MS"
  before=$(counts)
  far=$(seconds "$3")
  after=$(counts)
  printf '%s %s %s %s\n' "$near" "$far" "$before" "$after" | awk -v n="$1" -v what="$2" -v rtt=$((2 * DELAY_MS)) \
    '{ printf "%10d  %-13s %7.2f s %7.2f s %11.0f %12d %9d %9d\n", n, what, $1, $2, ($2 - $1) * 1000 / rtt, $6 - $3, $7 - $4, $8 - $5 }'
}

# Connections, sessions and requests so far.
counts() {
  printf '%s %s %s' "$(count '^Connection from' "$SSHD_LOG")" "$(count '^Starting session' "$SSHD_LOG")" "$(count 'msg="Calling ' "$ENGINE_LOG")"
}
count() { grep -c "$1" "$2" || true; }

require_tools cargo terraform docker ssh
[[ -n ${PROVIDER_FOLDER:-} ]] || step "Building the provider (cargo build --release)" cargo build --quiet --release --bin terraform-provider-dynamo
trap 'hosts lab-down; rm -rf "$WORK"' EXIT
hosts lab-up
hosts host-up "$HOST" "$ADDRESS"
hosts load "$HOST" dynamo-mocker:1.6.1
prepare
printf '%10s  %-13s %9s %9s %11s %12s %9s %9s\n' workers reading 'no delay' "$DELAY_MS ms" 'round trips' connections sessions requests
(($#)) || set -- 1 10 100
for n in "$@"; do
  hosts delay "$HOST" 0
  export TF_VAR_workers=$n
  step "Making $n workers" tf apply -auto-approve -parallelism=10 >/dev/null
  IDS=$(hosts run "$HOST" docker ps --quiet)
  measure "$n" terraform refresh
  measure "$n" 'inspect all' inspect_all
  measure "$n" 'inspect each' inspect_each
done
