//! The attributes of `dynamo_model`, each declared once.

use crate::container::Secret;
use crate::model;
use crate::provider::attributes::duration;
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{block, check, computed, optional, optional_computed, required};

/// The name and description of the resource.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_model",
    description: "A model that must be on a host: one that lies there already, one that is copied from another host, or one that is \
        downloaded from the Hugging Face hub before anything serves it.\n\n\
        A copy goes from host to provider to host over the SSH connections that there are: the hosts need not reach each other, \
        and need nothing for it but `sh`, `tar` and `sha256sum`. Files arrive in a folder of their own, are checked, and appear \
        at their place all at once. A copy that broke off goes on where it was with the next apply. Nothing but silence ends it: \
        see `timeouts.stall`.\n\n\
        A Hugging Face cache is copied as one, so that a deployment finds the model by its `name`. What was there before is \
        used as it is, and is not removed when the resource is destroyed.",
};

model! {
    /// The resource `dynamo_model`.
    pub(crate) struct ModelModel {
        id: Attr<String> = computed("`host/name`.").stable(),
        host: Attr<String> = optional_computed("Entry of the provider's `hosts` that the model has to be on. May be left out when there \
            is only one. Changing it replaces the model.").replaces().stable(),
        name: Attr<String> = required("Name on the Hugging Face hub, for example `Qwen/Qwen3-8B`; for a folder of your own any name \
            of that form. Usable as `model` of a deployment. Changing it replaces the model.").replaces(),
        path: Attr<String> = optional_computed("Folder with the model's files. Give it to have a copy from another host as a plain folder \
            there. Left out, a Hugging Face cache is copied into the host's `model_cache` (and this is the snapshot in it), and a \
            plain folder to the path that it has on the other host. Usable as `model` of a deployment. Changing it replaces the \
            model.").replaces().stable(),
        revision: Attr<String> = optional_computed("Commit, branch or tag on the hub; left out, the one called main. Computed it is the \
            commit; null for a plain folder. Changing it replaces the model.").replaces().stable(),
        image: Attr<String> = optional("With `huggingface`: image whose Python downloads. It must have `huggingface_hub`, as NVIDIA's \
            images of Dynamo's engines do. Left out: that of the newest release."),
        keep_on_destroy: Attr<bool> = optional("Whether files that this resource made stay on the host when it is destroyed.")
            .default(false),

        size_bytes: Attr<i64> = computed("Size of the model's files in bytes, each content counted once.").stable(),
        files: Attr<i64> = computed("Number of the model's files.").stable(),
        checksum: Attr<String> = computed("SHA-256 over the list of the files and their hashes. Null for a plain folder that was there \
            before, which is not read.").stable(),
        created: Attr<bool> = computed("Whether this resource made the files. Only then they are removed with it.").stable(),
        status: Attr<String> = computed("`complete`, `without weights` (enough for the simulated engine `mocker`), or what is wrong. \
            Applying brings what is missing.").stable(),

        source: Block<SourceModel> = block("Where the model comes from: `path`, `host`, both (a folder on another host), or \
            `huggingface`. Another kind of source, or another `path`, replaces the model; another `host` does not, since what is \
            there is there."),
        timeouts: Block<StallModel> = block("How long nothing may move."),
    }
}

model! {
    /// The block `source` of a model.
    pub(crate) struct SourceModel {
        path: Attr<String> = optional("Absolute path of a folder with the model: a plain folder, or a Hugging Face cache that has it. \
            Alone it is a folder of `host`, which is checked and left as it is."),
        host: Attr<String> = optional("Another entry of the provider's `hosts`, from which the model is copied. Without `path` it is \
            looked for in that host's `model_cache` and `model_paths`."),
        huggingface: Attr<bool> = optional("`true`: downloaded from the hub into the host's `model_cache`, by a container that ends \
            when it is done."),
        endpoint: Attr<String> = optional("With `huggingface`: URL of another hub than https://huggingface.co."),
        token: Attr<Secret> = optional("With `huggingface`: access token for models that need one. Write-only: it is in no state and no \
            plan, and on the host only in the environment of the container that downloads.").sensitive().write_only(),
    }
}

model! {
    /// The block `timeouts` of a model.
    pub(crate) struct StallModel {
        stall: Attr<String> = optional("A copy or download of which nothing has moved for so long is given up. Default: `2m`. What \
            moves may take any time.")
            .check(check::text("be a duration such as \"90s\", \"30m\" or \"1h30m\"", duration::is_valid)),
    }
}
