#!/usr/bin/env bash
# The demonstration: examples/quickstart with real Terraform on this machine.
#
#   demo.sh up     from a bare machine to a served chat completion, and a second plan that finds nothing to change
#   demo.sh down   destroy it, stop the Docker Engine if we started it, and check that nothing of ours is left
#
# DEMO_IMAGE chooses another image (pulled when it is missing); the default is the one that images.sh builds.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPOSITORY"

DEMO=$REPOSITORY/.demo
BINARIES=${CARGO_TARGET_DIR:-$REPOSITORY/target}/release
DEPLOYMENT=quickstart

export TF_CLI_CONFIG_FILE=$DEMO/terraform.rc TF_DATA_DIR=$DEMO/data TF_IN_AUTOMATION=1 CHECKPOINT_DISABLE=1
export TF_VAR_model=$LAB/model/plain/Tiny-Chat-0.1B
if [[ -n ${DEMO_IMAGE:-} ]]; then
  export TF_VAR_image=$DEMO_IMAGE TF_VAR_image_pull_policy=missing
fi

[[ -t 1 ]] || export TF_CLI_ARGS=-no-color

tf() { terraform -chdir="$DEMO" "$@"; }

# A folder with the example and its state, where Terraform takes the provider from our build folder. Nobody's own settings
# are touched.
prepare() {
  mkdir -p "$DEMO"
  cp examples/quickstart/*.tf "$DEMO"
  cat >"$TF_CLI_CONFIG_FILE" <<RC
provider_installation {
  dev_overrides {
    "terraform-provider-dynamo/dynamo" = "$BINARIES"
  }
  direct {}
}
RC
}

chat() {
  "$(lab_python)" "$LAB_SCRIPTS/chat.py" "$(tf output -raw endpoint)" "$(tf output -raw model)" "Say something nice about plain hosts."
}

plan_is_empty() {
  local code=0
  tf plan -input=false -detailed-exitcode || code=$?
  [[ $code == 0 ]] || { say "the second plan must find nothing to change, but ended with $code"; return 1; }
}

up() {
  require_tools cargo terraform
  "$LAB_SCRIPTS/engine.sh" up
  [[ -n ${DEMO_IMAGE:-} ]] || "$LAB_SCRIPTS/images.sh"
  step "Writing the tiny model" "$LAB_SCRIPTS/model.py" "$LAB/model"
  step "Building the provider (cargo build --release)" cargo build --quiet --release --bin terraform-provider-dynamo
  prepare
  step "terraform apply: a frontend and two workers" tf apply -input=false -auto-approve
  step "Asking the model" chat
  step "terraform plan: nothing may be left to change" plan_is_empty
  say "==> It runs. Try: curl $(tf output -raw endpoint)/v1/models; end it with: make demo-down"
}

destroy() {
  [[ -f $DEMO/terraform.tfstate ]] || { say "    no demo was applied from here"; return; }
  "$LAB_SCRIPTS/engine.sh" up
  prepare
  tf destroy -input=false -auto-approve
  rm -rf "$DEMO"
}

LEFT=0
# check "what" command…: what the command prints is left over, and should not be.
check() {
  local what=$1 found
  shift
  found=$("$@")
  if [[ -z $found ]]; then
    say "    none left: $what"
  else
    say "    LEFT OVER: $what"
    say "$found"
    LEFT=1
  fi
}

docker_objects() { docker "$@" --filter "label=$MANAGER_LABEL" --filter "label=io.dynamo-terraform.deployment=$DEPLOYMENT"; }

provider_processes() {
  local link
  for link in /proc/[0-9]*/exe; do
    [[ $(readlink "$link" 2>/dev/null) == "$BINARIES/terraform-provider-dynamo"* ]] && echo "${link%/exe}"
  done
  return 0
}

down() {
  local ours=$LAB/engine/dockerd.pid
  step "terraform destroy" destroy
  say "==> Checking that nothing is left"
  if engine_answers; then
    check "containers" docker_objects ps --all --format '{{.Names}} {{.Status}}'
    check "networks" docker_objects network ls --format '{{.Name}}'
    check "volumes" docker_objects volume ls --format '{{.Name}}'
  fi
  check "processes of the provider" provider_processes
  if [[ -f $ours ]]; then
    "$LAB_SCRIPTS/engine.sh" down
    check "our dockerd" find "$LAB/engine" -name dockerd.pid
    check "mounts of our dockerd" engine_mounts
  fi
  [[ $LEFT == 0 ]] || die "something is left over, see above"
  say "==> Nothing is left but downloads and images under $LAB, which make the next demo quick"
}

case ${1:-} in
  up) up ;;
  down) down ;;
  *) die "usage: demo.sh up|down" ;;
esac
