//! The attributes of `dynamo_images`, each declared once.

use crate::dynamo::terms::words::Engine;
use crate::model;
use crate::provider::attributes::convert;
use crate::tf_provider::attr::{Attr, NestedList};
use crate::tf_provider::provider::About;
use crate::tf_provider::schema::{check, computed, optional, optional_computed, required};
use crate::tf_provider::value::Number;

/// The name and description of the data source.
pub(crate) const ABOUT: About = About {
    type_name: "dynamo_images",
    description: "Which images of an engine a host has, and which it would have to download: the versions that this provider \
        knows, whatever else the host has of the same repository, and with `registry = true` all tags that the registry \
        has.\n\nCosts one request to the Docker Engine, whatever the number of images.",
};

model! {
    /// The data source `dynamo_images`.
    pub(crate) struct ImagesModel {
        host: Attr<String> = optional_computed(convert::HOST),
        engine: Attr<String> = required("Engine whose images are meant.")
            .check(check::one_of(Engine::ALL.iter().map(|engine| engine.word()))),
        dynamo_version: Attr<String> = optional("Only this version. Left out: all."),
        repository: Attr<String> = optional_computed("Repository without a tag, for example of a mirror. Left out: NVIDIA's for \
            that engine.").check(check::text("be a repository without tag or digest", is_repository)),
        registry: Attr<bool> = optional("Whether to ask the registry for its tags too. It is asked through the host's network, \
            with the provider's `registry_auth`.").default(false),
        images: Attr<NestedList<ImageModel>> = computed("The images, newest version first."),
    }
}

model! {
    /// An image of `dynamo_images`.
    pub(crate) struct ImageModel {
        version: Attr<String> = computed("Tag of the image, which is the Dynamo version in NVIDIA's repositories."),
        image: Attr<String> = computed("Full reference, as `image` of a deployment takes it."),
        known: Attr<bool> = computed("Whether this provider can run that version with this engine."),
        installed: Attr<bool> = computed("Whether the host has it."),
        available: Attr<bool> = computed("Whether the registry has it; null unless `registry = true`."),
        id: Attr<String> = computed("Id of the image on the host; null when it is not there."),
        size_gb: Attr<Number> = computed("Size on the host in GB (2³⁰ bytes); null when it is not there."),
        digest: Attr<String> = computed("Digest under which the registry has what is on the host (`sha256:…`); null when it was \
            built there."),
    }
}

fn is_repository(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    !name.contains([':', '@']) && crate::dynamo::terms::image::reference(text).is_ok()
}
