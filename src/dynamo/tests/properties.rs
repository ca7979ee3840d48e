//! Properties over specifications nobody thought of: mixtures of good, bad, absent and unknown values.
//!
//! Three promises are held. What is accepted works, as far as [`lint`] can tell. Knowing less never brings a new
//! complaint, so nothing is refused at `validate` that would be accepted at `apply`. And a variable's value goes into the
//! environment and nowhere else.

use super::test_release;
use crate::dynamo::spec::draft::{
    CommonDraft, DeploymentDraft, DockerDraft, ResourceDraft, RouterDraft, UlimitDraft, VolumeDraft,
    WorkerDraft,
};
use crate::dynamo::spec::engine_args::ArgValue;
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::dynamo::{check, decide, lint};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use std::collections::BTreeMap;

const SECRET: &str = "hush-4711";

fn given<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> BoxedStrategy<Given<T>> {
    prop_oneof![6 => select(values).prop_map(Given::Is), 3 => Just(Given::Absent)].boxed()
}

/// Mostly good words: one in many is enough to be refused.
fn word(good: &[&'static str], bad: &'static str) -> BoxedStrategy<Given<String>> {
    let mut words: Vec<String> =
        std::iter::repeat_n(good, 20).flatten().map(|word| (*word).to_owned()).collect();
    words.push(bad.to_owned());
    given(words)
}

fn amounts() -> BoxedStrategy<Given<Amount>> {
    let texts = ["0", "0.01", "1", "1", "1.5", "2", "2", "7", "28", "1e40", "-1"];
    prop_oneof![25 => Just(Given::Absent), 1 => given(texts.map(|text| text.parse().unwrap()).to_vec())]
        .boxed()
}

fn maps<T: Clone + std::fmt::Debug + 'static>(
    keys: &'static [&'static str],
    values: BoxedStrategy<Given<T>>,
) -> BoxedStrategy<BTreeMap<String, Given<T>>> {
    let present = values.prop_filter("a key has a value", |value| !value.is_absent());
    proptest::collection::btree_map(select(keys).prop_map(str::to_owned), present, 0..4).boxed()
}

fn env() -> BoxedStrategy<BTreeMap<String, Given<String>>> {
    maps(
        &["A", "DYN_LOG", "HF_TOKEN", "DYN_MIGRATION_LIMIT", "B", "C", "D", "E", "F", "G", "NATS_SERVER"],
        word(&[SECRET], SECRET),
    )
}

fn engine_args() -> BoxedStrategy<BTreeMap<String, Given<ArgValue>>> {
    let values = vec![
        ArgValue::Bool(true),
        ArgValue::Bool(false),
        ArgValue::Number("-1".to_owned()),
        ArgValue::Text("--x".to_owned()),
        ArgValue::List(vec!["1".to_owned(), "2".to_owned()]),
        ArgValue::Json("{}".to_owned()),
    ];
    maps(
        &["block-size", "--max_num_seqs", "enable_prefix_caching", "reasoning", "x.y", "a", "b", "model"],
        given(values),
    )
}

fn router() -> BoxedStrategy<RouterDraft> {
    let modes = word(&["kv", "kv", "kv", "round-robin", "direct"], "clever");
    let switch = || prop_oneof![15 => Just(Given::Absent), 1 => given(vec![true, false])];
    (modes, amounts(), amounts(), switch(), amounts(), switch())
        .prop_map(|(mode, overlap_score_credit, temperature, kv_events, ttl_seconds, replica_sync)| {
            RouterDraft { mode, overlap_score_credit, temperature, kv_events, ttl_seconds, replica_sync }
        })
        .boxed()
}

fn resources() -> BoxedStrategy<ResourceDraft> {
    let no_limit = prop_oneof![9 => Just(Given::Absent), 1 => given(vec![true, false])];
    (amounts(), amounts(), no_limit)
        .prop_map(|(cpus, memory_gb, no_limit)| ResourceDraft { cpus, memory_gb, no_limit })
        .boxed()
}

fn docker() -> BoxedStrategy<DockerDraft> {
    let paths = || word(&["/a", "/a/b", "/data", "/x y", "/var/lib"], "/var/lib/dynamo/discovery");
    let present =
        |paths: BoxedStrategy<Given<String>>| paths.prop_filter("present", |path| !path.is_absent());
    let volume = (present(paths()), present(paths()), given(vec![true, false])).prop_map(
        |(host_path, container_path, read_only)| VolumeDraft {
            host_path,
            container_path,
            read_only,
            ..VolumeDraft::default()
        },
    );
    let ulimit = (select(vec!["nofile", "core"]), select(vec![-1, 0, 9]), given(vec![-1, 9, 100])).prop_map(
        |(name, soft, hard)| UlimitDraft { name: Given::Is(name.to_owned()), soft: Given::Is(soft), hard },
    );
    let hosts = maps(
        &["db", "a", "b", "c", "frontend", "etcd", "a.b"],
        word(&["10.0.0.1", "::1", "host-gateway"], "nowhere"),
    );
    let labels = maps(&["team", "cost", "a", "b", "c", "io.dynamo-terraform.run"], word(&["x"], ""));
    let lists = (proptest::collection::vec(volume, 0..3), proptest::collection::vec(ulimit, 0..2));
    (lists, hosts, amounts(), labels)
        .prop_map(|((volumes, ulimits), extra_hosts, shm_size_gb, labels)| DockerDraft {
            volumes,
            extra_hosts,
            shm_size_gb,
            ulimits,
            labels,
            ..DockerDraft::default()
        })
        .boxed()
}

fn common() -> BoxedStrategy<CommonDraft> {
    let names = (
        word(&["chat", "a-b-0"], "a--b").prop_filter("named", |name| !name.is_absent()),
        word(&["mocker", "mocker", "mocker", "vllm"], "sglang")
            .prop_filter("chosen", |engine| !engine.is_absent()),
        word(&["1.6.1", "1.6.1", "0.0.1"], "2.0"),
        word(&["busybox:local", "a.io/b"], "B"),
        word(&["/data/tiny", "Qwen/Qwen3-8B", "gpt2"], "~").prop_filter("chosen", |model| !model.is_absent()),
        word(&["tiny", "a/b"], "a b"),
        word(&["aggregated", "aggregated", "aggregated", "aggregated", "disaggregated"], "both"),
    );
    (names, router(), env(), engine_args(), resources(), docker())
        .prop_map(|(names, router, env, engine_args, resources, docker)| {
            let (name, engine, dynamo_version, image, model, served_model_name, mode) = names;
            CommonDraft {
                name,
                engine,
                dynamo_version,
                image,
                model,
                served_model_name,
                mode,
                router,
                env,
                engine_args,
                resources,
                docker,
                ..CommonDraft::default()
            }
        })
        .boxed()
}

fn deployment() -> BoxedStrategy<DeploymentDraft> {
    (common(), select(vec![8000, 80, 65535, 0]), word(&["0.0.0.0", "::1"], "x"))
        .prop_map(|(common, port, bind_address)| DeploymentDraft {
            common,
            port: Given::Is(port),
            bind_address,
            ..DeploymentDraft::default()
        })
        .boxed()
}

fn worker() -> BoxedStrategy<WorkerDraft> {
    let blocks = (proptest::option::of(resources()), docker());
    (word(&["decode"], "prefill"), env(), engine_args(), blocks)
        .prop_map(|(role, env, engine_args, (resources, docker))| WorkerDraft {
            role,
            suffix: Given::Is("abc234".to_owned()),
            env,
            engine_args,
            resources,
            docker,
            ..WorkerDraft::default()
        })
        .boxed()
}

fn host() -> HostFacts {
    HostFacts { cpus: 8, memory_bytes: 32 << 30, ..HostFacts::default() }
}

fn owner() -> Owner {
    Owner { run: "run-1".to_owned(), spec_json: String::new() }
}

fn tells(what: &impl std::fmt::Debug) -> bool {
    format!("{what:?}").contains(SECRET)
}

/// Makes one field of many unknown.
fn forget(draft: &mut DeploymentDraft, which: usize) {
    let common = &mut draft.common;
    let words = [
        &mut common.engine,
        &mut common.dynamo_version,
        &mut common.mode,
        &mut common.model,
        &mut common.router.mode,
        &mut common.served_model_name,
        &mut common.image,
    ];
    let count = words.len();
    match words.into_iter().nth(which) {
        Some(field) if !field.is_absent() => *field = Given::Unknown,
        None if which == count && !common.router.kv_events.is_absent() => {
            common.router.kv_events = Given::Unknown;
        }
        _ => common.env.values_mut().for_each(|value| *value = Given::Unknown),
    }
}

proptest! {
    // Seeded: the same cases on every machine.
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: RngSeed::Fixed(161),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_accepted_works(draft in deployment(), mut worker in worker()) {
        worker.deployment = draft.common.clone();
        let deployment = draft
            .complete_from(test_release::ALL)
            .and_then(|spec| decide::deployment(&spec, &host(), &owner()));
        let worker = worker
            .complete_from(test_release::ALL)
            .and_then(|spec| decide::worker(&spec, &host(), &owner()));
        for result in [&deployment, &worker] {
            match result {
                Ok(blueprint) => {
                    prop_assert_eq!(lint::lint(blueprint), Vec::<String>::new());
                    for planned in &blueprint.containers {
                        let mut public = planned.clone();
                        public.spec.env.clear();
                        prop_assert!(!tells(&public));
                    }
                }
                Err(objections) => {
                    prop_assert!(!objections.is_empty());
                    prop_assert!(!tells(objections));
                }
            }
        }
        if let (Ok(deployment), Ok(worker)) = (&deployment, &worker) {
            prop_assert_eq!(lint::lint_pair(deployment, worker), Vec::<String>::new());
        }
    }

    #[test]
    fn knowing_less_brings_no_new_complaint(draft in deployment(), which in 0_usize..9) {
        let all = check::deployment(&draft);
        let mut vague = draft.clone();
        forget(&mut vague, which);
        for objection in check::deployment(&vague) {
            prop_assert!(all.contains(&objection), "{objection}");
        }
        if !all.is_empty() {
            prop_assert!(draft.complete().is_err());
        }
    }
}

/// The strategies above would prove nothing if all they made were refused.
#[test]
fn enough_is_accepted() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let made = (0..400).filter(|_| {
        let draft = deployment().new_tree(&mut runner).unwrap().current();
        let spec = draft.complete_from(test_release::ALL);
        spec.and_then(|spec| decide::deployment(&spec, &host(), &owner())).is_ok()
    });
    let made = made.count();
    assert!(made > 40, "{made} of 400");
}
