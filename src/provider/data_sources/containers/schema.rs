//! The attributes of `dynamo_containers`, each declared once.

use crate::model;
use crate::provider::attributes::convert;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{check, computed, optional, optional_computed};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_containers",
    description: "The containers that this provider made on a host, running or not, with their state and, if asked for, their last \
        log lines and what they use.\n\nCosts one request to the Docker Engine for the list, one for each container, and one for \
        each image; these are shared with everything else that is read at that moment. `lines` and `usage` cost one more \
        for each container.",
};

model! {
    /// The data source `dynamo_containers`.
    pub(crate) struct ContainersModel {
        host: Attr<String> = optional_computed(convert::HOST),
        deployment: Attr<String> = optional("Name of a deployment. Left out: the containers of all of them."),
        lines: Attr<i64> = optional("How many of the last log lines of each container to read.").default(0_i64)
            .check(check::between(0, 1000)),
        usage: Attr<bool> = optional("Whether to measure what running containers use. Takes a second or two.").default(false),
        containers: Attr<NestedList<SeenContainerModel>> = computed("The containers, by name."),
    }
}

model! {
    /// A container of `dynamo_containers`.
    pub(crate) struct SeenContainerModel {
        name: Attr<String> = computed("Name."),
        id: Attr<String> = computed("Id, 64 digits."),
        image: Attr<String> = computed("Image, as it was named when the container was made."),
        state: Attr<String> = computed("`created`, `running`, `paused`, `restarting`, `exited`, `removing` or `dead`."),
        health: Attr<String> = computed("`starting`, `healthy` or `unhealthy`; null without a health check."),
        restarts: Attr<i64> = computed("How often Docker restarted it."),
        exit_code: Attr<i64> = computed("How it ended last; null unless it has exited or is being restarted."),
        oom_killed: Attr<bool> = computed("Whether it was killed because its memory ran out; null unless it has exited."),
        started_at: Attr<String> = computed("When it was started last, RFC 3339; null when it never was."),
        ports: Attr<NestedList<PortModel>> = computed("Ports published on the host."),
        gpus: Attr<Vec<Attr<String>>> = computed("GPUs that were handed to it."),
        deployment: Attr<String> = computed("Deployment that it belongs to."),
        component: Attr<String> = computed("What it is of the deployment: `frontend`, `worker`, or a supporting service."),
        role: Attr<String> = computed("`decode` or `prefill`; null for what is not a worker."),
        log_tail: Attr<String> = computed("The last log lines, without colours; empty unless `lines` asks for them. Logs may hold \
            anything, also what clients wrote; values of `secret_env` are `(secret)` there.").sensitive(),
        cpu_percent: Attr<Number> = computed("CPU in use, 100 = one CPU; null unless `usage` asks for it and the container runs."),
        memory_gb: Attr<Number> = computed("Memory in use in GB (2³⁰ bytes), without cached files; null as `cpu_percent`."),
    }
}

model! {
    /// A published port of `dynamo_containers`.
    pub(crate) struct PortModel {
        address: Attr<String> = computed("Address on the host."),
        port: Attr<i64> = computed("Port on the host."),
        container_port: Attr<i64> = computed("Port in the container."),
    }
}
