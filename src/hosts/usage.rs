//! What a container uses at this moment.

use bollard::models::{
    ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse, ContainerTopResponse,
};
use bollard::query_parameters::{StatsOptions, TopOptions};
use futures_util::TryStreamExt;

use super::containers::container;
use super::host::Host;
use crate::hosts::error::{Cause, HostError, if_found};

/// The usage of CPU and memory by a container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// 100 = one CPU, as `docker stats` counts; over the last second.
    pub cpu_percent: f64,
    /// Without what the kernel would give up at once (cached files).
    pub memory_bytes: u64,
}

impl Host {
    /// Takes the Engine a second or two: it looks twice. `None` when the container is gone or does not run.
    pub async fn usage(&self, name: &str) -> Result<Option<Usage>, HostError> {
        let stats = self
            .ask("measure", &container(name), |docker| async move {
                let options = StatsOptions { stream: false, one_shot: false };
                let answers = docker.stats(name, Some(options));
                futures_util::pin_mut!(answers);
                answers.try_next().await
            })
            .await;
        Ok(if_found(stats)?.flatten().and_then(|stats| usage(&stats)))
    }

    /// Ids of a container's processes, as its host counts them. None when it is gone or does not run.
    pub async fn processes(&self, name: &str) -> Result<Vec<u32>, HostError> {
        let top = self
            .ask("list the processes of", &container(name), |docker| async move {
                docker.top_processes(name, None::<TopOptions>).await
            })
            .await;
        match top {
            Ok(top) => Ok(process_ids(&top)),
            Err(HostError {
                cause: Cause::NotFound { .. } | Cause::Engine { status: 409 | 500, .. },
                ..
            }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// The column of a table whose head says so.
fn process_ids(top: &ContainerTopResponse) -> Vec<u32> {
    let titles = top.titles.as_deref().unwrap_or_default();
    let Some(column) = titles.iter().position(|title| title == "PID") else { return Vec::new() };
    let rows = top.processes.iter().flatten();
    rows.filter_map(|row| row.get(column)?.parse().ok()).collect()
}

fn usage(stats: &ContainerStatsResponse) -> Option<Usage> {
    let memory_bytes = stats.memory_stats.as_ref().and_then(memory)?;
    Some(Usage { cpu_percent: cpu(stats.precpu_stats.as_ref()?, stats.cpu_stats.as_ref()?), memory_bytes })
}

/// Share of all CPUs' time since the look before, times their number.
fn cpu(before: &ContainerCpuStats, now: &ContainerCpuStats) -> f64 {
    let total =
        |stats: &ContainerCpuStats| stats.cpu_usage.as_ref().and_then(|usage| usage.total_usage).unwrap_or(0);
    let system = |stats: &ContainerCpuStats| stats.system_cpu_usage.unwrap_or(0);
    let used = total(now).saturating_sub(total(before));
    let passed = system(now).saturating_sub(system(before));
    if passed == 0 {
        return 0.0;
    }
    // Nanoseconds of a second or two: far from where floats lose count.
    used as f64 / passed as f64 * f64::from(now.online_cpus.unwrap_or(1)) * 100.0
}

/// Cached files that nobody uses are called `inactive_file`, or `total_inactive_file` before cgroup 2.
fn memory(stats: &ContainerMemoryStats) -> Option<u64> {
    let detail = |key: &str| stats.stats.as_ref()?.get(key).copied();
    let cached = detail("total_inactive_file").or_else(|| detail("inactive_file")).unwrap_or(0);
    stats.usage.map(|usage| usage.saturating_sub(cached))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_ids_stand_below_their_title() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let rows = vec![words(&["root", "4711", "sh -c x"]), words(&["root", "?", "odd"]), words(&["short"])];
        let top = ContainerTopResponse { titles: Some(words(&["UID", "PID", "CMD"])), processes: Some(rows) };
        assert_eq!(process_ids(&top), [4711]);
        assert_eq!(process_ids(&ContainerTopResponse::default()), [0_u32; 0]);
    }

    #[test]
    fn an_answer_of_the_engine_is_counted_as_docker_stats_counts() {
        let answer = |cached: &str| {
            format!(
                r#"{{"precpu_stats":{{"cpu_usage":{{"total_usage":1000}},"system_cpu_usage":10000,"online_cpus":4}},
                "cpu_stats":{{"cpu_usage":{{"total_usage":1500}},"system_cpu_usage":14000,"online_cpus":4}},
                "memory_stats":{{"usage":1000,"stats":{{{cached}}}}}}}"#
            )
        };
        let table = [
            (answer(r#""inactive_file":300"#), Some(Usage { cpu_percent: 50.0, memory_bytes: 700 })),
            (
                answer(r#""inactive_file":1,"total_inactive_file":400"#),
                Some(Usage { cpu_percent: 50.0, memory_bytes: 600 }),
            ),
            (answer(""), Some(Usage { cpu_percent: 50.0, memory_bytes: 1000 })),
            // A container that does not run.
            (r#"{"precpu_stats":{},"cpu_stats":{},"memory_stats":{}}"#.to_owned(), None),
        ];
        for (text, expected) in table {
            assert_eq!(usage(&serde_json::from_str(&text).unwrap()), expected, "{text}");
        }
    }
}
