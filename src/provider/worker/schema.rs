//! The attributes of `dynamo_worker`, each declared once.

use crate::model;
use crate::provider::attributes::blocks::{
    DockerModel, DockerView, ResourcesModel, ResourcesView, RouterView, TextMap, TimeoutsModel,
};
use crate::provider::attributes::connector::ConnectorView;
use crate::provider::attributes::picked_ports::Ports;
use crate::provider::attributes::secret_env::{SecretMap, has_secrets};
use crate::tf_provider::attr::{Attr, Block, Dynamic, Nested};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{block, check, computed, optional, optional_computed, required};

pub const ABOUT: About = About {
    type_name: "dynamo_worker",
    description: "A worker of a `dynamo_deployment`: the process that computes tokens. Use `count` or `for_each` for several.\n\n\
        The resource is created when the frontend lists it, not when its container exists. (Of a disaggregated deployment the \
        frontend lists each worker as it comes, and serves the model once both roles are there.) A change replaces the container \
        without dropping a request: the new one starts and registers, then the old one drains and goes, one worker of a \
        deployment at a time.",
};

model! {
    pub struct WorkerModel {
        id: Attr<String> = computed("`host/container`.").stable(),
        deployment: Attr<Nested<DeploymentView>> = required("The deployment, whole: `dynamo_deployment.chat`. Model, mode and \
            release travel with it, so that their change shows up in each worker's plan."),
        host: Attr<String> = optional_computed("Entry of the provider's `hosts`. Left out: the deployment's. Changing it replaces the \
            worker.").replaces().stable(),
        role: Attr<String> = optional("`decode` (both phases, where the deployment is aggregated), or `prefill`, where it is \
            disaggregated. Changing it replaces the worker.").default("decode").replaces(),
        gpus: Attr<Vec<Attr<String>>> = optional("GPUs of the host that the worker gets, by index or by UUID (of a card, or of a MIG \
            instance), for example `[\"0\", \"1\"]`. No GPU is ever given to two workers, or to a worker while something else \
            on the host computes on it."),
        gpu_count: Attr<i64> = optional("So many GPUs, picked by the provider when the worker is made: free ones, and of those the best \
            connected (NVLink first). They stay the worker's. Instead of `gpus`."),
        env: Attr<TextMap> = optional("Environment variables, over the deployment's. Not for secrets (`secret_env`): they are in the state."),
        secret_env: Attr<SecretMap> = optional("Environment variables whose values are secret, for example `HF_TOKEN`, over both `env`. Write-only: they are in no state and no plan, and in no label, log or error. Who may use Docker on the \
            host can read them. While there is no `secret_env_version`, a plan compares them with those of the container, and another \
            value makes a new one. \
            The deployment's do not reach it: what is never stored cannot travel in `deployment`.").sensitive().write_only(),
        secret_env_version: Attr<String> = optional("Any text: a number, a date. With it the values of `secret_env` are not compared, and \
            another version than before makes a new container with the present values. For values that are others in each run, \
            such as those of ephemeral resources."),
        engine_args: Attr<Dynamic> = optional("Arguments of the engine, over the deployment's and those of the role."),
        desired_state: Attr<String> = optional("`running`, or `stopped`: the container is kept but not run. A stopped deployment \
            stops its workers too.").default("running").check(check::one_of(["running", "stopped"])),

        container: Attr<String> = computed("Name of the container.").stable(),
        model_source: Attr<String> = computed("As on the deployment, for the worker's own host: `local` or `download`.").stable(),
        model_path: Attr<String> = computed("Folder of the worker's host with the model, or, with `download`, the model cache.").stable(),
        secret_env_status: Attr<TextMap> = computed("The variables of `secret_env`, by name: `set`, or `missing` where the container lacks one. \
            In a plan one whose value will be another is not known yet.").stable(),
        ports: Attr<Ports> = computed("With `network = \"host\"`: ports at which it listens on the host, \
            by name, and those of the cache server that it shares with others there. Picked when the container is made; a container that replaces another has its own. Else empty."),
        effective_engine_args: Attr<TextMap> = computed("Arguments that its engine is given, out of all layers: the model's, the \
            deployment's, the role's, its own. Without those that follow from mode, router and connector.").stable(),
        image_id: Attr<String> = computed("Id of the image that it runs.").stable(),
        gpu_uuids: Attr<Vec<Attr<String>>> = computed("UUIDs of the GPUs that it was given, sorted.").stable(),
        status: Attr<String> = computed("`running`, `stopped`, or what is wrong: `missing`, `exited`, `restarting`, … Planned as what \
            it should be."),
        registered: Attr<bool> = computed("Whether the frontend lists it."),
        drift: Attr<Vec<Attr<String>>> = computed("What differs on the host from what was asked for, a sentence each; empty when all \
            is in order. Applying mends it."),

        resources: Block<ResourcesModel> = block("Limits of the container. Left out: the deployment's."),
        docker: Block<DockerModel> = block("Further options of `docker run`, over the deployment's."),
        timeouts: Block<TimeoutsModel> = block("How long operations may take."),
    }
}

has_secrets!(WorkerModel);

model! {
    /// What a worker asks of its deployment: only what is stable, so that a change of status never ripples.
    pub struct DeploymentView {
        id: Attr<String> = optional("`host/name`."),
        name: Attr<String> = optional("Name of the deployment."),
        host: Attr<String> = optional("Host of the frontend."),
        engine: Attr<String> = optional("Engine."),
        dynamo_version: Attr<String> = optional("Dynamo release."),
        image: Attr<String> = optional("Image."),
        image_pull_policy: Attr<String> = optional("When the image is downloaded."),
        model: Attr<String> = optional("Model."),
        served_model_name: Attr<String> = optional("Name that clients use."),
        mode: Attr<String> = optional("Aggregated or disaggregated."),
        network: Attr<String> = optional("Kind of network."),
        services: Attr<TextMap> = optional("Addresses of the supporting services."),
        env: Attr<TextMap> = optional("Environment variables."),
        model_args: Attr<TextMap> = optional("Arguments of the engine that the model comes with."),
        engine_args: Attr<Dynamic> = optional("Arguments of the engine."),
        prefill_engine_args: Attr<Dynamic> = optional("Arguments of the engine for prefill workers."),
        decode_engine_args: Attr<Dynamic> = optional("Arguments of the engine for decode workers."),
        desired_state: Attr<String> = optional("`running` or `stopped`."),
        router: Attr<Nested<RouterView>> = optional("Router."),
        connector: Attr<Nested<ConnectorView>> = optional("Connector."),
        resources: Attr<Nested<ResourcesView>> = optional("Limits."),
        docker: Attr<Nested<DockerView>> = optional("Further options of `docker run`."),
    }
}
