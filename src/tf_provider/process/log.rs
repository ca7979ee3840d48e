//! Logs, in the one form that Terraform reads: hclog's JSON, a line each, on stderr.
//!
//! Terraform parses each line with unforgiving code. A timestamp without exactly six fractional digits makes the line
//! unparsed text, a line of 64 KiB is cut up, and a level that is not a string crashes Terraform itself. So lines are built
//! by hand to a budget, every value is a string, and each line is one write.
//!
//! Only this crate's own events can be verbose. Libraries log what passes through them, environments of containers and
//! bodies of requests included, and a user who pastes a trace into a bug report must not paste a password.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::plain_text::plain_text;

/// First part of the target of every event of ours.
const CRATE: &str = env!("CARGO_CRATE_NAME");

/// Bytes of a whole line, safely under the 64 KiB at which Terraform gives up.
const LINE: usize = 60 * 1024;
const MESSAGE: usize = 32 * 1024;
const FIELD: usize = 8 * 1024;

/// Sends events to stderr from here on. `provider` is the provider's short name: it is in the name of the variable that
/// sets the level for it alone, and in the lines. Does nothing when a subscriber is there already.
pub(super) fn install(provider: &'static str) {
    let level = level(provider, |name| std::env::var(name).ok());
    let libraries = level.min(LevelFilter::WARN);
    let wanted = Targets::new().with_default(libraries).with_target(CRATE, level);
    let hclog = Hclog { provider, write: to_stderr };
    // An error says that tests or an embedding program log their own way.
    let _ = tracing_subscriber::registry().with(hclog.with_filter(wanted)).try_init();
}

/// One write, so that lines of several threads never mix. When nobody reads any more, nobody misses the line either.
fn to_stderr(line: &str) {
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// The most specific variable that is set decides. With none set, only what a user should see without asking.
fn level(provider: &str, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{}", provider.to_uppercase().replace('-', "_"));
    let set = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match set.map(|value| value.to_uppercase()).as_deref() {
        None | Some("WARN") => LevelFilter::WARN,
        Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        // TRACE, JSON, and what is misspelled: Terraform takes that for TRACE too.
        Some(_) => LevelFilter::TRACE,
    }
}

struct Hclog<W> {
    provider: &'static str,
    write: W,
}

/// What an event or a span carries, each value as text.
#[derive(Clone, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S, W> Layer<S> for Hclog<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    /// Fields of the spans around the event come along; the inner one wins, the event's own above all.
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        let message = fields.0.remove("message").unwrap_or_default();
        let module = event.metadata().target().replacen(CRATE, self.provider, 1).replace("::", ".");
        let level = event.metadata().level().as_str().to_lowercase();
        (self.write)(&line(SystemTime::now(), &level, &module, &message, &fields.0));
    }
}

/// One line, newline included, never longer than [`LINE`]. What does not fit is cut, fields that come last first.
fn line(
    at: SystemTime,
    level: &str,
    module: &str,
    message: &str,
    fields: &BTreeMap<&'static str, String>,
) -> String {
    let mut line = format!(r#"{{"@level":"{level}","@timestamp":"{}""#, timestamp(at));
    let own = [("@module", module, FIELD), ("@message", message, MESSAGE)];
    let others = fields.iter().map(|(name, value)| (*name, value.as_str(), FIELD));
    for (name, value, limit) in own.into_iter().chain(others) {
        // Terraform unpacks the JSON, and hands what was escaped in it to the terminal.
        let value = &plain_text(value);
        let mut entry = String::from(",\"");
        escape_into(&mut entry, name, FIELD);
        entry.push_str("\":\"");
        escape_into(&mut entry, value, limit);
        entry.push('"');
        if line.len() + entry.len() + "}\n".len() > LINE {
            break;
        }
        line.push_str(&entry);
    }
    line.push_str("}\n");
    line
}

/// Appends `text` as the inside of a JSON string, cut after about `limit` bytes of output.
fn escape_into(out: &mut String, text: &str, limit: usize) {
    let end = out.len() + limit;
    for character in text.chars() {
        if out.len() >= end {
            out.push_str("… (cut)");
            return;
        }
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // Writing to a string cannot fail.
            control if control.is_control() => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
}

/// RFC 3339 in UTC with microseconds: `2026-11-22T16:05:00.000123Z`. Before 1970 counts as 1970.
fn timestamp(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        since.subsec_micros()
    )
}

/// Year, month and day of the month, `days` after 1970-01-01. Counts in years that begin in March, so that the leap day
/// is the last of its year, and in eras of 400 years, which all have the same length.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // from 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    fn logged(events: impl FnOnce()) -> Vec<serde_json::Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let write = move |line: &str| sink.lock().unwrap().push(line.to_owned());
        let subscriber = tracing_subscriber::registry().with(Hclog { provider: "dynamo", write });
        tracing::subscriber::with_default(subscriber, events);
        let lines = lines.lock().unwrap();
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_event_carries_its_fields_and_those_of_its_spans_as_strings() {
        let lines = logged(|| {
            let outer = tracing::info_span!("outer", tf_rpc = "Plan", depth = 1);
            outer.in_scope(|| {
                let inner = tracing::info_span!("inner", depth = 2, late = tracing::field::Empty);
                inner.in_scope(|| {
                    inner.record("late", "yes");
                    tracing::warn!(ratio = 0.5, ok = true, who = "a \"b\"\n", "hello {}", "you");
                });
            });
        });
        let expected = [
            ("@level", "warn"),
            ("@message", "hello you"),
            ("@module", "dynamo.tf_provider.process.log.tests"),
            ("tf_rpc", "Plan"),
            ("depth", "2"),
            ("late", "yes"),
            ("ratio", "0.5"),
            ("ok", "true"),
            ("who", "a \"b\"\n"),
        ];
        for (name, value) in expected {
            assert_eq!(lines[0][name], value, "{name} in {}", lines[0]);
        }
        assert_eq!(lines[0].as_object().unwrap().len(), expected.len() + 1);
    }

    #[test]
    fn dates() {
        let cases: [(u64, u32, &str); 6] = [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, 1_000, "2000-02-28T23:59:59.000001Z"),
            (951_782_400, 999_999_999, "2000-02-29T00:00:00.999999Z"),
            (1_735_689_599, 120_000_000, "2024-12-31T23:59:59.120000Z"),
            (1_740_787_200, 0, "2025-03-01T00:00:00.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
        ];
        for (seconds, nanoseconds, expected) in cases {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::new(seconds, nanoseconds)), expected);
        }
    }

    #[test]
    fn no_line_is_too_long_and_each_is_json() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        for bulk in ["x", "é", "\"", "\\", "\n"] {
            let long = bulk.repeat(100_000);
            let fields = names.into_iter().map(|name| (name, long.clone())).collect();
            let line = line(SystemTime::now(), "info", "m", &long, &fields);
            assert!(line.len() <= LINE, "{bulk:?}: {}", line.len());
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(value["@message"].as_str().unwrap().ends_with("… (cut)"));
            assert!(value["a"].as_str().unwrap().starts_with(bulk));
        }
    }

    #[test]
    fn the_most_specific_variable_decides() {
        type Case<'a> = (&'a [(&'a str, &'a str)], LevelFilter);
        let cases: [Case; 9] = [
            (&[], LevelFilter::WARN),
            (&[("TF_LOG", "")], LevelFilter::WARN),
            (&[("TF_LOG", "info")], LevelFilter::INFO),
            (&[("TF_LOG", "JSON")], LevelFilter::TRACE),
            (&[("TF_LOG", "loud")], LevelFilter::TRACE),
            (&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "ERROR")], LevelFilter::ERROR),
            (&[("TF_LOG_PROVIDER", "ERROR"), ("TF_LOG_PROVIDER_MY_NAME", "DEBUG")], LevelFilter::DEBUG),
            (&[("TF_LOG_PROVIDER_MY_NAME", ""), ("TF_LOG", "OFF")], LevelFilter::OFF),
            (&[("TF_LOG_CORE", "TRACE")], LevelFilter::WARN),
        ];
        for (variables, expected) in cases {
            let find = |name: &str| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(level("my-name", find), expected, "{variables:?}");
        }
    }
}
