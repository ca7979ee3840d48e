//! Which mounts are disks. Pure: the kernel's table of mounts in, disks out.
//!
//! A host with Docker has hundreds of mounts and a handful of disks: what the kernel makes up is left out, and a device
//! that is mounted in several places is shown once, where its path is shortest.

use crate::inventory::DiskSpace;
use crate::inventory::files::Disk;
use std::collections::BTreeMap;

/// File systems that keep nothing, or nothing of their own.
const NO_DISKS: [&str; 27] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
];

/// The disks in `mounts` (`/proc/self/mounts`), by mount point. `room` tells how large what is mounted there is.
pub(super) fn list(mounts: &str, room: impl Fn(&str) -> Option<DiskSpace>) -> Vec<Disk> {
    let mut by_device: BTreeMap<String, (String, String)> = BTreeMap::new();
    for (device, mount, filesystem) in mounts.lines().filter_map(parse_mount) {
        // A container's root is an overlay; all others belong to containers.
        if NO_DISKS.contains(&filesystem) || (filesystem == "overlay" && mount != "/") {
            continue;
        }
        let shown = by_device.entry(device).or_insert_with(|| (mount.clone(), filesystem.to_owned()));
        if mount.len() < shown.0.len() {
            *shown = (mount, filesystem.to_owned());
        }
    }
    let mut disks: Vec<Disk> = by_device
        .into_iter()
        .filter_map(|(device, (mount, filesystem))| {
            let DiskSpace { size_bytes, free_bytes } = room(&mount).filter(|room| room.size_bytes > 0)?;
            Some(Disk { mount, device, filesystem, size_bytes, free_bytes })
        })
        .collect();
    disks.sort_by(|a, b| a.mount.cmp(&b.mount));
    disks
}

/// Device, mount point and file system.
fn parse_mount(line: &str) -> Option<(String, String, &str)> {
    let mut words = line.split(' ');
    Some((unescaped(words.next()?), unescaped(words.next()?), words.next()?))
}

/// The kernel writes blanks in names as `\040`.
fn unescaped(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// A line of `df -kP`: mount point and room. Names may hold blanks, so the three numbers are what is looked for.
pub(super) fn parse_room(line: &str) -> Option<(String, DiskSpace)> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut columns =
        words.iter().enumerate().filter(|(_, word)| !word.is_empty()).map(|(at, word)| (at, *word));
    columns.next()?;
    let columns: Vec<(usize, &str)> = columns.collect();
    columns.windows(4).find_map(|window| {
        let [(_, size), (_, used), (_, free), (percent_at, percent)] = window else { return None };
        let kib = |text: &str| text.parse::<u64>().ok().and_then(|kib| kib.checked_mul(1024));
        let (size_bytes, _, free_bytes) = (kib(size)?, kib(used)?, kib(free)?);
        if *percent != "-" && !percent.ends_with('%') {
            return None;
        }
        let mount = words.get(percent_at + 1..)?.join(" ");
        Some((mount, DiskSpace { size_bytes, free_bytes }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_disks_are_few() {
        let mounts = "proc /proc proc rw 0 0\n\
            /dev/nvme0n1p2 /var/lib/docker/volumes ext4 rw 0 0\n\
            /dev/nvme0n1p2 / ext4 rw 0 0\n\
            overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n\
            nas:/models /mnt/our\\040models nfs4 rw 0 0\n\
            tmpfs /run tmpfs rw 0 0\n\
            /dev/gone /gone xfs rw 0 0\n\
            broken line\n";
        let room = |mount: &str| (mount != "/gone").then_some(DiskSpace { size_bytes: 10, free_bytes: 5 });
        let seen: Vec<String> = list(mounts, room)
            .iter()
            .map(|it| format!("{} {} {}", it.device, it.mount, it.filesystem))
            .collect();
        assert_eq!(seen, ["/dev/nvme0n1p2 / ext4", "nas:/models /mnt/our models nfs4"]);
        let inside = list("overlay / overlay rw 0 0\n", room);
        assert_eq!(inside.len(), 1);
    }

    #[test]
    fn the_table_of_room_is_read() {
        let room = DiskSpace { size_bytes: 1000 * 1024, free_bytes: 300 * 1024 };
        let table = [
            ("/dev/vda           1000     700       300      70% /", Some(("/", room))),
            (
                "nas:/a b 1 2       1000     700       300      70% /mnt/our  models",
                Some(("/mnt/our  models", room)),
            ),
            (
                "proc                  0       0         0       - /proc",
                Some(("/proc", DiskSpace { size_bytes: 0, free_bytes: 0 })),
            ),
            ("Filesystem     1024-blocks    Used Available Capacity Mounted on", None),
            ("x - - - - /x", None),
            ("", None),
        ];
        for (line, expected) in table {
            assert_eq!(parse_room(line), expected.map(|(mount, room)| (mount.to_owned(), room)), "{line}");
        }
    }
}
