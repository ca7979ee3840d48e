//! Engine arguments that are not one worker's own business.
//!
//! Dynamo serves workers side by side only if their model cards agree: block size, context length. An aggregated
//! deployment copes with any difference, because each set of arguments gets a namespace of its own. Prefill and decode
//! workers must meet in one, so there such an argument belongs to the deployment: what both roles share to `engine_args`,
//! what a role shares to that role's arguments. Dynamo itself lists a worker that does not agree and sends it nothing,
//! which nobody would notice.

use super::engine_args;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::spec::connector::ConnectorSpec;
use crate::dynamo::spec::draft::{CommonDraft, RouterDraft};
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::dynamo::terms::reader::Reader;
use crate::dynamo::terms::words::{Mode, Role};
use std::collections::BTreeMap;

type Written = BTreeMap<String, Given<ArgValue>>;
type Named = fn(String) -> Field;

/// Reads a deployment's arguments for its roles.
pub(in crate::dynamo) fn of_roles(
    reader: &mut Reader,
    draft: &CommonDraft,
    on: Option<(&EngineFacts, Mode)>,
) -> BTreeMap<Role, EngineArgs> {
    let rows = [(Role::Prefill, &draft.prefill_engine_args), (Role::Decode, &draft.decode_engine_args)];
    let read = rows.into_iter().map(|(role, written)| {
        let at = |key| Field::RoleArg(role, key);
        let arguments = engine_args::read(reader, written, on.map(|(engine, _)| engine), at);
        if let Some((engine, mode)) = on {
            for (key, refusal) in misplaced(written, engine, mode, role) {
                reader.object(at(key), refusal);
            }
        }
        (role, arguments)
    });
    read.filter(|(_, arguments)| !arguments.is_empty()).collect()
}

fn misplaced(written: &Written, engine: &EngineFacts, mode: Mode, role: Role) -> Vec<(String, Refusal)> {
    let refusal = |name: &str| {
        if engine.serving(mode, role).is_none() {
            let what = format!("a deployment whose mode is {:?} has no {} workers", mode.word(), role.word());
            return Some(Refusal::new(what, "set it in engine_args, or change the mode"));
        }
        (mode == Mode::Disaggregated && engine.shared_args.contains(&name)).then(|| {
            Refusal::new("prefill and decode workers must agree on it", "set it in engine_args, for both")
        })
    };
    each(written, Some(engine), refusal)
}

/// Complains of a worker's own arguments that it cannot have for itself.
pub(in crate::dynamo) fn of_a_worker(
    reader: &mut Reader,
    written: &Written,
    on: Option<(&EngineFacts, Mode)>,
) {
    let Some((engine, Mode::Disaggregated)) = on else { return };
    let refusal = |name: &str| {
        let shared = engine.shared_args.contains(&name).then(|| {
            Refusal::new(
                "all workers of a disaggregated deployment must agree on it",
                "set it in the deployment's engine_args",
            )
        });
        shared.or_else(|| {
            engine.role_args.contains(&name).then(|| {
                let fix = "set it in the deployment's prefill_engine_args or decode_engine_args";
                Refusal::new("all workers of a role must agree on it in a disaggregated deployment", fix)
            })
        })
    };
    for (key, refusal) in each(written, Some(engine), refusal) {
        reader.object(Field::EngineArg(key), refusal);
    }
}

/// Complains of arguments that the connector gives to some role.
pub(in crate::dynamo) fn of_the_connector(
    reader: &mut Reader,
    written: &Written,
    engine: Option<&EngineFacts>,
    connector: Option<&ConnectorSpec>,
    at: impl Fn(String) -> Field,
) {
    let Some(connector) = connector else { return };
    let told: Vec<&str> = connector.facts.roles.iter().flat_map(|role| role.args).copied().collect();
    let refusal = |name: &str| {
        told.contains(&format!("--{name}").as_str()).then(|| {
            let what = format!("the connector {:?} decides it", connector.facts.connector.word());
            Refusal::new(what, "leave it out")
        })
    };
    for (key, refusal) in each(written, engine, refusal) {
        reader.object(at(key), refusal);
    }
}

/// What is wrong with each argument, by the key under which it was written.
fn each(
    written: &Written,
    engine: Option<&EngineFacts>,
    refusal: impl Fn(&str) -> Option<Refusal>,
) -> Vec<(String, Refusal)> {
    let rules = engine.map(|engine| &engine.args);
    let named = |(key, value): (&String, &Given<ArgValue>)| {
        let (name, _) = engine_args::meant(key, value, rules).ok()?;
        refusal(&name).map(|refusal| (key.clone(), refusal))
    };
    written.iter().filter_map(named).collect()
}

/// Arguments of a configuration, where they stand, and the roles that get them.
pub(in crate::dynamo) type Layer<'a> = (&'a Written, Named, &'a [Role]);

/// The layers of a deployment.
pub(in crate::dynamo) fn layers(draft: &CommonDraft) -> [Layer<'_>; 3] {
    [
        (&draft.engine_args, Field::EngineArg, Role::ALL),
        (&draft.prefill_engine_args, |key| Field::RoleArg(Role::Prefill, key), &[Role::Prefill]),
        (&draft.decode_engine_args, |key| Field::RoleArg(Role::Decode, key), &[Role::Decode]),
    ]
}

/// A router that waits for reports of an engine that was told to cache nothing would wait for ever.
pub(in crate::dynamo) fn must_be_cached(
    reader: &mut Reader,
    router: &RouterDraft,
    on: Option<(&EngineFacts, Mode)>,
    layers: &[Layer<'_>],
) {
    let waits = router.mode.known().is_some_and(|mode| mode == "kv")
        && !router.kv_events.is_unknown()
        && router.kv_events.known() != Some(&false);
    let Some((engine, mode)) = on.filter(|_| waits) else { return };
    let Some((name, off)) = engine.events.as_ref().and_then(|events| events.off_by) else { return };
    let switched_off = (name.to_owned(), Given::Is(ArgValue::Bool(off)));
    let publishes = |role: &Role| engine.serving(mode, *role).is_some_and(|row| row.publishes);
    for (written, at, _) in layers.iter().filter(|(.., roles)| roles.iter().any(publishes)) {
        for (key, given) in *written {
            if engine_args::meant(key, given, Some(&engine.args)).as_ref() == Ok(&switched_off) {
                let what = "without it workers have nothing to report to the router";
                let fix = "leave it out, or set kv_events = false in the router of the deployment";
                reader.object(at(key.clone()), Refusal::new(what, fix));
            }
        }
    }
}
