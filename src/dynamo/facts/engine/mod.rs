//! What is known of an engine in a release: its image, its module, its flags.
//!
//! Deciding code asks these records and never an engine's name. An engine that Dynamo has and no release lists here is
//! known by its word ([`crate::dynamo::terms::words::Engine`]) and refused by its name; writing its record makes it work. Each engine's
//! file has its record for the newest line of releases; an older line says what differs (`..vllm::V1_6`).
//!
//! Texts of a record (arguments, variables) may hold the name of a port in braces: `{kv_events}`; `{listen}` for the
//! address at which a worker listens; and see [`crate::dynamo::facts::connector`]. [`crate::dynamo::decide::worker`] puts a worker's command together.

pub(crate) mod arg_rules;
pub(crate) mod mocker;
pub(crate) mod sglang;
pub(crate) mod trtllm;
pub(crate) mod vllm;

use crate::dynamo::facts::connector::ConnectorFacts;
use crate::dynamo::facts::topology::WorkerPort;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::{Engine, Mode, NetworkMode, Role};
use arg_rules::ArgRules;

/// An engine as one line of releases runs it.
#[derive(Debug, PartialEq)]
pub struct EngineFacts {
    pub engine: Engine,
    /// Repository below the release's registry; the tag is the version.
    pub image: &'static str,
    /// Python module of the worker.
    pub module: &'static str,
    /// Flag for what to load: a Hugging Face name or a path.
    pub model_flag: &'static str,
    /// Flag for the name clients use.
    pub served_name_flag: &'static str,
    /// Whether that name may be another than the model's own.
    pub renames: bool,
    /// Networks on which it runs.
    pub networks: &'static [NetworkMode],
    /// Arguments that say how the model is spread over GPUs. While users set none of them, the first is told the number of
    /// the worker's GPUs. Empty = it uses no GPU.
    pub parallel_args: &'static [&'static str],
    /// Those among them whose product is the number of GPUs that a worker computes on.
    pub gpu_args: &'static [&'static str],
    /// Arguments with which part of that is on other machines.
    pub elsewhere_args: &'static [&'static str],
    /// Those that say how many ranks of data parallelism there are, each with ports of its own.
    pub rank_args: &'static [&'static str],
    /// Arguments that users may set, with what they are when users do not. Of several that fit, the last holds.
    pub default_args: &'static [DefaultArg],
    /// Arguments that both roles must agree on, such as the size of a block of the KV cache.
    pub shared_args: &'static [&'static str],
    /// Further arguments that all workers of a role must agree on: Dynamo refuses a worker whose model card differs.
    pub role_args: &'static [&'static str],
    /// The modes and roles it can be run in.
    pub serving: &'static [Serving],
    /// How it reports what it caches; `None` = always, by itself.
    pub events: Option<Events>,
    /// What works, by mode; the first row of a mode is the default there.
    pub connectors: &'static [ConnectorFacts],
    /// Further environment of a worker.
    pub env: &'static [(&'static str, &'static str)],
    /// Environment of a worker that users may change.
    pub env_defaults: &'static [(&'static str, &'static str)],
    /// The same of frontend and workers with a router that looks at caches.
    pub kv_env_defaults: &'static [(&'static str, &'static str)],
    /// Variables the provider decides, beside the release's, and what the user should do instead.
    pub reserved_env: &'static [&'static [Reserved]],
    pub args: ArgRules,
    /// Limits that the engine needs raised: name, soft, hard.
    pub ulimits: &'static [(&'static str, i64, i64)],
    /// Size of `/dev/shm` in bytes; `None` = Docker's default will do.
    pub shm_bytes: Option<u64>,
    /// Whether workers share the host's IPC namespace, and with it its `/dev/shm`, unless users size one of their own.
    pub ipc_host: bool,
    /// Capabilities that workers need.
    pub cap_add: &'static [&'static str],
    /// Whether it only simulates: it reads the tokenizer and computes nothing.
    pub simulates: bool,
    /// Its arguments about memory; `None` = it holds nothing, so that nothing has to fit.
    pub memory_args: Option<MemoryArgs>,
    /// What it calls the arguments that a model comes with; `None` = it parses nothing.
    pub model_args: Option<ModelArgs>,
}

/// The arguments of an engine that decide about the memory of GPUs, by the names under which they are kept.
#[derive(Debug, PartialEq)]
pub struct MemoryArgs {
    pub context: &'static [&'static str],
    pub cache_type: &'static [&'static str],
    pub utilisation: &'static [&'static str],
    /// The largest share of a GPU that is taken when none is set, by any release.
    pub usual: Amount,
    pub tensor: &'static [&'static str],
    pub pipeline: &'static [&'static str],
    /// Whether it starts only if a sequence of the whole context fits; others serve shorter ones.
    pub insists: bool,
    /// Arguments with which weights or cache are no longer what the model's files say. With one of them there is no estimate.
    pub beyond: &'static [&'static str],
}

/// The arguments of an engine by which a model's own needs are said.
#[derive(Debug, PartialEq)]
pub struct ModelArgs {
    pub tool_calls: &'static str,
    pub reasoning: &'static str,
    pub context: &'static str,
}

/// A role in a mode: how it is asked for, and as what it shows up.
#[derive(Debug, PartialEq)]
pub struct Serving {
    pub mode: Mode,
    pub role: Role,
    /// Arguments that ask for it.
    pub args: &'static [&'static str],
    /// The component under which the frontend lists its instances.
    pub component: &'static str,
    /// Whether it reports what it caches, where that has to be asked for.
    pub publishes: bool,
}

/// How an engine is asked to report what it caches.
#[derive(Debug, PartialEq)]
pub struct Events {
    pub args: &'static [&'static str],
    /// What it is told where nobody asks for reports, and it would send them all the same.
    pub silent_args: &'static [&'static str],
    pub ports: &'static [WorkerPort],
    /// Argument and value with which it has nothing to report.
    pub off_by: Option<(&'static str, bool)>,
}

/// An argument that has a value unless users give it one.
#[derive(Debug, PartialEq)]
pub struct DefaultArg {
    pub name: &'static str,
    /// What begins with a brace is a map in JSON: users' keys are put over its own.
    pub value: &'static str,
    /// Where it holds; `None` = everywhere.
    pub mode: Option<Mode>,
    pub role: Option<Role>,
    /// With a router that looks at caches (`true`) or one that does not.
    pub kv: Option<bool>,
    /// Arguments of users beside which it is left out.
    pub unless: &'static [&'static str],
}

/// Holds everywhere: what others are made from.
pub(crate) const EVERYWHERE: DefaultArg =
    DefaultArg { name: "", value: "", mode: None, role: None, kv: None, unless: &[] };

impl EngineFacts {
    /// `None` when the engine is not run like that.
    pub fn serving(&self, mode: Mode, role: Role) -> Option<&'static Serving> {
        self.serving.iter().find(|row| row.mode == mode && row.role == role)
    }

    /// Whether a model without weights is of no use to it. A simulator reads only the tokenizer.
    pub fn needs_weights(&self) -> bool {
        !self.simulates
    }

    /// Whether the engine is run in that mode at all.
    pub fn has_mode(&self, mode: Mode) -> bool {
        self.serving.iter().any(|row| row.mode == mode)
    }

    /// Every argument that the provider decides, and what the user should do instead.
    pub fn reserved_args(&self) -> impl Iterator<Item = Reserved> {
        let own = [(self.model_flag, MODEL), (self.served_name_flag, SERVED_NAME)];
        let own = own.map(|(flag, instead)| (flag.strip_prefix("--").unwrap_or(flag), instead));
        own.into_iter().chain(OF_EVERY_ENGINE.iter().chain(self.args.reserved).copied())
    }

    /// Every argument of users that means something to the provider, by all of its names.
    pub fn known_args(&self) -> Vec<&'static str> {
        let tables =
            [self.parallel_args, self.rank_args, self.shared_args, self.role_args, self.args.negatable];
        let defaults = self.default_args.iter().map(|row| row.name);
        let off = self.events.iter().filter_map(|events| Some(events.off_by?.0));
        let spellings = self.args.spellings.iter().flat_map(|(other, kept)| [*other, *kept]);
        tables.into_iter().flatten().copied().chain(defaults).chain(off).chain(spellings).collect()
    }

    /// Whether a worker needs at least one GPU.
    pub fn needs_gpu(&self) -> bool {
        !self.parallel_args.is_empty()
    }
}

/// What engines on GPUs need of Docker, as Dynamo's own `run.sh` gives it to them: memory that can be pinned, a stack
/// for NCCL, and a look at each other's memory.
pub(crate) const GPU_ULIMITS: &[(&str, i64, i64)] =
    &[("memlock", -1, -1), ("nofile", 65_536, 65_536), ("stack", 67_108_864, 67_108_864)];
/// The capability for the last of these.
pub(crate) const GPU_CAPABILITIES: &[&str] = &["SYS_PTRACE"];

/// A name that the provider decides, and what the user should do instead.
pub(crate) type Reserved = (&'static str, &'static str);

/// Arguments of Dynamo's own, which every engine's module takes.
const OF_EVERY_ENGINE: &[Reserved] = &[
    ("disaggregation-mode", ROLE),
    // As roles were asked for until release line 1.3.
    ("is-prefill-worker", ROLE),
    ("is-decode-worker", ROLE),
    ("endpoint", NAMESPACE),
    ("router-mode", ROUTER),
    ("discovery-backend", DISCOVERY),
    ("request-plane", PLANE),
    ("response-plane", PLANE),
    ("event-plane", PLANE),
];

/// Variables of Dynamo's block manager.
const KVBM_VARIABLES: &[Reserved] = &[
    ("DYN_KVBM_CPU_CACHE_GB", "set connector.cpu_cache_gb on the deployment"),
    ("DYN_KVBM_DISK_CACHE_GB", "set connector.disk_cache_gb on the deployment"),
    ("DYN_KVBM_DISK_CACHE_DIR", "set connector.disk_cache_path on the deployment"),
    ("DYN_KVBM_DISK_DISABLE_O_DIRECT", "set connector.disk_cache_path on the deployment"),
    ("DYN_KVBM_LEADER_ZMQ_PUB_PORT", PORT),
    ("DYN_KVBM_LEADER_ZMQ_ACK_PORT", PORT),
];

const MODEL: &str = "set model on the deployment";
const SERVED_NAME: &str = "set served_model_name on the deployment";
const ROLE: &str = "set mode on the deployment and role on the worker";
const REGISTERS: &str = "leave it out: a worker that the frontend never lists is not known to work";
const CONNECTOR: &str = "set connector on the deployment";
const EVENTS: &str = "set router.mode and router.kv_events on the deployment";
const NAMESPACE: &str = "leave it out: the deployment's name decides it";
const ROUTER: &str = "set router.mode on the deployment";
const DISCOVERY: &str = "leave it out: the release and the network decide it";
const PLANE: &str = "leave it out: the release decides it for all containers";
const PORT: &str = "leave it out: the provider picks a port that is free";
const ADDRESS: &str = "set advertise_address on the provider's entry for the host";
