#!/usr/bin/env bash
# Builds images with which dynamo_openwebui is tested, upon the image of images.sh. The project's own image needs a registry.
#
#   openwebui.sh standin   openwebui-standin:1  tells what it is told, and has its accounts in the same table (seconds)
#   openwebui.sh real      open-webui:0.12.4    Open WebUI itself, from its wheel on PyPI, in its slim form (a minute, 800 MB)
#
# An image that was made by this very recipe is kept. Downloads are kept under .lab/openwebui.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

VERSION=0.12.4
WORK=$LAB/openwebui
BASE=dynamo-mocker:1.6.1
RECIPE_LABEL=io.dynamo-terraform.recipe

# recipe FOLDER: of this script, the folder's files and the image below.
recipe() {
  { cat "${BASH_SOURCE[0]}" "$LAB_SCRIPTS/$1"/*; docker image inspect --format '{{.Id}}' "$BASE"; } | sha256sum | cut -c1-16
}

is_current() { [[ $(docker image inspect --format "{{index .Config.Labels \"$RECIPE_LABEL\"}}" "$1" 2>/dev/null) == "$2" ]]; }

# build IMAGE RECIPE FOLDER
build() { docker build --quiet --network none --label "$RECIPE_LABEL=$2" --tag "$1" "$3" >/dev/null; }

# The wheel says itself which packages its slim form takes. async-timeout: what redis needs on a Python before 3.11.3.
install_packages() {
  local python wheel=$WORK/open_webui-$VERSION-py3-none-any.whl platform platforms=()
  python=$(lab_python)
  for platform in 2_28 2_27 2_17; do platforms+=(--platform "manylinux_${platform}_x86_64"); done
  rm -rf "$WORK/context"
  mkdir -p "$WORK/context"
  [[ -f $wheel ]] || "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$WORK" "open-webui==$VERSION" >&2
  "$python" -m zipfile -e "$wheel" "$WORK/wheel"
  { tr -d '\r' <"$WORK/wheel/requirements-slim.txt"; echo async-timeout==5.0.1; } >"$WORK/packages.txt"
  rm -rf "$WORK/wheel"
  pip_install --requirement "$WORK/packages.txt"
  pip_install --no-deps "$wheel"
  find "$WORK/context/packages" -type d -name tests -prune -exec rm -rf {} +
}

pip_install() {
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --cache-dir "$WORK/pip" --no-compile \
    --only-binary=:all: --python-version 3.11 "${platforms[@]}" --platform manylinux2014_x86_64 \
    --target "$WORK/context/packages" --upgrade "$@" >&2 ||
    { say "PyPI did not give the packages of Open WebUI $VERSION: check the network, or PIP_INDEX_URL"; return 1; }
}

real() {
  local recipe
  recipe=$(recipe openwebui-real)
  if is_current "open-webui:$VERSION" "$recipe"; then say "==> Image open-webui:$VERSION is there already"; return; fi
  step "Fetching Open WebUI $VERSION from PyPI" install_packages
  cp "$LAB_SCRIPTS"/openwebui-real/* "$WORK/context/"
  step "Building image open-webui:$VERSION" build "open-webui:$VERSION" "$recipe" "$WORK/context"
  rm -rf "$WORK/context"
}

standin() {
  local recipe
  recipe=$(recipe openwebui-standin)
  if is_current openwebui-standin:1 "$recipe"; then say "==> Image openwebui-standin:1 is there already"; return; fi
  step "Building image openwebui-standin:1" build openwebui-standin:1 "$recipe" "$LAB_SCRIPTS/openwebui-standin"
}

engine_answers || die "no Docker Engine answers: run acceptance-tests/lab/engine.sh up first"
docker image inspect "$BASE" >/dev/null 2>&1 || die "image $BASE is not there: run acceptance-tests/lab/images.sh first"
case ${1:-} in
  standin | real) "$1" ;;
  *) die "usage: openwebui.sh standin|real" ;;
esac
