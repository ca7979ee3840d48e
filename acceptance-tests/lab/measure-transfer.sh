#!/usr/bin/env bash
# What a model's way from a host to another costs: dynamo_model beside scp and rsync, on the same pair of hosts in one run.
#
#   measure-transfer.sh [MIB]     one file of so many MiB (2048), and 5,000 small ones of 16 KiB
#
# The lab has no sftp, so scp speaks its old protocol. scp -3 goes through this machine as the provider does; scp and rsync go from host to host directly, which needs a key there.
# Takes twice the file's size on disk, and gives it back.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

MIB=${1:-2048}
NETWORK=${DYNAMO_LAB_NETWORK:-10.77.0}
KEYS=$LAB/hosts/keys
PROVIDER=$REPOSITORY/target/${PROFILE:-release}
WORK=$(mktemp -d)
hosts() { "$LAB_SCRIPTS/hosts.sh" "$@"; }
require_tools terraform ssh scp
[[ -x $PROVIDER/terraform-provider-dynamo ]] || die "$PROVIDER/terraform-provider-dynamo is not there: make build first"

end() {
  hosts lab-down >/dev/null 2>&1 || true
  rm -rf "$WORK"
}
trap end EXIT
hosts lab-up
hosts host-up hosta "$NETWORK.21"
hosts host-up hostb "$NETWORK.22"
A=$NETWORK.21 B=$NETWORK.22
OPTIONS=(-q -i "$KEYS/ed25519" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null)
on() { hosts run "$@"; }

for host in hosta hostb; do on "$host" sh -c 'mkdir -p /data/models && chown -R ops /data'; done
# Keys of the lab, on the first host, for those that go directly.
cp "$KEYS/ed25519" "$LAB/hosts/hosta/disk/etc/ssh/to_b" && on hosta chown ops /etc/ssh/to_b
TO_B="ssh -q -i /etc/ssh/to_b -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"

small='{"architectures":["Qwen2ForCausalLM"]}'
on hosta sh -c "mkdir -p /data/models/big /data/models/small && for m in big small; do echo '$small' >/data/models/\$m/config.json; echo '{}' >/data/models/\$m/tokenizer.json; done
  head -c ${MIB}M /dev/urandom >/data/models/big/model.gguf; head -c 16K /dev/urandom >/data/models/small/model.gguf
  cd /data/models/small && head -c 80000K /dev/urandom | split -b 16K -a 4 - part. && chown -R ops /data"

configuration() {
  cat <<HCL
terraform {
  required_providers {
    dynamo = { source = "terraform-provider-dynamo/dynamo" }
  }
}
provider "dynamo" {
  hosts = {
    a = { address = "$A", user = "ops", private_key = file("$KEYS/ed25519"), host_key = "$(cut -d' ' -f1,2 "$KEYS/hosta.host.pub")" }
    b = { address = "$B", user = "ops", private_key = file("$KEYS/ed25519"), host_key = "$(cut -d' ' -f1,2 "$KEYS/hostb.host.pub")" }
  }
}
resource "dynamo_model" "copy" {
  host = "b"
  name = "acme/$1"
  source {
    host = "a"
    path = "/data/models/$1"
  }
}
HCL
}

provider() {
  mkdir -p "$WORK/$1"
  configuration "$1" >"$WORK/$1/main.tf"
  printf 'provider_installation {\n  dev_overrides {\n    "terraform-provider-dynamo/dynamo" = "%s"\n  }\n  direct {}\n}\n' "$PROVIDER" >"$WORK/rc"
  (cd "$WORK/$1" && TF_CLI_CONFIG_FILE=$WORK/rc terraform apply -auto-approve -input=false -no-color >"$WORK/log" 2>&1) || { cat "$WORK/log" >&2; return 1; }
}
scp3() { scp -O -3 -r "${OPTIONS[@]}" "ops@$A:/data/models/$1" "ops@$B:/data/models/$1"; }
direct() { on hosta setpriv --reuid=ops --regid=ops --clear-groups sh -c "scp -O -r -q -S /usr/bin/ssh -i /etc/ssh/to_b -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null /data/models/$1 ops@$B:/data/models/"; }
rsync_() { on hosta setpriv --reuid=ops --regid=ops --clear-groups rsync -a -e "$TO_B" "/data/models/$1" "ops@$B:/data/models/"; }

measure() {
  local way=$1 model=$2 begin end bytes
  on hostb rm -rf "/data/models/$model"
  sync
  begin=$(date +%s.%N)
  "$way" "$model" >/dev/null
  end=$(date +%s.%N)
  bytes=$(on hosta du -sb "/data/models/$model" | cut -f1)
  on hostb sh -c "cd /data/models/$model && find . -name .dynamo-model.sha256 -delete; cat ./* | sha256sum" >"$WORK/b"
  on hosta sh -c "cd /data/models/$model && cat ./* | sha256sum" >"$WORK/a"
  cmp -s "$WORK/a" "$WORK/b" || die "$way did not copy $model as it is"
  awk -v way="$way" -v model="$model" -v b="$bytes" -v t="$(echo "$end - $begin" | bc)" 'BEGIN { printf "%-10s %-6s %8.2f s  %7.1f MB/s\n", way, model, t, b / t / 1e6 }'
}

ways=(provider scp3 direct)
if on hosta sh -c 'command -v rsync' >/dev/null 2>&1; then ways+=(rsync_); else say "rsync is not there (apt-get install rsync): left out"; fi
for model in big small; do
  for way in "${ways[@]}"; do measure "$way" "$model"; done
done
