//! Over how many GPUs a worker spreads its model.
//!
//! Nobody has to say it: while no argument does, it is tensor parallel over all GPUs that the worker has. Who says it may
//! ask for more GPUs than there are, and the engine finds out after the image was pulled and the model loaded; so it is
//! counted here.

use crate::dynamo::spec::Common;
use crate::dynamo::spec::arguments::{asked, layered, number, ranks};
use crate::dynamo::spec::engine_args::EngineArgs;
use crate::dynamo::spec::gpus::GpuRequest;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::words::Role;

/// What speaks against a worker whose arguments ask for more GPUs than it gets.
pub(in crate::dynamo) fn too_many(
    common: &Common,
    role: Role,
    own: &EngineArgs,
    request: &GpuRequest,
) -> Option<Objection> {
    let (engine, there) = (common.engine, u64::from(asked(request)));
    let arguments = layered(common, role, Some(own));
    if there == 0 || engine.elsewhere_args.iter().any(|name| arguments.contains_key(*name)) {
        return None;
    }
    let said = engine.gpu_args.iter().filter_map(|name| Some((*name, number(&arguments, name)?)));
    let said: Vec<_> = said.filter(|(_, number)| *number > 1).collect();
    let wanted = said.iter().fold(1_u64, |product, (_, number)| product.saturating_mul(*number));
    if wanted <= there {
        return None;
    }
    let said: Vec<_> = said.iter().map(|(name, number)| format!("{name} = {number}")).collect();
    let what = format!("its engine_args ask for {wanted} GPUs ({}), and it gets {there}", said.join(", "));
    let fix = "give it as many, or make the product smaller; left out, the model is spread over the GPUs that it has";
    let at = if matches!(request, GpuRequest::Named(_)) { Field::Gpus } else { Field::GpuCount };
    Some(Refusal::new(what, fix).at(at))
}

/// What speaks against a worker with several ranks, where its connector knows only one.
pub(in crate::dynamo) fn one_rank(common: &Common, role: Role, own: &EngineArgs) -> Option<Objection> {
    let facts = common.connector.facts;
    let name = common.engine.rank_args.first().filter(|_| facts.one_rank && ranks(common, role, own) > 1)?;
    let what = format!("the connector {:?} has no data parallelism", facts.connector.word());
    let fix = "leave it out and have more workers instead, or choose another connector";
    let objection = Refusal::new(what, fix).at(Field::EngineArg((*name).to_owned()));
    Some(if own.contains_key(*name) { objection } else { objection.of_the_deployment() })
}

#[cfg(test)]
mod tests {

    use std::collections::BTreeMap;

    use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, GpuDraft, WorkerDraft};
    use crate::dynamo::spec::engine_args::ArgValue;
    use crate::dynamo::terms::given::Given;

    fn objections(engine: &str, args: &[(&str, &str)], gpus: GpuDraft) -> Vec<String> {
        let is = |text: &str| Given::Is(text.to_owned());
        let number = |(name, number): &(&str, &str)| {
            ((*name).to_owned(), Given::Is(ArgValue::Number((*number).to_owned())))
        };
        let draft = WorkerDraft {
            deployment: CommonDraft {
                name: is("chat"),
                engine: is(engine),
                dynamo_version: is("1.6.1"),
                model: is("acme/tiny"),
                engine_args: args.iter().map(number).collect(),
                ..CommonDraft::default()
            },
            suffix: is("abc234"),
            gpus,
            ..WorkerDraft::default()
        };
        draft.complete().err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn some_connectors_know_one_rank() {
        let is = |text: &str| Given::Is(text.to_owned());
        let dp = || [("dp".to_owned(), Given::Is(ArgValue::Number("2".to_owned())))].into();
        for (connector, at_worker, expected) in [
            ("kvbm", true, Some("engine_args[\"data-parallel-size\"]: the connector \"kvbm\"")),
            ("kvbm", false, Some("deployment: its engine_args[\"data-parallel-size\"]")),
            ("lmcache", true, None),
        ] {
            let deployment = CommonDraft {
                name: is("chat"),
                engine: is("vllm"),
                dynamo_version: is("1.6.1"),
                model: is("acme/tiny"),
                engine_args: if at_worker { BTreeMap::new() } else { dp() },
                connector: ConnectorDraft {
                    kind: is(connector),
                    cpu_cache_gb: Given::Is(4),
                    ..ConnectorDraft::default()
                },
                ..CommonDraft::default()
            };
            let draft = WorkerDraft {
                deployment,
                suffix: is("abc234"),
                gpus: GpuDraft { gpu_count: Given::Is(2), ..GpuDraft::default() },
                engine_args: if at_worker { dp() } else { BTreeMap::new() },
                ..WorkerDraft::default()
            };
            let found = draft.complete().err().unwrap_or_default();
            assert_eq!(found.len(), usize::from(expected.is_some()), "{found:?}");
            for (objection, expected) in found.iter().zip(expected) {
                assert!(objection.to_string().starts_with(expected), "{objection}");
            }
        }
    }

    #[test]
    fn a_model_is_spread_over_gpus_that_are_there() {
        let two = || GpuDraft { gpu_count: Given::Is(2), ..GpuDraft::default() };
        let named = || GpuDraft {
            gpus: Given::Is(vec![Given::Is("0".to_owned()), Given::Is("3".to_owned())]),
            ..GpuDraft::default()
        };
        let (tensor, pipeline) = ("tensor-parallel-size", "pipeline-parallel-size");
        for (engine, args, fits) in [
            ("vllm", [("tp", "2"), ("x", "1")], true),
            ("vllm", [(tensor, "8"), ("x", "1")], false),
            ("vllm", [(tensor, "2"), (pipeline, "2")], false),
            ("vllm", [(tensor, "2"), ("data_parallel_size", "2")], false),
            ("vllm", [(tensor, "8"), ("nnodes", "4")], true),
            ("vllm", [("data-parallel-size", "8"), ("data-parallel-size-local", "2")], true),
            ("sglang", [("tp", "2"), ("dp", "2")], true),
            ("sglang", [("tp", "2"), ("pp", "2")], false),
            ("trtllm", [(tensor, "2"), (pipeline, "1")], true),
            ("trtllm", [(tensor, "4"), ("x", "1")], false),
            ("mocker", [("data-parallel-size", "8"), ("x", "1")], true),
        ] {
            for (gpus, at) in [(two(), "gpu_count"), (named(), "gpus")] {
                let found = objections(engine, &args, gpus);
                assert_eq!(found.is_empty(), fits, "{engine} {args:?}: {found:?}");
                assert!(found.iter().all(|it| it.starts_with(at) && it.contains("gets 2")), "{found:?}");
            }
        }
    }
}
