//! GPUs of a host with a shell, from `nvidia-smi`: one script asks everything, one reader understands it.
//!
//! What it prints differs by a decade of drivers. A field that an older driver does not know fails the whole question, so
//! those are asked apart; a value that a card does not have is `[N/A]`, `[Not Supported]` or the like; a card that fell off
//! the bus is a line of prose where a row should be, and the exit status of everything is 15 from then on. So the reader
//! takes the rows that are rows and leaves the rest.

use std::collections::BTreeMap;

use crate::inventory::gpu::{Gpu, GpuInventory, GpuProcess, GpuSight, Link, Links, MigInstance};
use crate::plain_text::plain_text;

/// Prints sections that begin with a line `==dynamo NAME`. Never fails: absence is an answer.
pub(super) const SCRIPT: &str = r#"PATH="$PATH:/usr/bin:/usr/local/bin:/usr/lib/wsl/lib"
export LC_ALL=C
if ! command -v nvidia-smi >/dev/null 2>&1; then
    echo '==dynamo missing'
    exit 0
fi
ask() {
    printf '\n==dynamo %s\n' "$1"
    shift
    nvidia-smi "$@" 2>&1
}
csv=--format=csv,noheader,nounits
ask cards --query-gpu=index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,driver_version $csv
ask capability --query-gpu=index,compute_cap $csv
ask mig --query-gpu=index,mig.mode.current $csv
ask processes --query-compute-apps=gpu_uuid,pid,process_name $csv
ask list -L
ask topology topo -m
exit 0
"#;

const MARK: &str = "==dynamo ";

/// What the script printed.
pub(super) fn read(text: &str) -> GpuSight {
    let sections = sections(text);
    let section = |name: &str| sections.get(name).map(Vec::as_slice).unwrap_or_default();
    if sections.contains_key("missing") {
        return GpuSight::Absent("the host has no NVIDIA driver (no nvidia-smi was found)".to_owned());
    }
    let mut driver = None;
    let mut gpus: Vec<Gpu> = section("cards").iter().filter_map(|line| card(line, &mut driver)).collect();
    if gpus.is_empty() {
        return GpuSight::Absent(complaint(section("cards")));
    }
    gpus.sort_unstable_by_key(|gpu| gpu.index);
    for gpu in &mut gpus {
        let of_card = |name| section(name).iter().find_map(|line| value_of(line, gpu.index));
        gpu.compute_capability = of_card("capability");
        gpu.mig_enabled = of_card("mig").as_deref() == Some("Enabled");
        gpu.processes = section("processes").iter().filter_map(|line| process(line, &gpu.uuid)).collect();
        gpu.processes.sort_unstable_by_key(|process| process.pid);
    }
    instances(section("list"), &mut gpus);
    let links = links(section("topology"));
    GpuSight::Seen(GpuInventory { driver, gpus, links })
}

fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        match line.strip_prefix(MARK) {
            Some(next) => {
                name = next.trim();
                sections.entry(name).or_default();
            }
            None => sections.entry(name).or_default().push(line),
        }
    }
    sections
}

/// `0, GPU-…, NVIDIA H100 80GB HBM3, 81559, 4, 0, 31, 580.95.05`
fn card(line: &str, driver: &mut Option<String>) -> Option<Gpu> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [index, uuid, name, memory, used, utilization, temperature, version] = fields.as_slice() else {
        return None;
    };
    if !uuid.starts_with("GPU-") {
        return None;
    }
    *driver = value(version).or(driver.take());
    Some(Gpu {
        index: index.parse().ok()?,
        uuid: (*uuid).to_owned(),
        name: value(name).unwrap_or_default(),
        memory_bytes: mebibytes(memory),
        used_bytes: mebibytes(used),
        utilization: utilization.parse().ok(),
        temperature: temperature.parse().ok(),
        ..Gpu::default()
    })
}

/// `None` for `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[GPU is lost]`, `N/A` and nothing.
fn value(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.starts_with('[') && text != "N/A").then(|| text.to_owned())
}

fn mebibytes(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().map(|count| count.saturating_mul(1 << 20))
}

/// The second field of `0, 9.0`, for the card of that index.
fn value_of(line: &str, index: u32) -> Option<String> {
    let (at, text) = line.split_once(',')?;
    (at.trim().parse() == Ok(index)).then(|| value(text))?
}

/// `GPU-…, 4242, /usr/bin/python3`
fn process(line: &str, uuid: &str) -> Option<GpuProcess> {
    let mut fields = line.splitn(3, ',').map(str::trim);
    let (on, pid, name) = (fields.next()?, fields.next()?, fields.next());
    (on == uuid).then(|| Some(GpuProcess { pid: pid.parse().ok()?, name: name.and_then(value) }))?
}

/// ```text
/// GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)
///   MIG 1g.5gb      Device  0: (UUID: MIG-…)
/// ```
fn instances(lines: &[&str], gpus: &mut [Gpu]) {
    let mut card: Option<&mut Gpu> = None;
    for line in lines {
        let uuid = line.split_once("UUID: ").and_then(|(_, rest)| rest.split(')').next());
        match (line.trim_start().strip_prefix("MIG "), uuid) {
            (Some(rest), Some(uuid)) => {
                let profile = rest.split_whitespace().next().unwrap_or_default().to_owned();
                if let Some(gpu) = &mut card {
                    gpu.mig.push(MigInstance { uuid: uuid.to_owned(), profile });
                }
            }
            (None, Some(uuid)) => card = gpus.iter_mut().find(|gpu| gpu.uuid == uuid),
            _ => {}
        }
    }
}

/// The matrix of `nvidia-smi topo -m`. Columns are separated by tabs, of which some drivers print two; the heading may be
/// underlined with escape codes; network cards and affinities stand beside the GPUs.
fn links(lines: &[&str]) -> Links {
    let mut links = Links::default();
    let mut columns: Vec<Option<u32>> = Vec::new();
    for line in lines {
        let line = plain_text(line);
        let mut words = line.split('\t').map(str::trim).filter(|word| !word.is_empty());
        if columns.is_empty() {
            columns = words.map(card_index).collect();
            if !columns.iter().any(Option::is_some) {
                columns.clear();
            }
            continue;
        }
        let Some(row) = words.next().and_then(card_index) else { continue };
        for (column, word) in columns.iter().zip(words) {
            if let (Some(column), Some(link)) = (column, Link::parse(word)) {
                links.set(row, *column, link);
            }
        }
    }
    links
}

fn card_index(word: &str) -> Option<u32> {
    word.strip_prefix("GPU").and_then(|index| index.parse().ok())
}

/// The driver's own words, on one line.
fn complaint(lines: &[&str]) -> String {
    let said: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    match said.as_slice() {
        [] => "nvidia-smi on the host says nothing".to_owned(),
        said => format!("nvidia-smi on the host says: {}", said.join(" ").trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::os::unix::fs::PermissionsExt;

    /// A look in few words, to be compared as a text.
    fn shown(sight: &GpuSight) -> String {
        let inventory = match sight {
            GpuSight::Seen(inventory) => inventory,
            GpuSight::Absent(why) => return format!("absent: {why}\n"),
            GpuSight::Unseen(why) => return format!("unseen: {why}\n"),
        };
        let mut text = format!("driver {}\n", inventory.driver.as_deref().unwrap_or("?"));
        let number = |value: Option<u64>| value.map_or("?".to_owned(), |value| value.to_string());
        for gpu in &inventory.gpus {
            writeln!(
                text,
                "{} {} {:?} memory {} used {} busy {} at {} capability {} mig {}",
                gpu.index,
                gpu.uuid,
                gpu.name,
                number(gpu.memory_bytes),
                number(gpu.used_bytes),
                number(gpu.utilization.map(u64::from)),
                number(gpu.temperature.map(u64::from)),
                gpu.compute_capability.as_deref().unwrap_or("?"),
                gpu.mig_enabled
            )
            .unwrap();
            for part in &gpu.mig {
                writeln!(text, "  {} {}", part.profile, part.uuid).unwrap();
            }
            for process in &gpu.processes {
                writeln!(text, "  process {} {:?}", process.pid, process.name).unwrap();
            }
            for other in inventory.gpus.iter().filter(|other| other.index > gpu.index) {
                let link = inventory.links.between(gpu.index, other.index);
                writeln!(text, "  to {}: {}", other.index, link.word()).unwrap();
            }
        }
        text
    }

    /// Every fixture `NAME.out` is understood as `NAME.txt` says; `UPDATE_GOLDEN=1` writes those, to be read.
    #[test]
    fn outputs_of_several_drivers_are_understood() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hosts/gpu/testdata");
        let mut looked_at = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "out") {
                continue;
            }
            looked_at += 1;
            let result = shown(&read(&std::fs::read_to_string(&path).unwrap()));
            let expected = path.with_extension("txt");
            if std::env::var("UPDATE_GOLDEN").is_ok() {
                std::fs::write(&expected, &result).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&expected).unwrap_or_default(), result, "{path:?}");
        }
        assert!(looked_at >= 7, "{looked_at}");
    }

    #[test]
    fn garbage_is_no_gpu() {
        for text in ["", "==dynamo cards", "\u{1b}[", "==dynamo topology\n\tGPU0\nGPU0", "x\0y,,,,,,,,"] {
            assert!(matches!(read(text), GpuSight::Absent(_)), "{text:?}");
        }
    }

    fn run(programs: &[(&str, &str)]) -> GpuSight {
        let folder = tempfile::tempdir().unwrap();
        for (name, body) in programs {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{body}")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let output = std::process::Command::new("/bin/sh")
            .args(["-uc", &SCRIPT.replace("$PATH:/usr/bin:/usr/local/bin:/usr/lib/wsl/lib", "$PATH")])
            .env("PATH", folder.path())
            .output()
            .unwrap();
        read(&String::from_utf8(output.stdout).unwrap())
    }

    /// The script itself, with a stand-in for `nvidia-smi` that knows two fields less than the newest.
    #[test]
    fn the_script_runs_in_a_real_shell() {
        let stand_in = r#"case "$*" in
            *driver_version*) echo '0, GPU-0, Tesla V100, 16160, 0, 0, 30, 418.87.00' ;;
            *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;;
            *mig.mode*) echo 'Field "mig.mode.current" is not a valid field to query.'; exit 2 ;;
            *compute-apps*) echo 'GPU-0, 12, a, b' ;;
            -L) echo 'GPU 0: Tesla V100 (UUID: GPU-0)' ;;
            'topo -m') exit 3 ;;
            esac"#;
        let GpuSight::Seen(inventory) = run(&[("nvidia-smi", stand_in)]) else { panic!("not seen") };
        assert_eq!(inventory.driver.as_deref(), Some("418.87.00"));
        assert_eq!(inventory.gpus[0].processes, [GpuProcess { pid: 12, name: Some("a, b".into()) }]);
        assert_eq!((inventory.gpus[0].mig_enabled, inventory.links.is_empty()), (false, true));
        assert!(matches!(run(&[]), GpuSight::Absent(why) if why.contains("no nvidia-smi")));
    }
}
