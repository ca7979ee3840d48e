//! Further options of `docker run`, checked before Docker sees them.
//!
//! [`read`] makes [`DockerOptions`] of the block `docker`: volumes, host names, shared memory, limits and labels here, what a
//! container may do beyond others in [`privileges`], how it is kept in [`upkeep`]. [`lists`] reads lists and maps for all
//! of them. How a worker's options go over its deployment's is said by [`DockerOptions::under`].

pub(crate) mod lists;
pub(crate) mod privileges;
pub(crate) mod upkeep;

use crate::container::{Mount, MountSource, Ulimit, labels};
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::draft::{DockerDraft, UlimitDraft, VolumeDraft};
use crate::dynamo::terms::amount::{Amount, GIB};
use crate::dynamo::terms::objection::{DockerField, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::reader::Reader;
use lists::{at, read_map};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What Docker passes to setrlimit, by its own names.
const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Reads the block. What is unknown or wrong is left out and was complained about.
pub(in crate::dynamo) fn read(reader: &mut Reader, draft: &DockerDraft) -> DockerOptions {
    let mut options = DockerOptions {
        volumes: read_volumes(reader, &draft.volumes),
        make_folders: made_folders(&draft.volumes),
        extra_hosts: one_spelling(read_map(reader, &draft.extra_hosts, DockerField::ExtraHost, extra_host)),
        shm_bytes: reader.maybe(at(DockerField::ShmSizeGb), &draft.shm_size_gb, shm_bytes).flatten(),
        ulimits: read_ulimits(reader, &draft.ulimits),
        labels: read_map(reader, &draft.labels, DockerField::Label, label),
        ..DockerOptions::default()
    };
    privileges::read(reader, draft, &mut options);
    upkeep::read(reader, draft, &mut options);
    options
}

fn read_volumes(reader: &mut Reader, drafts: &[VolumeDraft]) -> Vec<Mount> {
    let mut volumes: Vec<Mount> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let host_field = at(DockerField::VolumeHostPath(index));
        let target_field = at(DockerField::VolumeContainerPath(index));
        let source = reader.needed(host_field, &draft.host_path, |path| paths::absolute(path));
        let target =
            reader.needed(target_field.clone(), &draft.container_path, |path| paths::in_container(path));
        let read_only = draft.read_only.known().copied().unwrap_or(false);
        if let Some(target) = &target
            && volumes.iter().any(|other| other.target == *target)
        {
            let what = format!("something else is mounted at {target} too");
            reader.object(target_field, Refusal::new(what, "give each volume a path of its own"));
        }
        if let (Some(source), Some(target)) = (source, target) {
            volumes.push(Mount { source: MountSource::HostPath(source), target, read_only });
        }
    }
    volumes
}

/// Host folders that are to be made where they are missing.
fn made_folders(drafts: &[VolumeDraft]) -> Vec<String> {
    let made = drafts.iter().filter(|draft| draft.create.known() == Some(&true));
    let mut folders: Vec<String> =
        made.filter_map(|draft| paths::absolute(draft.host_path.known()?).ok()).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

fn read_ulimits(reader: &mut Reader, drafts: &[UlimitDraft]) -> Vec<Ulimit> {
    let mut ulimits: Vec<Ulimit> = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let name_field = at(DockerField::UlimitName(index));
        let name = reader.needed(name_field.clone(), &draft.name, |name| ulimit_name(name));
        let soft = reader.needed(at(DockerField::UlimitSoft(index)), &draft.soft, ulimit_value);
        let hard_field = at(DockerField::UlimitHard(index));
        let hard = reader.or(hard_field.clone(), &draft.hard, soft.unwrap_or(-1), ulimit_value);
        if let (Some(soft), Some(hard)) = (soft, hard)
            && hard != -1
            && (soft == -1 || soft > hard)
        {
            let what = format!("the hard limit {hard} is below the soft limit {soft}");
            reader.object(hard_field, Refusal::new(what, "raise it, or leave it out to use the soft limit"));
        }
        if name.as_ref().is_some_and(|name| ulimits.iter().any(|other| other.name == *name)) {
            reader.object(name_field, Refusal::new("this limit is set twice", "keep one of them"));
        }
        if let (Some(name), Some(soft), Some(hard)) = (name, soft, hard) {
            ulimits.push(Ulimit { name, soft, hard });
        }
    }
    ulimits
}

fn ulimit_name(name: &str) -> Result<String, Refusal> {
    if ULIMITS.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(Refusal::new(format!("there is no limit {name:?}"), format!("use one of {}", ULIMITS.join(", "))))
}

fn ulimit_value(value: &i64) -> Result<i64, Refusal> {
    if *value >= -1 {
        Ok(*value)
    } else {
        Err(Refusal::new(format!("{value} is no limit"), "use -1 for unlimited"))
    }
}

/// The size of shared memory in bytes.
pub(crate) fn shm_bytes(amount: &Amount) -> Result<u64, Refusal> {
    match amount.times(GIB) {
        Some(bytes) if bytes > 0 && i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(Refusal::new(format!("{amount} GB is no size"), "use a number above 0, such as 1")),
    }
}

fn extra_host(name: &str, address: Option<&str>) -> Result<(), Refusal> {
    let labels_good = name.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    });
    if !labels_good || name.len() > 253 {
        return Err(Refusal::new(
            format!("{name:?} is not a host name"),
            "use letters, digits, dots and dashes",
        ));
    }
    match address {
        Some(text) if text != "host-gateway" && text.parse::<IpAddr>().is_err() => {
            let what = format!("{text:?} is not an address");
            Err(Refusal::new(what, "use an IP address, or host-gateway for the host itself"))
        }
        _ => Ok(()),
    }
}

/// Addresses as they are usually written.
fn one_spelling(hosts: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let usual = |text: String| text.parse::<IpAddr>().map_or(text, |address| address.to_string());
    hosts.into_iter().map(|(name, address)| (name, usual(address))).collect()
}

fn label(key: &str, value: Option<&str>) -> Result<(), Refusal> {
    if key.is_empty() || key.contains(['\0', '=']) || value.is_some_and(|value| value.contains('\0')) {
        return Err(Refusal::new(format!("{key:?} is not a label"), "use a key such as com.example.team"));
    }
    if key.starts_with(labels::PREFIX) {
        let what = format!("labels that begin with {} are the provider's", labels::PREFIX);
        return Err(Refusal::new(what, "use a prefix of your own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_labels() {
        for good in ["127.0.0.1", "::1", "host-gateway"] {
            assert!(extra_host("db.internal", Some(good)).is_ok());
        }
        assert!(extra_host("db", Some("db2")).is_err());
        for bad in ["", "a b", "a:b", ".a"] {
            assert!(extra_host(bad, None).is_err(), "{bad:?}");
        }
        let hosts = |address: &str| BTreeMap::from([("db".to_owned(), address.to_owned())]);
        for (written, usual) in
            [("0:0:0::1", "::1"), ("FE80::A", "fe80::a"), ("host-gateway", "host-gateway")]
        {
            assert_eq!(one_spelling(hosts(written)), hosts(usual));
        }
        assert!(label("com.example.team", Some("a")).is_ok());
        assert!(label(labels::SPEC, Some("a")).is_err());
    }
}
