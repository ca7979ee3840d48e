//! The attributes of `dynamo_host_gpus`.

use crate::model;
use crate::provider::attributes::blocks::TextMap;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{computed, optional_computed};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_host_gpus",
    description: "The GPUs of a host, and who has them. This machine's are read from the driver's library (NVML), those of others \
        with `nvidia-smi`.\n\n\
        A GPU is somebody's while a running container has it, made by this provider or not, or while a process computes on it. \
        A host without GPUs, or whose GPUs cannot be seen, is no error: the lists are empty and `problem` says why.",
};

model! {
    /// The data source `dynamo_host_gpus`.
    pub(crate) struct GpusModel {
        host: Attr<String> = optional_computed("Entry of the provider's `hosts`. May be left out when there is only one."),
        gpus: Attr<NestedList<GpuModel>> = computed("The cards, by index."),
        available: Attr<Vec<Attr<String>>> = computed("UUIDs of what is free, by index of the card: cards, and instances of those that \
            are split (MIG)."),
        driver_version: Attr<String> = computed("Version of the NVIDIA driver."),
        problem: Attr<String> = computed("Why there are none; null when there are."),
    }
}

model! {
    /// A GPU of `dynamo_host_gpus`.
    pub(crate) struct GpuModel {
        index: Attr<i64> = computed("Index, as `nvidia-smi` counts. It changes when a card is added or lost; `uuid` does not."),
        uuid: Attr<String> = computed("UUID, as `dynamo_worker.gpus` takes it."),
        name: Attr<String> = computed("Product name."),
        memory_gb: Attr<Number> = computed("Memory, in GB (2³⁰ bytes). Null where it is the CPU's."),
        used_gb: Attr<Number> = computed("Memory in use, in GB (2³⁰ bytes)."),
        utilisation: Attr<i64> = computed("Percent of the last moment in which something was computed."),
        temperature: Attr<i64> = computed("Degrees Celsius."),
        compute_capability: Attr<String> = computed("Compute capability, for example `9.0`. Null with old drivers."),
        mig_enabled: Attr<bool> = computed("Whether the card is in MIG mode: then its instances are given out, and not the card."),
        mig: Attr<NestedList<MigModel>> = computed("Instances of a split card."),
        links: Attr<TextMap> = computed("How the other cards are reached, by their index, in the words of `nvidia-smi topo -m`: `NV18` is 18 \
            NVLinks; `PIX`, `PXB`, `PHB`, `NODE` and `SYS` are PCIe, from near to far. Empty when the driver does not tell."),
        assigned_to: Attr<String> = computed("Container or process that has it; null when it is free, or split."),
    }
}

model! {
    /// A MIG instance of `dynamo_host_gpus`.
    pub(crate) struct MigModel {
        uuid: Attr<String> = computed("UUID, as `dynamo_worker.gpus` takes it."),
        profile: Attr<String> = computed("Size, for example `1g.10gb`."),
        assigned_to: Attr<String> = computed("Container or process that has it; null when it is free."),
    }
}
