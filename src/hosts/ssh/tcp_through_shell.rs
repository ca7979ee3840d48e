//! Ports of the host where sshd forwards none (`AllowTcpForwarding no`, `PermitOpen`): a shell there connects in its place.
//!
//! Containers are asked over HTTP whether they are ready, and with private networks nothing but the host reaches them.
//! bash connects by itself, so nothing needs to be installed; what comes and goes is the command's output and input.

use crate::hosts::shell::quoted;

/// What the command says first, once it is connected.
pub(super) const CONNECTED: u8 = 1;

/// `$0` is the address and `$1` the port. Each direction ends with the other: bash cannot shut one half of a connection.
const SCRIPT: &str = r"exec 3<>/dev/tcp/$0/$1 || exit 1
printf '\001'
exec 4<&0
cat <&3 &
from=$!
{ cat; kill $from; } <&4 >&3 2>/dev/null &
to=$!
wait $from
kill $to 2>/dev/null
exit 0";

/// What to run.
pub(super) fn command(address: &str, port: u16) -> String {
    format!("bash -c {} {} {port}", quoted(SCRIPT), quoted(address))
}

/// Why it did not connect, from what it said on stderr.
pub(super) fn failure(stderr: &str) -> String {
    let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
    if last.contains("not found") {
        return format!(
            "the SSH server forwards no TCP connections, and has no bash to connect in its place ({last})"
        );
    }
    last.to_owned()
}
