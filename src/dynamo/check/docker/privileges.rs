//! What a container may do beyond others: capabilities, devices, shared memory of the host, another runtime.
//!
//! GPUs are not among them. A GPU that comes as a device file is one that nobody counts, and the promise that no GPU has
//! two users would be empty; so their device files are refused here, with the attributes to use instead.

use super::lists::{self, at, runtime_name};
use crate::container::Ipc;
use crate::container::spelling::{ALL_PERMISSIONS, device_target, shortest_device};
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::draft::DockerDraft;
use crate::dynamo::terms::objection::{DockerField, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::reader::Reader;

/// The kernel's capabilities, and Docker's word for all of them.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// What a configuration may say of [`Ipc`].
const IPC: &[Ipc] = &[Ipc::Private, Ipc::Shareable, Ipc::Host];

/// What the names of NVIDIA's device files begin with, and what those that hold no GPU go on with.
const GPU_FILES: &str = "/dev/nvidia";
const NO_GPU_FILES: &[&str] = &["-fs"];

/// Reads these options into `options`.
pub(in crate::dynamo::check::docker) fn read(
    reader: &mut Reader,
    draft: &DockerDraft,
    options: &mut DockerOptions,
) {
    options.cap_add = lists::read(reader, &draft.cap_add, DockerField::CapAdd, capability, lists::whole);
    options.devices = lists::read(reader, &draft.devices, DockerField::Device, device, device_target);
    options.privileged = reader.maybe(at(DockerField::Privileged), &draft.privileged, |on| Ok(*on)).flatten();
    options.ipc = reader.maybe(at(DockerField::Ipc), &draft.ipc, |word| ipc(word)).flatten();
    options.runtime =
        reader.maybe(at(DockerField::Runtime), &draft.runtime, |name| runtime_name(name)).flatten();
    if options.ipc == Some(Ipc::Host) && options.shm_bytes.is_some() {
        let what = "with ipc = \"host\" the container has the host's own /dev/shm";
        reader.object(at(DockerField::ShmSizeGb), Refusal::new(what, "leave one of the two out"));
    }
}

/// A capability in its one spelling.
fn capability(text: &str) -> Result<String, Refusal> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if CAPABILITIES.contains(&name) {
        return Ok(name.to_owned());
    }
    let fix = "use a name from capabilities(7), such as IPC_LOCK or SYS_NICE";
    Err(Refusal::new(format!("there is no capability {text:?}"), fix))
}

/// `host[:container[:permissions]]` in its shortest spelling.
fn device(text: &str) -> Result<String, Refusal> {
    let fix = "write it as /dev/on-host, /dev/on-host:/dev/in-container or /dev/on-host:/dev/in-container:rw";
    let mut parts = text.split(':');
    let on_host = paths::absolute(parts.next().unwrap_or_default())?;
    let in_container = parts.next().map_or(Ok(on_host.clone()), paths::absolute)?;
    let written = parts.next().unwrap_or(ALL_PERMISSIONS);
    let permissions: String = ALL_PERMISSIONS.chars().filter(|c| written.contains(*c)).collect();
    if parts.next().is_some() || permissions.is_empty() || permissions.len() != written.len() {
        return Err(Refusal::new(format!("{text:?} is not a device"), fix));
    }
    if on_host == "/" || on_host == "/dev" {
        let what = format!("{on_host} holds all devices of the host, GPUs among them");
        return Err(Refusal::new(what, "name single devices"));
    }
    let gpu_file = on_host.strip_prefix(GPU_FILES);
    if gpu_file.is_some_and(|rest| !NO_GPU_FILES.iter().any(|harmless| rest.starts_with(harmless))) {
        let what = format!("{on_host} is a GPU that nobody would count");
        return Err(Refusal::new(what, "set gpus or gpu_count of the worker"));
    }
    Ok(shortest_device(&on_host, &in_container, &permissions))
}

fn ipc(word: &str) -> Result<Ipc, Refusal> {
    IPC.iter().copied().find(|known| known.word() == word).ok_or_else(|| {
        let words: Vec<&str> = IPC.iter().map(|known| known.word()).collect();
        Refusal::new(format!("there is no {word:?}"), format!("use one of {}", words.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_one_spelling() {
        for spelled in ["IPC_LOCK", "ipc_lock", "CAP_IPC_LOCK", "cap_ipc_lock"] {
            assert_eq!(capability(spelled).unwrap(), "IPC_LOCK");
        }
        for bad in ["", "CAP_", "IPC LOCK", "IPC_LOCK\n", "CAP_CAP_IPC_LOCK", "SYS"] {
            assert!(capability(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn devices_have_one_spelling() {
        for (spelled, short) in [
            ("/dev/fuse", "/dev/fuse"),
            ("/dev/fuse:/dev/fuse", "/dev/fuse"),
            ("/dev/fuse:/dev/fuse:rwm", "/dev/fuse"),
            ("/dev/fuse:/dev/x", "/dev/fuse:/dev/x"),
            ("/dev/fuse:/dev/fuse:r", "/dev/fuse:/dev/fuse:r"),
            ("/dev/fuse:/dev/fuse:wmr", "/dev/fuse"),
            ("/dev/fuse:/dev/x:wr", "/dev/fuse:/dev/x:rw"),
            ("/dev/infiniband/", "/dev/infiniband"),
            ("/dev/nvidia-fs0", "/dev/nvidia-fs0"),
        ] {
            assert_eq!(device(spelled).unwrap(), short);
        }
        let bad = [
            "",
            "dev/x",
            "/dev/x:",
            "/dev/x::r",
            "/dev/x:/dev/y:",
            "/dev/x:/dev/y:x",
            "/dev/x:/dev/y:rr",
            "/dev/x:/dev/y:r:z",
            "/dev/../etc",
            "/dev",
            "/",
            "/dev/x\n",
            "/dev/x:r",
            "nvidia.com/gpu=0",
        ];
        for bad in bad {
            assert!(device(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn gpus_are_not_handed_out_as_devices() {
        for gpu in
            ["/dev/nvidia0", "/dev/nvidia1:/dev/x", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-caps"]
        {
            assert!(device(gpu).unwrap_err().fix.contains("gpu_count"), "{gpu}");
        }
    }
}
