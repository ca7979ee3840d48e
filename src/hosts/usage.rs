//! What a container uses at this moment.

use bollard::models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptions;
use futures_util::TryStreamExt;

use super::containers::container;
use super::error::if_found;
use super::{Host, HostError};

/// CPU and memory in use.
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
