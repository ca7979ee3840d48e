#!/usr/bin/env bash
# Process 1 of a lab host, started by hosts.sh in fresh namespaces: makes the host's root, moves into it, starts what a
# Docker host runs, and stays to bury the dead. Everything goes when it is killed.
#
#   host-init.sh FOLDER CGROUP         outside: mounts the root and moves into it
#   host-init.sh --inside NAME CGROUP  inside
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The host sees this machine's files; what it writes goes to FOLDER/disk. Docker's own data need a real file system.
enter_root() {
  local folder=$1 group=$2 root=$1/root
  mount --make-rprivate /
  mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/disk,workdir=$folder/work" "$root"
  mkdir -p "$root/var/lib/docker" "$root/.old"
  mount --bind "$folder/docker" "$root/var/lib/docker"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=0755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  # A checkout in one of these two stays in sight: the models of the tests lie in it, and this script.
  case $HERE in
    /tmp/* | /run/*)
      mkdir -p "$root$HERE"
      mount --bind -o ro "$HERE" "$root$HERE"
      ;;
  esac
  cd "$root"
  # Not just chroot: `docker exec` would land in this machine's own root.
  pivot_root . .old
  exec chroot . "$0" --inside "$(basename "$folder")" "$group"
}

# The first start of a disk: users, and an Engine that does not believe it is this machine's.
settle() {
  local user
  [[ ! -e /etc/lab-settled ]] || return 0
  rm -f /etc/docker/key.json
  getent group docker >/dev/null || groupadd --system docker
  getent passwd sshd >/dev/null || useradd --system --no-create-home --home-dir /run/sshd --shell /usr/sbin/nologin sshd
  for user in ops plain nosudo; do
    useradd --create-home --shell /bin/bash "$user"
    usermod --password '*' "$user" # sshd refuses keys of users whose password is locked with `!`
  done
  usermod --append --groups docker ops
  for user in ops plain; do echo "$user:$(cat /etc/ssh/password)" | chpasswd --crypt-method SHA512; done
  rm /etc/ssh/password
  echo 'plain ALL=(ALL) ALL' >/etc/sudoers.d/lab
  chmod 0440 /etc/sudoers.d/lab
  chmod 0600 /etc/ssh/lab_host_key
  chmod 0644 /etc/ssh/authorized_keys
  touch /etc/lab-settled
}

serve() {
  local name=$1 group=$2
  umount --lazy /.old
  rmdir /.old
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
  cd /
  hostname "$name"
  echo "$name" >/etc/hostname
  printf '%s\n' '127.0.0.1 localhost' "$(ip -o -4 address show eth0 | awk '{ sub("/.*", "", $4); print $4 }') $name" >/etc/hosts
  : >/etc/resolv.conf
  settle
  mkdir -p /run/sshd /run/lock /etc/docker /var/log
  # The log names every request; and there is room for more than the usual 30 networks, and in one for 100 workers.
  # With GPUs comes the runtime that the container toolkit adds under this name; here it is the usual one.
  local runtimes=
  [[ ! -x /usr/bin/nvidia-container-runtime-hook ]] || runtimes=', "runtimes": { "nvidia": { "path": "runc" } }'
  echo '{ "debug": true, "default-address-pools": [{ "base": "10.200.0.0/16", "size": 24 }]'"$runtimes }" >/etc/docker/lab.json
  rm -f /var/log/sshd.log
  /usr/sbin/sshd -f /etc/ssh/lab_config -E /var/log/sshd.log
  dockerd --config-file /etc/docker/lab.json --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$group" >/var/log/dockerd.log 2>&1 &
  while :; do sleep 3600 || true; done
}

if [[ ${1:-} == --inside ]]; then serve "$2" "$3"; else enter_root "$1" "$2"; fi
