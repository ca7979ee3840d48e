//! The attributes of `dynamo_host`.

use crate::model;
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{computed, optional_computed};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_host",
    description: "A host: its capacity, its Docker Engine, its driver, and what is kept for the system there.",
};

model! {
    /// The data source `dynamo_host`.
    pub(crate) struct HostInfoModel {
        host: Attr<String> = optional_computed("Entry of the provider's `hosts`. May be left out when there is only one."),
        hostname: Attr<String> = computed("What the machine calls itself."),
        cpus: Attr<i64> = computed("Logical CPUs."),
        memory_gb: Attr<Number> = computed("Memory, in GB (2³⁰ bytes)."),
        disk: Attr<Nested<HostDiskModel>> = computed("The disk with Docker's images and volumes. Null where it cannot be seen: when the \
            Engine is on another machine, and nothing leads there but its API."),
        docker_version: Attr<String> = computed("Version of the Docker Engine."),
        api_version: Attr<String> = computed("API version that is spoken with it."),
        driver_version: Attr<String> = computed("Version of the NVIDIA driver. Null where there is none or it cannot be seen: \
            `dynamo_host_gpus` says why."),
        runtimes: Attr<Vec<Attr<String>>> = computed("Runtimes of the Engine, sorted. The NVIDIA Container Toolkit adds `nvidia` when it \
            is configured for Docker."),
        default_runtime: Attr<String> = computed("Runtime of containers that ask for none."),
        cdi_folders: Attr<Vec<Attr<String>>> = computed("Folders in which the Engine looks for device descriptions (CDI), sorted; none \
            with Docker older than 25."),
        reserved: Attr<Nested<HostReserveModel>> = computed("What is kept for the system when limits of containers are worked out: as \
            configured, or worked out."),
    }
}

model! {
    /// The object `disk` of `dynamo_host`.
    pub(crate) struct HostDiskModel {
        path: Attr<String> = computed("Docker's folder on it."),
        size_gb: Attr<Number> = computed("Size, in GB (2³⁰ bytes)."),
        free_gb: Attr<Number> = computed("Free, in GB (2³⁰ bytes)."),
    }
}

model! {
    /// The object `reserved` of `dynamo_host`.
    pub(crate) struct HostReserveModel {
        cpus: Attr<Number> = computed("CPUs."),
        memory_gb: Attr<Number> = computed("Memory, in GB (2³⁰ bytes)."),
    }
}
