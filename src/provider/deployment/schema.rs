//! The attributes of `dynamo_deployment`, each declared once.

use crate::model;
use crate::provider::attributes::blocks::{DockerModel, ResourcesModel, RouterModel, TextMap, TimeoutsModel};
use crate::provider::attributes::connector::ConnectorModel;
use crate::provider::attributes::containers::ContainerModel;
use crate::provider::attributes::secret_env::{SecretMap, has_secrets};
use crate::tf_provider::attr::{Attr, Block, Dynamic, NestedMap};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{block, check, computed, optional, optional_computed, required};

pub const ABOUT: About = About {
    type_name: "dynamo_deployment",
    description: "A Dynamo deployment: the frontend with its router, and the supporting services of the release. It serves \
        once it has a `dynamo_worker`.\n\n\
        The resource is created when the frontend answers, not when its container exists. If a container dies while \
        starting, the error carries its exit code and last log lines, and nothing is left behind.",
};

model! {
    pub struct DeploymentModel {
        id: Attr<String> = computed("`host/name`.").stable(),
        name: Attr<String> = optional_computed("Name of the environment; it begins the names of its containers. Lower case letters, \
            digits and `-`, at most 40. Left out: generated once. Changing it replaces the deployment.").replaces().stable(),
        host: Attr<String> = optional_computed("Entry of the provider's `hosts`. May be left out when there is only one. Changing it \
            replaces the deployment.").replaces().stable(),
        engine: Attr<String> = required("What computes the tokens: `vllm`, `sglang` or `trtllm` (TensorRT-LLM), or `mocker`: Dynamo's own \
            simulator, which needs no GPU and answers with random words."),
        dynamo_version: Attr<String> = optional_computed("Dynamo release. Left out: the one in the tag of `image`, or else the newest \
            one that the provider knew when the deployment was made.").stable(),
        image: Attr<String> = optional_computed("Image of all containers of the deployment. Left out: NVIDIA's image for engine \
            and release."),
        image_pull_policy: Attr<String> = optional("When the image is downloaded: `missing` (only if it is not on the host), \
            `always`, or `never`.").default("missing"),
        model: Attr<String> = required("Hugging Face name (`Qwen/Qwen3-8B`), or an absolute path on the host. A path is mounted \
            read-only. Of a name, a complete copy in the host's `model_cache` or `model_paths` is used; without one it is downloaded \
            into the model cache when a worker starts.").check(check::not_empty()),
        served_model_name: Attr<String> = optional_computed("Name that clients use. Left out: the Hugging Face name, or the last \
            part of the path."),
        mode: Attr<String> = optional("`aggregated`: every worker does prefill and decode. `disaggregated`: some workers do prefill, \
            others decode (`role`), and the deployment serves once it has one of each.").default("aggregated"),
        network: Attr<String> = optional("`bridge`: the containers share a private network of the host. `host`: they use the \
            network of their hosts, so that workers may be on other hosts than the frontend; a private network between the hosts \
            is needed, since Dynamo's processes and etcd ask nobody for a password. Changing it replaces the deployment.")
            .default("bridge").replaces(),
        port: Attr<i64> = optional_computed("Port of the frontend on the host. Left out: the first free one from 8000, picked when \
            the deployment is made and kept.").stable().check(check::between(1, 65535)),
        bind_address: Attr<String> = optional("Address on the host at which the frontend listens. The frontend has no \
            login: open it knowingly.").default("127.0.0.1"),
        env: Attr<TextMap> = optional("Environment variables of frontend and workers. Not for secrets (`secret_env`): they are in \
            the state."),
        secret_env: Attr<SecretMap> = optional("Environment variables of the frontend whose values are secret, beside `env`. Write-only: they are in no state and no plan, and in no label, log or error. Who may use Docker on the \
            host can read them. While there is no `secret_env_version`, a plan compares them with those of the container, and another \
            value makes a new one. \
            A worker has a `secret_env` of its own: what is never stored cannot reach it through `deployment`.").sensitive().write_only(),
        secret_env_version: Attr<String> = optional("Any text: a number, a date. With it the values of `secret_env` are not compared, and \
            another version than before makes a new container with the present values. For values that are others in each run, \
            such as those of ephemeral resources."),
        engine_args: Attr<Dynamic> = optional("Arguments of the engine for all workers, as an object: `{ max-model-len = 8192, \
            enable-prefix-caching = true }`. `true` gives the bare flag, `false` leaves it out (or gives `--no-…` where the flag is \
            on by default). Names may be written with underscores; behind a dot (`speculative-config.num_speculative_tokens`) the \
            spelling is the engine's. Over them go the arguments of a role, and over those the worker's own. While none of them \
            says how the model is spread over GPUs (tensor, pipeline or data parallel), it is tensor parallel over all GPUs of a \
            worker."),
        prefill_engine_args: Attr<Dynamic> = optional("Arguments of the engine for prefill workers, over `engine_args`. Only where the \
            deployment is disaggregated."),
        decode_engine_args: Attr<Dynamic> = optional("Arguments of the engine for decode workers (all workers, where the deployment is \
            aggregated), over `engine_args`."),
        model_args: Attr<TextMap> = computed("Arguments of the engine that the model comes with, by the catalog (`dynamo_model_catalog`) or \
            the provider's `models`: parsers of its tool calls and reasoning. `engine_args` and all others go over them; `false` there \
            leaves one out.").stable(),
        desired_state: Attr<String> = optional("`running`, or `stopped`: containers are kept but not run.").default("running")
            .check(check::one_of(["running", "stopped"])),

        endpoint: Attr<String> = computed("URL of the OpenAI-compatible API, without `/v1`. Where the frontend listens at all addresses \
            (`0.0.0.0`), it has the host's `advertise_address`.").stable(),
        image_id: Attr<String> = computed("Id of the image that the frontend runs.").stable(),
        network_name: Attr<String> = computed("Name of the private Docker network; null with `network = \"host\"`.").stable(),
        secret_env_status: Attr<TextMap> = computed("The variables of `secret_env`, by name: `set`, or `missing` where the container lacks one. \
            In a plan one whose value will be another is not known yet.").stable(),
        model_source: Attr<String> = computed("`local`: the host has a complete copy, which is mounted read-only; the engine does not \
            look at the hub. `download`: the host's model cache is mounted, and what is missing is downloaded at start. Of a name on \
            the hub it is decided when the deployment is made, and kept.").stable(),
        model_path: Attr<String> = computed("Folder of the host with the model (in a Hugging Face cache the model's `models--…`), or, \
            with `download`, the model cache.").stable(),
        discovery: Attr<String> = computed("How the processes find each other: `file` or `etcd`, as release and network demand.")
            .stable(),
        services: Attr<TextMap> = computed("Addresses (`address:port`) of the supporting services, by name; empty where the release needs none. With \
            `network = \"host\"` ports are picked when the deployment is made, and kept.")
            .stable(),
        status: Attr<String> = computed("`running`, `stopped`, or what is wrong: `missing`, `exited`, `restarting`, … Planned as \
            what it should be, so that a deployment which died shows up in the plan and is brought back."),
        drift: Attr<Vec<Attr<String>>> = computed("What differs on the host from what was asked for, a sentence each; empty when all \
            is in order. Applying mends it."),
        containers: Attr<NestedMap<ContainerModel>> = computed("The containers of the deployment without its workers, by component."),

        router: Block<RouterModel> = block("How requests are spread over the workers."),
        connector: Block<ConnectorModel> = block("How KV caches leave a GPU: to other workers, to memory, to disk."),
        resources: Block<ResourcesModel> = block("Limits of each container: frontend, and workers that have no limits of their \
            own. Left out: all but the host's reserve."),
        docker: Block<DockerModel> = block("Further options of `docker run` for the frontend and the workers."),
        timeouts: Block<TimeoutsModel> = block("How long operations may take."),
    }
}

has_secrets!(DeploymentModel);
