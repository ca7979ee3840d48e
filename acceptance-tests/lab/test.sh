#!/usr/bin/env bash
# Runs every check and every test of this repository; the Docker Engine is stopped again if this run started it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPOSITORY"

require_tools cargo terraform
# A real registry for the tests that ask one.
if ! command -v docker-registry >/dev/null && command -v apt-get >/dev/null; then
  install_registry() { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry; }
  step "Installing a registry (apt-get install docker-registry)" install_registry >&2
fi
require_tools docker-registry

step "Format (cargo fmt --check)" cargo fmt --check
step "Lints (cargo clippy)" cargo clippy --quiet --all-targets -- -D warnings
step "Documentation is up to date (docs --check)" cargo run --quiet -- docs --check

if ! "$LAB_SCRIPTS/engine.sh" status; then
  trap '"$LAB_SCRIPTS/engine.sh" down 2>/dev/null' EXIT
  "$LAB_SCRIPTS/engine.sh" up
fi
"$LAB_SCRIPTS/images.sh"
"$LAB_SCRIPTS/openwebui.sh" standin
step "Writing the tiny model" "$LAB_SCRIPTS/model.py" "$LAB/model" >&2

say "==> Tests (cargo test): units, plugin protocol, Terraform on Docker"
# Four at a time: acceptance tests wait a good deal, and one or two of the four are often cases on lab hosts, which take turns.
cargo test -- --test-threads 4
