#!/usr/bin/env bash
# Builds the images that demo and tests run, from Debian packages and NVIDIA's own wheels on PyPI: no image registry.
# usage: images.sh [VERSION…]: with versions, dynamo-mocker of those older releases instead, for `make test-releases`.
#
#   dynamo-mocker:1.6.1    NVIDIA Dynamo's frontend, router and simulated engine, and etcd; laid out like NVIDIA's runtime images
#   busybox:local          a shell; the bystander in tests that take ports and names away
#   dynamo-hub:local       the first one with huggingface_hub, as NVIDIA's images of engines have it
#   dynamo-faults:dies     its "python3" prints two lines and exits with code 3
#   dynamo-faults:silent   its "python3" runs and never answers
#   dynamo-faults:hollow   its "python3" answers like a frontend without workers: many cost next to nothing
#
# An image that was made by this very recipe is kept. Downloads are kept under .lab/images.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

DYNAMO=1.6.1
WORK=$LAB/images
RECIPE_LABEL=io.dynamo-terraform.recipe
RECIPE=$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-16)

# Debian 12's Python 3.11 and what it links to; etcd and NATS, which NVIDIA's images bring along; bash and busybox because
# people look into containers.
PACKAGES=(libc6 libgcc-s1 libstdc++6 libcrypt1 zlib1g libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libuuid1 libsqlite3-0
  libpython3.11-minimal python3.11-minimal libpython3.11-stdlib python3.11 bash libtinfo6 busybox-static etcd-server nats-server)

# All that dynamo.frontend and dynamo.mocker import. The rest of what ai-dynamo declares serves engines and planners.
WHEELS=(pydantic==2.13.5 pydantic_core==2.46.5 annotated_types==0.8.0 typing_extensions==4.16.0 typing_inspection==0.4.5
  uvloop==0.23.0 msgspec==0.22.0 packaging==26.3 pyyaml==6.0.3)
# Up to 1.5 the mocker imports the profiler and transformers, in 1.0 the planner with its Kubernetes client too: 150 MB more.
TRANSFORMERS=(transformers==4.57.1 huggingface_hub==0.35.3 tokenizers==0.22.1 numpy==2.3.4 regex==2026.11.15 filelock==4.2.11
  tqdm==4.70.1 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2 fsspec==2026.9.0
  safetensors==0.8.0)
PLANNER=(kubernetes==32.0.1 six==1.17.0 python-dateutil==4.0.0 google-auth==2.62.2 websocket-client==1.9.2
  requests-oauthlib==2.0.0 oauthlib==4.0.1 durationpy==0.11 cachetools==8.0.1 pyasn1==0.6.5 pyasn1_modules==0.4.2 rsa==4.9.1
  cryptography==50.0.2 cffi==2.1.1 pycparser==3.12)

# wheels_of VERSION
wheels_of() {
  printf '%s\n' "ai-dynamo==$1" "ai-dynamo-runtime==$1" "${WHEELS[@]}"
  case $1 in
    1.0.*) printf '%s\n' "${TRANSFORMERS[@]}" "${PLANNER[@]}" ;;
    1.[1-5].*) printf '%s\n' "${TRANSFORMERS[@]}" ;;
  esac
}

# The hub's client, for models that are downloaded beforehand.
HUB_WHEELS=(huggingface_hub==0.36.0 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2
  filelock==4.2.11 fsspec==2026.9.0 tqdm==4.70.1)

BUSYBOX_TOOLS=(sh ls cat cp mv rm mkdir ps kill sleep env id hostname wget nc ip df du head tail grep sed find touch chmod
  ln date netstat true false tr sort wc)

is_current() { [[ $(docker image inspect --format "{{index .Config.Labels \"$RECIPE_LABEL\"}}" "$1" 2>/dev/null) == "$RECIPE" ]]; }

# skeleton ROOT: the folders of a merged-/usr system. uid 1000 has group 0, as in NVIDIA's images, so group-writable is enough.
skeleton() {
  local root=$1 folder
  rm -rf "$root"
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{etc,tmp,proc,sys,dev,run,root,models,workspace,home/dynamo}
  for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
  chmod 1777 "$root/tmp"
  chmod 0775 "$root/home/dynamo" "$root/workspace"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh dynamo:x:1000:0:dynamo:/home/dynamo:/bin/sh >"$root/etc/passwd"
  printf '%s\n' root:x:0: dynamo:x:1000: >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

# unpack ROOT PACKAGE…: `dpkg-deb -x` would replace the link /lib by a folder.
unpack() {
  local root=$1 package
  shift
  for package in "$@"; do
    dpkg-deb --fsys-tarfile "$WORK"/debs/"${package}"_*.deb | tar -x -C "$root" --keep-directory-symlink --no-same-owner
  done
}

link_busybox() {
  local root=$1 tool
  for tool in "${BUSYBOX_TOOLS[@]}"; do [[ -e $root/usr/bin/$tool ]] || ln -s busybox "$root/usr/bin/$tool"; done
}

download() { (cd "$WORK/debs" && apt-get download -qq "$@" 2>"$WORK/apt.log"); }

fetch_packages() {
  local package missing=()
  mkdir -p "$WORK/debs"
  for package in "${PACKAGES[@]}"; do
    compgen -G "$WORK/debs/${package}_*.deb" >/dev/null || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return
  download "${missing[@]}" && return
  apt-get update -qq >&2 && download "${missing[@]}" && return # the lists were old, or there were none
  grep -v '^W:' "$WORK/apt.log" >&2 || true
  say "The images are put together from packages of Debian 12 (bookworm). On another system, or without its package mirror,"
  say "use NVIDIA's own image instead: make demo DEMO_IMAGE=nvcr.io/nvidia/ai-dynamo/dynamo-planner:$DYNAMO"
  return 1
}

# install_wheels ROOT VERSION
install_wheels() {
  local root=$1 version=$2 python wheels
  python=$(lab_python)
  mapfile -t wheels < <(wheels_of "$version")
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --cache-dir "$WORK/pip" \
    --no-deps --no-compile --only-binary=:all: --python-version 3.11 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
    --target "$root/usr/local/lib/python3.11/dist-packages" "${wheels[@]}" >&2 ||
    { say "PyPI did not give the wheels of Dynamo $version: check the network, or PIP_INDEX_URL"; return 1; }
}

# Engines cannot run without their own packages, and nobody reads manuals in here: 250 MB instead of 400.
prune() {
  local root=$1 site=$1/usr/local/lib/python3.11/dist-packages
  rm -rf "$root"/usr/share/{doc,man,info,lintian,locale,bug,bash-completion,perl5,applications,pixmaps,menu,gcc,gdb} \
    "$root"/usr/lib/x86_64-linux-gnu/gconv "$root"/usr/lib/python3.11/{idlelib,lib2to3,pydoc_data,test,turtledemo,ensurepip} \
    "$site"/dynamo/{vllm,sglang,trtllm,triton,tokenspeed} "${site:?}/bin"
  [[ -d $site/transformers ]] || rm -rf "$site"/dynamo/{planner,profiler}
  find "$site" -type d -name tests -prune -exec rm -rf {} +
  find "$root" -type d -name __pycache__ -prune -exec rm -rf {} +
  if command -v strip >/dev/null; then strip --strip-unneeded "$site"/dynamo/_core.abi3.so; fi
}

# Byte code, made by the image's own Python without entering the image: it starts a second faster.
compile_python() {
  local root=$1 libraries=$1/usr/lib/x86_64-linux-gnu
  PYTHONHOME=$root/usr "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$root/usr/bin/python3.11" \
    -m compileall -q -s "$root" -p / "$root/usr/lib/python3.11" "$root/usr/local/lib/python3.11" >/dev/null 2>&1 || true
}

# import ROOT IMAGE CHANGE…: the folder becomes an image of one layer, owned by root.
import() {
  local root=$1 image=$2 change changes=()
  shift 2
  for change in "LABEL $RECIPE_LABEL=$RECIPE" "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin" "$@"; do changes+=(--change "$change"); done
  tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - . |
    docker import "${changes[@]}" - "$image" >/dev/null
  rm -rf "$root"
}

build_mocker() {
  local image=$1 root=$WORK/root-mocker
  fetch_packages
  skeleton "$root"
  unpack "$root" "${PACKAGES[@]}"
  ln -sf python3.11 "$root/usr/bin/python3"
  install -D "$root/usr/bin/etcd" "$root/usr/local/bin/etcd/etcd" # where NVIDIA's images have theirs
  rm "$root/usr/bin/etcd"
  mv "$root/usr/sbin/nats-server" "$root/usr/bin/nats-server"
  link_busybox "$root"
  install_wheels "$root" "${image##*:}"
  prune "$root"
  compile_python "$root"
  import "$root" "$image" 'ENV HOME=/home/dynamo' 'ENV PYTHONUNBUFFERED=1' 'WORKDIR /workspace' 'USER 1000:0' \
    'CMD ["python3","-m","dynamo.frontend"]'
  docker run --rm --network none "$image" python3 -c 'import dynamo.frontend.main, dynamo.mocker.main'
}

build_hub() {
  local context=$WORK/hub python
  rm -rf "$context"
  mkdir -p "$context"
  python=$(lab_python)
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --cache-dir "$WORK/pip" \
    --no-deps --only-binary=:all: --python-version 3.11 --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --target "$context/site" "${HUB_WHEELS[@]}" >&2
  chmod -R go=rX "$context/site"
  printf '%s\n' "FROM dynamo-mocker:$DYNAMO" 'COPY site /usr/local/lib/python3.11/dist-packages' "LABEL $RECIPE_LABEL=$RECIPE" \
    >"$context/Dockerfile"
  docker build --quiet --tag "$1" "$context" >/dev/null
  rm -rf "$context"
  docker run --rm --network none "$1" python3 -c 'import huggingface_hub'
}

build_busybox() {
  local root=$WORK/root-busybox
  fetch_packages
  skeleton "$root"
  unpack "$root" busybox-static
  link_busybox "$root"
  import "$root" "$1" 'CMD ["sh"]'
}

# build_fault IMAGE LINE…: an image whose "python3" is this shell script.
build_fault() {
  local root=$WORK/root-fault image=$1
  shift
  fetch_packages
  skeleton "$root"
  unpack "$root" busybox-static
  link_busybox "$root"
  printf '%s\n' '#!/bin/sh' "$@" >"$root/usr/bin/python3"
  chmod 0755 "$root/usr/bin/python3"
  import "$root" "$image" 'USER 1000:0'
}

build_dies() { build_fault "$1" 'echo "loading the model"' 'echo "no such luck: out of everything" >&2' 'exit 3'; }

build_silent() { build_fault "$1" 'echo "thinking about it"' 'trap "exit 0" TERM' 'sleep 3600 &' 'wait'; }

# shellcheck disable=SC2016
build_hollow() {
  build_fault "$1" 'while [ "$1" != --http-port ]; do shift; done' 'trap "exit 0" TERM' 'mkdir /tmp/www' \
    'echo "{\"status\":\"healthy\",\"endpoints\":[],\"instances\":[]}" >/tmp/www/health' 'busybox httpd -f -p "$2" -h /tmp/www &' 'wait'
}

build() {
  local image=$1 former
  if is_current "$image"; then
    say "==> Image $image is there already"
    return
  fi
  former=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) || former=
  step "Building image $image" "$2" "$image"
  [[ -z $former ]] || docker rmi "$former" >/dev/null 2>&1 || true # stays while a container runs it
}

[[ $(uname -m) == x86_64 ]] || die "the recipe knows x86_64 only; on $(uname -m) use NVIDIA's own image"
engine_answers || die "no Docker Engine answers: run acceptance-tests/lab/engine.sh up first"
for version in "$@"; do build "dynamo-mocker:$version" build_mocker; done
(($# == 0)) || exit 0
build "dynamo-mocker:$DYNAMO" build_mocker
build dynamo-hub:local build_hub
build busybox:local build_busybox
build dynamo-faults:dies build_dies
build dynamo-faults:silent build_silent
build dynamo-faults:hollow build_hollow
