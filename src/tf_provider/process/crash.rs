//! What a panic looks like from Terraform.
//!
//! Terraform shows "The plugin crashed!" with a stack trace when it meets a line on stderr that begins with `panic: `, as a
//! Go program writes it. Rust's own words would end up as debug text that nobody sees.

use std::backtrace::Backtrace;
use std::io::Write as _;
use std::panic::{self, PanicHookInfo};

/// From here on a panic on any thread is reported in Go's form.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let report = report(text(info), &place, &Backtrace::force_capture().to_string());
        // One write, so that log lines of other threads do not end up inside. There is nowhere to report a failure.
        let _ = std::io::stderr().lock().write_all(report.as_bytes());
    }));
}

fn text<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload_as_str().unwrap_or("of a kind that has no text")
}

fn report(text: &str, place: &str, backtrace: &str) -> String {
    // Only the first line may begin with the marker, or Terraform would see several crashes.
    format!("panic: {}\n\nat {place}\n{}\n", text.replace('\n', " "), backtrace.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_marker_comes_first_and_once() {
        let report = report("one\npanic: two", "src/x.rs:1:2", "   0: f\n   1: g\n");
        assert_eq!(report, "panic: one panic: two\n\nat src/x.rs:1:2\n   0: f\n   1: g\n");
    }

    /// Panics when asked to, in a process of its own.
    #[test]
    #[ignore = "run by a_panic_reaches_stderr_in_gos_form"]
    fn child() {
        install();
        let _ = std::thread::spawn(|| panic!("the {} broke", "thing")).join();
    }

    #[test]
    fn a_panic_reaches_stderr_in_gos_form() {
        let this = module_path!().split_once("::").unwrap().1;
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", &format!("{this}::child")])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a panic of one thread is not the end of the process: {errors}");
        assert!(
            errors.starts_with("panic: the thing broke\n\nat src/tf_provider/process/crash.rs:"),
            "{errors}"
        );
        assert!(errors.lines().count() > 5, "no backtrace: {errors}");
    }
}
