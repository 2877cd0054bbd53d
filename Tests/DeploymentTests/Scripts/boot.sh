#!/usr/bin/env bash
# Boots systemd as process 1 of namespaces of its own, on a copy of this machine's file system that is never written
# back. Nothing outside of it is touched, but for the network, which is this machine's.
#
# Usage: boot.sh FOLDER COMMAND
#
#   check     says why that can't be done here, and exits with 1 if so
#   boot      boots with the files of FOLDER/files laid over the file system; ends when it is killed
#   clean-up  removes its control group once it has ended
set -euo pipefail

folder=$1
# Where processes are grouped, for systemd to have a tree of its own.
groups=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET || true)
group=$groups/multistore-test-${folder##*[/-]}

check() {
  if ((EUID != 0)); then
    echo "only root can boot a systemd of its own"
  elif [[ -z $groups || ! -w $groups ]]; then
    echo "there is no control group hierarchy (cgroup2) that can be written to"
  elif ! unshare --mount --pid --uts --ipc --cgroup --fork \
    mount --types tmpfs tmpfs /mnt 2>/dev/null; then
    echo "this machine does not allow namespaces and mounts"
  else
    return 0
  fi
  return 1
}

boot() {
  mkdir -p "$group"
  echo $BASHPID >"$group/cgroup.procs"
  exec unshare --mount --pid --uts --ipc --cgroup --fork --kill-child "$0" "$folder" start-systemd
}

start_systemd() {
  local root=$folder/root
  mkdir -p "$folder/memory" "$root"
  mount --make-rprivate /
  mount --types tmpfs tmpfs "$folder/memory"
  mkdir "$folder/memory/upper" "$folder/memory/work"
  mount --types overlay --options \
    "lowerdir=/,upperdir=$folder/memory/upper,workdir=$folder/memory/work" overlay "$root"

  mount --types proc proc "$root/proc"
  # Settings of the kernel are this machine's.
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount --options remount,bind,ro "$root/proc/sys"
  mount --types sysfs --options ro sysfs "$root/sys"
  mount --types cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount --rbind /dev "$root/dev"
  local name
  for name in run tmp var/log var/lib/systemd; do mount --types tmpfs --options mode=755 tmpfs "$root/$name"; done

  # Nothing of what this machine would start, mount or set up.
  rm -rf "$root"/etc/fstab "$root"/etc/systemd/system "$root"/{usr/,}lib/systemd/system/*.wants
  mkdir -p "$root/etc/systemd/system"
  printf '[Unit]\nWants=systemd-journald.service\nAfter=systemd-journald.service\n' \
    >"$root/etc/systemd/system/test.target"
  cp --recursive --no-target-directory "$folder/files" "$root"

  # Not just chroot: the kernel makes no user namespaces (PrivateUsers=) for who is in one.
  cd "$root"
  mkdir -p before
  pivot_root . before
  umount --lazy /before
  # As systemd finds it on a machine; in a container it leaves that to who starts it. Credentials need it.
  mount --make-rshared /
  exec env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test \
    /lib/systemd/systemd --system --unit=test.target --log-target=journal
}

clean_up() {
  [[ -d $group ]] || return 0
  # A group can only be removed once all of its processes are gone.
  find "$group" -depth -type d -exec rmdir {} +
}

case $2 in
  check) check ;;
  boot) boot ;;
  start-systemd) start_systemd ;;
  clean-up) clean_up ;;
  *) exit 2 ;;
esac
