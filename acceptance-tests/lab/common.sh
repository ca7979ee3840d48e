# What every lab script shares: where things are, how they speak, how they give up. Sourced, never run.
# shellcheck shell=bash disable=SC2034

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_SCRIPTS=$REPOSITORY/acceptance-tests/lab
LAB=${DYNAMO_LAB_DIR:-$REPOSITORY/.lab}
MANAGER_LABEL=io.dynamo-terraform.manager=terraform-provider-dynamo

say() { printf '%s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# step "what is done" command…: says it, does it, says how long it took. A failure ends the script and names the step.
# (No `||` behind the command: bash would then carry on after failures inside of it.)
step() {
  local started=$SECONDS
  STEP=$1
  shift
  say "==> $STEP"
  "$@"
  say "    done in $((SECONDS - started)) s"
  STEP=
}
STEP=
trap '[[ $? == 0 || -z $STEP ]] || say "error: this step failed: $STEP"' EXIT

# require_tools NAME…: one sentence for what is missing, before anything is started.
require_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "$tool is not on the PATH: install it first ($(where_from "$tool"))"
  done
}

where_from() {
  case $1 in
    terraform) echo "1.11 or newer, https://developer.hashicorp.com/terraform/install" ;;
    cargo) echo "https://rustup.rs" ;;
    docker-registry) echo "the package of that name in Debian and Ubuntu" ;;
    *) echo "your system's packages" ;;
  esac
}

# Where our own dockerd keeps what must not outlive it. Short: socket paths end at 108 bytes.
ENGINE_RUN=/run/terraform-provider-dynamo-lab

# Mount points of our own dockerd, deepest first.
engine_mounts() {
  local run=$ENGINE_RUN/
  ! engine_answers || run=$LAB/engine/ # what is in use there is that Engine's, perhaps of another checkout
  awk -v state="$LAB/engine/" -v run="$run" 'index($2, state) == 1 || index($2, run) == 1 { print $2 }' /proc/mounts | sort -r
}

# A wedged Engine answers `version` and hangs on `info`: ask for `info`, and do not wait for ever.
engine_answers() { timeout 15 docker info >/dev/null 2>&1; }

# The Python that the lab uses: any of 3.10 or newer with pip.
lab_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
    [[ -n $candidate ]] || continue
    if "$candidate" -c 'import sys, pip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  die "Python 3.10 or newer with pip is needed; install it or set PYTHON to its path"
}
