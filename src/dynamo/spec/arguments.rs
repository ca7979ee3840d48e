//! The engine arguments of a worker: their layers, and what they say about GPUs and ranks. The nearest layer wins:
//!
//! 1. the engine's record, for an argument that users leave out; while no argument says how the model is spread over GPUs,
//!    the first of those that could is the number of the worker's GPUs;
//! 2. the arguments that the model comes with (`models::catalog`);
//! 3. the deployment's `engine_args`;
//! 4. the deployment's arguments for the role;
//! 5. the worker's own.

use super::engine_args::{ArgValue, EngineArgs};
use super::gpus::GpuRequest;
use super::{Common, WorkerSpec, engine_args};
use crate::dynamo::facts::engine::{DefaultArg, EngineFacts};
use crate::dynamo::terms::words::Role;

/// Arguments that are refused beside a default, which gives way to them.
const RIVALS: &[(&str, &str)] = &[("dyn-tool-call-parser", "tool-call-parser")];

/// The engine's arguments of a worker, without those that its mode, connector and router bring along.
pub(crate) fn arguments(spec: &WorkerSpec) -> EngineArgs {
    let mut arguments = layered(&spec.deployment, spec.role, Some(&spec.engine_args));
    spread(&mut arguments, spec.deployment.engine, gpus(spec));
    arguments
}

/// The layers of arguments for a role, without what follows from a worker's GPUs. `own` is the worker's.
pub(in crate::dynamo) fn layered(common: &Common, role: Role, own: Option<&EngineArgs>) -> EngineArgs {
    let layers = [Some(&common.engine_args), common.role_args.get(&role), own];
    let mut users: EngineArgs =
        layers.into_iter().flatten().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (name, value) in &common.model_args {
        if !gives_way(name, &users) {
            users.insert(name.clone(), value.clone());
        }
    }
    let mut all = EngineArgs::new();
    for row in common.engine.default_args.iter().filter(|row| holds(row, common, role, &users)) {
        all.insert(row.name.to_owned(), default_value(row));
    }
    for (name, value) in users {
        let merged = match (all.get(&name), &value) {
            (Some(ArgValue::Json(below)), ArgValue::Json(above) | ArgValue::Text(above)) => {
                engine_args::over(above, below)
            }
            _ => value,
        };
        all.insert(name, merged);
    }
    engine_args::fold(&mut all, &common.engine.args);
    all
}

fn holds(row: &DefaultArg, common: &Common, role: Role, users: &EngineArgs) -> bool {
    row.mode.is_none_or(|mode| mode == common.mode)
        && row.role.is_none_or(|wanted| wanted == role)
        && row.kv.is_none_or(|kv| kv == common.looks_at_caches())
        && !row.unless.iter().any(|stop| users.contains_key(*stop))
}

fn default_value(row: &DefaultArg) -> ArgValue {
    let text = row.value.to_owned();
    if text.starts_with('{') { ArgValue::Json(text) } else { ArgValue::Text(text) }
}

/// How many ranks of data parallelism a worker has whose own arguments these are.
pub(crate) fn ranks(common: &Common, role: Role, own: &EngineArgs) -> u16 {
    let arguments = layered(common, role, Some(own));
    let said = common.engine.rank_args.iter().find_map(|name| number(&arguments, name));
    // More than any machine has GPUs would only be a mistake of the engine's to refuse.
    said.and_then(|number| u16::try_from(number).ok()).unwrap_or(1).clamp(1, 1024)
}

/// The number that an argument has; `None` where it is not set or no number.
pub(crate) fn number(arguments: &EngineArgs, name: &str) -> Option<u64> {
    match arguments.get(name)? {
        ArgValue::Number(number) | ArgValue::Text(number) => number.parse().ok(),
        ArgValue::Bool(_) | ArgValue::List(_) | ArgValue::Json(_) => None,
    }
}

/// Over all GPUs, unless somebody says otherwise.
pub(in crate::dynamo) fn spread(arguments: &mut EngineArgs, engine: &EngineFacts, gpus: u32) {
    let rows = engine.parallel_args;
    let Some(first) = rows.first().filter(|_| gpus > 0) else { return };
    if !rows.iter().any(|name| arguments.contains_key(*name)) {
        arguments.insert((*first).to_owned(), ArgValue::Number(gpus.to_string()));
    }
}

/// How many GPUs a worker has, or will have.
pub(in crate::dynamo) fn gpus(spec: &WorkerSpec) -> u32 {
    let many = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if spec.gpus.is_empty() { asked(&spec.gpu_request) } else { many(spec.gpus.len()) }
}

/// The number of GPUs that a request is for.
pub(crate) fn asked(request: &GpuRequest) -> u32 {
    match request {
        GpuRequest::None => 0,
        GpuRequest::Named(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
        GpuRequest::Count(count) => *count,
    }
}

/// Whether a default gives way to what was said elsewhere: to the same argument, or to one that excludes it.
pub(crate) fn gives_way(name: &str, others: &EngineArgs) -> bool {
    others.contains_key(name)
        || RIVALS.iter().any(|(default, rival)| *default == name && others.contains_key(*rival))
}
