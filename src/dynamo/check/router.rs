//! The `router` block, read: a mode that the release knows, and those of its options that mean something in that mode.

use crate::dynamo::facts::release::Release;
use crate::dynamo::facts::router::RouterMode;
use crate::dynamo::spec::draft::RouterDraft;
use crate::dynamo::spec::router::{OptionValue, RouterSpec};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use crate::dynamo::terms::words::RouterOption;
use std::collections::BTreeMap;

/// Reads the block. `None` when the release or the mode is unknown or wrong, or an option is.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    draft: &RouterDraft,
    release: Option<&'static Release>,
) -> Option<RouterSpec> {
    let options = read_options(reader, draft);
    let release = release?;
    let mode = reader.or(Field::RouterMode, &draft.mode, release.default_router_mode(), |word| {
        release.router_mode(word).ok_or_else(|| unknown_mode(word, release))
    })?;
    for (option, value) in written(draft) {
        if let Some(refusal) = misplaced(option, &value, mode, draft, release) {
            reader.object(Field::Router(option), refusal);
        }
    }
    Some(RouterSpec { mode, options: options? })
}

fn unknown_mode(word: &str, release: &Release) -> Refusal {
    let words: Vec<_> = release.router_modes.iter().map(|mode| mode.word).collect();
    Refusal::new(
        format!("Dynamo {} has no router mode {word:?}", release.line),
        format!("use one of {}", words.join(", ")),
    )
}

/// The options that were written, known or not.
pub(crate) fn written(draft: &RouterDraft) -> Vec<(RouterOption, Given<OptionValue>)> {
    RouterOption::ALL
        .iter()
        .map(|option| (*option, given(draft, *option)))
        .filter(|(_, value)| !value.is_absent())
        .collect()
}

/// The value of an option as the block has it.
pub(crate) fn given(draft: &RouterDraft, option: RouterOption) -> Given<OptionValue> {
    let number = |amount: &Given<Amount>| amount.map(|amount| OptionValue::Number(*amount));
    let switch = |on: &Given<bool>| on.map(|on| OptionValue::Switch(*on));
    match option {
        RouterOption::OverlapScoreCredit => number(&draft.overlap_score_credit),
        RouterOption::Temperature => number(&draft.temperature),
        RouterOption::KvEvents => switch(&draft.kv_events),
        RouterOption::TtlSeconds => number(&draft.ttl_seconds),
        RouterOption::ReplicaSync => switch(&draft.replica_sync),
    }
}

fn read_options(reader: &mut Reader, draft: &RouterDraft) -> Option<BTreeMap<RouterOption, OptionValue>> {
    let mut options = BTreeMap::new();
    let mut all_good = true;
    for (option, value) in written(draft) {
        match reader.needed(Field::Router(option), &value, not_negative) {
            Some(value) => drop(options.insert(option, value)),
            None => all_good = false,
        }
    }
    all_good.then_some(options)
}

fn not_negative(value: &OptionValue) -> Result<OptionValue, Refusal> {
    match value {
        OptionValue::Number(amount) if *amount < Amount::ZERO => {
            Err(Refusal::new(format!("{amount} is below 0"), "use 0 or more"))
        }
        _ => Ok(*value),
    }
}

/// Why an option does nothing where it stands.
fn misplaced(
    option: RouterOption,
    value: &Given<OptionValue>,
    mode: &RouterMode,
    draft: &RouterDraft,
    release: &Release,
) -> Option<Refusal> {
    let facts = release.router_options.iter().find(|row| row.option == option);
    let Some(facts) = facts else {
        let what = format!("Dynamo {} has no such option", release.line);
        return Some(Refusal::new(what, "leave it out"));
    };
    if !mode.kv {
        let kv: Vec<_> = release.router_modes.iter().filter(|mode| mode.kv).map(|mode| mode.word).collect();
        return Some(Refusal::new(
            format!("has no effect with router mode {:?}", mode.word),
            format!("leave it out, or set router.mode to {}", kv.join(" or ")),
        ));
    }
    if let (Some(most), Some(OptionValue::Number(amount))) = (facts.most, value.known())
        && *amount > most
    {
        let what = format!("{amount} is more than Dynamo {} takes", release.line);
        return Some(Refusal::new(what, format!("use {most} or less")));
    }
    let guessing = draft.kv_events.is_unknown() || draft.kv_events.known() == Some(&false);
    (facts.only_without_events && value.known().is_some() && !guessing).then(|| {
        Refusal::new(
            "has no effect while workers report what they cache",
            "set kv_events = false, or leave it out",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::facts::release;
    use crate::dynamo::facts::router::OptionFlag;
    use crate::dynamo::spec::router::OptionValue;

    #[test]
    fn every_option_is_told_as_what_it_is() {
        let all = RouterDraft {
            mode: Given::Absent,
            overlap_score_credit: Given::Is(Amount::ZERO),
            temperature: Given::Is(Amount::ZERO),
            kv_events: Given::Is(false),
            ttl_seconds: Given::Is(Amount::ZERO),
            replica_sync: Given::Is(true),
        };
        assert_eq!(written(&all).len(), RouterOption::ALL.len());
        for release in release::ALL {
            for facts in release.router_options {
                let is_number = matches!(given(&all, facts.option).known(), Some(OptionValue::Number(_)));
                assert_eq!(is_number, matches!(facts.flag, OptionFlag::Value(_)), "{facts:?}");
            }
        }
    }
}
