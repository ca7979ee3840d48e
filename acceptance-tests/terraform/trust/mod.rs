//! Whom the provider need not trust: a host that lies, a neighbor on a host, what is in an image, a file or a name. One
//! host may be lost; the other hosts, the machine that runs Terraform and what belongs to others may not.

mod copies;
mod downloads;
mod engine;
mod engines;
mod folders;
mod hardening;
mod labels;
mod liar;
mod logins;
mod questions;
mod staging;
mod warnings;
mod words;

use std::{
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use libtest_mimic::Trial;

use super::world::{descendants, kill_providers};

pub fn trials() -> Vec<Trial> {
    let here = [
        ("engines", engines::CASES),
        ("folders", folders::CASES),
        ("labels", labels::CASES),
        ("words", words::CASES),
        ("downloads", downloads::CASES),
        ("hardening", hardening::CASES),
        ("warnings", warnings::CASES),
        ("questions", questions::CASES),
    ];
    let hosts = [
        ("copies", copies::CASES),
        ("staging", staging::CASES),
        ("words", words::ON_HOSTS),
        ("logins", logins::CASES),
    ];
    let of = |tier: &'static str, groups: &[(&'static str, &'static [super::Case])]| -> Vec<Trial> {
        let cases = groups
            .iter()
            .flat_map(|(group, cases)| cases.iter().map(move |(name, case)| (*group, *name, *case)));
        cases
            .map(|(group, name, case)| super::trial(tier, &format!("trust::{group}::{name}"), case))
            .collect()
    };
    of("terraform", &here).into_iter().chain(of("hosts", &hosts)).collect()
}

/// How a command of Terraform's ended, and the most memory that a provider below it had, in MiB. One that hangs is killed.
fn watched(mut child: Child, limit: Duration) -> (Option<ExitStatus>, u64) {
    let (begin, mut most) = (Instant::now(), 0);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (Some(status), most);
        }
        most = descendants(child.id()).into_iter().filter_map(peak_memory).max().unwrap_or(0).max(most);
        if begin.elapsed() > limit || most > 4096 {
            kill_providers(child.id());
            let _ = child.wait();
            return (None, most);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Of a provider, in MiB.
fn peak_memory(process: u32) -> Option<u64> {
    let program = std::fs::read_link(format!("/proc/{process}/exe")).ok()?;
    program.to_string_lossy().contains("terraform-provider-dynamo").then_some(())?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// Runs a script on this machine, and gives what it prints.
#[track_caller]
fn sh(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
