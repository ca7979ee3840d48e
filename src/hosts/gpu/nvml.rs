//! GPUs of this machine, from the driver's library.

use std::ffi::OsStr;

use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
#[cfg(target_os = "linux")]
use nvml_wrapper::enum_wrappers::device::TopologyLevel;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::links;
use super::links::Ends;
use crate::inventory::gpu::{Gpu, GpuInventory, GpuProcess, GpuSight, Link, Links, MigInstance};

/// Where the library is, for the loader and for containers that have it mounted. The first that loads is taken.
const LIBRARIES: &[&str] = &["libnvidia-ml.so.1", "libnvidia-ml.so", "/usr/lib/wsl/lib/libnvidia-ml.so.1"];
/// The most links that a card of any generation has.
const MOST_LINKS: u32 = 18;
/// Bytes of a process's name.
const NAME_LENGTH: usize = 256;

/// Takes a second or more where no program keeps the driver awake: not for the async threads.
pub(super) fn read() -> GpuSight {
    match open() {
        Ok(nvml) => seen(&nvml).unwrap_or_else(|error| absent(&error)),
        Err(error) => absent(&error),
    }
}

fn open() -> Result<Nvml, NvmlError> {
    let mut tried = LIBRARIES.iter().map(|path| Nvml::builder().lib_path(OsStr::new(path)).init());
    let first = tried.next().unwrap_or(Err(NvmlError::LibraryNotFound));
    match first {
        // Another path only helps where the library was not found; one that loads and fails is the driver's answer.
        Err(NvmlError::LibloadingError(_)) => tried
            .find(|opened| !matches!(opened, Err(NvmlError::LibloadingError(_))))
            .unwrap_or(Err(NvmlError::LibraryNotFound)),
        opened => opened,
    }
}

fn absent(error: &NvmlError) -> GpuSight {
    GpuSight::Absent(match error {
        NvmlError::LibraryNotFound | NvmlError::LibloadingError(_) => {
            "this machine has no NVIDIA driver (libnvidia-ml.so.1 was not found)".to_owned()
        }
        error => format!("the NVIDIA driver does not work: {error}"),
    })
}

fn seen(nvml: &Nvml) -> Result<GpuSight, NvmlError> {
    let count = nvml.device_count()?;
    // A card that fell off the bus has no handle; the others go on.
    let devices: Vec<(u32, Device<'_>)> =
        (0..count).filter_map(|index| Some((index, nvml.device_by_index(index).ok()?))).collect();
    let cards =
        devices.iter().filter_map(|(index, device)| card(nvml, *index, device).ok()).collect::<Vec<_>>();
    if cards.is_empty() {
        return Ok(GpuSight::Absent("the NVIDIA driver finds no GPU".to_owned()));
    }
    Ok(GpuSight::Seen(GpuInventory {
        driver: nvml.sys_driver_version().ok(),
        links: matrix(nvml, &devices),
        gpus: cards,
    }))
}

/// Everything but the UUID may be missing.
fn card(nvml: &Nvml, index: u32, device: &Device<'_>) -> Result<Gpu, NvmlError> {
    let memory = device.memory_info().ok();
    let capability = device.cuda_compute_capability().ok();
    Ok(Gpu {
        index,
        uuid: device.uuid()?,
        name: device.name().unwrap_or_default(),
        memory_bytes: memory.as_ref().map(|memory| memory.total),
        used_bytes: memory.as_ref().map(|memory| memory.used),
        utilization: device.utilization_rates().ok().map(|rates| rates.gpu),
        temperature: device.temperature(TemperatureSensor::Gpu).ok(),
        compute_capability: capability.map(|it| format!("{}.{}", it.major, it.minor)),
        mig_enabled: device.mig_mode().is_ok_and(|mode| mode.current == 1),
        mig: instances(device),
        processes: processes(nvml, device),
    })
}

fn instances(device: &Device<'_>) -> Vec<MigInstance> {
    let most = device.mig_device_count().unwrap_or(0);
    let parts = (0..most).filter_map(|at| device.mig_device_by_index(at).ok());
    let named = |part: Device<'_>| {
        // `NVIDIA A100-SXM4-40GB MIG 1g.5gb`
        let name = part.name().unwrap_or_default();
        let profile = name.split_once("MIG ").map(|(_, profile)| profile.trim().to_owned());
        Some(MigInstance { uuid: part.uuid().ok()?, profile: profile.unwrap_or_default() })
    };
    parts.filter_map(named).collect()
}

fn processes(nvml: &Nvml, device: &Device<'_>) -> Vec<GpuProcess> {
    let running = device.running_compute_processes().unwrap_or_default();
    let mut processes: Vec<GpuProcess> = running
        .into_iter()
        .map(|process| GpuProcess {
            pid: process.pid,
            name: nvml.sys_process_name(process.pid, NAME_LENGTH).ok().filter(|name| !name.is_empty()),
        })
        .collect();
    processes.sort_unstable_by_key(|process| process.pid);
    processes
}

fn matrix(nvml: &Nvml, devices: &[(u32, Device<'_>)]) -> Links {
    let mut links = Links::default();
    for (at, (one, device)) in devices.iter().enumerate() {
        for (other, _) in devices.iter().skip(at.saturating_add(1)) {
            if let Some(link) = common_ancestor(nvml, device, *other) {
                links.set(*one, *other, link);
            }
        }
    }
    let ends: Vec<Ends> = devices.iter().map(|(_, device)| ends(device)).collect();
    for ((one, other), count) in links::nvlinks(&ends) {
        if let (Some((one, _)), Some((other, _))) = (devices.get(one), devices.get(other)) {
            links.set(*one, *other, Link::Nvlink(count));
        }
    }
    links
}

/// How the PCI buses of two cards meet.
#[cfg(target_os = "linux")]
fn common_ancestor(nvml: &Nvml, device: &Device<'_>, other: u32) -> Option<Link> {
    // The call takes its second handle by value: it gets one of its own.
    let level = device.topology_common_ancestor(nvml.device_by_index(other).ok()?).ok()?;
    Some(match level {
        TopologyLevel::Internal | TopologyLevel::Single => Link::Switch,
        TopologyLevel::Multiple => Link::Switches,
        TopologyLevel::HostBridge => Link::HostBridge,
        TopologyLevel::Node => Link::Node,
        TopologyLevel::System => Link::System,
    })
}

/// NVML tells it on Linux alone.
#[cfg(not(target_os = "linux"))]
fn common_ancestor(_: &Nvml, _: &Device<'_>, _: u32) -> Option<Link> {
    None
}

fn ends(device: &Device<'_>) -> Ends {
    let active = (0..MOST_LINKS)
        .map(|at| device.link_wrapper_for(at))
        .filter(|link| link.is_active().unwrap_or(false))
        .filter_map(|link| link.remote_pci_info().ok());
    Ends {
        own: device.pci_info().map(|pci| pci.bus_id).unwrap_or_default(),
        remote: active.map(|pci| pci.bus_id).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On any machine: absence is an answer, and what is seen can be told apart.
    #[test]
    fn a_look_never_fails() {
        match read() {
            GpuSight::Seen(inventory) => {
                assert!(!inventory.gpus.is_empty());
                assert!(inventory.gpus.iter().all(|gpu| gpu.uuid.starts_with("GPU-")), "{inventory:?}");
            }
            GpuSight::Absent(why) => assert!(why.contains("NVIDIA"), "{why}"),
            GpuSight::Unseen(why) => panic!("{why}"),
        }
    }
}
