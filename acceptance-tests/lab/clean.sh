#!/usr/bin/env bash
# Removes every container, network and volume that carries the provider's label, one at a time, and nothing else.
#
#   clean.sh               of every deployment
#   clean.sh DEPLOYMENT    of this one
#
# (One at a time because Engines of the 20.10 line can deadlock when containers leave one network together.)
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

filters=(--filter "label=$MANAGER_LABEL")
[[ $# == 0 ]] || filters+=(--filter "label=io.dynamo-terraform.deployment=$1")

remove() {
  local kind=$1 id
  shift
  while read -r id; do
    say "    removing $kind $id"
    timeout 60 docker "$@" "$id" >/dev/null || die "the Engine did not remove $kind $id"
  done
}

docker ps --all --quiet "${filters[@]}" | remove container rm --force --volumes
docker network ls --quiet "${filters[@]}" | remove network network rm
docker volume ls --quiet "${filters[@]}" | remove volume volume rm
