//! Which TCP ports of this machine are taken, and by which processes.
//!
//! The kernel lists listening sockets in `/proc/net/tcp` and `tcp6`; whose they are is found by their inode among the
//! open files of the processes that we may look into. Ports of other users' processes are seen, their names are not.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// A socket in state LISTEN.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListeningSocket {
    pub address: IpAddr,
    pub port: u16,
    /// Name of the process that holds it, when it may be seen.
    pub process: Option<String>,
}

/// The sockets that listen on this machine, each once. Empty where there is no `/proc`.
pub(super) fn of_this_machine() -> Vec<ListeningSocket> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let rows: Vec<Row> = tables.iter().flat_map(|table| table.lines().filter_map(parse_row)).collect();
    let processes = processes_of(&rows.iter().map(|row| row.inode).collect());
    let sockets: BTreeSet<ListeningSocket> = rows
        .into_iter()
        .map(|row| ListeningSocket {
            address: row.address,
            port: row.port,
            process: processes.get(&row.inode).cloned(),
        })
        .collect();
    sockets.into_iter().collect()
}

/// The sockets of the kernel's table as another machine printed it, each once; whose they are is not in it.
pub(in crate::hosts) fn of_table(table: &str) -> Vec<ListeningSocket> {
    let rows = table.lines().filter_map(parse_row);
    let sockets: BTreeSet<ListeningSocket> =
        rows.map(|row| ListeningSocket { address: row.address, port: row.port, process: None }).collect();
    sockets.into_iter().collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    address: IpAddr,
    port: u16,
    inode: u64,
}

/// State of a listening socket in the kernel's table.
const LISTEN: &str = "0A";

/// One line of `/proc/net/tcp*`: `sl local_address rem_address st … inode`; `None` for the heading and other states.
fn parse_row(line: &str) -> Option<Row> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
    if *state != LISTEN {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some(Row {
        address: parse_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: inode.parse().ok()?,
    })
}

/// Addresses are written as 32-bit words in the machine's byte order.
fn parse_address(text: &str) -> Option<IpAddr> {
    let word = |from: usize| u32::from_str_radix(text.get(from..from + 8)?, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => word(0).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        32 => {
            let bytes: Vec<u8> = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

/// Process names by socket inode, for the processes that we may look into.
fn processes_of(inodes: &BTreeSet<u64>) -> HashMap<u64, String> {
    let mut found = HashMap::new();
    for process in entries(Path::new("/proc")) {
        let is_process =
            process.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok());
        if !is_process {
            continue;
        }
        for file in entries(&process.join("fd")) {
            let Some(inode) = std::fs::read_link(&file).ok().and_then(|target| socket_inode(&target)) else {
                continue;
            };
            if inodes.contains(&inode)
                && let Ok(name) = std::fs::read_to_string(process.join("comm"))
            {
                found.insert(inode, name.trim().to_owned());
            }
        }
    }
    found
}

/// The number in `socket:[12345]`.
fn socket_inode(target: &Path) -> Option<u64> {
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0\n   \
            1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 20 4 0 10 -1\n   \
            2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0 100 0 0 10 0\n";
        let rows: Vec<Row> = table.lines().filter_map(parse_row).collect();
        assert_eq!(
            rows,
            [
                Row { address: "127.0.0.1".parse().unwrap(), port: 8080, inode: 4242 },
                Row { address: "::1".parse().unwrap(), port: 80, inode: 77 },
            ]
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_socket_is_found_with_our_own_name() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ours = of_this_machine().into_iter().find(|socket| socket.port == port).unwrap();
        let name = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(ours.address, "127.0.0.1".parse::<IpAddr>().unwrap());
        assert_eq!(ours.process.as_deref(), Some(name.trim()));
    }
}
